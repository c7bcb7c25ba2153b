"""RP3beta: three steps of a random walk on the user-item graph, popular ends damped (Paudel et al. 2017)."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.sparse import csr_matrix, diags_array, vstack

from scenewise.tools.collaborative.model import Sequences, check_interactions
from scenewise.tools.collaborative.neighbours import NeighbourModel, cap_histories, strongest

_ROWS = 2_000  # items whose walks are held at a time, before all but k ends go


class Rp3Beta(NeighbourModel):
    """Transition probabilities are raised to `alpha` (as in P3alpha, Cooper et al. 2014); an end is divided by its number of users
    to the power `beta`. Of a user's events the last `max_history` count."""

    name = "rp3beta"

    def __init__(self, *, alpha: float = 1.0, beta: float = 0.6, k: int = 200, max_history: int = 1_000) -> None:
        self.alpha, self.beta, self.k, self.max_history = alpha, beta, k, max_history

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Walk item -> user -> item; the step from the user to the history's item is the fold-in."""
        matrix = cap_histories(check_interactions(interactions), sequences, self.max_history)
        matrix.data[:] = 1.0
        items, users = (np.maximum(np.asarray(matrix.sum(axis=axis)).ravel(), 1.0) for axis in (0, 1))
        to_user = csr_matrix(diags_array(items**-self.alpha) @ matrix.T)  # (n_items, n_users)
        to_end = csr_matrix(diags_array(users**-self.alpha) @ matrix @ diags_array(items**-self.beta))
        blocks = [strongest(to_user[at : at + _ROWS] @ to_end, self.k, first_row=at) for at in range(0, matrix.shape[1], _ROWS)]
        self.similarity = csr_matrix(vstack(blocks)) if blocks else csr_matrix(np.zeros((0, 0), dtype=np.float32))
        return self
