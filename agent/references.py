"""What a message only points at, spelled out: "something else by that director" after a list is "... by the director of Heat"."""

from __future__ import annotations

import re

from scenewise.agent.intents import positions
from scenewise.agent.memory import Memory
from scenewise.store.types import ItemId
from scenewise.tools.toolbox import Toolbox

_MAKER = r"director|writer|author|artist|creator|maker|singer|band|musician|composer|instructor|teacher"
_THAT_MAKER = re.compile(
    rf"\b(?:that|this|the same|the|its|his|her|their) (?P<maker>{_MAKER})\b(?! (?:of|who|that|named|called)\b)", re.IGNORECASE
)
_OF_IT = re.compile(
    rf"\b(?P<maker>{_MAKER}) of "
    r"(?P<it>it|this|that|(?:this|that) one|the (?:\w+|\d+(?:st|nd|rd|th)) (?:one|film|movie|book|album|course|song))\b",
    re.IGNORECASE,
)
_AS_READ = {"singer": "artist", "band": "artist", "musician": "artist", "composer": "artist", "instructor": "creator", "teacher": "creator"}


def spell_out(text: str, memory: Memory, box: Toolbox) -> str:
    """The text with "that director" and "the director of the second one" as the maker of the item meant: the one at the place that is
    named, else the one spoken of last, else the first of the last list. As it is where there is no list."""
    if not memory.items:
        return text
    for pattern in (_OF_IT, _THAT_MAKER):
        if (match := pattern.search(text)) is None:
            continue
        row = box.catalogue.row(meant_item(match.groupdict().get("it") or text, memory))
        if row is not None:
            maker = match["maker"].casefold()
            said = f"{'the ' if pattern is _THAT_MAKER else ''}{_AS_READ.get(maker, maker)} of {box.catalogue.items[row].title}"
            return text[: match.start()] + said + text[match.end() :]
    return text


def meant_item(text: str, memory: Memory) -> ItemId:
    """The item of the last list that a text is about."""
    places = positions(text, len(memory.items)) or positions(f"{text} please", len(memory.items))
    if places:
        return memory.items[places[0]]
    return memory.focus if memory.focus in memory.items else memory.items[0]
