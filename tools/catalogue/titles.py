"""Which item does a title mean? Exact titles first, then a part of a long title, then near spellings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rapidfuzz import fuzz, process

from scenewise.store.types import Item
from scenewise.tools.catalogue.words import Word, cut, grams, is_cjk

_CUTOFF = 0.75
_PART_SCORE = 0.95  # a title's head ("Star Wars" of "Star Wars: ...") is nearly, not fully, the title
_LONGEST = 12
_YEAR = re.compile(r"\(((?:18|19|20)\d\d)\)")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_HEAD = re.compile(r"\s*(?::|\s[-–—]\s)")
_TRAILING_ARTICLE = re.compile(r"^(.*), (the|a|an|le|la|les|l'|il|el|der|die|das)$", re.IGNORECASE)
_ARTICLES = frozenset({"the", "a", "an"})
_ROMAN = MappingProxyType({"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"})
_LEADS = frozenset(
    {"like", "to", "loved", "liked", "enjoyed", "watched", "saw", "read", "after", "as", "than", "finished", "love", "called"}
)
_ASKED = re.compile(
    r"^\W*(?:(?:and|ok|okay|so|but|hm+|well|please|can you|could you)\b[\s,]*)*(?:tell me (?:more )?about|describe|"
    r"how (?:long|old|hard|much|many|difficult|expensive|big|spicy|scary|violent|good|sad|funny) (?:is|was|does|did)|"
    r"who (?:is in|is behind|['’]s in|wrote|made|directed|produced|sings|sang|stars in|acts in|plays in|created|composed)|"
    r"when (?:was|did)|what(?:['’]s| is| was)|is|was|does|do you (?:have|know)|have you (?:got|seen|heard of)|info on|details on)\s+(?=\w)",
    re.IGNORECASE,
)
"""The beginning of a question about a title."""
_WISHED = frozenset({"something", "anything", "some", "any", "one", "more", "to", "it", "show", "see", "hear"})


@dataclass(frozen=True, slots=True)
class TitleMatch:
    """A title written in a text at [start, end), and the catalogue rows it may mean."""

    rows: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Titles:
    """Titles in plain form: `names[i]` belongs to row i, `others[i]` are its other names; `exact` and `parts` map a plain name to rows."""

    names: tuple[str, ...]
    years: tuple[int | None, ...]
    others: tuple[frozenset[str], ...]
    exact: Mapping[str, tuple[int, ...]]
    parts: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, items: Sequence[Item], *, before: Titles | None = None, rows: Sequence[int] = ()) -> Titles:
        """Index the titles of items; row i is the i-th item. `rows` are the items' rows in `before`, -1 for those to read anew."""
        names: list[str] = []
        years: list[int | None] = []
        others: list[frozenset[str]] = []
        exact: dict[str, list[int]] = {}
        parts: dict[str, list[int]] = {}
        for row, item in enumerate(items):
            known = rows[row] if before is not None else -1
            if before is not None and known >= 0:
                name, year, other = before.names[known], before.years[known], before.others[known]
            else:
                name, year = plain_title(item.title), item.year or _year_in(item.title)
                other = frozenset(_parts(item.title) - {name, ""})
            names.append(name)
            years.append(year)
            others.append(other)
            exact.setdefault(name, []).append(row)
            for part in other:
                parts.setdefault(part, []).append(row)
        frozen = [MappingProxyType({name: tuple(rows) for name, rows in index.items()}) for index in (exact, parts)]
        return cls(tuple(names), tuple(years), tuple(others), frozen[0], frozen[1])

    def look_up(self, name: str, k: int) -> list[tuple[int, float]]:
        """Find titles: (row, score in 0..1), best first, at most k; none scores below 0.75.

        Case, accents, leading articles and a year in brackets are ignored; the year, if given, decides between equal titles,
        then the one without a part in brackets comes first ("Blade Runner" before its "(Original Soundtrack)").
        The score is 1 for the same title, 0.95 for a title's head or other name, else the normalised InDel similarity
        (rapidfuzz), and numbers that differ count against it, so that "Toy Story 3" does not find "Toy Story 2".
        """
        wanted = plain_title(name)
        if not wanted or k < 1:
            return []
        scores = dict.fromkeys(self.parts.get(wanted, ()), _PART_SCORE)
        for near, score, row in process.extract(wanted, self.names, scorer=fuzz.ratio, limit=4 * k, score_cutoff=100 * _CUTOFF):
            scores[row] = max(scores.get(row, 0.0), score / 100 if _numbers(near) == _numbers(wanted) else 0.75 * score / 100)
        scores.update(dict.fromkeys(self.exact.get(wanted, ()), 1.0))
        year = _year_in(name)
        best = sorted(scores, key=lambda row: (-scores[row], year is not None and self.years[row] != year, bool(self.others[row]), row))
        return [(row, scores[row]) for row in best if scores[row] >= _CUTOFF][:k]

    def find(self, text: str) -> list[TitleMatch]:
        """Find titles written out in a text, in its order, the longest first where they overlap.

        Common words are a title only where they are written as one: with capitals, in quotes, or after "like", "loved", "read".
        A single word must be quoted, or be capitalised and have such a lead, another title or the beginning of a question ("how long is
        Heat?") before it.
        """
        words = cut(text)
        asked = _ASKED.match(text)
        taken = [False] * len(words)
        found: list[TitleMatch] = []
        for first, end in grams(words, _LONGEST):
            if any(taken[first:end]):
                continue
            name = _joined([word.plain for word in words[first:end]])
            rows = self.exact.get(name) or self.parts.get(name)
            start, stop = words[first].start, words[end - 1].end
            begins = asked is not None and asked.end() == start and words[first].plain not in _ARTICLES  # "is the game long": no film
            led = _is_led(words, taken, first) or begins
            if rows and _is_written_as_title(text, start, stop, led=led):
                taken[first:end] = [True] * (end - first)
                found.append(TitleMatch(tuple(sorted(rows, key=lambda row: bool(self.others[row]))), start, stop))
        return sorted(found, key=lambda match: match.start)


