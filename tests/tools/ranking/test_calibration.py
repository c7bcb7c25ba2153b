import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.errors import StoreError
from scenewise.tools.ranking.calibration import Calibration, Priors, SourceMap, source_values

falling = st.lists(st.floats(min_value=1e-6, max_value=1e6), min_size=1, max_size=40).map(
    lambda values: np.array(sorted(values, reverse=True))
)


def test_values_by_score_by_hand() -> None:
    assert source_values(np.array([8.0, 4.0, 1.0]), "score") == pytest.approx([math.log(8) + 0.5, math.log(4) + 0.5, 0.5])


def test_values_by_rank_by_hand() -> None:
    assert source_values(np.array([9.0, 1.0, 0.5]), "rank") == pytest.approx([math.log(31), math.log(31 / 2), math.log(31 / 3)])


@given(falling, st.floats(min_value=1e-3, max_value=1e3), st.sampled_from(["score", "rank"]))
def test_values_fall_are_positive_and_do_not_depend_on_scale(scores: np.ndarray, factor: float, basis: str) -> None:
    values = source_values(scores, basis)
    assert (values > 0).all()
    assert (np.diff(values) <= 1e-12).all()
    np.testing.assert_allclose(source_values(scores * factor, basis), values, atol=1e-6)


def test_values_are_bounded_where_scores_fall_to_nothing() -> None:
    assert source_values(np.array([1.0, 1e-30, 0.0, -5.0]), "score") == pytest.approx([4.5, 0.5, 0.5, 0.5])
    assert source_values(np.array([0.0, -1.0]), "score").tolist() == [0.5, 0.5]
    assert len(source_values(np.zeros(0), "score")) == 0


def test_json_brings_it_back() -> None:
    calibration = Calibration(priors=Priors(ban=-9.0)).learned({"ease": 0.25, "mine": 2.0}, -6.5, 77, popularity_alone=0.7)
    back = Calibration.from_json(calibration.to_json())
    assert back == calibration
    assert back.of("ease") == SourceMap(0.25, "score")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"sources": {}, "bias": 0, "priors": {}, "n_users": 0, "more": 1}'])
def test_damaged_json_is_a_store_error(text: str) -> None:
    with pytest.raises(StoreError):
        Calibration.from_json(text)


def test_a_source_nobody_knows_is_mapped_by_rank() -> None:
    assert Calibration().of("somebody else's").basis == "rank"
