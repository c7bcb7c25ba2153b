"""Collaborative scores for items without events: what an item is like is mapped to the factors that ALS finds.

A linear attribute-to-feature mapping (Gantner et al. 2010, "Learning Attribute-to-Feature Mappings for Cold-Start Recommendations",
section III.C), here by ridge regression, and over texts and a graph too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from scenewise.store.errors import InputError, StoreError
from scenewise.tools.collaborative.als import Als
from scenewise.tools.collaborative.model import Rows, Scores, Sequences, Weights, load_arrays, save_arrays
from scenewise.tools.features import ItemFeatures
from scenewise.tools.tfidf import idf_of, unit_lengths

_VALUES = 1_000  # attribute values that take part, the most frequent ones
_BLOCK = 10_000  # items at a time


class FeatureRegression(Als):
    """`ridge` is the penalty of the regression, `attributes` the weight of attribute values beside text and graph; the rest is ALS's.

    All items are scored by their mapped factors, so that old and new ones compare. A history is folded in by its items' own factors, or
    by the mapped ones of items without events.
    """

    name = "feature_regression"

    def __init__(
        self,
        features: ItemFeatures | None = None,
        *,
        ridge: float = 10.0,
        attributes: float = 1.0,
        factors: int = 64,
        regularisation: float = 10.0,
        alpha: float = 5.0,
        seed: int = 0,
    ) -> None:
        super().__init__(factors=factors, regularisation=regularisation, alpha=alpha, seed=seed)
        self.features, self.ridge, self.attributes = features, ridge, attributes

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Fit ALS, then the map on the items that have events. InputError without features, or with those of another catalogue."""
        if self.features is None or self.features.n != interactions.shape[1]:
            raise InputError("A regression on features needs the features of the same items as the interactions.")
        super().fit(interactions, sequences)
        warm = np.flatnonzero(self.item_factors.any(axis=1))
        counts = np.bincount(self.features.attributes.indices, minlength=self.features.attributes.shape[1])
        self.values = np.argsort(-counts, kind="stable")[:_VALUES].astype(np.int32)
        self.idf = idf_of(self.features.attributes)[self.values]
        width = self._inputs(self.features, warm[:0]).shape[1]
        gram, target = self.ridge * np.eye(width, dtype=np.float32), np.zeros((width, self.factors), dtype=np.float32)
        for part in _parts(warm):
            inputs = self._inputs(self.features, part)
            gram += inputs.T @ inputs
            target += inputs.T @ self.item_factors[part]
        self.map = np.linalg.solve(gram, target)  # (inputs, factors)
        rows = np.full(self.features.n, -1)
        rows[warm] = warm
        return self._take(self.features, rows)

    def over(
        self, features: ItemFeatures, rows: NDArray[np.integer], *, mapped: Scores | None = None, same: NDArray[np.integer] | None = None
    ) -> Self:
        """Return the model over a later catalogue, in which new items are scored at once.

        `features` must have the attribute columns (`features_of(values=...)`), encoder and graph of the fit; `rows`, int (n,), are the
        rows that the items had then, -1 for new ones. `mapped`, float32 (m, factors), may be that of another catalogue: `same`, int (n,),
        are the rows there of items whose features are the same, -1 for others. InputError where they do not fit.
        """
        model = type(self)(factors=self.factors, regularisation=self.regularisation, alpha=self.alpha, seed=self.seed)
        model.attributes, model.values, model.idf, model.map = self.attributes, self.values, self.idf, self.map
        model.item_factors = self.item_factors
        model._take(features, rows, mapped, same)
        model._gram = self._gram  # that of all items of the fit, also of those that are gone: users come out as they did
        return model

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return the mapped factors' dot products with the folded-in user: float32 (n_items,)."""
        return np.asarray(self.mapped @ self._user(rows, weights), dtype=np.float32)

    def contributions(self, rows: Rows, weights: Weights, columns: Rows) -> Scores:
        """Return each event's part of the score, float32 (h, c): the user is a sum over the history (equation 7 of Hu et al. 2008)."""
        out = np.zeros((len(rows), len(columns)), dtype=np.float32)
        live = np.flatnonzero(weights > 0)
        if len(live) and self._gram.any():
            once, place = np.unique(rows[live], return_inverse=True)
            more = (self.alpha * np.bincount(place, weights[live]) - 1).astype(np.float32)
            told = np.linalg.solve(self._normal(once, more), self.mapped[columns].T)  # (factors, c)
            out[live] = (self.alpha * weights[live])[:, None] * (self.item_factors[rows[live]] @ told)
        return out

    def scores_batch(self, histories: csr_matrix) -> Scores:
        """Return the scores of many histories, csr (b, n_items), at once: float32 (b, n_items)."""
        ends = zip(histories.indptr[:-1], histories.indptr[1:], strict=True)
        users = [self._user(histories.indices[start:end], histories.data[start:end]) for start, end in ends]
        return np.asarray(np.reshape(users, (-1, self.factors)) @ self.mapped.T, dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write the factors, the map and what fold-in needs as .npz, atomically."""
        settings = np.asarray([self.regularisation, self.alpha, self.seed, self.attributes], dtype=np.float64)
        arrays = {name: getattr(self, name) for name in ("item_factors", "mapped", "map", "values", "idf")}
        save_arrays(path, {**arrays, "settings": settings})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote. NotFound, StoreError."""
        arrays = load_arrays(path)
        try:
            regularisation, alpha, seed, attributes = arrays["settings"].tolist()
            factors = arrays["item_factors"].shape[1]
            model = cls(factors=factors, regularisation=regularisation, alpha=alpha, seed=int(seed), attributes=attributes)
            model.mapped, model.map, model.values, model.idf = (arrays[name] for name in ("mapped", "map", "values", "idf"))
        except (KeyError, ValueError, IndexError) as error:
            raise StoreError("The saved model is damaged; delete the file and fit again.") from error
        return model._keep(arrays["item_factors"])

    def _take(
        self,
        features: ItemFeatures,
        rows: NDArray[np.integer],
        mapped: Scores | None = None,
        same: NDArray[np.integer] | None = None,
    ) -> Self:
        """Map all items that are not mapped yet, and give those without a row the mapped factors for their own."""
        known = np.full(features.n, -1) if same is None or mapped is None else same
        self.mapped = np.zeros((features.n, self.factors), dtype=np.float32)
        if mapped is not None:
            self.mapped[known >= 0] = mapped[known[known >= 0]]
        try:
            for part in _parts(np.flatnonzero(known < 0)):
                self.mapped[part] = self._inputs(features, part) @ self.map
        except (IndexError, ValueError) as error:
            raise InputError("These features have other columns than those the regression was fitted on.") from error
        return self._keep(np.where((rows >= 0)[:, None], self.item_factors[rows], self.mapped))

    def _inputs(self, features: ItemFeatures, part: NDArray[np.integer]) -> Scores:
        """Return what is regressed on: TF-IDF of the attributes, text, graph, whether these two are known, and 1: (b, inputs)."""
        weighed = csr_matrix(features.attributes[part][:, self.values] @ diags_array(self.idf))
        attributes = unit_lengths(weighed).toarray() * np.float32(self.attributes)
        dense = [one[part] for one in (features.text, features.graph) if one is not None]
        known = [one.any(axis=1, keepdims=True) for one in dense]
        return np.hstack([attributes, *dense, *known, np.ones((len(attributes), 1))], dtype=np.float32)


def _parts(rows: NDArray[np.integer]) -> list[NDArray[np.integer]]:
    return [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
