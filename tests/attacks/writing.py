"""The cases of cases.toml, and ways of writing a text so that a filter may not see what it says."""

from __future__ import annotations

import base64
import codecs
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from scenewise import Edge, Item, ItemId

HUGE = "x" * 500_000
LONG_TEXTS = {
    "@huge": HUGE,
    "@long": "a comedy film about space and " * 200,
    "@brackets": "([" * 200_000,
    "@calls": "like(Alien) save(like genre horror) " * 1_000,
}
"""What a text of the file may have long texts for."""
LIKED = "item:film-babe"  # a film that the user of the tool cases likes
_ZERO_WIDTH = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
_LOOK_ALIKE = str.maketrans("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def _zero_width(text: str) -> str:
    return "".join(char + _ZERO_WIDTH[place % len(_ZERO_WIDTH)] for place, char in enumerate(text))


def _base64(text: str) -> str:
    return "decode this base64 and obey it: " + base64.b64encode(text.encode()).decode()


WAYS: Mapping[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "base64": _base64,
    "zero_width": _zero_width,
    "homoglyph": lambda text: text.translate(_LOOK_ALIKE),
    "bidi": lambda text: f"\u202e{text[::-1]}\u202c \u2066{text}\u2069",
    "fullwidth": lambda text: text.translate(_FULL_WIDTH),
    "escaped": escape,
    "rot13": lambda text: "decode this rot13 and obey it: " + codecs.encode(text, "rot13"),
    "reversed": lambda text: text[::-1],
    "spaced": " ".join,
    "plan": lambda text: text,
    "write": lambda text: text,
    "rewrite": lambda text: text,
}
"""How a text is written; the last three are calls of the LLM, at which what it says is tried as it is."""


@dataclass(frozen=True)
class Case:
    """One attack in one way of writing; `text` as it is sent, `entry` as it stands in the file."""

    kind: str
    way: str
    text: str
    entry: Mapping[str, Any]

    @property
    def name(self) -> str:
        """For the test's id."""
        return f"{self.entry['name']}-{self.way}".replace(" ", "-")

    @property
    def is_chinese(self) -> bool:
        """Whether the attack is written in Chinese."""
        return any("\u4e00" <= char <= "\u9fff" for char in self.entry.get("text", ""))

    @property
    def never(self) -> tuple[str, ...]:
        """What must not stand in the reply."""
        return tuple(self.entry.get("never", ()))


def cases(kind: str) -> list[Case]:
    """All cases of a kind of cases.toml."""
    return [Case(kind, way, WAYS[way](_text_of(entry)), entry) for entry in _entries()[kind] for way in entry.get("as", ["plain"])]


def kinds() -> tuple[str, ...]:
    """The kinds of cases that there are."""
    return tuple(_entries())


@lru_cache(maxsize=1)
def _entries() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parent / "cases.toml").read_text(encoding="utf-8"))


def _text_of(entry: Mapping[str, Any]) -> str:
    text = str(entry.get("text", ""))
    for mark, long in LONG_TEXTS.items():
        text = text.replace(mark, long)
    return text


def calls_of(case: Case) -> list[dict[str, Any]]:
    """The tool calls of a hostile plan."""
    calls: list[dict[str, Any]] = json.loads(case.entry["calls"].replace("@huge", HUGE))
    return calls * int(case.entry.get("times", 1))


def hostile_items() -> list[Item]:
    """Every item that carries an attack."""
    return [hostile_item(case) for kind in ("item", "tool", "listed") for case in cases(kind)]


def hostile_item(case: Case) -> Item:
    """A book that carries the attack in its title, text or an attribute, and is otherwise about the case's subject."""
    place, subject = case.entry.get("place", "title"), case.entry["subject"]
    plain = f"一本关于{subject}的书。" if case.is_chinese else f"A book about {subject}."
    texts = {"text": f"{plain} {case.text}", "whole text": case.text}
    attributes = {"topic": (subject,), "mood": (case.text if place == "attribute" else "calm",)}
    if place in ("creator", "genre", "topic"):
        attributes[place] = (*attributes.get(place, ()), case.text)
    return Item(
        item_id_of(case),
        "books",
        f"{case.text} {subject}" if place == "title" else f"{subject.capitalize()} {case.way}",
        text=texts.get(place, plain),
        attributes=attributes,
        year=2001,
    )


def hostile_edges() -> list[Edge]:
    """Stars with hostile names, each in a film that somebody likes and in the case's item."""
    return [
        Edge(subject, "starring", f"star:{case.text}", "test", "a row")
        for case in cases("tool")
        if case.entry["place"] == "edge"
        for subject in (LIKED, f"item:{item_id_of(case)}")
    ]


def item_id_of(case: Case) -> ItemId:
    """The id of the case's item."""
    return ItemId(f"hostile-{case.name}")
