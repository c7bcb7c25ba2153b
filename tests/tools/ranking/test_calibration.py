import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.errors import StoreError
from scenewise.tools.ranking.calibration import Calibration, Priors, SourceMap, novelty, source_values

falling = st.lists(st.floats(min_value=1e-6, max_value=1e6), min_size=1, max_size=40).map(
    lambda values: np.array(sorted(values, reverse=True))
)


def test_values_by_score_by_hand() -> None:
    values = source_values(np.array([8.0, 8.0 / math.e, 8.0 / math.e**3, -np.inf]), "score")
    assert values.tolist() == [
        pytest.approx([1, 1, 1, 1, 1]),
        pytest.approx([0, 1 / 2, 3 / 4, 7 / 8, 1]),
        pytest.approx([0, 0, 1 / 4, 5 / 8, 1]),
        [0, 0, 0, 0, 0],
    ]


def test_values_by_rank_by_hand() -> None:
    values = source_values(np.array([0.5, 9.0, -np.inf, 1.0]), "rank")
    assert values.ravel() == pytest.approx([math.log(31 / 3), math.log(31), 0, math.log(31 / 2)])
    assert source_values(np.arange(40.0), "rank").ravel()[:9].tolist() == [0.0] * 9


@given(falling, st.floats(min_value=1e-3, max_value=1e3), st.sampled_from(["score", "rank"]))
def test_values_never_rise_as_scores_fall_and_do_not_depend_on_scale(scores: np.ndarray, factor: float, basis: str) -> None:
    values = source_values(scores, basis)
    assert (values >= 0).all()
    assert (np.diff(values, axis=0) <= 1e-12).all()
    np.testing.assert_allclose(source_values(scores * factor, basis), values, atol=1e-6)


def test_values_are_bounded_where_scores_are_nothing() -> None:
    assert source_values(np.array([1.0, 1e-30, 0.0, -5.0]), "score").tolist() == [[1] * 5] + [[0, 0, 0, 0, 1]] * 3
    assert source_values(np.array([0.0, -1.0]), "score").tolist() == [[0, 0, 0, 0, 1]] * 2
    assert source_values(np.zeros(0), "score").shape == (0, 5)
    assert source_values(np.array([5e-324, 1e-320]), "score").max() <= 1.0


def test_novelty_takes_from_what_is_popular() -> None:
    assert novelty(np.array([9.0, 9.0 / math.e**2, -np.inf])) == pytest.approx([-1, -3 / 4, 0])


def test_evidence_by_hand() -> None:
    calibration = Calibration({"ease": SourceMap((0, 0, 4, 0, 0.5)), "popularity": SourceMap((0, 0, 0, 8, 0))}, novelty=2.0)
    scores = {"ease": np.array([math.e, 1.0, -np.inf]), "popularity": np.array([1.0, -np.inf, math.e])}
    parts = calibration.evidence(scores)
    assert {name: values.tolist() for name, values in parts.items()} == {
        "ease": pytest.approx([4.5, 3.5, 0]),
        "popularity": pytest.approx([7, 0, 8]),
        "novelty": pytest.approx([-2 * 7 / 8, 0, -2]),
    }


def test_popularity_has_weights_of_its_own_where_it_is_alone() -> None:
    calibration = Calibration(alone={"popularity": SourceMap((0, 0, 0, 8, 0))}, novelty=2.0)
    alone = calibration.evidence({"popularity": np.array([math.e, 1.0]), "retrieve": np.array([1.0, -np.inf])})
    assert alone["popularity"] == pytest.approx([8, 7])
    assert "novelty" not in alone
    assert "novelty" in calibration.evidence({"popularity": np.array([1.0]), "item_knn": np.array([1.0])})


def test_json_brings_it_back() -> None:
    maps = {**Calibration().sources, "ease": SourceMap((0.25, 0, 0, 1, 0)), "mine": SourceMap((2.0,), "rank")}
    calibration = Calibration(maps, -6.5, Priors(ban=-9.0), 77, {"popularity": SourceMap((0, 0, 1, 0, 0.5))}, 0.3)
    back = Calibration.from_json(calibration.to_json())
    assert back == calibration
    assert back.of("ease") == SourceMap((0.25, 0, 0, 1, 0))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": 2, "sources": {}, "bias": 0}'])
def test_damaged_json_is_a_store_error(text: str) -> None:
    with pytest.raises(StoreError):
        Calibration.from_json(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"bias": -8.0', '"bias": NaN'),
        ('"bias": -8.0', '"bias": 1e9'),
        ('"format": 2', '"format": 1'),
        ('"novelty": 0.0', '"novelty": -0.1'),
        ('"n_users": 0', '"n_users": 0, "more": 1'),
        ('"basis": "rank"', '"basis": "score"'),
    ],
)
def test_json_that_is_out_of_bounds_is_a_store_error(old: str, new: str) -> None:
    text = Calibration().to_json()
    assert old in text
    with pytest.raises(StoreError):
        Calibration.from_json(text.replace(old, new))


def test_a_source_nobody_knows_is_mapped_by_rank() -> None:
    assert Calibration().of("somebody else's").basis == "rank"


def test_a_source_that_came_after_the_weights_were_learned_has_the_default_ones() -> None:
    learned = Calibration({"ease": SourceMap((1.0, 0.0, 0.0, 0.0, 0.0))})
    assert learned.of("transformer") == Calibration().of("transformer")


def test_no_default_weight_of_a_source_outweighs_the_strongest_of_the_crowd() -> None:
    totals = {name: sum(one.weights) for name, one in Calibration().sources.items() if one.basis == "score"}
    assert {"transformer", "trending", "feature_regression"} < totals.keys()
    assert max(totals, key=lambda name: totals[name]) in ("ease", "als")
    assert totals["trending"] < totals["feature_regression"] < totals["transformer"] < totals["ease"]
