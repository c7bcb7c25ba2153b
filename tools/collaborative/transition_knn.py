"""Transition neighbours: what tends to come soon after what.

Ordered pairs inside a window of a user's sequence are counted with a weight that decays with their distance (sequential rules of
Ludewig & Jannach 2018, with a decay of powers in place of 1/distance), damped by the popularity of both ends.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags_array

from scenewise.store.errors import InputError, StoreError
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
from scenewise.tools.collaborative.neighbours import NeighbourModel, strongest


class TransitionKnn(NeighbourModel):
    """`window`: how many places apart a pair may be; `decay`: worth of a pair falls by this for each place; `backward`: worth of
    the pair read the other way round, in [0, 1]; `damping`: power of each end's count that divides a pair; `recency`: at scoring
    time, an event counts this much less than the one after it; `k` neighbours are kept."""

    name = "transition_knn"

    def __init__(
        self,
        *,
        window: int = 10,
        decay: float = 0.9,
        backward: float = 0.5,
        damping: float = 0.5,
        recency: float = 0.8,
        k: int = 300,
    ) -> None:
        self.window, self.decay, self.backward, self.damping, self.recency, self.k = window, decay, backward, damping, recency, k

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Count the pairs. InputError where the sequences are missing: a matrix has no order."""
        if sequences is None:
            raise InputError("Transition neighbours need the sequences of events; pass `sequences`.")
        n = check_interactions(interactions).shape[1]
        pairs = _ordered_pairs(sequences, n, self.window, self.decay)
        pairs = csr_matrix(pairs + self.backward * pairs.T)
        counts = np.maximum(np.bincount(sequences.rows, minlength=n), 1).astype(np.float64)
        damp = diags_array(counts**-self.damping)
        self.similarity = strongest(csr_matrix(damp @ pairs @ damp), self.k)
        return self

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return the sum over the history, the latest event counting most: float32 (n_items,)."""
        return super().scores(rows, self._recent(weights))

    def contributions(self, rows: Rows, weights: Weights, columns: Rows) -> Scores:
        """Return each event's part of the score: float32 (h, c)."""
        return super().contributions(rows, self._recent(weights), columns)

    def save(self, path: Path) -> None:
        """Write the neighbours and the recency as .npz, atomically."""
        save_arrays(path, {**csr_arrays(self.similarity), "recency": np.asarray(self.recency)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote; the other settings of the fit are not needed to score. NotFound, StoreError."""
        arrays = load_arrays(path)
        model = cls()
        model.similarity = csr_from(arrays)
        if "recency" not in arrays:
            raise StoreError("The saved model is damaged; delete the file and fit again.")
        model.recency = float(arrays["recency"])
        return model

    def _recent(self, weights: Weights) -> Weights:
        age = np.arange(len(weights) - 1, -1, -1, dtype=np.float32)
        return np.asarray(weights * np.float32(self.recency) ** age, dtype=np.float32)


def _ordered_pairs(sequences: Sequences, n_items: int, window: int, decay: float) -> csr_matrix:
    """Sum decay**(distance - 1) over the ordered pairs of all users: csr float64 (n_items, n_items)."""
    users = sequences.user_of_event()
    total = csr_matrix((n_items, n_items), dtype=np.float64)
    for distance in range(1, window + 1):
        same = users[:-distance] == users[distance:]
        first, second = sequences.rows[:-distance][same], sequences.rows[distance:][same]
        worth = np.full(len(first), decay ** (distance - 1))
        total = total + coo_matrix((worth, (first, second)), shape=(n_items, n_items)).tocsr()
    return total
