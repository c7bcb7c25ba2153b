"""What a message points at: items of the last list by place or title, titles that it wants or refuses, "that director"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scenewise.agent.intents import positions
from scenewise.agent.memory import Memory
from scenewise.store.types import ItemId
from scenewise.tools.catalogue.concepts import Reading
from scenewise.tools.catalogue.titles import TitleMatch
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

_WHY = re.compile(r"\W*(?:and |but |so )?why\b|为什么", re.IGNORECASE)
_REFUSAL = re.compile(
    r"(?:\b(?:not|no more|anything but|except(?: for)?|other than|instead of|without|skip)\s+(?:like |another |again )?"
    r"|不要|别看?|除了)\W*$",
    re.IGNORECASE,
)


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


def asks_why(text: str, memory: Memory, box: Toolbox) -> bool:
    """Whether the message asks why an item of the last list is there, by its title: "why Alien?"."""
    return _WHY.match(text) is not None and bool(titled(text, memory, box))


def titled(text: str, memory: Memory, box: Toolbox) -> tuple[ItemId, ...]:
    """The items of the last list whose titles stand in the text; a title of one word as it is written, since "it" is a film too."""
    items = [box.catalogue.items[row] for row in box.catalogue.rows(memory.items)]
    written = {
        item.item_id
        for item in items
        if re.search(rf"(?<!\w){re.escape(item.title)}(?!\w)", text, re.IGNORECASE if " " in item.title.strip() else re.NOFLAG)
    }
    return tuple(item_id for item_id in memory.items if item_id in written)


def refused_titles(
    text: str, matches: Sequence[TitleMatch], memory: Memory, box: Toolbox
) -> tuple[tuple[ItemId, ...], tuple[tuple[int, int], ...]]:
    """The items that a message names to leave them out ("not Alien, please"), all that a title may mean, and where it says so as
    [start, end): titles after a word of refusal."""
    items = box.catalogue.items
    named = [(match.start, match.end, match.rows) for match in matches]
    for row in box.catalogue.rows(memory.items).tolist():
        title = re.search(rf"(?<!\w){re.escape(items[row].title)}(?!\w)", text)
        named += [(title.start(), title.end(), (row,))] if title else []
    refused = [(said.start(), end, rows) for start, end, rows in named if (said := _REFUSAL.search(text[:start]))]
    ids = dict.fromkeys(items[row].item_id for _, _, rows in refused for row in rows)
    return tuple(ids), tuple(sorted({(start, end) for start, end, _ in refused}))


def meant(match: TitleMatch, reading: Reading, box: Toolbox) -> int:
    """The row that a written title means: of several, the first of the kind that is asked for ("a film like Dune"), else the first."""
    asked = reading.domains_only | reading.domains_added
    return next((row for row in match.rows if box.catalogue.items[row].domain in asked), match.rows[0])


def refer(text: str, intent: str, memory: Memory, box: Toolbox) -> tuple[ItemId, ...]:
    """The items of the last list that the message points at: by place, by title, or where it just says "that one" the one spoken of last or
    the first. What has
    been deleted since keeps its place and is not pointed at."""
    left = tuple(item_id for item_id in memory.items if box.catalogue.row(item_id) is not None)
    if not memory.items:
        return ()
    places = positions(text, len(memory.items))
    by_place = tuple(memory.items[i] for i in places or () if memory.items[i] in left)
    if places is not None or intent not in ("explain", "reject", "more_like"):
        return by_place
    named = [box.catalogue.items[row].item_id for match in box.catalogue.find_titles(text) for row in match.rows]
    if by_title := titled(text, memory, box) or tuple(item_id for item_id in memory.items if item_id in named):
        return by_title
    many = re.search(r"\b(these|those|them|others?|else|different)\b|换一批|这些", text, re.IGNORECASE)
    if intent == "more_like" and memory.focus in left:
        return (memory.focus,)
    return left if many and intent == "reject" else left[:1]
