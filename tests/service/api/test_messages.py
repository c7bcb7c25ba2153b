"""What a list of messages says: conversations told by their history, and what front ends ask on the side."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scenewise.service.api.messages import Message, conversation_of, new_message, side_answer
from scenewise.store.errors import InputError

HISTORY = "### Chat History:\n<chat_history>\nUSER: a funny film for tonight, please, with no horror in it\nASSISTANT: Here you are.\n</chat_history>"
TITLE = '### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n### Output:\nJSON format: { "title": "..." }\n'
TAGS = '### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history.\n### Output:\nJSON format: { "tags": [] }\n'
FOLLOW_UPS = (
    "### Task:\nSuggest 3-5 relevant follow-up questions or prompts that the user might naturally ask next in this conversation.\n"
    '### Output:\nJSON format: { "follow_ups": ["Question 1?"] }\n'
)
QUERIES = (
    '### Task:\nAnalyze the chat history to determine the necessity of generating search queries.\n### Output:\n{ "queries": [] } as JSON\n'
)


def said(*texts: str) -> list[Message]:
    """Messages of user and assistant in turn."""
    return [Message(role="user" if place % 2 == 0 else "assistant", content=text) for place, text in enumerate(texts)]


class Kept:
    """The turns of a store, as far as conversations are told by them: id -> replies, the newest conversation last."""

    def __init__(self) -> None:
        self.replies: dict[str, list[str]] = {}

    def begun_with(self, prefix: str, *, last: int) -> list[str]:
        """The conversations of a beginning, newest first."""
        return [one for one in reversed(self.replies) if one.startswith(prefix)][:last]

    def last(self, conversation_id: str) -> dict[str, Any] | None:
        """The newest turn."""
        return {"reply": self.replies[conversation_id][-1]} if self.replies[conversation_id] else None

    def of_conversation(self, conversation_id: str) -> list[dict[str, Any]]:
        """All turns."""
        return [{"reply": reply} for reply in self.replies[conversation_id]]


def test_a_history_leads_to_its_conversation() -> None:
    kept: Any = Kept()
    begun = conversation_of(said("hi"), "ann", kept)
    kept.replies[begun] = ["Hello.\n1. Alien"]
    assert conversation_of(said("hi", "Hello.\n1. Alien", "shorter"), "ann", kept) == begun
    assert conversation_of(said("hi", " Hello.  1. Alien ", "shorter"), "ann", kept) == begun  # as a front end may trim it
    kept.replies[begun] += ["Shorter ones."]
    assert conversation_of(said("hi", "Hello.\n1. Alien", "shorter", "Shorter ones.", "thanks"), "ann", kept) == begun
    assert conversation_of(said("hi", "Hello.\n1. Alien", "longer"), "ann", kept) == begun  # asked anew from an earlier answer


def test_the_same_beginning_twice_is_two_conversations() -> None:
    kept: Any = Kept()
    first, second = (conversation_of(said("hi"), "ann", kept) for _ in range(2))
    assert first != second
    kept.replies |= {first: ["A.", "B."], second: ["A."]}
    assert conversation_of(said("hi", "A.", "x", "B.", "y"), "ann", kept) == first
    assert conversation_of(said("hi", "A.", "y"), "ann", kept) == second
    assert conversation_of(said("hi", "C.", "y"), "ann", kept) not in (first, second)
    assert conversation_of(said("hi", "A.", "y"), "eve", kept) not in (first, second)


def test_an_exact_history_has_all_answers_of_its_conversation_and_no_others() -> None:
    kept: Any = Kept()
    first, second = (conversation_of(said("hi"), "nobody", kept, begin="k1/", exact=True) for _ in range(2))
    assert first.startswith("k1/")
    kept.replies |= {first: ["A.", "B."], second: ["A."]}
    assert conversation_of(said("hi", "A.", "x", " B.", "y"), "nobody", kept, begin="k1/", exact=True) == first
    assert conversation_of(said("hi", "A.", "y"), "nobody", kept, begin="k1/", exact=True) == second
    del kept.replies[second]
    assert conversation_of(said("hi", "A.", "y"), "nobody", kept, begin="k1/", exact=True) != first  # it went on since
    assert conversation_of(said("hi", "A.", "x", "B.", "y"), "nobody", kept, begin="k2/", exact=True) != first


def test_the_last_message_is_the_users_and_says_something() -> None:
    assert new_message(said("a", "b", "c")) == "c"
    parts = Message.model_validate({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})
    assert new_message([parts]) == "a\nb"
    image = Message.model_validate({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]})
    for messages in (said("a", "b"), said("  "), [Message(role="user")], [image]):
        with pytest.raises(InputError):
            new_message(messages)


def test_a_title_is_made_from_the_first_message() -> None:
    answer = side_answer(TITLE + HISTORY)
    assert answer is not None
    assert json.loads(answer) == {"title": "a funny film for tonight, please"}
    plain = side_answer("Please generate a concise, 5-word-or-less title for the conversation.\n\nUser: jazz for a rainy day\n")
    assert plain == "jazz for a rainy day"
    chinese = side_answer(TITLE + HISTORY.replace("a funny film for tonight, please, with no horror in it", "今晚看什么电影好呢？"))
    assert chinese is not None
    assert json.loads(chinese) == {"title": "今晚看什么电影好呢"}


@pytest.mark.parametrize(("prompt", "name"), [(TAGS, "tags"), (FOLLOW_UPS, "follow_ups"), (QUERIES, "queries")])
def test_other_side_prompts_get_the_field_they_ask_for(prompt: str, name: str) -> None:
    answer = side_answer(prompt + HISTORY)
    assert answer is not None
    (found,) = json.loads(answer).items()
    assert found[0] == name
    assert isinstance(found[1], list)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a funny film for tonight",
            "a film with a good title",
            "### Task: find me a film",
            "### Task:\nrecommend a film about a title fight",
        ),
        *("suggest a film about a conversation", "write me a list of books", "what are good tags for a wedding?", "Generate a playlist"),
    ],
)
def test_what_a_person_says_is_no_side_prompt(text: str) -> None:
    assert side_answer(text) is None
