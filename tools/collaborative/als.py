"""Implicit-feedback ALS (Hu, Koren & Volinsky 2008) by the implicit library or Spark; a history is folded in by solving for its user."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from scenewise.store.errors import InputError, NotFound, StoreError
from scenewise.tools.collaborative.model import Rows, Scores, Sequences, Weights, check_interactions, load_arrays, save_arrays


class Als:
    """`alpha` turns weights into confidences; `regularisation` is above 0; a run is repeatable for one `seed` (one thread)."""

    name = "als"

    def __init__(self, *, factors: int = 64, regularisation: float = 1.0, alpha: float = 5.0, iterations: int = 12, seed: int = 0) -> None:
        self.factors, self.regularisation, self.alpha = factors, regularisation, alpha
        self.iterations, self.seed, self.spark = iterations, seed, False

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Alternate between users and items `iterations` times."""
        matrix = check_interactions(interactions)
        if not matrix.nnz:
            return self._keep(np.zeros((matrix.shape[1], self.factors), dtype=np.float32))
        from implicit.cpu.als import AlternatingLeastSquares

        with threadpool_limits(1, "blas"):  # implicit slows down a lot when BLAS threads compete with it
            model = AlternatingLeastSquares(
                factors=self.factors,
                regularization=self.regularisation,
                alpha=self.alpha,
                iterations=self.iterations,
                num_threads=1,
                random_state=self.seed,
            )
            model.fit(matrix, show_progress=False)
        return self._keep(np.asarray(model.item_factors, dtype=np.float32))

    @classmethod
    def from_parquet(cls, path: Path, row_of_id: Mapping[int, int], n_items: int, *, regularisation: float, alpha: float) -> Self:
        """Take the item factors of Spark MLlib's ALS, fitted with implicitPrefs: the folder (or a file of it) that `itemFactors` of an
        ALSModel is written to, with columns id (int) and features (array<float>).

        `row_of_id` maps Spark's ids to catalogue rows; other ids are left out, and rows without factors score 0. `regularisation`
        (regParam) and `alpha` are those of the fit: Spark takes 1 + alpha * weight as confidence where implicit takes alpha * weight, and
        multiplies regParam by the number of events, and so does the fold-in here. NotFound, InputError.
        """
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not files or not files[0].is_file():
            raise NotFound("There are no Parquet files of item factors at this path.")
        try:
            frame = pl.read_parquet(files, columns=["id", "features"])
            features = np.asarray(frame["features"].to_list(), dtype=np.float32).reshape(len(frame), -1)
            rows = np.asarray([row_of_id.get(one, -1) for one in frame["id"].to_list()], dtype=np.int64)
        except (pl.exceptions.PolarsError, ValueError, TypeError) as error:
            raise InputError("Item factors must be Parquet with columns id and features, all features of one length.") from error
        if not np.isfinite(features).all() or rows.max(initial=-1) >= n_items:
            raise InputError("Item factors must be finite numbers, and their rows within the catalogue.")
        model = cls(factors=features.shape[1], regularisation=regularisation, alpha=alpha, iterations=0)
        model.spark = True
        factors = np.zeros((n_items, model.factors), dtype=np.float32)
        factors[rows[rows >= 0]] = features[rows >= 0]
        return model._keep(factors)

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return the items' dot products with the folded-in user: float32 (n_items,)."""
        return np.asarray(self.item_factors @ self._user(rows, weights), dtype=np.float32)

    def scores_batch(self, histories: csr_matrix) -> Scores:
        """Return the scores of many histories, csr (b, n_items), at once: float32 (b, n_items). One by one, reading all factors for
        each of them takes most of the time."""
        ends = zip(histories.indptr[:-1], histories.indptr[1:], strict=True)
        users = [self._user(histories.indices[start:end], histories.data[start:end]) for start, end in ends]
        return np.asarray(np.reshape(users, (-1, self.factors)) @ self.item_factors.T, dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write the item factors and what fold-in needs as .npz, atomically."""
        settings = np.asarray([self.regularisation, self.alpha, self.iterations, self.seed, self.spark], dtype=np.float64)
        save_arrays(path, {"item_factors": self.item_factors, "settings": settings})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote. NotFound, StoreError."""
        arrays = load_arrays(path)
        try:
            factors, settings = arrays["item_factors"], arrays["settings"].tolist()
            regularisation, alpha, iterations, seed, spark = settings
        except (KeyError, ValueError) as error:
            raise StoreError("The saved model is damaged; delete the file and fit again.") from error
        model = cls(factors=factors.shape[1], regularisation=regularisation, alpha=alpha, iterations=int(iterations), seed=int(seed))
        model.spark = bool(spark)
        return model._keep(factors)

    def _keep(self, item_factors: NDArray[np.float32]) -> Self:
        self.item_factors = item_factors
        self._gram = item_factors.T @ item_factors
        return self

    def _user(self, rows: Rows, weights: Weights) -> NDArray[np.float32]:
        """Solve equation 4 of the paper: float32 (factors,). A row that comes twice counts with the sum of its weights."""
        rows, place = np.unique(rows[weights > 0], return_inverse=True)
        if not len(rows) or not self._gram.any():
            return np.zeros(self.factors, dtype=np.float32)
        # confidence above that of an unseen item: float32 (h,)
        more = (self.alpha * np.bincount(place, weights[weights > 0]) - (not self.spark)).astype(np.float32)
        return np.asarray(np.linalg.solve(self._normal(rows, more), (more + 1.0) @ self.item_factors[rows]), dtype=np.float32)

    def _normal(self, rows: Rows, more: Weights) -> NDArray[np.float32]:
        """Return the left side of equation 4, float32 (factors, factors), for rows that each come once."""
        items = self.item_factors[rows]  # (h, factors)
        normal = self._gram + (items.T * more) @ items
        normal[np.diag_indices_from(normal)] += self.regularisation * (len(rows) if self.spark else 1)
        return np.asarray(normal, dtype=np.float32)
