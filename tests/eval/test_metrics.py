import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import RR, R, Success, nDCG
from scipy.sparse import csr_matrix

from scenewise.eval.metrics import (
    coverage,
    expected_calibration_error,
    gini,
    hit_rate,
    holm,
    intra_list_diversity,
    mean_popularity,
    ndcg,
    novelty,
    paired_bootstrap,
    pessimistic_ranks,
    recall,
    reciprocal_rank,
)
from scenewise.store.errors import InputError


def scores_of(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


@given(st.integers(min_value=0, max_value=10_000), st.integers(min_value=1, max_value=5), st.integers(min_value=6, max_value=30))
def test_against_ir_measures(seed: int, n_relevant: int, n_items: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.permutation(n_items).astype(np.float32)
    relevant = rng.choice(n_items, n_relevant, replace=False).tolist()
    ranks = pessimistic_ranks(scores, relevant)
    qrels = {"q": {str(item): 1 for item in relevant}}
    run = {"q": {str(item): float(score) for item, score in enumerate(scores)}}
    oracle = ir_measures.calc_aggregate([nDCG @ 5, R @ 5, RR, Success @ 5], qrels, run)
    assert ndcg(ranks, 5) == pytest.approx(oracle[nDCG @ 5])
    assert recall(ranks, 5) == pytest.approx(oracle[R @ 5])
    assert reciprocal_rank(ranks) == pytest.approx(oracle[RR])
    assert hit_rate(ranks, 5) == pytest.approx(oracle[Success @ 5])


def test_ties_are_pessimistic() -> None:
    assert pessimistic_ranks(scores_of(1, 1, 1, 1), [0]).tolist() == [4]
    assert pessimistic_ranks(scores_of(1, 1, 1, 1), [0, 2]).tolist() == [3, 4]
    assert pessimistic_ranks(scores_of(3, 2, 2, 1), [1]).tolist() == [3]


def test_masked_items_do_not_stand_in_the_way() -> None:
    assert pessimistic_ranks(scores_of(9, 8, 7, 6), [2], masked=[0]).tolist() == [2]
    assert pessimistic_ranks(scores_of(9, 8, 7, 6), [0], masked=[0]).tolist() == [4]


def test_the_scores_are_left_as_they_were() -> None:
    scores = scores_of(1, 2)
    pessimistic_ranks(scores, [0], masked=[1])
    assert scores.tolist() == [1, 2]


def test_nan_is_refused() -> None:
    with pytest.raises(InputError):
        pessimistic_ranks(scores_of(1, math.nan), [0])


def test_nothing_relevant_counts_nothing() -> None:
    ranks = pessimistic_ranks(scores_of(1, 2), [])
    assert [ndcg(ranks, 10), recall(ranks, 10), reciprocal_rank(ranks), hit_rate(ranks, 10)] == [0, 0, 0, 0]


def test_ndcg_by_hand() -> None:
    assert ndcg(np.array([2]), 10) == pytest.approx(1 / math.log2(3))
    assert ndcg(np.array([11]), 10) == 0.0
    assert ndcg(np.array([1, 3]), 2) == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_lists() -> None:
    assert coverage([[0, 1], [1]], 4) == 0.5
    assert coverage([], 0) == 0.0
    assert mean_popularity([[0, 1], [1]], np.array([3.0, 6.0])) == 5.0
    assert mean_popularity([[]], np.array([3.0])) == 0.0


def test_gini_at_its_ends() -> None:
    assert gini([[0, 1, 2, 3]], 4) == 0.0
    assert gini([[0], [0]], 4) == 0.75  # (n - 1) / n
    assert gini([], 4) == 0.0


def test_bootstrap_sees_a_clear_difference_and_no_other() -> None:
    rng = np.random.default_rng(1)
    base = rng.random(300)
    clear = paired_bootstrap(base + 0.1, base, n_resamples=2_000)
    assert clear.mean == pytest.approx(0.1)
    assert clear.low > 0.09
    assert clear.p < 0.01
    same = paired_bootstrap(base, base, n_resamples=2_000)
    assert (same.mean, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)
    assert paired_bootstrap(base, base[::-1], seed=3) == paired_bootstrap(base, base[::-1], seed=3)


def test_bootstrap_interval_is_near_the_normal_one() -> None:
    a = np.random.default_rng(2).normal(0.05, 1.0, 2_000)
    found = paired_bootstrap(a, np.zeros(2_000))
    error = 1.96 * a.std() / math.sqrt(2_000)
    assert found.low == pytest.approx(a.mean() - error, abs=0.004)
    assert found.high == pytest.approx(a.mean() + error, abs=0.004)


def test_bootstrap_needs_pairs() -> None:
    with pytest.raises(InputError):
        paired_bootstrap(np.ones(2), np.ones(3))
    with pytest.raises(InputError):
        paired_bootstrap(np.ones(0), np.ones(0))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_novelty_is_the_share_in_bits() -> None:
    counts = np.array([2.0, 0.0, 0.0])  # one added: shares 3/5, 1/5, 1/5
    assert novelty([[0, 1]], counts) == pytest.approx((-math.log2(3 / 5) - math.log2(1 / 5)) / 2)
    assert novelty([], counts) == 0.0


def test_diversity_of_a_list_by_hand() -> None:
    attributes = csr_matrix(np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype=np.float32))
    # cosines: (0, 1) 0, (0, 2) 1/sqrt 2, (1, 2) 1/sqrt 2; the list of one known item is left out
    assert intra_list_diversity([[0, 1, 2], [0, 3]], attributes) == pytest.approx(1 - 2 / math.sqrt(2) / 3)
    assert intra_list_diversity([[3], []], attributes) == 0.0


def test_calibration_error_by_hand() -> None:
    p = np.array([0.1, 0.1, 0.9, 0.9])
    assert expected_calibration_error(p, np.array([False, False, True, True]), bins=2) == pytest.approx(0.1)
    assert expected_calibration_error(p, np.array([True, True, False, False]), bins=2) == pytest.approx(0.9)
    assert expected_calibration_error(np.zeros(0), np.zeros(0, dtype=bool)) == 0.0


def test_many_relevant_items_rank_as_few_do() -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 5, 40).astype(np.float32)
    relevant = rng.choice(40, 20, replace=False).tolist()
    by_hand = sorted(sum(scores[o] >= scores[r] for o in range(40) if o not in relevant) for r in relevant)
    assert pessimistic_ranks(scores, relevant).tolist() == [ahead + place + 1 for place, ahead in enumerate(by_hand)]
