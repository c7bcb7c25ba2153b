"""Implicit-feedback ALS (Hu, Koren & Volinsky 2008) by the implicit library; a history is folded in by solving for its user."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from scenewise.store.errors import StoreError
from scenewise.tools.collaborative.model import Rows, Scores, Sequences, Weights, check_interactions, load_arrays, save_arrays


class Als:
    """`alpha` multiplies the weights into confidences; a run is repeatable for one `seed` (one thread)."""

    name = "als"

    def __init__(self, *, factors: int = 64, regularisation: float = 1.0, alpha: float = 5.0, iterations: int = 12, seed: int = 0) -> None:
        self.factors, self.regularisation, self.alpha = factors, regularisation, alpha
        self.iterations, self.seed = iterations, seed

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Alternate between users and items `iterations` times."""
        matrix = check_interactions(interactions)
        if not matrix.nnz:
            self._keep(np.zeros((matrix.shape[1], self.factors), dtype=np.float32))
            return self
        with threadpool_limits(1, "blas"):  # implicit slows down a lot when BLAS threads compete with it
            model = self._solver()
            model.fit(matrix, show_progress=False)
        self._keep(np.asarray(model.item_factors, dtype=np.float32))
        return self

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return the items' dot products with the folded-in user: float32 (n_items,)."""
        if not len(rows) or not weights.any():
            return np.zeros(len(self.item_factors), dtype=np.float32)
        shape = (1, len(self.item_factors))
        user = csr_matrix((weights, (np.zeros(len(rows), dtype=np.int32), rows)), shape=shape, dtype=np.float32)
        factors = self._model.recalculate_user(0, user)
        return np.asarray(self.item_factors @ factors, dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write the item factors and what fold-in needs as .npz, atomically."""
        settings = np.asarray([self.regularisation, self.alpha, self.iterations, self.seed], dtype=np.float64)
        save_arrays(path, {"item_factors": self.item_factors, "settings": settings})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote. NotFound, StoreError."""
        arrays = load_arrays(path)
        try:
            factors, settings = arrays["item_factors"], arrays["settings"].tolist()
            regularisation, alpha, iterations, seed = settings
        except (KeyError, ValueError) as error:
            raise StoreError("The saved model is damaged; delete the file and fit again.") from error
        model = cls(factors=factors.shape[1], regularisation=regularisation, alpha=alpha, iterations=int(iterations), seed=int(seed))
        model._keep(factors)
        return model

    def _keep(self, item_factors: NDArray[np.float32]) -> None:
        self.item_factors = item_factors
        with threadpool_limits(1, "blas"):
            self._model = self._solver()
        self._model.item_factors = item_factors

    def _solver(self) -> Any:
        from implicit.cpu.als import AlternatingLeastSquares

        return AlternatingLeastSquares(
            factors=self.factors,
            regularization=self.regularisation,
            alpha=self.alpha,
            iterations=self.iterations,
            num_threads=1,
            random_state=self.seed,
        )
