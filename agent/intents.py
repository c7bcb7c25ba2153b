"""What a message wants: a recommendation, an explanation, a change of the last list, or just a word back."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenewise.tools.retrieval.encoders import Encoders

Intent = str
RECOMMEND: Intent = "recommend"
NEEDS_NO_TOOLS = frozenset({"explain", "thanks", "greet", "about"})
MEANING_THRESHOLD = 0.72  # cosine; below it a message is taken as a new request
_ORDINALS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "fifth": 5, "5th": 5, "sixth": 6,
    "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "last": -1, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "最后": -1,
}  # fmt: skip
_THING = r"(?:one|item|film|movie|book|album|recipe|course|app|workout|suggestion|result|pick)"
_ORDINAL = re.compile(
    r"\b(?:the )("
    + "|".join(w for w in _ORDINALS if w.isascii())
    + r"|\d{1,2}(?:st|nd|rd|th))\b(?= "
    + _THING
    + r"\b|\W*$|\W+(?:again|please|and)\b)"
    r"|第([一二三四五])|(最后)(?=一?[个部本张])|(?:#|number |no\. ?)(\d{1,2})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class IntentDef:
    """An intent of intents.toml."""

    name: str
    follow_up: bool
    patterns: tuple[re.Pattern[str], ...]
    examples: tuple[str, ...]


@lru_cache(maxsize=1)
def intent_defs() -> tuple[IntentDef, ...]:
    """Read intents.toml, once."""
    data = tomllib.loads((Path(__file__).resolve().parent / "intents.toml").read_text(encoding="utf-8"))
    return tuple(
        IntentDef(
            entry["name"],
            bool(entry.get("follow_up", False)),
            tuple(re.compile(pattern, re.IGNORECASE) for pattern in entry["patterns"]),
            tuple(entry["examples"]),
        )
        for entry in data["intent"]
    )


class IntentReader:
    """Patterns first, then the nearest example by meaning (cosine of sentence vectors)."""

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._labels = tuple(entry for entry in intent_defs() for _ in entry.examples)

    def read(self, text: str, *, has_list: bool) -> Intent:
        """Return the intent's name; follow-ups need a last list."""
        for entry in intent_defs():
            if (has_list or not entry.follow_up) and any(pattern.search(text) for pattern in entry.patterns):
                return entry.name
        if not text or len(text) > 200:
            return RECOMMEND
        encoder, vector = self._encoders.encode_one(text)
        similarity = self._examples(encoder) @ vector
        best = int(np.argmax(similarity))
        label = self._labels[best]
        if similarity[best] >= MEANING_THRESHOLD and (has_list or not label.follow_up):
            return label.name
        return RECOMMEND

    def _examples(self, encoder: str) -> NDArray[np.float32]:
        if encoder not in self._vectors:
            texts = [example for entry in intent_defs() for example in entry.examples]
            self._vectors[encoder] = self._encoders.by_name(encoder).encode(texts)
        return self._vectors[encoder]


def positions(text: str, length: int) -> tuple[int, ...] | None:
    """Which places of a list of `length` items the text names, as indices in order of mention ("the second one" -> 1).

    None where it names none; empty where it names only places that the list does not have.
    """
    found: list[int] = []
    matches = list(_ORDINAL.finditer(text))
    for match in matches:
        word = next(group for group in match.groups() if group)
        number = _ORDINALS.get(word.casefold()) or int(re.sub(r"\D", "", word) or 0)
        index = length - 1 if number == -1 else number - 1
        if 0 <= index < length and index not in found:
            found.append(index)
    return tuple(found) if matches else None
