"""The kept form of the graph: every fact as numbers, in the rows of both its ends.

Names, relations and sources are interned; `Base` holds all rows end to end (CSR), sorted by relation name, then by the other end's name,
so that a row is an answer as it stands. A change replaces the rows that it touches (`Facts.rows`) and shares the rest with the graph
before it; tools/graph/change.py makes changes and compacts them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenewise.tools.graph.relations import SILENT, describe

CATALOGUE, ALIASES, SCENES, EVENTS = "catalogue", "aliases", "scenes", "events"
"""Who says so, besides the sources of stored edges: the items' own data, aliases.toml, the scene pack, what people did."""
WISHES = frozenset({ALIASES, SCENES})
"""Sources whose facts are drawn only between things that something else speaks of."""
DERIVED = WISHES | {EVENTS}
"""Sources that are not stored; what they say stands beside a stored fact that says the same."""
NAMELESS = frozenset({"entity"})
"""Node types whose keys are identifiers, not names."""
NO_FORM = 65_535
"""The spelling of an end that was not written out."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """The facts at one node, all of one length: `other` int32 the far end, `relation` and `source` int32 codes, `confidence` float64 in
    (0, 1], `form` uint16 how this node is spelled there, `forward` bool, True where this node is the subject."""

    other: NDArray[np.int32]
    relation: NDArray[np.int32]
    confidence: NDArray[np.float64]
    source: NDArray[np.int32]
    form: NDArray[np.uint16]
    forward: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.other)

    def take(self, which: Any) -> Row:
        """The entries chosen by a mask, a slice or indices."""
        return Row(*(getattr(self, column.name)[which] for column in fields(self)))

    @classmethod
    def empty(cls) -> Row:
        """No facts."""
        return cls.of(())

    @classmethod
    def of(cls, entries: Sequence[tuple[int, int, float, int, int, bool]]) -> Row:
        """Make a row of (other, relation, confidence, source, form, forward) entries."""
        columns = tuple(zip(*entries, strict=True)) or ((),) * len(TYPES)
        return cls(*(np.array(column, dtype=kind) for column, kind in zip(columns, TYPES, strict=True)))


LEAST_WEIGHT = 0.4
"""Relations weaker than this (a decade, a language) say what things are, not what one likes in them."""
TYPES = (np.int32, np.int32, np.float64, np.int32, np.uint16, np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """All nodes and facts at one time. Node i is `names[i]` (in order), its facts `entries[indptr[i]:indptr[i + 1]]`."""

    names: tuple[str, ...]
    index: Mapping[str, int]
    shown: list[str]
    forms: Mapping[int, tuple[str, ...]]
    indptr: NDArray[np.int64]
    entries: Row


@dataclass(frozen=True, eq=False)
class Facts:
    """One state of the graph; nothing in it changes. Nodes are numbers 0..n-1 here; `alive`, `is_item`, `n_joined` have an entry each.

    A node is alive, and shown, if it is an item of the catalogue or a scene of the pack, if it has a name and somebody speaks of it, or
    if it has none and at least two items share it: one that joins nothing can be neither used nor shown. `n_joined` int32 counts the
    items that a telling relation joins to the node. After a change, `rows`, `shown` and `forms` go before those of the base, `more` are
    names beyond its, and `n_replaced` is how many facts the rows hold.
    """

    base: Base
    relations: tuple[str, ...]
    sources: tuple[str, ...]
    alive: NDArray[np.bool_]
    is_item: NDArray[np.bool_]
    n_joined: NDArray[np.int32]
    pinned: frozenset[str]
    rows: Mapping[int, Row]
    shown: Mapping[int, str]
    forms: Mapping[int, tuple[str, ...]]
    more: tuple[str, ...]
    more_index: Mapping[str, int]
    n_replaced: int

    @property
    def n(self) -> int:
        """How many numbers are given out, alive or not."""
        return len(self.alive)

    @cached_property
    def n_items(self) -> int:
        """How many items there are."""
        return int((self.alive & self.is_item).sum())

    @cached_property
    def silent(self) -> NDArray[np.bool_]:
        """Which relation codes explain nothing: bool (n_relations,)."""
        return np.array([name in SILENT for name in self.relations], dtype=np.bool_)

    def number(self, name: str) -> int | None:
        """The node's number, alive or not; None for a name never met."""
        found = self.base.index.get(name)
        return self.more_index.get(name) if found is None else found

    def find(self, name: str) -> int | None:
        """The number of a node that is alive."""
        found = self.number(name)
        return found if found is not None and self.alive[found] else None

    def name(self, node: int) -> str:
        """The node's "type:key"."""
        known = len(self.base.names)
        return self.base.names[node] if node < known else self.more[node - known]

    def display(self, node: int) -> str:
        """The node's name as shown to a person."""
        changed = self.shown.get(node)
        return self.base.shown[node] if changed is None else changed

    def forms_of(self, node: int) -> tuple[str, ...]:
        """The ways the node is spelled, by form code."""
        found = self.forms.get(node) or self.base.forms.get(node)
        return found or ((self.base.shown[node],) if node < len(self.base.names) else ())

    def whole_row(self, node: int) -> Row:
        """All facts of the node, those with nodes that are not alive included."""
        changed = self.rows.get(node)
        if changed is not None:
            return changed
        if node >= len(self.base.names):
            return Row.empty()
        return self.base.entries.take(slice(self.base.indptr[node], self.base.indptr[node + 1]))

    def row(self, node: int) -> Row:
        """The facts of the node with nodes that are alive, by relation name, then by the other end's name."""
        row = self.whole_row(node)
        seen = self.alive[row.other]
        return row if seen.all() else row.take(seen)

    def concepts(self, item: int) -> tuple[int, ...]:
        """The nodes other than items that telling relations of some weight join to an item: what one may like in it. They are kept."""
        kept = self._concepts.get(item)
        if kept is None:
            row = self.row(item)
            telling = ~self.is_item[row.other] & ~self.silent[row.relation] & ~self.weak[row.relation]
            kept = self._concepts[item] = tuple({*row.other[telling].tolist()})
        return kept

    @cached_property
    def weak(self) -> NDArray[np.bool_]:
        """Which relation codes say what things are, not what one likes in them (a decade, a language): bool (n_relations,)."""
        return np.array([describe(name).weight < LEAST_WEIGHT for name in self.relations], dtype=np.bool_)

    @cached_property
    def _concepts(self) -> dict[int, tuple[int, ...]]:
        return {}

    def code(self, relation: str) -> int:
        """The relation's code, -1 where no fact has it."""
        return self.relations.index(relation) if relation in self.relations else -1

    def kind(self, node: int) -> str:
        """The node's type."""
        return self.name(node).partition(":")[0]

    def is_nameless(self, node: int) -> bool:
        """Whether the node has an identifier in place of a name."""
        return self.kind(node).casefold() in NAMELESS

    def nodes(self) -> Iterator[int]:
        """The nodes that are alive."""
        return iter(np.flatnonzero(self.alive).tolist())

    @cached_property
    def rarities(self) -> NDArray[np.float64]:
        """Inverse document frequency of each node among items, in [0, 1]: log((1+n)/(1+joined)) / log(1+n), float64 (n,)."""
        idf: NDArray[np.float64] = np.log((1.0 + self.n_items) / (1.0 + self.n_joined)) / (math.log1p(self.n_items) or 1.0)
        return idf

    def rarity(self, node: int) -> float:
        """The node's entry of `rarities`."""
        return float(self.rarities[node])

    def lengths(self) -> NDArray[np.int64]:
        """How many facts the row of each node holds, alive or not: int64 (n,)."""
        found = np.append(np.diff(self.base.indptr), np.zeros(self.n - len(self.base.names), np.int64))
        found[list(self.rows)] = [len(row) for row in self.rows.values()]
        return found

    def owners(self) -> NDArray[np.int32]:
        """The node of each entry of `column`, int32 (m,), ascending."""
        return np.repeat(np.arange(self.n, dtype=np.int32), self.lengths())

    def column(self, name: str) -> NDArray[Any]:
        """One column of all rows end to end, in the order of nodes: (m,)."""
        base, whole = self.base.indptr, getattr(self.base.entries, name)
        if not self.rows:
            return whole  # type: ignore[no-any-return]
        parts, start, known = [], 0, len(self.base.names)
        for node in sorted(self.rows):
            if node < known:
                parts.append(whole[start : base[node]])
                start = base[node + 1]
            elif start < len(whole):
                parts.append(whole[start:])
                start = len(whole)
            parts.append(getattr(self.rows[node], name))
        return np.concatenate([*parts, whole[start:]])

    def entries(self) -> tuple[NDArray[np.int32], Row]:
        """All entries of all rows: the node of each, int32 (m,), ascending, and the entries."""
        return self.owners(), Row(*(self.column(column.name) for column in fields(Row)))

    def visible(self) -> tuple[NDArray[np.int32], Row]:
        """As `entries`, without those at a node that is not alive."""
        owners, row = self.entries()
        if self.alive.all():
            return owners, row
        seen = self.alive[owners] & self.alive[row.other]
        return owners[seen], row.take(seen)


def most_used(forms: Sequence[str], counts: Sequence[int]) -> str | None:
    """The spelling used most, ties by alphabet; None where none is used.

    >>> most_used(("Noir", "noir"), (1, 2))
    'noir'
    """
    used = [(-count, form) for form, count in zip(forms, counts, strict=False) if count]
    return min(used)[1] if used else None
