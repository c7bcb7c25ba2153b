"""What a message states of its author's tastes, clause by clause, as calls of update_profile."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scenewise.agent.record import PlannedCall, Seen
from scenewise.tools.catalogue.concepts import constraints_from_text
from scenewise.tools.toolbox import Toolbox

MOST = 6
NO_TASTES = frozenset(
    """love like hate film films movie movies book books music album albums song songs game games app apps""".split()  # noqa: SIM905
)
"""Values that are words of the statement itself ("I love films about ...") and so no tastes."""
_DISLIKES = r"hate|dislike|cannot stand|can.t stand|don.t (?:really )?(?:like|enjoy)|do not (?:like|enjoy)"
_LIKES = r"love|adore|like|enjoy|prefer"
_CLAUSE = re.compile(rf"[.;,!。；，！]|\bbut\b|但是?|\band (?=(?:i |we )?(?:{_DISLIKES}|{_LIKES})\b)", re.IGNORECASE)
_DISLIKE = re.compile(rf"\b(?:{_DISLIKES})\b|讨厌|不喜欢|不爱", re.IGNORECASE)
_LIKE = re.compile(rf"\b(?:{_LIKES})\b|喜欢|爱", re.IGNORECASE)


def stated_tastes(seen: Seen, box: Toolbox) -> Iterator[PlannedCall]:
    """Yield a call for each taste stated, at most six; a clause without a verb of liking goes on with the one before it."""
    said: dict[tuple[str, str], str] = {}
    action = ""
    for clause in _CLAUSE.split(seen.text):
        action = "dislike" if _DISLIKE.search(clause) else "like" if _LIKE.search(clause) else action
        if action:
            said |= dict.fromkeys(_named(clause, box), action)
    for (attribute, value), what in list(said.items())[:MOST]:
        yield PlannedCall("update_profile", {"action": what, "attribute": attribute, "value": value}, "policy")


def _named(clause: str, box: Toolbox) -> Iterator[tuple[str, str]]:
    """The items and values that a clause names, wanted or not."""
    for match in box.catalogue.find_titles(clause):
        yield "item", box.catalogue.items[match.rows[0]].item_id
    reading = constraints_from_text(clause, box.catalogue, box.concepts)
    for attribute in sorted({*reading.wishes, *reading.constraints.ban}):
        known = box.catalogue.vocabulary.get(attribute, {})
        values = {*reading.wishes.get(attribute, ()), *reading.constraints.ban.get(attribute, ())}
        yield from ((attribute, value) for value in sorted(values) if value in known and value not in NO_TASTES)
