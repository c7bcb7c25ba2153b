import numpy as np
import pytest

from scenewise.tools.ranking.logit import Lists, fit_scale, fit_weights, maximise


def lists(n: int = 400) -> Lists:
    """Three candidates a list; the first value tells the target by a logit of 2, the second tells nothing, the third speaks against."""
    rng = np.random.default_rng(0)
    values = rng.random((n, 3, 3)).astype(np.float32)
    odds = np.exp(values @ np.array([2.0, 0.0, -2.0]))
    target = np.array([rng.choice(3, p=one / one.sum()) for one in odds])
    return Lists(values.reshape(-1, 3), np.full(n, 3), target, np.ones(n))


def test_what_tells_gets_the_weight_and_nothing_falls_below_zero() -> None:
    weights = fit_weights(lists(), ridge=1e-4)
    assert weights[0] > 1.0
    assert weights[1] < 0.6
    assert weights[2] == 0.0


def test_a_free_weight_is_found_by_hand() -> None:
    """One value, 1 or 0, taken three times out of four: the weight is the log of three."""
    values = np.tile(np.array([[1.0], [0.0]], dtype=np.float32), (4, 1))
    data = Lists(values, np.full(4, 2), np.array([0, 0, 0, 1]), np.ones(4))
    free = maximise(data, bounds=[(None, None)], ridge=0.0, centre=np.zeros(1), start=np.zeros(1))
    assert free == pytest.approx([np.log(3)], abs=1e-3)
    held = maximise(data, bounds=[(None, None)], ridge=1e6, centre=np.array([5.0]), start=np.zeros(1))
    assert held == pytest.approx([5.0], abs=1e-3)


def test_lists_without_their_target_do_not_teach() -> None:
    data = lists(50)
    more = Lists(np.vstack([data.values, np.ones((2, 3), np.float32)]), np.append(data.lengths, 2), np.append(data.target, -1), np.ones(51))
    assert fit_weights(more, ridge=1e-3) == pytest.approx(fit_weights(data, ridge=1e-3))


def test_the_scale_makes_probabilities_that_add_up() -> None:
    data = lists()
    logits = data.values @ np.array([5.0, 0.0, -5.0], dtype=np.float32)
    scale, bias = fit_scale(data, logits)
    assert 0.05 < scale < 1.0
    assert (1 / (1 + np.exp(-(scale * logits + bias)))).sum() == pytest.approx(len(data.target), rel=0.01)
