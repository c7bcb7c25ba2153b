"""Neighbours for ratings: how a person would rate an item, from people or items like it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from scenewise.store.errors import InputError, StoreError
from scenewise.tools.collaborative.model import Rows, Scores, csr_arrays, csr_from, load_arrays, save_arrays

Numbers = NDArray[np.float64]


class RatingNeighbours:
    """The weighted mean of the neighbours' mean-centred ratings, added to a mean.

    By users (Resnick et al. 1994): r_a + sum_u w_au (r_ui - r_u) / sum_u |w_au| over the `k` people most like a who rated i, where
    w_au is Pearson's correlation over what both rated. By items (Sarwar et al. 2001): r_i + sum_j w_ij (r_aj - r_j) / sum_j |w_ij|
    over the `k` items most like i that a rated, where w_ij is the adjusted cosine over those who rated both.

    Where we differ: means are over all ratings of a person or item, not over the common ones alone; a weight from n common ratings
    is shrunk to w n / (n + `shrinkage`) (Bell & Koren 2007); neighbours with a negative weight are left out; and what is predicted
    stays within the scale seen. Without neighbours it is the mean: of the item (by items) or the person (by users), else of the other.

    The newcomer's deviations are 1 and -1; the first person's are 1, -3, 2, which is a correlation of 4 / sqrt(20) = 0.894; the
    second one's are 1, -1, 0, a correlation of 1; so 3 + (0.894 * 2 + 1 * 0) / (0.894 + 1):

    >>> ratings = csr_matrix(np.array([[5, 1, 6], [4, 2, 3]]))
    >>> model = RatingNeighbours(by="users", shrinkage=0.0).fit(ratings)
    >>> round(model.predict(np.array([0, 1]), np.array([4, 2]), 2), 3)
    3.944
    """

    def __init__(self, *, by: Literal["users", "items"] = "items", k: int = 40, shrinkage: float = 10.0) -> None:
        self.by, self.k, self.shrinkage = by, k, shrinkage

    def fit(self, ratings: csr_matrix) -> Self:
        """Keep the ratings, (n_users, n_items), one entry a pair, 0 being a rating where it is stored; weights are found when asked.

        InputError where there are none, or one that is not finite.
        """
        kept = csc_matrix(ratings, dtype=np.float64)
        if not kept.nnz or not np.isfinite(kept.data).all():
            raise InputError("Ratings must be finite numbers, and there must be at least one.")
        users, items = kept.indices, np.repeat(np.arange(kept.shape[1]), np.diff(kept.indptr))
        self.ratings, self.mean = kept, float(kept.data.mean())
        user_mean = np.bincount(users, kept.data, minlength=kept.shape[0]) / np.maximum(np.bincount(users, minlength=kept.shape[0]), 1)
        n_raters = np.bincount(items, minlength=kept.shape[1])
        self._item_mean = np.where(n_raters > 0, np.bincount(items, kept.data, minlength=kept.shape[1]) / np.maximum(n_raters, 1), np.nan)
        deviations = kept.data - user_mean[users]
        # one structure, three sets of values: that there is a rating, its deviation from the person's mean, and its square
        self._rated, self._off, self._squared = (
            csc_matrix((data, kept.indices, kept.indptr), shape=kept.shape) for data in (np.ones(kept.nnz), deviations, deviations**2)
        )
        return self

    def predict(self, rows: Rows, ratings: NDArray[np.floating], item: int) -> float:
        """Return what somebody who gave `ratings` (h,) to the items `rows` (h,) would give to this item."""
        return float(self.predictions(rows, ratings, np.asarray([item], dtype=np.int32))[0])

    def predictions(self, rows: Rows, ratings: NDArray[np.floating], columns: Rows) -> Scores:
        """Return what they would give to each of the columns: float32 (c,). InputError for ratings that are not finite."""
        given = np.asarray(ratings, dtype=np.float64)
        if not np.isfinite(given).all():
            raise InputError("Ratings must be finite numbers.")
        own_mean = float(given.mean()) if len(given) else np.nan
        item_mean = self._item_mean[columns]
        means = [np.full(len(columns), own_mean), item_mean] if self.by == "users" else [item_mean, np.full(len(columns), own_mean)]
        base = np.where(np.isnan(means[0]), np.where(np.isnan(means[1]), self.mean, means[1]), means[0])
        if len(given):
            base += self._by_users(rows, given - own_mean, columns) if self.by == "users" else self._by_items(rows, given, columns)
        return np.clip(base, self.ratings.data.min(), self.ratings.data.max()).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write the ratings and settings as .npz, atomically."""
        settings = np.asarray([self.by == "users", self.k, self.shrinkage], dtype=np.float64)
        save_arrays(path, {**csr_arrays(csr_matrix(self.ratings)), "settings": settings})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote. NotFound, StoreError."""
        arrays = load_arrays(path)
        try:
            by_users, k, shrinkage = arrays["settings"].tolist()
        except (KeyError, ValueError) as error:
            raise StoreError("The saved model is damaged; delete the file and fit again.") from error
        return cls(by="users" if by_users else "items", k=int(k), shrinkage=shrinkage).fit(csr_from(arrays))

    def _by_users(self, rows: Rows, off: Numbers, columns: Rows) -> Numbers:
        """Return the part of the neighbours, people: float64 (c,)."""
        rated = self._rated[:, rows]
        squares, common = (np.asarray(one.sum(axis=1)).ravel() for one in (self._squared[:, rows], rated))
        weights = self._weights(np.asarray(self._off[:, rows] @ off), np.asarray(rated @ off**2), squares, common)  # (n_users,)
        parts = [slice(*self._off.indptr[column : column + 2]) for column in columns.tolist()]
        raters = [(weights[self._off.indices[part]][:, None], self._off.data[part]) for part in parts]
        return np.asarray([_mean_off(weight.T, off, self.k)[0] for weight, off in raters])

    def _by_items(self, rows: Rows, given: Numbers, columns: Rows) -> Numbers:
        """Return the part of the neighbours, items that were rated: float64 (c,)."""
        (rated, off, squared), (rated_h, off_h, squared_h) = (
            (self._rated[:, part], self._off[:, part], self._squared[:, part]) for part in (columns, rows)
        )
        products = (off.T @ off_h, squared.T @ rated_h, rated.T @ squared_h, rated.T @ rated_h)  # each (c, h)
        deviations = np.nan_to_num(given - self._item_mean[rows])
        return _mean_off(self._weights(*(product.toarray() for product in products)), deviations, self.k)

    def _weights(self, dot: Numbers, left: Numbers, right: Numbers, common: Numbers) -> Numbers:
        lengths = np.sqrt(left * right)
        alike = np.divide(dot, lengths, out=np.zeros_like(dot), where=lengths > 1e-9)
        return np.maximum(alike, 0.0) * common / np.maximum(common + self.shrinkage, 1.0)


def _mean_off(weights: Numbers, deviations: Numbers, k: int) -> Numbers:
    """Return the mean of deviations (h,) under the k largest weights of each row (c, h), 0 where there are none: float64 (c,)."""
    if weights.shape[1] > k:
        weights = np.where(weights >= np.partition(weights, -k, axis=1)[:, -k, None], weights, 0.0)
    total = weights.sum(axis=1)
    return np.asarray(np.divide(weights @ deviations, total, out=np.zeros(len(weights)), where=total > 0), dtype=np.float64)
