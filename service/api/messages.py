"""What a list of chat messages says: the new message, which conversation it goes on with, and whether it is one at all."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from scenewise.store.errors import InputError
from scenewise.store.turns import Turns

PREFIX = "c-"
_CANDIDATES = 20  # conversations of one beginning that are looked through
_SIDE = re.compile(
    r"\s*### Task:|(?:please )?(?:generate|provide|write|create|suggest)\b.{0,60}\b(?:title|tags)\b.{0,60}\b(?:conversation|chat|dialog)",
    re.IGNORECASE | re.DOTALL,
)
_ASKS = (
    ("title", re.compile(r"\btitle\b", re.IGNORECASE)),
    ("follow_ups", re.compile(r"follow[- ]?ups?\b", re.IGNORECASE)),
    ("tags", re.compile(r"\btags?\b", re.IGNORECASE)),
    ("queries", re.compile(r"\bquer(?:y|ies)\b", re.IGNORECASE)),
    ("text", re.compile(r"\bautocomplet", re.IGNORECASE)),
)
_ABOUT = re.compile(r"chat.history|conversation|dialog|autocomplet", re.IGNORECASE)
_HISTORY = re.compile(r"<chat_history>(.*?)</chat_history>", re.IGNORECASE | re.DOTALL)
_FIRST_USER = re.compile(r"^\s*(?:USER|user|User)\s*:\s*(.+)$", re.MULTILINE)
_TITLE_WORDS = 6
_TITLE_LETTERS = 24  # where words are not told apart by blanks
FOLLOW_UPS = {
    "en": ("Why the first one?", "Something shorter", "Something else, not these"),
    "zh": ("为什么推荐第一个？", "短一点的", "换一批"),
}


class Part(BaseModel):
    """A part of a message; only text is read."""

    model_config = ConfigDict(extra="ignore")

    type: str
    text: str | None = None


class Message(BaseModel):
    """A message of the conversation. Those of the system are not obeyed: what the assistant is, the product says."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    def said(self) -> str:
        """Its text. Raises InputError for a part that is no text."""
        if not isinstance(self.content, list):
            return self.content or ""
        if any(part.type != "text" or part.text is None for part in self.content):
            raise InputError("only parts of type text are understood")
        return "\n".join(part.text or "" for part in self.content)


Messages = Annotated[list[Message], Field(min_length=1, max_length=20_000)]


def new_message(messages: Sequence[Message]) -> str:
    """The message to answer: the last one, which must be the user's and say something. Raises InputError."""
    if messages[-1].role != "user":
        raise InputError("the last message must be the user's")
    text = messages[-1].said()
    if not text.strip():
        raise InputError("the last message is empty")
    return text


def conversation_of(
    messages: Sequence[Message], caller: str, turns: Turns, *, begin: str = "", exact: bool = False, new: str | None = None
) -> str:
    """The id of the conversation that these messages go on with; a new one where they begin one or the store knows none.

    `caller` tells apart whose conversations are looked through (key and user), `begin` is how their ids do. The client sends the history
    anew each time, so a conversation is known by its first message, and among those that begin alike by the last answer. `exact` wants
    all of its answers and no others: then nobody goes on with what somebody else has said since. `new` ends the id of
    a new one, so that a request that is sent again begins the same.
    """
    first = next((message.said() for message in messages if message.role == "user"), "")
    prefix = begin + PREFIX + hashlib.sha256(json.dumps([caller, first]).encode()).hexdigest()[:24] + "-"
    answers = [_folded(message.said()) for message in messages if message.role == "assistant" and message.content]
    if answers:
        known, answer = turns.begun_with(prefix, last=_CANDIDATES), answers[-1]
        if exact:
            known = [one for one in known if [_folded(record["reply"]) for record in turns.of_conversation(one)] == answers]
        for conversation_id in known:
            record = turns.last(conversation_id)
            if record is not None and _folded(record["reply"]) == answer:
                return conversation_id
        for conversation_id in known:  # an earlier answer: the last message is asked anew, or the talk branches off
            if any(_folded(record["reply"]) == answer for record in turns.of_conversation(conversation_id)):
                return conversation_id
    return prefix + (new or uuid.uuid4().hex)[:12]


def side_answer(text: str) -> str | None:
    """The answer to what a chat front end asks on the side (a title, tags, follow-ups for a conversation), or None for a message of a
    person. It is made from the history in the prompt, in JSON where JSON is asked for, and starts no recommendation."""
    if not _SIDE.match(text) or not _ABOUT.search(text):
        return None
    asked = re.split(r"### (?:Chat History|Guidelines|Output|Examples?)|<chat_history>", text, maxsplit=1)[0]
    wanted = next((name for name, pattern in _ASKS if pattern.search(asked)), None)
    if wanted is None:
        return None
    history = _HISTORY.search(text)
    said = _FIRST_USER.search(history[1] if history else text)
    first = said[1].strip() if said else ""
    locale = "zh" if re.search(r"[\u3400-\u9fff]", first) else "en"
    value: str | list[str]
    if wanted == "title":
        value = _title(first, locale)
    elif wanted == "follow_ups":
        value = list(FOLLOW_UPS[locale])
    elif wanted == "tags":
        value = ["推荐" if locale == "zh" else "Recommendations"]
    else:
        value = "" if wanted == "text" else []
    if "json" in text.casefold():
        return json.dumps({wanted: value}, ensure_ascii=False)
    return value if isinstance(value, str) else ", ".join(value)


def _title(first: str, locale: str) -> str:
    words = " ".join(re.sub(r"[\"<>{}\[\]`*#]", "", first).split()[:_TITLE_WORDS])
    cut = words[:_TITLE_LETTERS] if locale == "zh" else words[:60]
    return cut.rstrip(" .,!?。，！？") or ("推荐" if locale == "zh" else "Recommendations")


def _folded(text: str) -> str:
    return " ".join(text.split())
