"""TF-IDF over sparse rows: what is rare says more, and long rows say no more than short ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array


def tfidf(rows: csr_matrix) -> csr_matrix:
    """Weigh columns by `idf_of` and bring rows to length 1: csr float32, of the same shape."""
    return unit_lengths(csr_matrix(rows @ diags_array(idf_of(rows))))


def idf_of(rows: csr_matrix) -> NDArray[np.float32]:
    """Return log(1 + rows / rows that have the column): float32 (n_columns,)."""
    counts = np.bincount(rows.indices, minlength=rows.shape[1])
    return np.asarray(np.log1p(rows.shape[0] / np.maximum(counts, 1)), dtype=np.float32)


def lengths_of(rows: csr_matrix) -> NDArray[np.float32]:
    """Return the Euclidean length of each row: float32 (n_rows,)."""
    return np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float32).ravel())


def unit_lengths(rows: csr_matrix) -> csr_matrix:
    """Bring each row to length 1: csr float32; empty rows stay."""
    return csr_matrix(diags_array(1.0 / np.maximum(lengths_of(rows), 1e-12)) @ rows, dtype=np.float32)
