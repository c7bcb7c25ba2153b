"""Models that keep, for every item, a few neighbours: a sparse item-item matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.tools.collaborative.model import (
    Rows,
    Scores,
    Sequences,
    Weights,
    csr_arrays,
    csr_from,
    latest_ages,
    load_arrays,
    save_arrays,
)


def strongest(matrix: csr_matrix, k: int, *, first_row: int = 0) -> csr_matrix:
    """Keep the k largest values of each row; the diagonal, zeros and negative values go. Ties: the lower column stays. `first_row`
    is the item of row 0, where the matrix is a part of the items'."""
    off_diagonal = np.repeat(np.arange(matrix.shape[0]) + first_row, np.diff(matrix.indptr)) != matrix.indices
    return largest(matrix, k, among=off_diagonal)


def largest(
    matrix: csr_matrix,
    k: int,
    *,
    among: NDArray[np.bool_] | None = None,
    domains: tuple[NDArray[np.int16], NDArray[np.int16]] | None = None,
) -> csr_matrix:
    """Keep the k largest positive values of each row, of the entries that `among` marks. Ties: the lower column stays.

    `domains`, int16 (n_rows,) and (n_columns,): of each other domain than the row's own the best tenth of k is kept first, where there
    is that much, and the rest goes to the largest of all.
    """
    stays = matrix.data > 0 if among is None else (matrix.data > 0) & among
    for row in np.flatnonzero(np.diff(matrix.indptr) > k).tolist():
        entries = np.arange(matrix.indptr[row], matrix.indptr[row + 1])[stays[matrix.indptr[row] : matrix.indptr[row + 1]]]
        entries = entries[np.argsort(matrix.indices[entries])]
        kept = np.zeros(len(entries), dtype=bool)
        if domains is not None:
            domain = domains[1][matrix.indices[entries]]
            for other in np.unique(domain[domain != domains[0][row]]):
                kept |= _top(np.where(domain == other, matrix.data[entries], 0.0), k // 10)
        kept |= _top(np.where(kept, 0.0, matrix.data[entries]), k - int(kept.sum()))
        stays[entries] = kept
    dropped = np.searchsorted(matrix.indptr, np.flatnonzero(~stays), side="right") - 1  # their rows; a sum over all entries is slow
    ends = np.concatenate(([0], np.cumsum(np.diff(matrix.indptr) - np.bincount(dropped, minlength=matrix.shape[0]))))
    return csr_matrix((matrix.data[stays].astype(np.float32), matrix.indices[stays], ends), shape=matrix.shape)


def _top(values: NDArray[np.floating], k: int) -> NDArray[np.bool_]:
    """Mark the k largest positive values; of equal ones the first."""
    if k <= 0:
        return np.zeros(len(values), dtype=bool)
    floor = max(np.partition(values, len(values) - k)[len(values) - k], 0.0) if len(values) > k else 0.0
    kept = values > floor
    kept[np.flatnonzero((values == floor) & (values > 0))[: k - int(kept.sum())]] = True
    return np.asarray(kept)


def cap_histories(matrix: csr_matrix, sequences: Sequences | None, cap: int) -> csr_matrix:
    """Keep what each user did in their last `cap` events, or the `cap` largest weights where no order is known.

    Co-occurrence is quadratic in a history: one user with 10^6 events would cost more than all others.
    """
    if np.diff(matrix.indptr).max(initial=0) <= cap:
        return matrix
    if sequences is None:
        return largest(matrix, cap)
    recent = latest_ages(sequences, matrix.shape[1])
    recent.data = (recent.data <= cap).astype(np.float32)
    capped = csr_matrix(matrix.multiply(recent))
    capped.eliminate_zeros()
    return capped


def weighted_rows(matrix: csr_matrix, rows: Rows, weights: Weights) -> Scores:
    """Return the sum of weight_i * row_i: float32 (n_columns,). A history longer than the catalogue costs no more than that."""
    if len(rows) > matrix.shape[0]:
        return np.asarray(matrix.T @ np.bincount(rows, weights, minlength=matrix.shape[0]), dtype=np.float32)
    starts = matrix.indptr[rows]
    lengths = matrix.indptr[rows + 1] - starts
    entries = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())  # matrix[rows] takes twice the time
    out = np.zeros(matrix.shape[1], dtype=np.float32)
    np.add.at(out, matrix.indices[entries], matrix.data[entries] * np.repeat(weights, lengths))
    return out


class NeighbourModel:
    """Fold-in, explanation and files of a model that is one csr_matrix float32 (n_items, n_items); row i holds i's neighbours."""

    name = "neighbours"
    similarity: csr_matrix

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return s_j = sum over the history of weight_i * similarity_ij: float32 (n_items,)."""
        return weighted_rows(self.similarity, rows, weights)

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
