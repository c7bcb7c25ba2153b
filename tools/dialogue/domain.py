"""What conversations are about: named entities, the items among them, and facts between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from scenewise.tools.tfidf import tfidf

Float = NDArray[np.float32]
PEOPLE = frozenset({"actor", "star", "director", "writer", "author"})
KINDS = frozenset({"genre"})


@dataclass(frozen=True, slots=True)
class Context:
    """What has been said in one conversation, oldest first, and the names that it mentions, in that order (annotated or linked)."""

    dialogue: str
    utterances: tuple[str, ...]
    entities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A context, the names of the items that were recommended next, and the words in which they were."""

    context: Context
    targets: tuple[str, ...]
    reply: str = ""


@dataclass(frozen=True, eq=False)
class Domain:
    """Entities are numbers in `names`. `items`: int64 (n_items,), the entities that can be recommended; an item's row is its place there.

    `heads`, `relations`, `tails`: int64 (n_facts,), relations as places in `relation_names`. `texts` and `years` (float32, NaN where
    unknown) go with the items.
    """

    names: tuple[str, ...]
    items: NDArray[np.int64]
    relation_names: tuple[str, ...]
    heads: NDArray[np.int64]
    relations: NDArray[np.int64]
    tails: NDArray[np.int64]
    texts: tuple[str, ...]
    years: Float

    @cached_property
    def entity_of(self) -> dict[str, int]:
        """The number of each name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def row_of(self) -> NDArray[np.int64]:
        """The item row of each entity, int64 (n_entities,), -1 where it is no item."""
        rows = np.full(len(self.names), -1, dtype=np.int64)
        rows[self.items] = np.arange(len(self.items))
        return rows

    def rows(self, names: Sequence[str]) -> list[int]:
        """The rows of the items among these names, each once, in order."""
        found = (int(self.row_of[self.entity_of[name]]) for name in names if name in self.entity_of)
        return list(dict.fromkeys(row for row in found if row >= 0))

    def facts(self, relations: frozenset[str] | None = None) -> csr_matrix:
        """Facts whose head is an item, of some relations or all: csr float32 (n_items, n_entities), ones."""
        wanted = self.row_of[self.heads] >= 0
        if relations is not None:
            wanted &= np.isin(self.relations, [i for i, name in enumerate(self.relation_names) if name in relations])
        return _ones(self.row_of[self.heads[wanted]], self.tails[wanted], (len(self.items), len(self.names)))

    @cached_property
    def alike(self) -> tuple[csr_matrix, csr_matrix]:
        """Items by the people in them (weighted 1 / log2(2 + films)), and by kind as TF-IDF rows: csr float32 (n_items, n_entities)."""
        people = self.facts(PEOPLE)
        weight = 1.0 / np.log2(2.0 + np.bincount(people.indices, minlength=people.shape[1]))
        return csr_matrix(people @ diags_array(np.sqrt(weight)), dtype=np.float32), tfidf(self.facts(KINDS))

    @cached_property
    def steps(self) -> csr_matrix:
        """One step of a walk, csr float32 (n_entities, n_entities), columns summing to 1; busy ends weigh 1 / log2(2 + degree)."""
        n = len(self.names)
        both = _ones(np.r_[self.heads, self.tails], np.r_[self.tails, self.heads], (n, n))
        discount = 1.0 / np.log2(2.0 + np.diff(both.indptr))
        owners = np.repeat(np.arange(n), np.diff(both.indptr))
        both.data = np.minimum(discount[owners], discount[both.indices]).astype(np.float32)
        out = np.asarray(both.sum(axis=1)).ravel()
        return csr_matrix((diags_array(1.0 / np.maximum(out, 1e-9)) @ both).T, dtype=np.float32)


def _ones(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> csr_matrix:
    matrix = csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix
