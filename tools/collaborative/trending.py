"""Trending: what has more events of late than its long run leads one to expect; of all, of a scene, or of a domain."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError, StoreError
from scenewise.tools.collaborative.model import Rows, Scores, Sequences, Weights, check_interactions, load_arrays, save_arrays

_DAY_S = 86_400.0


class Trending:
    """Events halve in worth every `half_life_days`. Of that worth an item is expected to have its share of all events, and its score
    is (found - expected) / sqrt(expected + 1), near the normal deviate of a Poisson count, where it is positive. The added 1 keeps
    an item with one event from leading.

    `domain`: int16 (n_items,), the domain of each item, for `of`.
    """

    name = "trending"

    def __init__(self, *, half_life_days: float = 7.0, domain: NDArray[np.int16] | None = None) -> None:
        self.half_life_days, self.domain = half_life_days, domain

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Count the events of each item in each scene. InputError where the sequences are missing: a matrix has no time."""
        if sequences is None:
            raise InputError("Trending needs the sequences of events; pass `sequences`.")
        n = check_interactions(interactions).shape[1]
        scenes = np.full(len(sequences.rows), -1, dtype=np.int16) if sequences.scenes is None else sequences.scenes
        self.scenes, code = np.unique(scenes, return_inverse=True)
        worth = np.exp2((sequences.times_s - sequences.times_s.max(initial=0.0)) / _DAY_S / self.half_life_days)
        cell, shape = code * n + sequences.rows, (len(self.scenes), n)
        cells = shape[0] * shape[1]
        self.recent = np.bincount(cell, weights=worth, minlength=cells).reshape(shape)
        self.always = np.bincount(cell, minlength=cells).reshape(shape).astype(np.float64)
        return self

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return what rises everywhere, whatever the history: float32 (n_items,)."""
        return self.of()

    def of(self, *, scene: int | None = None, domain: int | None = None) -> Scores:
        """Return what rises in a scene, in a domain, or in both, against its long run there: float32 (n_items,), 0 for all else.

        InputError for a domain where the model was made without domains.
        """
        place = np.ones(len(self.scenes), dtype=bool) if scene is None else self.scenes == scene
        recent, always = self.recent[place].sum(axis=0), self.always[place].sum(axis=0)
        if domain is not None:
            if self.domain is None:
                raise InputError("This model knows no domains; make it with the domain of each item.")
            recent, always = recent * (self.domain == domain), always * (self.domain == domain)
        expected = always * (recent.sum() / max(always.sum(), 1.0))
        return np.asarray(np.maximum((recent - expected) / np.sqrt(expected + 1.0), 0.0), dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write the counts as .npz, atomically."""
        domain = {} if self.domain is None else {"domain": self.domain}
        save_arrays(path, {"scenes": self.scenes, "recent": self.recent, "always": self.always, **domain})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote. NotFound, StoreError."""
        arrays = load_arrays(path)
        model = cls(domain=arrays.get("domain"))
        try:
            model.scenes, model.recent, model.always = arrays["scenes"], arrays["recent"], arrays["always"]
        except KeyError as error:
            raise StoreError("The saved model is damaged; delete the file and fit again.") from error
        return model
