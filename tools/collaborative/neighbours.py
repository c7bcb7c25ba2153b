"""Models that keep, for every item, a few neighbours: a sparse item-item matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from scenewise.tools.collaborative.model import Rows, Scores, Weights, csr_arrays, csr_from, load_arrays, save_arrays


def strongest(matrix: csr_matrix, k: int) -> csr_matrix:
    """Keep the k largest values of each row; the diagonal, zeros and negative values go. Ties: the lower column stays."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    keep = (matrix.data > 0) & (rows != matrix.indices)
    rows, columns, values = rows[keep], matrix.indices[keep], matrix.data[keep]
    order = np.lexsort((columns, -values, rows))
    rows, columns, values = rows[order], columns[order], values[order]
    first = np.searchsorted(rows, rows)  # where the entry's own row begins
    top = np.arange(len(rows)) - first < k
    return csr_matrix((values[top], (rows[top], columns[top])), shape=matrix.shape, dtype=np.float32)


def scale_columns(matrix: csr_matrix, factors: NDArray[np.float64]) -> csr_matrix:
    """Multiply column j by factors[j]."""
    return csr_matrix(matrix @ diags_array(factors))


class NeighbourModel:
    """Fold-in, explanation and files of a model that is one csr_matrix float32 (n_items, n_items); row i holds i's neighbours."""

    name = "neighbours"
    similarity: csr_matrix

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return s_j = sum over the history of weight_i * similarity_ij: float32 (n_items,)."""
        if not len(rows):
            return np.zeros(self.similarity.shape[1], dtype=np.float32)
        return np.asarray(self.similarity[rows].T @ weights, dtype=np.float32)

    def contributions(self, rows: Rows, weights: Weights, columns: Rows) -> NDArray[np.float32]:
        """Return weight_i * similarity_ij: float32 (h, c)."""
        part = self.similarity[rows][:, columns].toarray()
        return np.asarray(part * weights[:, None], dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write the neighbours as .npz, atomically."""
        save_arrays(path, csr_arrays(self.similarity))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote; the settings of the fit are not needed to score. NotFound, StoreError."""
        model = cls()
        model.similarity = csr_from(load_arrays(path))
        return model
