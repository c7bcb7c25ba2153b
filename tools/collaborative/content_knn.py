"""Content neighbours: items alike in attributes, text and graph, so that an item without any event has neighbours too."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.sparse import csr_matrix, vstack

from scenewise.store.errors import InputError
from scenewise.tools.collaborative.model import Scores, Sequences, check_interactions
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
        sparse = tfidf(self.features.attributes) * np.float32(np.sqrt(self.attributes))
        parts = ((self.features.text, self.text), (self.features.graph, self.graph))
        dense = [part * np.float32(np.sqrt(share)) for part, share in parts if part is not None and share > 0]
        size = max(1, _BLOCK // max(n, 1))
        blocks = [self._nearest(sparse, dense, slice(start, min(start + size, n))) for start in range(0, n, size)]
        self.similarity = strongest(csr_matrix(vstack(blocks)), self.k) if blocks else csr_matrix(sparse @ sparse.T)
        return self

    def _nearest(self, sparse: csr_matrix, dense: list[Scores], block: slice) -> csr_matrix:
        """Return the k + 1 nearest items of a block of items (each is its own nearest): csr float32 (block, n_items)."""
        alike = (sparse[block] @ sparse.T).toarray()
        for part in dense:
            alike += part[block] @ part.T
        k = min(self.k + 1, alike.shape[1])
        columns = np.argpartition(alike, alike.shape[1] - k, axis=1)[:, -k:]
        values = np.take_along_axis(alike, columns, axis=1)
        return csr_matrix((values.ravel(), columns.ravel(), np.arange(0, values.size + 1, k)), shape=alike.shape)
