"""Item-item neighbours from co-occurrence (Sarwar et al. 2001): cosine, TF-IDF or BM25 weights, neighbours found by implicit."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from scipy.sparse import csr_matrix

from scenewise.tools.collaborative.model import Sequences, check_interactions
from scenewise.tools.collaborative.neighbours import NeighbourModel, cap_histories, largest

Weighting = Literal["cosine", "tfidf", "bm25"]


class ItemKnn(NeighbourModel):
    """`k` neighbours an item are kept. `k1` and `b` only count for BM25. Of a user's events the last `max_history` count."""

    name = "item_knn"

    def __init__(
        self, *, weighting: Weighting = "cosine", k: int = 200, k1: float = 1.2, b: float = 0.75, max_history: int = 1_000
    ) -> None:
        self.weighting, self.k, self.k1, self.b, self.max_history = weighting, k, k1, b, max_history

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Find the neighbours of every item. One thread, so that a run can be repeated bit by bit."""
        from implicit.nearest_neighbours import all_pairs_knn

        weighted = _weigh(cap_histories(check_interactions(interactions), sequences, self.max_history), self.weighting, self.k1, self.b)
        n = weighted.shape[1]
        if not weighted.nnz:
            self.similarity = csr_matrix(weighted.T @ weighted, dtype=np.float32)
            return self
        # one neighbour more: an item is mostly its own first one, and that one goes. Found row by row, so there is nothing to sort
        found = all_pairs_knn(weighted, self.k + 1, show_progress=False, num_threads=1)
        real = (found.data > 0) & (found.row != found.col)
        ends = np.concatenate(([0], np.cumsum(np.bincount(found.row[real], minlength=n))))
        self.similarity = largest(csr_matrix((found.data[real], found.col[real], ends), shape=(n, n)), self.k)
        return self


def _weigh(matrix: csr_matrix, weighting: Weighting, k1: float, b: float) -> csr_matrix:
    """Weigh users as terms and items as documents: csr float64 (n_users, n_items)."""
    items = csr_matrix(matrix.T, dtype=np.float64)  # (n_items, n_users)
    item_of = np.repeat(np.arange(items.shape[0]), np.diff(items.indptr))
    if weighting != "cosine":
        # an idf that is never negative: users who took most of the catalogue say little, not the opposite
        idf = np.log1p(items.shape[0] / np.maximum(np.bincount(items.indices, minlength=items.shape[1]), 1))
        if weighting == "tfidf":
            items.data = np.sqrt(items.data) * idf[items.indices]
        else:
            length = np.asarray(items.sum(axis=1)).ravel()
            norm = (1.0 - b) + b * length * len(length) / max(float(length.sum()), 1e-12)
            items.data = items.data * (k1 + 1.0) / (k1 * norm[item_of] + items.data) * idf[items.indices]
    if weighting != "bm25":
        lengths = np.sqrt(np.asarray(items.multiply(items).sum(axis=1)).ravel())
        items.data = items.data / np.maximum(lengths, 1e-12)[item_of]
    return csr_matrix(items.T)
