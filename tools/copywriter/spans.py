"""Where evidence covers a sentence: every stretch of tokens that a row supports, with what may stand before it.

A value (a title, a genre) must be said whole, and after the right word: a creator only after "by" or "from", so that a star cannot become
the director. A sentence of the item's text may be quoted in part, without gaps, and not cut so that its meaning turns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from types import MappingProxyType

from scenewise.store.types import Item
from scenewise.tools.copywriter.evidence import EvidenceRow
from scenewise.tools.copywriter.nouns import ADJECTIVES, noun_of
from scenewise.tools.copywriter.words import ARTICLES, Token, closed_words, cut

Cue = str | None

MAKERS = frozenset({"creator", "director", "writer", "author", "artist", "composer", "chef", "instructor", "developer", "teacher"})
CAST = frozenset({"star", "stars", "cast", "actor", "actors"})
EXACT = frozenset({"title", "history", *MAKERS, *CAST})
"""Fields of names, where "Coens" is not "Coen"."""

_AFTER: Mapping[str, frozenset[Cue]] = MappingProxyType(
    {
        "title": frozenset({None, "in", "of"}),
        "domain": frozenset({None, "in", "of", "for", "with"}),
        "year": frozenset({None, "from", "of"}),
        "duration": frozenset({None, "in", "at", "for", "of", "with"}),
        "genre": frozenset({None, "in", "of", "with"}),
        "mood": frozenset({None, "in", "of", "with"}),
        "topic": frozenset({None, "about", "with", "on", "of", "in", "around"}),
        "scene": frozenset({"for", "on", "during", "in", "at"}),
        "path": frozenset({None}),
        "history": frozenset({None}),
        "asked": frozenset({None}),
        "taste": frozenset({None}),
        "price": frozenset({None, "at", "for"}),
        "people": frozenset({None}),
        "text": frozenset({None, "about"}),
    }
)
_OTHER: frozenset[Cue] = frozenset({None, "in", "of", "with", "for", "at"})
_SCOPE = 6
"""How many words a negation is taken to reach."""


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens [start, end) of a sentence, supported by a row; `after` are the cues that may stand before it."""

    start: int
    end: int
    row_id: str
    field: str
    after: frozenset[Cue]


@dataclass(frozen=True, slots=True)
class _Unit:
    """Something that may be said as a whole; where `needs` is not empty, only in a text that holds those words as well."""

    tokens: tuple[Token, ...]
    row_id: str
    field: str
    after: frozenset[Cue]
    needs: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()  # what a text that says it must hold, in the singular


class Evidence:
    """An item's rows, cut into tokens once."""

    def __init__(self, item: Item, rows: Sequence[EvidenceRow], *, scene: str | None = None) -> None:
        self._units = [unit for unit in _units(item, rows, scene) if unit.tokens]
        self._texts = [(row.row_id, cut(row.text)) for row in rows if row.field == "text"]

    def spans(self, tokens: Sequence[Token]) -> dict[int, list[Span]]:
        """Find all supported stretches, by where they start."""
        found: dict[int, list[Span]] = {start: [] for start in range(len(tokens))}
        words, present = [token.folded for token in tokens], {token.singular for token in tokens}
        units = [unit for unit in self._units if unit.words <= present and (not unit.needs or _holds(words, unit.needs))]
        for start in range(len(tokens)):
            for unit in units:
                end = _match_whole(tokens, start, unit)
                if end is not None:
                    found[start].append(Span(start, end, unit.row_id, unit.field, unit.after))
            for row_id, row in self._texts:
                found[start].extend(_quotes(tokens, start, row, row_id))
        return found


def _units(item: Item, rows: Sequence[EvidenceRow], scene: str | None) -> Iterator[_Unit]:
    noun = noun_of(item.domain)
    for word in (*noun.words, *(f"{word}s" for word in noun.words), *noun.zh):
        yield _unit(word, "domain", "domain")
    if not any(row.row_id == "title" for row in rows):
        yield _unit(item.title, "title", "title")
    if scene is not None and not any(row.field == "scene" for row in rows):
        yield _unit(scene.replace("_", " "), "scene", "scene")
    for row in rows:
        if row.field == "scene":
            yield from _scene_units(row)
        elif row.field == "path":
            yield from _path_units(row)
        elif row.field != "text":
            for value in _sayable(row):
                yield _unit(value, row.row_id, row.field)


