"""What a conversation asks for: a request and the messages that narrow it, until another one begins.

"A funny film", "from the 90s", "with Bill Murray", "something else" ask for one thing in four messages. What was asked before is kept as
its words and read again with the catalogue of the day, so nothing of it can be out of date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenewise.agent.intents import RECOMMEND
from scenewise.agent.memory import Memory
from scenewise.agent.record import Seen
from scenewise.agent.references import refused_titles
from scenewise.store.types import ItemId
from scenewise.tools.catalogue.concepts import COMPARED, Reading, constraints_from_text
from scenewise.tools.catalogue.conditions import Columns
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.toolbox import Toolbox

KEPT, CHARS = 6, 300
LONGEST = 12  # words of a message that only narrows
LIMITS = ("min_year", "max_year", "max_duration_min", "max_price_cents")
CHANGES = frozenset({"shorter", "longer", "cheaper", "newer", "older", "reject"})
_ANEW = re.compile(
    r"\b(?:instead|forget|never ?mind|actually|on second thought|new question|switch|(?:different|another|new) (?:topic|subject)|"
    r"chang\w+ the subject|something (?:completely|entirely|totally) different)\b|换个话题|算了|另外|改",
    re.IGNORECASE,
)
_SMALL = r"(?:(?:ok|okay|yes|yeah|great|nice|good|thanks|thank you|hm+|well|so|then|please|or|maybe|perhaps|cool|fine)\b[\s,.!]*)*"
_JOINS = r"and|but|also|plus|or|what about|how about"
_NARROWS = (
    r"only|just|no|not|nothing|without|with|from|by|in|for|about|under|over|below|above|at most|at least|up to|max|before|after|since|"
    r"until|newer|older|shorter|longer|cheaper|more|less|make it|rather|preferably|ideally|something|anything|one|ones|it should|"
    r"it has to|has to be|must be|should be|starring|directed|written|made|that|which|but|and"
)
_GOES_ON = re.compile(
    rf"^\W*{_SMALL}(?:{_NARROWS}|{_JOINS})\b|^\W*(?:但|不过|还要|也要|再|只要|只看|不要|别|最好|要|有没有更|换|短|新|便宜)", re.IGNORECASE
)
_JOINED = re.compile(rf"^\W*{_SMALL}(?:{_JOINS})\b", re.IGNORECASE)
HALF = 0.5
_SHORT = 5  # words of "and what about books?"


_OF_THE_SAME = re.compile(
    r"\b(?:instead|rather|then|what about|how about|(?:about|on|for) (?:it|that|this|them))\b|呢|也行|换成|改成|还是", re.IGNORECASE
)
"""Words with which "an app" asks for an app of what was asked for before."""
_FILL = re.compile(
    r"\b(?:what about|how about|maybe|perhaps|rather|instead(?: of)?|then|please|an?|some|any|the|or|and|no|not|ok|okay|actually|hm+|well|"
    r"of (?:it|that)|(?:about|on|for) (?:it|that|this|them)|as|make it|i|i['’]d|would|want|like|prefer|have|give me|show me|find me|do you|"
    r"got|is there|good|nice|thanks?)\b|换成|改成|还是|那|有没有|来|给我|想要|要|看|听|一|部|本|首|张|个|款|吧|吗|呢|也行|的",
    re.IGNORECASE,
)


Earlier = tuple[str, Reading]
"""A message that was asked before, and what it says to the catalogue of now."""


def goes_on_from(
    text: str, intent: str, reading: Reading, named: Sequence[ItemId], asked: Sequence[str], box: Toolbox
) -> tuple[Earlier, ...]:
    """The messages that this one goes on from, read once; none where it asks for something else.

    It goes on where it changes the last list, or is short and begins as what narrows does ("but", "only", "with", "from"). A title or
    another kind of items begins anew, but for one that is joined on ("and books?").
    """
    if not asked or text in asked:
        return ()
    earlier = tuple((one, constraints_from_text(one, box.catalogue, box.concepts)) for one in asked)
    return earlier if intent in CHANGES or _narrows(text, intent, reading, named, earlier, box) else ()


def _narrows(text: str, intent: str, reading: Reading, named: Sequence[ItemId], earlier: Sequence[Earlier], box: Toolbox) -> bool:
    kinds = reading.domains_only | reading.domains_added
    if kinds and intent == RECOMMEND and _OF_THE_SAME.search(text) and _only_names_kinds(text, box):
        return True
    if intent != RECOMMEND or _ANEW.search(text) or not _GOES_ON.search(text) or len(text.split()) > LONGEST:
        return False
    is_joined = _JOINED.search(text) is not None
    before = frozenset[str]().union(*(one.domains_only | one.domains_added for _, one in earlier))
    if kinds and not kinds <= before:
        return (is_joined and len(text.split()) <= _SHORT) or not before
    return is_joined or (not named and (bool(before) or _go_together(reading, earlier, box)))


def _only_names_kinds(text: str, box: Toolbox) -> bool:
    """Whether kinds of items and small words are all that a message has."""
    for one in sorted(box.concepts.find(text), key=lambda one: -one.start):
        if one.concept.domains:
            text = f"{text[: one.start]} {text[one.end :]}"
    return not re.search(r"\w", _FILL.sub(" ", text))


def _go_together(reading: Reading, earlier: Sequence[Earlier], box: Toolbox) -> bool:
    """Whether what was wished for before has what is wished for now at least half as often as the whole catalogue has: little jazz is
    funny, so "something funny" after "some jazz" is another wish."""
    columns, n = box.catalogue.columns, box.catalogue.n
    now, before = (_having(columns, n, one) for one in ([reading], [one for _, one in earlier]))
    return now is None or before is None or bool((now & before).sum() * n >= HALF * now.sum() * before.sum() > 0)


def _having(columns: Columns, n: int, readings: Sequence[Reading]) -> NDArray[np.bool_] | None:
    """Items with any value that is wished for, bool (n,); None where none is."""
    wished = [(name, frozenset(values)) for one in readings for name, values in one.wishes.items() if name not in COMPARED]
    if not wished:
        return None
    mask = np.zeros(n, dtype=np.bool_)
    for name, values in wished:
        mask |= columns.having(name, values)
    return mask


def joined(earlier: Sequence[Earlier], reading: Reading) -> Reading:
    """What the earlier messages and this one say together: the later one wins where both say something of one limit or of the kind of
    items, wishes add up, and a wish that is now ruled out is none. `said` and `left_out` stay those of this message."""
    constraints, wishes = reading.constraints, dict[str, Mapping[str, float]](reading.wishes)
    only, added = reading.domains_only, reading.domains_added
    for _, before in reversed(earlier):
        constraints = replace(before.constraints, ban={}).merge(constraints)  # bans are the memory's, where a change of mind lifts them
        if not only and not added:
            only, added = before.domains_only, before.domains_added
        for name, values in before.wishes.items():
            kept = {value: weight for value, weight in values.items() if value not in constraints.ban.get(name, ())}
            wishes[name] = {**kept, **wishes.get(name, {})}
    wishes = {name: values for name, values in wishes.items() if values}
    return replace(reading, constraints=constraints, wishes=wishes, domains_only=only, domains_added=added)


def wanted_before(earlier: Sequence[Earlier]) -> str:
    """The words of earlier messages that say what is wanted, without those that set a condition."""
    parts = []
    for text, reading in earlier:
        for said in sorted(reading.said, key=lambda one: -one.start):
            text = f"{text[: said.start]} {text[said.end :]}"
        parts.append(text)
    return " ".join(" ".join(parts).split())


def named_before(earlier: Sequence[Earlier], box: Toolbox) -> tuple[ItemId, ...]:
    """The items that earlier messages name, the latest that names any."""
    for text, _ in reversed(earlier):
        matches = box.catalogue.find_titles(text)
        refused, _ = refused_titles(text, matches, Memory(), box)
        if named := tuple(box.catalogue.items[match.rows[0]].item_id for match in matches):
            return tuple(item_id for item_id in named if item_id not in refused)
    return ()


def lasting(seen: Seen, box: Toolbox) -> str:
    """The message as it can be read when another list has come: "more like the second one" with the title that it meant, and the limits
    that held."""
    if seen.intent != "more_like" or not seen.referred:
        return seen.text
    titles = ", ".join(box.catalogue.items[row].title for row in box.catalogue.rows(seen.referred))
    held = seen.reading.constraints
    limits = [f"at most {held.max_duration_min:g} minutes"] if held.max_duration_min is not None else []
    limits += [f"under ${held.max_price_cents / 100:g}"] if held.max_price_cents is not None else []
    limits += [f"since {held.min_year}"] if held.min_year is not None else []
    limits += [f"until {held.max_year}"] if held.max_year is not None else []
    return ", ".join((f"{seen.text}: {titles}", *limits))


def limited_before(asked: Sequence[str], reading: Reading, box: Toolbox) -> Reading:
    """The reading with the limits of the messages that the last list answers: "more like the second one" is to be as short as that list."""
    held = Constraints()
    for text in asked:
        said = constraints_from_text(text, box.catalogue, box.concepts).constraints
        held = held.merge(Constraints(**{name: getattr(said, name) for name in LIMITS}))
    return replace(reading, constraints=held.merge(reading.constraints))


def asking(asked: Sequence[str], text: str, intent: str, *, goes_on: bool) -> tuple[str, ...]:
    """What is asked for after a turn that made a list: the same and this message, or this message alone; a mere change of the list
    ("shorter") adds no words."""
    if intent in CHANGES:
        return tuple(asked)
    return (*(asked if goes_on else ()), text[:CHARS])[-KEPT:]
