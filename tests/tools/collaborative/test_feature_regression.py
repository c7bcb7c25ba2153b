"""Feature regression: the kit of all models, new items, and a later catalogue."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError, NotFound, StoreError
from scenewise.tools.collaborative.als import Als
from scenewise.tools.collaborative.feature_regression import FeatureRegression
from scenewise.tools.collaborative.model import Sequences
from scenewise.tools.features import ItemFeatures

_spec = importlib.util.spec_from_file_location("collaborative_conformance", Path(__file__).with_name("conformance.py"))
assert _spec is not None
assert _spec.loader is not None
kit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kit)


def numbered(n: int, **vectors: np.ndarray) -> ItemFeatures:
    """Items with two values: odd or even, and one of their own, while there are twenty of them."""
    attributes = np.zeros((n, 22), dtype=np.float32)
    attributes[np.arange(n), np.arange(n) % 2] = 1
    attributes[np.arange(min(n, 20)), 2 + np.arange(min(n, 20))] = 1
    return ItemFeatures(csr_matrix(attributes), np.zeros(n, dtype=np.int16), **vectors)


class OfAnySize:
    """Makes a model for as many items as the data have."""

    def fit(self, matrix: csr_matrix, sequences: Sequences | None = None) -> FeatureRegression:
        model = FeatureRegression(numbered(matrix.shape[1]), ridge=0.01, factors=2, regularisation=0.1, seed=3)
        return model.fit(matrix, sequences)


@pytest.mark.parametrize("check", [*kit.PERSONAL, *kit.COMMON], ids=lambda check: check.__name__)
def test_kit(check: Callable[[object], None]) -> None:
    check(OfAnySize)


def test_files(tmp_path: Path) -> None:
    kit.check_a_file_brings_the_model_back(OfAnySize, tmp_path)
    kit.check_nothing_is_pickled(OfAnySize, tmp_path)
    with pytest.raises(NotFound):
        FeatureRegression.load(tmp_path / "nothing.npz")
    np.savez(tmp_path / "other.npz", other=np.ones(1))
    with pytest.raises(StoreError):
        FeatureRegression.load(tmp_path / "other.npz")


def with_two_new() -> tuple[csr_matrix, FeatureRegression]:
    data = kit.checkerboard().matrix
    wide = csr_matrix((data.data, data.indices, data.indptr), shape=(kit.N_USERS, kit.N_ITEMS + 2))
    return wide, OfAnySize().fit(wide)


def test_new_items_are_scored_by_what_they_are_like() -> None:
    _, model = with_two_new()
    even = model.scores(np.asarray([2, 6], dtype=np.int32), np.ones(2, dtype=np.float32))
    assert even[20] > 0.3
    assert even[20] > 3 * abs(even[21])


def test_a_new_item_in_a_history_counts() -> None:
    _, model = with_two_new()
    scores = model.scores(np.asarray([21], dtype=np.int32), np.ones(1, dtype=np.float32))
    assert scores[1:20:2].min() > scores[0:20:2].max()


def test_the_map_is_the_ridge_solution() -> None:
    rng = np.random.default_rng(0)
    text = rng.standard_normal((20, 3)).astype(np.float32)
    text[4] = 0
    data = kit.checkerboard().matrix
    features = numbered(20, text=text)
    model = FeatureRegression(features, ridge=2.0, attributes=0.5, factors=4, seed=1).fit(data)
    counts = np.asarray(features.attributes.sum(axis=0)).ravel()
    weighed = features.attributes.toarray() * np.log1p(20 / counts)
    weighed *= 0.5 / np.linalg.norm(weighed, axis=1, keepdims=True)
    inputs = np.hstack([weighed, text, text.any(axis=1)[:, None], np.ones((20, 1))])
    own = Als(factors=4, regularisation=10.0, seed=1).fit(data).item_factors
    wanted = inputs @ np.linalg.solve(inputs.T @ inputs + 2.0 * np.eye(inputs.shape[1]), inputs.T @ own)
    assert model.mapped == pytest.approx(wanted, abs=1e-4)


def test_over_a_later_catalogue_old_items_keep_their_scores() -> None:
    _, model = with_two_new()
    order = np.asarray([20, 3, 2, -1])
    attributes = numbered(22).attributes[np.where(order < 0, 20, order)]
    later = model.over(ItemFeatures(attributes, np.zeros(4, dtype=np.int16)), order)
    one = np.ones(1, dtype=np.float32)
    before, after = model.scores(np.asarray([2], dtype=np.int32), one), later.scores(np.asarray([2], dtype=np.int32), one)
    assert after[1] == pytest.approx(before[3], abs=0.05)
    assert after[3] == pytest.approx(after[0])
    assert after[3] > after[1] + 0.1


def test_features_that_do_not_fit_are_refused() -> None:
    for model in (FeatureRegression(), FeatureRegression(numbered(3))):
        with pytest.raises(InputError, match="same items"):
            model.fit(csr_matrix((1, 4)))
    _, fitted = with_two_new()
    for other in (numbered(3, text=np.ones((3, 2), dtype=np.float32)), ItemFeatures(csr_matrix((3, 1)), np.zeros(3, dtype=np.int16))):
        with pytest.raises(InputError, match="other columns"):
            fitted.over(other, np.arange(3))
