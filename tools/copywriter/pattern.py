"""A regular expression of all the sentences that an item's evidence bears out, for an LLM to write within.

A server that keeps a model to a pattern (vLLM's structured outputs) lets even a very small one choose what to say and how, and lets it say
nothing else. The text is checked all the same: servers differ in what they enforce.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product

from scenewise.store.types import Item
from scenewise.tools.copywriter.evidence import EvidenceRow
from scenewise.tools.copywriter.nouns import TOLD, article, noun_of
from scenewise.tools.copywriter.template import LONG_MIN, TIMED, because_clause, scene_clauses, stands_alone, why_clause
from scenewise.tools.graph.sentences import spoken

_SPECIAL = re.compile(r"([\\.^$*+?{}\[\]|()/-])")


def copy_pattern(item: Item, rows: Sequence[EvidenceRow]) -> str:
    """Return the pattern of an English sentence of an item: what it is, then in this order about what, by whom, for which scene, and why.

    Why is said where there is a reason (a path in the graph, what others liked); the rest may be left out. The pattern uses groups,
    alternatives and "?" only, which every engine of structured outputs knows.

    >>> item = Item("i", "movies", "Heat")
    >>> copy_pattern(item, [EvidenceRow("year", "1995", "year", "catalogue", ("1995",))])
    '(A 1995 film|A film)\\\\.'
    """
    by_id = {row.row_id: row for row in rows}
    parts = [_one_of(_heads(item, by_id))]
    if item.domain in TOLD:
        parts.append(_maybe([f" about {topic}" for topic in _values(by_id, "topic")]))
    makers = _values(by_id, "creator")
    parts.append(_maybe([f" by {makers[0]}", *([f" by {makers[0]} and {makers[1]}"] if len(makers) > 1 else [])] if makers else []))
    scene = next(iter(_values(by_id, "scene")), "")
    parts.append(_maybe(scene_clauses(scene) if scene else []))
    parts.append(_one_of(_reasons(by_id)))
    return "".join(parts) + "\\."


def _heads(item: Item, rows: Mapping[str, EvidenceRow]) -> list[str]:
    """What the item is: every choice of mood, year or length, and genre before the noun."""
    noun = "dish" if item.domain == "recipes" else noun_of(item.domain).words[0]
    moods = [mood for mood in _values(rows, "mood") if " " not in mood]
    if item.domain in TIMED and item.duration_min is not None and item.duration_min <= LONG_MIN:
        sizes = [length.replace(" minutes", "-minute").replace(" minute", "-minute") for length in _values(rows, "duration")]
    else:
        sizes = _values(rows, "year") if item.domain not in TIMED else []
    genres = [spoken(genre) for genre in _values(rows, "genre")]
    heads = []
    for mood, size, genre in product([*moods, ""], [*sizes, ""], [*genres, ""]):
        alone = stands_alone(genre, item.domain) or genre.casefold().split()[-1:] == [noun]
        words = [word for word in (mood, size, genre, "" if alone else noun) if word]
        heads.append(f"{article(words[0]).capitalize()} {' '.join(words)}")
    return list(dict.fromkeys(heads))


def _reasons(rows: Mapping[str, EvidenceRow]) -> list[str]:
    reasons = []
    if path := rows["path"].values if "path" in rows else ():
        reasons += [why_clause(path[-1]), because_clause(path[0])]
    if "people" in rows:
        reasons.append(f": {rows['people'].text}")
    return reasons


def _values(rows: Mapping[str, EvidenceRow], row_id: str) -> list[str]:
    return list(rows[row_id].values) if row_id in rows else []


def _one_of(texts: Sequence[str]) -> str:
    return f"({'|'.join(_SPECIAL.sub(_escape, text) for text in texts)})" if texts else ""


def _maybe(texts: Sequence[str]) -> str:
    return f"{_one_of(texts)}?" if texts else ""


def _escape(match: re.Match[str]) -> str:
    return f"\\{match[1]}"