def _scene_units(row: EvidenceRow) -> Iterator[_Unit]:
    name, *fits = row.values or (row.text,)
    yield _unit(name, row.row_id, "scene")
    if len(name.split()) > 1:
        yield _unit(name.split()[-1], row.row_id, "scene")
    for fit in fits:
        yield _said(fit, row.row_id, "fit", _OTHER)


def _path_units(row: EvidenceRow) -> Iterator[_Unit]:
    """What a path says, whole; and, in a text that names the item at its other end, what the two share ("by the same director")."""
    for value in row.values or (row.text,):
        yield _unit(value, row.row_id, "path")
    if (shared := shared_part(row.text)) is not None:
        words, title = shared
        needs = tuple(token.folded for token in cut(title))
        yield _said(words, row.row_id, "path", _AFTER["path"], needs)


def shared_part(path: str) -> tuple[str, str] | None:
    """Cut a path's sentence into what two items share and the title of the other one; None where it has no such form.

    >>> shared_part("by the same director as Heat"), shared_part("shares an actor, Tom Hanks, with Big"), shared_part("calm, like Dune")
    (('by the same director', 'Heat'), ('with Tom Hanks', 'Big'), ('also calm', 'Dune'))
    """
    if match := re.fullmatch(r"((?:by|in|about) the same [a-z ]+?|from the same series) as (.+)", path):
        return match[1], match[2]
    match = re.fullmatch(r"shares an actor, ([^,]+), with (.+)", path)
    if match:
        return f"with {match[1]}", match[2]
    value, like, title = path.partition(", like ")
    return (f"also {value}", title) if like else None


CLOSE_TO = "close to what "


def close_to(people: str) -> str:
    """Say shorter that an item resembles what others chose; any other sentence stays.

    >>> close_to("it has much in common with what people who liked Ran chose")
    'close to what people who liked Ran chose'
    """
    return people.replace("it has much in common with what ", CLOSE_TO, 1)


def _holds(words: Sequence[str], some: tuple[str, ...]) -> bool:
    return any(tuple(words[at : at + len(some)]) == some for at in range(len(words) - len(some) + 1))


def _sayable(row: EvidenceRow) -> Iterator[str]:
    values = row.values or (row.text,)
    yield from values
    if row.field == "year":
        yield from (f"{value}年" for value in values)
    elif row.field == "duration":
        for value in values:
            number = value.split()[0]
            yield from (f"{number} minute long", f"{number} min", f"{number}分钟")
    elif row.field == "people":
        yield from (f"{value.removesuffix(' it')} this" for value in values if value.endswith(" it"))
        yield from (close_to(value) for value in values)
    elif row.field in {"history", "asked", "taste", "price"}:
        return
    elif row.field not in {"title", "domain"}:
        if row.field not in MAKERS | CAST:
            # The attribute's own name may stand by its value: "in a dark mood", "level: beginner".
            yield from (f"{value} {row.field}" for value in values)
            yield from (f"{row.field} {value}" for value in values)
        if row.field == "genre":
            yield from (ADJECTIVES[value.casefold()] for value in values if value.casefold() in ADJECTIVES)
        for size in range(2, len(values) + 1):
            for some in combinations(values, size):
                yield f"{', '.join(some[:-1])} and {some[-1]}"


@lru_cache(maxsize=16_384)
def _unit(text: str, row_id: str, field: str) -> _Unit:
    after: frozenset[Cue] = _AFTER.get(field, _OTHER)
    if field in MAKERS:
        after = frozenset({"by", "from"})
    elif field in CAST:
        after = frozenset({"with"})
    return _said(text, row_id, field, after)


def _said(text: str, row_id: str, field: str, after: frozenset[Cue], needs: tuple[str, ...] = ()) -> _Unit:
    tokens = cut(text)
    return _Unit(tokens, row_id, field, after, needs, frozenset(token.singular for token in tokens if token.folded not in ARTICLES))


