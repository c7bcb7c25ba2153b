"""RP3beta: three steps of a random walk on the user-item graph, popular ends damped (Paudel et al. 2017)."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from scenewise.tools.collaborative.model import Sequences, check_interactions
from scenewise.tools.collaborative.neighbours import NeighbourModel, scale_columns, strongest


class Rp3Beta(NeighbourModel):
    """Transition probabilities are raised to `alpha`; an end is divided by its number of users to the power `beta`."""

    name = "rp3beta"

    def __init__(self, *, alpha: float = 1.0, beta: float = 0.6, k: int = 200) -> None:
        self.alpha, self.beta, self.k = alpha, beta, k

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Walk item -> user -> item; the step from the user to the history's item is the fold-in."""
        matrix = check_interactions(interactions)
        matrix.data[:] = 1.0
        from_user = _walk(matrix, self.alpha)
        from_item = _walk(csr_matrix(matrix.T), self.alpha)
        users = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.float64)
        damping = 1.0 / np.maximum(users, 1.0) ** self.beta
        self.similarity = strongest(scale_columns(csr_matrix(from_item @ from_user), damping), self.k)
        return self


def _walk(matrix: csr_matrix, alpha: float) -> csr_matrix:
    """Divide each row by its sum and raise to alpha."""
    sums = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1e-12)
    out = matrix.astype(np.float64)
    out.data = (out.data / np.repeat(sums, np.diff(out.indptr))) ** alpha
    return out
