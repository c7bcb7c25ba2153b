"""User-user neighbours (Resnick et al. 1994): what the users most like this history did."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from scenewise.tools.collaborative.model import (
    Rows,
    Scores,
    Sequences,
    Weights,
    check_interactions,
    csr_arrays,
    csr_from,
    load_arrays,
    save_arrays,
)


class UserKnn:
    """Cosine between histories; the `k` nearest users vote with their similarity. `own_rows` of a known user are not left out, so
    mask what was seen."""

    name = "user_knn"

    def __init__(self, *, k: int = 100) -> None:
        self.k = k

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Keep the users' histories as rows of length 1."""
        matrix = check_interactions(interactions)
        self._keep(matrix)
        return self

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return the nearest users' votes: float32 (n_items,)."""
        length = float(np.linalg.norm(weights))
        if not len(rows) or length == 0.0:
            return np.zeros(self.users.shape[1], dtype=np.float32)
        alike = np.asarray(self._by_item[rows].T @ weights, dtype=np.float32) / length  # (n_users,)
        nearest = np.argsort(-alike, kind="stable")[: self.k]
        nearest = nearest[alike[nearest] > 0]
        return np.asarray(self.users[nearest].T @ alike[nearest], dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write the histories as .npz, atomically."""
        save_arrays(path, {**csr_arrays(self.users), "k": np.asarray(self.k)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote. NotFound, StoreError."""
        arrays = load_arrays(path)
        model = cls(k=int(arrays.get("k", np.asarray(100))))
        model._keep(csr_from(arrays))
        return model

    def _keep(self, users: csr_matrix) -> None:
        self.users = users
        lengths = np.sqrt(np.asarray(users.multiply(users).sum(axis=1)).ravel())
        scaled = users.copy()
        scaled.data = scaled.data / np.repeat(np.maximum(lengths, 1e-12), np.diff(users.indptr)).astype(np.float32)
        self._by_item = csr_matrix(scaled.T)  # (n_items, n_users)
