"""What every collaborative model must do. Each check takes a function that makes an unfitted model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from scenewise.tools.collaborative.interactions import Interactions, from_columns
from scenewise.tools.collaborative.model import CollaborativeModel, Explaining

Make = Callable[[], CollaborativeModel]
N_USERS, N_ITEMS = 40, 20


def checkerboard() -> Interactions:
    """Even users take even items, odd users odd ones; user u leaves out item u % 20."""
    pairs = [(u, i) for u in range(N_USERS) for i in range(N_ITEMS) if (u + i) % 2 == 0 and i != u % N_ITEMS]
    users, rows = (np.asarray(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    times_s = np.random.default_rng(0).permutation(len(pairs)).astype(np.float64)
    return from_columns(users, rows, times_s, np.ones(len(pairs), dtype=np.float32), shape=(N_USERS, N_ITEMS))


def empty(n_items: int) -> Interactions:
    """Two users who did nothing."""
    nothing = np.zeros(0, dtype=np.int64)
    return from_columns(nothing, nothing, np.zeros(0), np.zeros(0, dtype=np.float32), shape=(2, n_items))


def fit(make: Make, data: Interactions) -> CollaborativeModel:
    return make().fit(data.matrix, data.sequences)


def history(data: Interactions, user: int) -> tuple[np.ndarray, np.ndarray]:
    part = slice(data.sequences.starts[user], data.sequences.starts[user + 1])
    return data.sequences.rows[part], data.worth[part]


def check_finds_what_was_left_out(make: Make) -> None:
    data = checkerboard()
    model = fit(make, data)
    for user in range(N_USERS):
        rows, weights = history(data, user)
        scores = model.scores(rows, weights)
        scores[rows] = -np.inf
        assert int(scores.argmax()) == user % N_ITEMS


def check_scores_have_the_promised_form(make: Make) -> None:
    data = checkerboard()
    scores = fit(make, data).scores(*history(data, 0))
    assert scores.dtype == np.float32
    assert scores.shape == (N_ITEMS,)
    assert np.isfinite(scores).all()


def check_one_event_is_enough(make: Make) -> None:
    scores = fit(make, checkerboard()).scores(np.array([4], dtype=np.int32), np.ones(1, dtype=np.float32))
    assert np.isfinite(scores).all()
    scores[4] = -np.inf
    assert scores[::2].max() > scores[1::2].max()


def check_no_history_scores_nothing(make: Make) -> None:
    scores = fit(make, checkerboard()).scores(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))
    assert not scores.any()


def check_zero_weights_are_finite(make: Make) -> None:
    scores = fit(make, checkerboard()).scores(np.array([1, 3], dtype=np.int32), np.zeros(2, dtype=np.float32))
    assert np.isfinite(scores).all()


def check_empty_data(make: Make) -> None:
    scores = fit(make, empty(3)).scores(np.array([1], dtype=np.int32), np.ones(1, dtype=np.float32))
    assert scores.shape == (3,)
    assert not scores.any()


def check_one_row_of_data(make: Make) -> None:
    data = from_columns(np.array([0]), np.array([1]), np.zeros(1), np.ones(1, dtype=np.float32), shape=(1, 2))
    scores = fit(make, data).scores(np.array([1], dtype=np.int32), np.ones(1, dtype=np.float32))
    assert np.isfinite(scores).all()


def check_an_item_without_events_is_never_nan(make: Make) -> None:
    data = checkerboard()
    wide = csr_matrix((data.matrix.data, data.matrix.indices, data.matrix.indptr), shape=(N_USERS, N_ITEMS + 2))
    model = make().fit(wide, data.sequences)
    scores = model.scores(np.array([N_ITEMS, 0], dtype=np.int32), np.ones(2, dtype=np.float32))
    assert scores.shape == (N_ITEMS + 2,)
    assert np.isfinite(scores).all()


def check_same_data_same_scores(make: Make) -> None:
    data = checkerboard()
    first, second = fit(make, data), fit(make, data)
    np.testing.assert_array_equal(first.scores(*history(data, 3)), second.scores(*history(data, 3)))


def check_a_file_brings_the_model_back(make: Make, folder: Path) -> None:
    data = checkerboard()
    model = fit(make, data)
    path = folder / "new" / "model.npz"
    model.save(path)
    back = type(model).load(path)
    np.testing.assert_array_equal(back.scores(*history(data, 5)), model.scores(*history(data, 5)))
    assert [one.name for one in path.parent.iterdir()] == ["model.npz"]


def check_contributions_add_up(make: Make) -> None:
    data = checkerboard()
    model = fit(make, data)
    if isinstance(model, Explaining):
        rows, weights = history(data, 2)
        columns = np.arange(N_ITEMS, dtype=np.int32)
        parts = model.contributions(rows, weights, columns)
        assert parts.shape == (len(rows), N_ITEMS)
        np.testing.assert_allclose(parts.sum(axis=0), model.scores(rows, weights), atol=1e-5)


PERSONAL = (check_finds_what_was_left_out, check_one_event_is_enough, check_no_history_scores_nothing)
COMMON = (
    check_scores_have_the_promised_form,
    check_zero_weights_are_finite,
    check_empty_data,
    check_one_row_of_data,
    check_an_item_without_events_is_never_nan,
    check_same_data_same_scores,
    check_contributions_add_up,
)