def plain_title(title: str) -> str:
    """Bring a title into the form in which titles are compared.

    >>> plain_title("Godfather: Part II, The (1974)")
    'godfather part 2'
    """
    bare = " ".join(_BRACKETS.sub(" ", title).replace("&", " and ").split())
    return _joined([word.plain for word in cut(_article_first(bare) or title)])


def _joined(words: list[str]) -> str:
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    return " ".join(_ROMAN.get(word, word) for word in words)


def _article_first(title: str) -> str:
    if swapped := _TRAILING_ARTICLE.match(title.strip()):
        return f"{swapped[2]} {swapped[1]}"
    return title


def _parts(title: str) -> set[str]:
    """Other names of a title: what stands before a colon or dash, and what stands in brackets."""
    bare = _article_first(" ".join(_BRACKETS.sub(" ", title).split()))
    heads = {plain_title(bare[: match.start()]) for match in _HEAD.finditer(bare)}
    names = [inside for inside in _BRACKETS.findall(title) if not inside.isdigit()]
    swapped = (_TRAILING_ARTICLE.match(name.strip()) for name in [*names, " ".join(_BRACKETS.sub(" ", title).split())])
    others = {plain_title(name) for name in [*names, *(match[1] for match in swapped if match)]}
    return {part for part in heads | others if len(part) > 2}


def _year_in(title: str) -> int | None:
    match = _YEAR.search(title)
    return int(match[1]) if match else None


def _numbers(name: str) -> list[str]:
    return [word for word in name.split() if word.isdigit()]


def _is_led(words: list[Word], taken: list[bool], first: int) -> bool:
    """Say whether a word such as "like" or another title stands before the word at `first`."""
    if first == 0:
        return False
    before = words[first - 1].plain
    if before in ("like", "love", "to") and words[first].plain in _WISHED:
        return False  # "I'd like something wild" wishes for something, and means no film
    return before in _LEADS or taken[first - 1] or (before in ("or", "and") and first > 1 and taken[first - 2])


def _is_written_as_title(text: str, start: int, end: int, *, led: bool) -> bool:
    inside = text[start:end]
    around = text[start - 1 : start] + text[end : end + 1]
    quoted = around in ('""', "“”", "''", "‘’", "《》", "「」", "«»")
    if quoted or is_cjk(inside):
        return quoted
    long_words = [word for word in inside.split() if len(word) > 3 or inside.count(" ") < 2]
    capitals = bool(long_words) and all(not word[0].islower() for word in long_words)
    if " " not in inside:
        return capitals and led
    return capitals or led
