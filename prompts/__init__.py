"""Prompts are text files: an id, a version and the variables in a head comment, then sections, one a message.

A section starts with `[[system]]`, `[[user]]`, `[[assistant]]` or `[[calls]]` (an assistant's tool calls as JSON) alone on a line.
Sections are cut
before variables are filled in, so no user's or item's text can open one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

_HEAD = re.compile(r"\{#-?\s*id:\s*(?P<id>[\w-]+)\s+version:\s*(?P<version>\d+)\s+variables:\s*(?P<variables>[\w, ]*?)\s*-?#\}")
_SECTION = re.compile(r"^\[\[(system|user|assistant|calls)\]\]\n", flags=re.MULTILINE)

# Marks by which chat templates divide messages; a server's tokenizer takes them for such wherever they stand.
_CONTROL = re.compile(r"(<)\|")

Message = dict[str, Any]
"""An OpenAI-style chat message: role, content, and tool_calls where the assistant calls tools."""


def without_marks(text: str) -> str:
    """The text with the marks by which chat templates divide messages broken, so that none of it opens a message."""
    return _CONTROL.sub(r"\1 |", text)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt file. `tag` ("plan@1") goes into every record of a call."""

    id: str
    version: int
    variables: frozenset[str]
    text: str
    path: Path

    @property
    def tag(self) -> str:
        """Id and version, for records."""
        return f"{self.id}@{self.version}"

    def messages(self, **values: object) -> list[Message]:
        """Fill in the variables; jinja2.UndefinedError where one is missing."""
        parts = _SECTION.split(self.text)[1:]
        environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
        values = {name: without_marks(value) if isinstance(value, str) else value for name, value in values.items()}
        return [
            _message(role, environment.from_string(text.strip("\n")).render(**values), number)
            for number, (role, text) in enumerate(zip(parts[::2], parts[1::2], strict=True))
        ]


def _message(role: str, text: str, number: int) -> Message:
    if role != "calls":
        return {"role": role, "content": text}
    calls = [
        {"id": f"shot-{number}-{i}", "type": "function", "function": {"name": call["name"], "arguments": json.dumps(call["arguments"])}}
        for i, call in enumerate(json.loads(text))
    ]
    return {"role": "assistant", "content": "", "tool_calls": calls}


@lru_cache(maxsize=32)
def load(name: str) -> Prompt:
    """Read prompts/<name>.jinja; ValueError where its head is missing or malformed."""
    path = Path(__file__).resolve().parent / f"{name}.jinja"
    text = path.read_text(encoding="utf-8")
    head = _HEAD.search(text)
    if head is None or head["id"] != name:
        raise ValueError(f"prompt file {name}.jinja needs a head: {{# id: {name} version: 1 variables: a, b #}}")
    variables = frozenset(part.strip() for part in head["variables"].split(",") if part.strip())
    return Prompt(name, int(head["version"]), variables, text[head.end() :], path)