def _match_whole(tokens: Sequence[Token], start: int, unit: _Unit) -> int | None:
    """Match all of the unit at `start`, articles aside; punctuation may stand inside only where the unit has it."""
    at, want = start, 0
    while want < len(unit.tokens):
        wanted = unit.tokens[want]
        if at >= len(tokens):
            return None
        have = tokens[at]
        if have.broken and at > start and not wanted.broken and wanted.folded not in ARTICLES:
            return None
        if have.folded == wanted.folded or (unit.field not in EXACT and have.singular == wanted.singular and not wanted.is_number):
            at, want = at + 1, want + 1
        elif wanted.folded in ARTICLES and len(unit.tokens) > 1 and unit.field not in EXACT:
            want += 1
        elif have.folded in ARTICLES and at > start and unit.field not in EXACT:
            at += 1
        else:
            return None
    return at


def _quotes(tokens: Sequence[Token], start: int, row: Sequence[Token], row_id: str) -> Iterator[Span]:
    """Find the quotations of one sentence that begin at `start`."""
    if _is_function(tokens[start]):
        return
    for begin, token in enumerate(row):
        if token.lemma == tokens[start].lemma and _may_begin(row, begin):
            after = _quote_cues(row, begin)
            yield from (Span(start, end, row_id, "text", after) for end in _quote_ends(tokens, start, row, begin))


def _quote_cues(row: Sequence[Token], begin: int) -> frozenset[Cue]:
    cue = _cue_before(row, begin)
    return _AFTER["text"] if cue is None else frozenset({cue})


def _quote_ends(tokens: Sequence[Token], start: int, row: Sequence[Token], begin: int) -> Iterator[int]:
    at, place, content, plain = start, begin, 0, False
    while at < len(tokens) and place < len(row):
        have, wanted = tokens[at], row[place]
        if have.broken and at > start and not wanted.broken:
            return
        if have.lemma == wanted.lemma and (not wanted.is_number or have.folded == wanted.folded):
            at, place = at + 1, place + 1
            content += not _is_function(wanted)
            plain = plain or not (_is_function(wanted) or (wanted.is_capital and place > 1))
            if _may_end(row, place) and plain and content >= (4 if wanted.is_han else 2):
                yield at
        elif wanted.folded in ARTICLES:
            place += 1
        elif have.folded in ARTICLES and at > start:
            at += 1
        else:
            return


def _may_begin(row: Sequence[Token], begin: int) -> bool:
    """A quotation must not begin so that its meaning turns: inside what a negation reaches, on a name that is torn from the words that
    say what it does, on a part of a number, or in the middle of Chinese words."""
    if all(token.folded in ARTICLES for token in row[:begin]):
        return True
    token, before = row[begin], row[begin - 1]
    if token.is_han:
        return token.broken
    if token.is_capital or before.is_number:
        return False
    for other in reversed(row[max(0, begin - _SCOPE) : begin]):
        if other.is_strict and not other.is_number:
            return False
        if other.broken:
            break
    return True


def _may_end(row: Sequence[Token], place: int) -> bool:
    """A quotation must not end on a word that says nothing alone, or on one that needs the next."""
    last = row[place - 1]
    if place == len(row):
        return True
    if row[place].broken:
        return not _is_function(last)
    return not (_is_function(last) or last.is_strict or last.is_han)


def _cue_before(row: Sequence[Token], begin: int) -> Cue:
    words = closed_words()
    for token in reversed(row[:begin]):
        if token.folded in ARTICLES or token.folded in words["determiners"]:
            continue
        return cue_of(token.folded)
    return None


def cue_of(folded: str) -> Cue:
    """Bring cues that bind in the same way together; None for a word that binds nothing."""
    if folded in {"fit", "fits", "suit", "suits", "to"}:
        return "for"
    if folded in {"when", "while"}:
        return "during"
    return folded if folded in closed_words()["cues"] else None


def _is_function(token: Token) -> bool:
    words = closed_words()
    return any(token.folded in words[group] for group in ("determiners", "joiners", "cues", "function"))
