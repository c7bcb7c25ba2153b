"""Popularity: how many people chose an item; or of late: how many events it has, each halved in worth with age."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from scenewise.store.errors import StoreError
from scenewise.tools.collaborative.model import Rows, Scores, Sequences, Weights, check_interactions, load_arrays, save_arrays

_DAY_S = 86_400.0


class Popularity:
    """Scores are the same for everybody. `half_life_days` None counts people, each once."""

    name = "popularity"

    def __init__(self, *, half_life_days: float | None = None) -> None:
        self.half_life_days = half_life_days
        self.counts: Scores = np.zeros(0, dtype=np.float32)

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Count the users of each item, or the decayed events where a half-life is set (age is measured from the last event)."""
        matrix = check_interactions(interactions)
        if self.half_life_days is None or sequences is None or not len(sequences.rows):
            self.counts = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.float32)
            return self
        age_days = (sequences.times_s.max() - sequences.times_s) / _DAY_S
        worth = np.exp2(-age_days / self.half_life_days)
        self.counts = np.bincount(sequences.rows, weights=worth, minlength=matrix.shape[1]).astype(np.float32)
        return self

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return the counts, whatever the history: float32 (n_items,)."""
        return self.counts.copy()

    def save(self, path: Path) -> None:
        """Write the counts as .npz, atomically."""
        save_arrays(path, {"counts": self.counts})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote. NotFound, StoreError."""
        model = cls()
        arrays = load_arrays(path)
        if "counts" not in arrays:
            raise StoreError("The saved model is damaged; delete the file and fit again.")
        model.counts = arrays["counts"]
        return model
