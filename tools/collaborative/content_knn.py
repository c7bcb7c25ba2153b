"""Content neighbours: items alike in attributes, text and graph, so that an item without any event has neighbours too."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from scenewise.store.errors import InputError
from scenewise.tools.collaborative.model import Rows, Scores, Sequences, check_interactions
from scenewise.tools.collaborative.neighbours import NeighbourModel, strongest
from scenewise.tools.features import ItemFeatures
from scenewise.tools.tfidf import tfidf

_BLOCK = 16_000_000  # similarities held at a time, 64 MB


class ContentKnn(NeighbourModel):
    """The similarity of two items is the sum of three cosines with the shares `attributes` (TF-IDF), `text` and `graph`; `k`
    neighbours an item are kept. What `features` lack counts 0."""

    name = "content_knn"

    def __init__(
        self, features: ItemFeatures | None = None, *, attributes: float = 0.5, text: float = 0.5, graph: float = 0.5, k: int = 100
    ) -> None:
        self.features, self.attributes, self.text, self.graph, self.k = features, attributes, text, graph, k

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Find the k nearest items of each one, exactly, by blocks; behaviour takes no part. InputError without features, or with
        those of another catalogue."""
        n = check_interactions(interactions).shape[1]
        if self.features is None or self.features.n != n:
            raise InputError("Content neighbours need the features of the same items as the interactions.")
        sparse, dense = self._parts(self.features)
        size = max(1, _BLOCK // max(n, 1))
        blocks = [self._nearest(sparse, dense, slice(start, min(start + size, n))) for start in range(0, n, size)]
        self.similarity = strongest(csr_matrix(vstack(blocks)), self.k) if blocks else csr_matrix(sparse @ sparse.T)
        return self

    def over(self, features: ItemFeatures, rows: Rows, differs: NDArray[np.bool_]) -> ContentKnn:
        """Return the model over a changed catalogue: `rows` int32 (n,), each item's row here, -1 for a new one; `differs` bool (n,), whose
        features are others than here.

        Only the likenesses of these are computed. Beside them an item whose neighbour went keeps one fewer, and the rarity of attribute
        values in older likenesses stays that of the fit.
        """
        model = ContentKnn(features, attributes=self.attributes, text=self.text, graph=self.graph, k=self.k)
        old, stays, new = self.similarity, np.flatnonzero(~differs), np.flatnonzero(differs)
        place = np.full(old.shape[0], -1, dtype=np.int32)  # the new row of an old one, -1 where it went or differs
        place[rows[stays]] = stays
        columns = place[old.indices]
        losers = place[np.searchsorted(old.indptr, np.flatnonzero(columns < 0), side="right") - 1]
        losers = losers[losers >= 0]
        alike = self._alike(*self._parts(features), new)  # (new, n)
        alike[np.arange(len(new)), new] = 0.0
        floor = np.zeros(len(rows), dtype=np.float32)  # what a likeness must exceed to be among an item's k largest
        floor[stays] = _least(old, self.k)[rows[stays]]
        floor[losers] = 0.0
        near, far = np.nonzero((alike > floor) & ~differs)
        touched = differs.copy()
        touched[losers] = touched[far] = True
        kept = np.flatnonzero(touched & ~differs)
        ends = np.where(columns < 0, len(rows), columns)
        part = csr_matrix((old.data, ends, old.indptr), shape=(old.shape[0], len(rows) + 1))[rows[kept]].tocoo()
        there = part.col < len(rows)
        own, other = np.nonzero(alike >= np.partition(alike, -min(self.k, len(rows)), axis=1)[:, -min(self.k, len(rows)), None])
        heads = np.concatenate((kept[part.row[there]], new[own], far))
        tails = np.concatenate((part.col[there], other, new[near]))
        values = np.concatenate((part.data[there], alike[own, other], alike[near, far]))
        few = strongest(csr_matrix((values, (heads, tails)), shape=(len(rows), len(rows)), dtype=np.float32), self.k)
        model.similarity = _splice(old, columns, rows, few, touched)
        return model

    def _parts(self, features: ItemFeatures) -> tuple[csr_matrix, list[Scores]]:
        """Return what is compared, such that likeness is the sum of products: csr (n_items, n_values), and dense (n_items, d)."""
        parts = ((features.text, self.text), (features.graph, self.graph))
        dense = [part * np.float32(np.sqrt(share)) for part, share in parts if part is not None and share > 0]
        return tfidf(features.attributes) * np.float32(np.sqrt(self.attributes)), dense

    def _alike(self, sparse: csr_matrix, dense: list[Scores], block: slice | NDArray[np.integer]) -> Scores:
        alike: Scores = (sparse[block] @ sparse.T).toarray()
        for part in dense:
            alike += part[block] @ part.T
        return alike

    def _nearest(self, sparse: csr_matrix, dense: list[Scores], block: slice) -> csr_matrix:
        """Return the k + 1 nearest items of a block of items (each is its own nearest): csr float32 (block, n_items)."""
        alike = self._alike(sparse, dense, block)
        k = min(self.k + 1, alike.shape[1])
        columns = np.argpartition(alike, alike.shape[1] - k, axis=1)[:, -k:]
        values = np.take_along_axis(alike, columns, axis=1)
        return csr_matrix((values.ravel(), columns.ravel(), np.arange(0, values.size + 1, k)), shape=alike.shape)


def _least(matrix: csr_matrix, k: int) -> Scores:
    """Return the least value of each row that has k of them, 0 of others: float32 (n,)."""
    least = np.zeros(matrix.shape[0], dtype=np.float32)
    full = np.flatnonzero(np.diff(matrix.indptr) >= k)
    if len(full):
        bounds = np.stack((matrix.indptr[full], matrix.indptr[full + 1]), axis=1).ravel()
        bounds = bounds[:-1] if bounds[-1] == len(matrix.data) else bounds
        least[full] = np.minimum.reduceat(matrix.data, bounds)[::2]
    return least


def _splice(old: csr_matrix, columns: Rows, rows: Rows, few: csr_matrix, touched: NDArray[np.bool_]) -> csr_matrix:
    """Put a matrix together of the rows of `few` that are touched and of the others' old ones, with their new `columns`."""
    lengths = np.diff(few.indptr)
    lengths[~touched] = np.diff(old.indptr)[rows[~touched]]
    starts = np.concatenate(([0], np.cumsum(lengths)))
    data, indices = np.empty(starts[-1], dtype=np.float32), np.empty(starts[-1], dtype=np.int32)
    breaks = (touched[1:] != touched[:-1]) | (~touched[1:] & (rows[1:] != rows[:-1] + 1))
    bounds = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(rows)]
    for begin, end in pairwise(bounds):  # runs of rows that lie together
        into = slice(starts[begin], starts[end])
        if touched[begin]:
            source = slice(few.indptr[begin], few.indptr[end])
            data[into], indices[into] = few.data[source], few.indices[source]
        else:
            source = slice(old.indptr[rows[begin]], old.indptr[rows[end - 1] + 1])
            data[into], indices[into] = old.data[source], columns[source]
    return csr_matrix((data, indices, starts), shape=few.shape)
