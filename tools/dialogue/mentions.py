"""From utterances to numbers: which entities are named, where, and by whose annotation; whole contexts as sparse rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from scenewise.tools.dialogue.domain import KINDS, Context, Domain

FADE = 0.7  # a mention counts that much of one an utterance later
FOUND = 0.6  # one found in the words but not annotated counts that much of one that is
REPLY = 0.5  # an item named in a reply but not annotated as recommended counts that much of one that is
_WORD = re.compile(r"[A-Za-z0-9À-ÿ]+(?:'[a-z]+)?")
_YEAR = re.compile(r"\((\d{4})\)\s*$")
_COMMON = frozenset(
    (  # noqa: SIM905  (a list of fifty strings reads worse)
        "the a an it her him i you yes no sure hi hello ok what who when where why how which do did is are was have has "
        "any some movie film new good great funny love like also he she we they"
    ).split()
)


def words_of(text: str) -> list[str]:
    """Split into words as they are written.

    >>> words_of("Who's in It (2017)?")
    ["Who's", 'in', 'It', '2017']
    """
    return _WORD.findall(text)


def title_words(name: str) -> set[str]:
    """The telling words of a name, in small letters, without its year."""
    return {word.lower() for word in words_of(_YEAR.sub("", name))} - _COMMON


class NameFinder:
    """Finds a domain's names in words, the longest first. A name of one word must be written as it is, unless it is a kind of item."""

    def __init__(self, domain: Domain) -> None:
        kinds = domain.tails[np.isin(domain.relations, [i for i, name in enumerate(domain.relation_names) if name in KINDS])]
        self._kinds = frozenset(kinds.tolist())
        self._by_first: dict[str, list[tuple[list[str], str, int]]] = {}
        for number, name in enumerate(domain.names):
            if words := words_of(name):
                lower = [word.lower() for word in words]
                self._by_first.setdefault(lower[0], []).append((lower, words[0], number))
        for names in self._by_first.values():
            names.sort(key=lambda one: -len(one[0]))

    def find(self, text: str) -> list[int]:
        """The entities named in a text, in order."""
        words = words_of(text)
        lower = [word.lower() for word in words]
        found, at = [], 0
        while at < len(words):
            length, entity = self._at(words, lower, at)
            if entity is not None:
                found.append(entity)
            at += length
        return found

    def _at(self, words: list[str], lower: list[str], at: int) -> tuple[int, int | None]:
        for name, first, entity in self._by_first.get(lower[at], ()):
            if lower[at : at + len(name)] != name:
                continue
            written = words[at] == first and len(first) > 2 and name[0] not in _COMMON
            if len(name) > 1 or written or entity in self._kinds:
                return len(name), entity
        for name, _, entity in self._by_first.get(_singular(lower[at]), ()):
            if len(name) == 1 and entity in self._kinds:
                return 1, entity
        return 1, None


@dataclass(frozen=True, eq=False)
class Mentions:
    """Contexts as sparse rows. `all`, `last`: csr float32 (n, n_entities), every mention faded with its age, and those of the latest
    utterance that has some; `near`: csr float32 (n, n_items), 1 / (1 + utterances since); `seen`, `count`: csr float32 (n, n_items) of
    annotated items. `last_text`, `recent_text`: the last utterance, the last three."""

    contexts: tuple[Context, ...]
    all: csr_matrix
    last: csr_matrix
    near: csr_matrix
    seen: csr_matrix
    count: csr_matrix
    last_text: list[str]
    recent_text: list[str]

    @classmethod
    def of(cls, contexts: Sequence[Context], domain: Domain, finder: NameFinder) -> Mentions:
        """Read contexts."""
        n, size = len(contexts), (len(contexts), len(domain.items))
        columns: list[list[dict[int, float]]] = [[], [], [], []]
        for context in contexts:
            annotated = [domain.entity_of[name] for name in context.entities if name in domain.entity_of]
            back = _utterances_back(context, annotated, finder)
            nearest = min(back.values(), default=0)
            known = {*annotated}
            columns[0].append({e: FADE**age * (1.0 if e in known else FOUND) for e, age in back.items()})
            last = {e: 1.0 for e, age in back.items() if age == nearest}
            if annotated:
                last[annotated[-1]] = last.get(annotated[-1], 0.0) + 0.5
            columns[1].append(last)
            columns[2].append({int(domain.row_of[e]): 1.0 / (1 + age) for e, age in back.items() if domain.row_of[e] >= 0})
            items = [int(domain.row_of[e]) for e in annotated if domain.row_of[e] >= 0]
            columns[3].append({row: float(items.count(row)) for row in items})
        count = sparse(columns[3], size)
        seen = count.copy()
        seen.data[:] = 1.0
        everything, last_ones = (sparse(column, (n, len(domain.names))) for column in columns[:2])
        texts = [context.utterances for context in contexts]
        return cls(
            (*contexts,), everything, last_ones, sparse(columns[2], size), seen, count,
            [one[-1] if one else "" for one in texts], [" ".join(one[-3:]) for one in texts],
        )  # fmt: skip


def sparse(rows: Iterable[Mapping[int, float]], shape: tuple[int, int]) -> csr_matrix:
    """Build csr float32 from a mapping of columns to values a row."""
    rows = list(rows)
    ends = np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int64)
    columns = np.fromiter((column for row in rows for column in row), dtype=np.int64, count=int(ends[-1]))
    values = np.fromiter((value for row in rows for value in row.values()), dtype=np.float32, count=int(ends[-1]))
    return csr_matrix((values, columns, ends), shape=shape)


def _singular(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")


def _utterances_back(context: Context, annotated: Sequence[int], finder: NameFinder) -> dict[int, int]:
    """How many utterances ago each entity was last named; an annotated one that is not found in the words is placed by its order."""
    n = len(context.utterances)
    back = {entity: n - 1 - at for at, text in enumerate(context.utterances) for entity in finder.find(text)}
    for place, entity in enumerate(annotated):
        if entity not in back:
            back[entity] = min(max(n - 1, 0), (len(annotated) - 1 - place) // 2)
    return back
