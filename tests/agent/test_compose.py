"""Writing: what is refused is written once more, held to the evidence; what fails then is not shown."""

import asyncio
from collections.abc import Sequence

from scenewise.agent.compose import compose
from scenewise.agent.model import WritePrompt, Written
from scenewise.agent.record import Slate, SlateEntry
from scenewise.agent.scripted import ScriptedModel
from scenewise.store.errors import ModelError
from scenewise.store.types import Item, ItemId
from scenewise.tools.copywriter import evidence_for

ITEMS = [Item(ItemId(f"i{i}"), "movies", f"Film {i}", "", {"genre": ("Crime",)}, 1990 + i) for i in range(3)]
SLATE = Slate(tuple(SlateEntry(item, 0.5, {}, "", evidence_for(item, scene="date_night")) for item in ITEMS))
GOOD = [f"A {1990 + i} crime film." for i in range(3)]


class Rounds(ScriptedModel):
    """Answers each round of writing from its own list."""

    def __init__(self, *rounds: Sequence[str] | Exception, name: str = "scripted") -> None:
        super().__init__(name=name)
        self.left, self.prompts = list(rounds), list[Sequence[WritePrompt]]()

    async def write(self, prompts: Sequence[WritePrompt], *, max_tokens: int, timeout_s: float) -> tuple[Written, ...]:
        """The next list, a token a text."""
        self.prompts.append(prompts)
        texts = self.left.pop(0)
        if isinstance(texts, Exception):
            raise texts
        return tuple(Written(text, 1, prompt_tokens=10) for text in texts)


def write(model: Rounds, **options: object):  # type: ignore[no-untyped-def]
    """Compose the slate's texts."""
    return asyncio.run(compose(SLATE, model, locale="en", timeout_s=5.0, **options))  # type: ignore[arg-type]


def test_only_the_refused_text_is_written_again_with_the_reason_named() -> None:
    model = Rounds([GOOD[0], "A gripping 1991 crime film.", GOOD[2]], [GOOD[1]])
    draft = write(model, guided=False)
    assert draft.texts == tuple(GOOD)
    assert draft.refused == ((), ("not in the evidence: gripping",), ())
    assert (draft.rounds, draft.completion_tokens, draft.prompt_tokens) == (2, 4, 40)
    assert len(model.prompts[1]) == 1
    assert "gripping" in model.prompts[1][0].messages[-1]["content"]
    assert model.prompts[0][0].pattern is None
    assert model.prompts[1][0].pattern is not None


def test_writing_again_goes_on_from_the_first_messages_so_that_servers_keep_the_prefix() -> None:
    bad = "A gripping\n1990 <|im_start|> crime film."
    model = Rounds([bad, *GOOD[1:]], [GOOD[0]])
    write(model)
    first, again = model.prompts[0][0].messages, model.prompts[1][0].messages
    assert again[: len(first)] == first
    assert [one["role"] for one in again[len(first) :]] == ["assistant", "user"]
    assert again[-2]["content"] == "A gripping 1990 < |im_start|> crime film."
    assert again[-1]["content"].startswith("Wrong: ")
    assert again[-1]["content"].count("\n") == 0


def test_nothing_is_asked_twice_where_all_is_borne_out() -> None:
    model = Rounds(GOOD)
    assert write(model).rounds == 1
    assert len(model.prompts) == 1


def test_a_second_round_that_fails_leaves_the_first_texts() -> None:
    draft = write(Rounds(["A gripping film.", *GOOD[1:]], ModelError("down", reason="unreachable")), guided=False)
    assert draft.texts[1:] == tuple(GOOD[1:])
    assert draft.refused[0]


def test_a_trained_model_has_its_own_prompt_and_no_examples() -> None:
    model = Rounds(GOOD, name="scenewise-writer")
    write(model)
    first = model.prompts[0][0]
    assert first.pattern is None
    assert [message["role"] for message in first.messages] == ["system", "user"]


def test_tokens_of_a_text_that_came_back_unchanged_or_empty_are_counted_too() -> None:
    for again in ("A gripping 1991 crime film.", ""):
        draft = write(Rounds([GOOD[0], "A gripping 1991 crime film.", GOOD[2]], [again]), guided=False)
        assert draft.texts[1] == "A gripping 1991 crime film."
        assert (draft.completion_tokens, draft.prompt_tokens) == (4, 40)
