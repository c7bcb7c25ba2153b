"""Content neighbours: items alike in attributes, text and graph, so that an item without any event has neighbours too."""

from __future__ import annotations

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
        place = np.full(self.similarity.shape[0], -1, dtype=np.int32)
        stays = np.flatnonzero(~differs)
        place[rows[stays]] = stays
        old = self.similarity[rows[stays]].tocoo()
        kept = place[old.col] >= 0
        heads, tails, values = [stays[old.row[kept]]], [place[old.col[kept]]], [old.data[kept]]
        new = np.flatnonzero(differs)
        if len(new):
            alike = self._alike(*self._parts(features), new)  # (new, n)
            alike[np.arange(len(new)), new] = 0.0
            counts, least = np.bincount(heads[0], minlength=len(rows)), np.full(len(rows), np.inf, dtype=np.float32)
            np.minimum.at(least, heads[0], values[0])
            floor = np.where(counts < self.k, np.float32(0), least)
            own, other = np.nonzero(alike >= np.sort(alike, axis=1)[:, -min(self.k, alike.shape[1]), None])
            near, far = np.nonzero((alike > floor) & ~differs)
            heads += [new[own], far]
            tails += [other, new[near]]
            values += [alike[own, other], alike[near, far]]
        joined = (np.concatenate(values), (np.concatenate(heads), np.concatenate(tails)))
        model.similarity = strongest(csr_matrix(joined, shape=(len(rows), len(rows)), dtype=np.float32), self.k)
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
