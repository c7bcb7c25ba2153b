"""EASE: a linear autoencoder without hidden layer, in closed form (Steck 2019, "Embarrassingly Shallow Autoencoders")."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError, StoreError
from scenewise.tools.collaborative.model import (
    Rows,
    Scores,
    Sequences,
    Weights,
    check_interactions,
    latest_ages,
    load_arrays,
    save_arrays,
)

MAX_ITEMS = 25_000


class Ease:
    """`regularisation` is lambda of the paper's equation 8. In what it learns from, an event counts `recency` times as much as the
    same user's next one; the history that is folded in is weighted by the caller. Items without events take no part, so the cost
    is cubic in the items that have some."""

    name = "ease"

    def __init__(self, *, regularisation: float = 200.0, recency: float = 1.0) -> None:
        self.regularisation, self.recency = regularisation, recency

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Solve B = I - P / diag(P), P = (X'X + lambda I)^-1.

        InputError above 25,000 items that have events, and for a recency below 1 without sequences.
        """
        matrix = check_interactions(interactions)
        self.n_items = int(matrix.shape[1])
        self.active = np.unique(matrix.indices).astype(np.int32)
        if len(self.active) > MAX_ITEMS:
            raise InputError(f"EASE is limited to {MAX_ITEMS} items with events; use ALS for a larger catalogue.")
        if self.recency < 1.0:
            if sequences is None:
                raise InputError("Recency needs the sequences of events; pass `sequences` or set it to 1.")
            worth = latest_ages(sequences, matrix.shape[1])
            worth.data = self.recency ** (worth.data - 1.0)
            matrix = csr_matrix(matrix.multiply(worth))
        gram = (matrix[:, self.active].T @ matrix[:, self.active]).toarray().astype(np.float32)
        gram[np.diag_indices_from(gram)] += self.regularisation
        self.weights = _closed_form(gram)
        return self

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return the history times B: float32 (n_items,)."""
        out = np.zeros(self.n_items, dtype=np.float32)
        inner, known = self._inner(rows)
        if len(inner):
            out[self.active] = weights[known] @ self.weights[inner]
        return out

    def contributions(self, rows: Rows, weights: Weights, columns: Rows) -> NDArray[np.float32]:
        """Return weight_i * B_ij: float32 (h, c)."""
        out = np.zeros((len(rows), len(columns)), dtype=np.float32)
        (inner, known), (inner_columns, known_columns) = self._inner(rows), self._inner(columns)
        out[np.ix_(known, known_columns)] = weights[known, None] * self.weights[np.ix_(inner, inner_columns)]
        return out

    def save(self, path: Path) -> None:
        """Write B as .npz, atomically."""
        save_arrays(path, {"weights": self.weights, "active": self.active, "n_items": np.asarray(self.n_items)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote. NotFound, StoreError."""
        model = cls()
        arrays = load_arrays(path)
        try:
            model.weights, model.active, model.n_items = arrays["weights"], arrays["active"], int(arrays["n_items"])
        except KeyError as error:
            raise StoreError("The saved model is damaged; delete the file and fit again.") from error
        return model

    def _inner(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the places in B of those rows that have one, and which those are."""
        if not len(self.active):
            return np.zeros(0, dtype=np.int64), np.zeros(len(rows), dtype=bool)
        place = np.minimum(np.searchsorted(self.active, rows), len(self.active) - 1)
        known = self.active[place] == rows
        return place[known], known


def _closed_form(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """Invert by Cholesky in place (half the work of a general inverse), then divide by the diagonal."""
    if not len(gram):
        return gram
    factor, info = lapack.spotrf(gram, lower=1, overwrite_a=1)
    if info == 0:
        inverse, info = lapack.spotri(factor, lower=1, overwrite_c=1)
    if info != 0:
        raise InputError("EASE cannot invert the co-occurrences; raise the regularisation.")
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    out = -inverse / np.diag(inverse)
    out[np.diag_indices_from(out)] = 0.0
    return np.ascontiguousarray(out, dtype=np.float32)
