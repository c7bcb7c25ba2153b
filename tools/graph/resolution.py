"""Names of the graph that mean the same: normalised, blocked by spelling, decided by meaning, and by the LLM only where asked.

A merge says "this node is another name of that one" and is kept in the store; edges keep the names they were read with, and
`Aliases` joins the names when the graph is built, so a merge can be undone at any time.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from rapidfuzz import fuzz, process

from scenewise.store.readings import Merge
from scenewise.tools.retrieval.encoders import Encoders

BLOCK_FROM = 80.0
"""Least rapidfuzz ratio (0..100) of two names that are looked at at all."""
SAME_FROM = 0.9
"""Least cosine of two names that are one without further question."""
ASK_FROM = 0.75
_SHORT = 5
_DIGITS = re.compile(r"\d+")

Judge = Callable[[Sequence[tuple[str, str, str]]], Sequence[bool]]
"""The LLM: for each (type, name, other name) whether both mean the same."""


def fold(name: str) -> str:
    """Write a name the plainest way: compatible forms, case, blanks, accents of Latin letters, leading articles and hyphens undone.

    >>> fold("The  Café-Noir"), fold("ＴＯＫＹＯ"), fold("Ёлка"), fold("東京　都")
    ('cafe noir', 'tokyo', 'ёлка', '東京 都')
    """
    text = unicodedata.normalize("NFKC", name).casefold().replace("-", " ").replace("’", "'")
    plain = []
    for char in text:
        base = unicodedata.normalize("NFD", char)[0]
        plain.append(base if "a" <= base <= "z" else char)
    words = "".join(plain).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words)


def resolve_names(nodes: Iterable[str], encoders: Encoders, *, judge: Judge | None = None, now_s: float) -> list[Merge]:
    """Find which of these nodes ("type:name", once for each edge that has it) are one; the more frequent name stays, then the shorter.

    Only nodes of one type are compared, and never two names with different numbers in them. Names of up to 5 letters must be equal
    once folded. `judge` decides the pairs whose cosine is from ASK_FROM to SAME_FROM; without it they stay apart.
    """
    count = Counter(nodes)
    by_kind: dict[str, list[str]] = defaultdict(list)
    for node in sorted(count, key=lambda n: (-count[n], len(n), n)):
        by_kind[node.partition(":")[0]].append(node)
    return [merge for kind in sorted(by_kind) for merge in _of_kind(kind, by_kind[kind], encoders, judge, now_s)]


def _of_kind(kind: str, nodes: Sequence[str], encoders: Encoders, judge: Judge | None, now_s: float) -> Iterator[Merge]:
    stands: dict[str, str] = {}
    for node in nodes:
        folded = fold(node.partition(":")[2])
        if folded in stands:
            yield Merge(node, stands[folded], 1.0, "spelling", now_s)
        else:
            stands[folded] = node
    pairs = list(_blocked(list(stands)))
    cosines = _cosines(pairs, encoders)
    unsure = [pair for pair, cosine in zip(pairs, cosines, strict=True) if ASK_FROM <= cosine < SAME_FROM]
    said = set()
    if judge is not None and unsure:
        verdicts = judge([(kind, name, other) for name, other in unsure])
        said = {pair for pair, same in zip(unsure, verdicts, strict=False) if same}
    gone: set[str] = set()
    for (name, other), cosine in zip(pairs, cosines, strict=True):
        if name not in gone and other not in gone and (cosine >= SAME_FROM or (name, other) in said):
            gone.add(name)
            decided = "embedding" if cosine >= SAME_FROM else "llm"
            yield Merge(stands[name], stands[other], round(min(1.0, cosine), 4), decided, now_s)


def _blocked(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(name, the likest earlier one) where the spelling is near."""
    for place, name in enumerate(names):
        if len(name) <= _SHORT or not place:
            continue
        near = process.extract(name, names[:place], scorer=fuzz.ratio, score_cutoff=BLOCK_FROM, limit=3)
        for other, _, _ in near:
            if len(other) > _SHORT and _DIGITS.findall(name) == _DIGITS.findall(other):
                yield name, other
                break


def _cosines(pairs: Sequence[tuple[str, str]], encoders: Encoders) -> list[float]:
    found = []
    for name, other in pairs:
        encoder = encoders.pick(name + other)
        left, right = encoder.encode([name, other])
        found.append(float(np.dot(left, right)))
    return found


def alias_table(names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Turn merges (node to node) into tables of names by type, as `Aliases.same` holds them; both are casefolded."""
    table: dict[str, dict[str, str]] = {}
    for node, into in names.items():
        kind, _, name = node.partition(":")
        other_kind, _, other = into.partition(":")
        if kind == other_kind and (key := " ".join(name.casefold().split())) != (value := " ".join(other.casefold().split())):
            table.setdefault(kind, {})[key] = value
    return table
