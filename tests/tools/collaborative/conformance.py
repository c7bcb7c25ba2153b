"""What every collaborative model must do. Each check takes a function that makes an unfitted model."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, vstack

from scenewise.tools.collaborative.collaborative import top_rows
from scenewise.tools.collaborative.interactions import Interactions, from_columns
from scenewise.tools.collaborative.model import CollaborativeModel, Explaining, load_arrays

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


def check_fit_leaves_the_data_alone(make: Make) -> None:
    data = checkerboard()
    data.matrix.data[:] = 0.5
    fit(make, data)
    assert (data.matrix.data == 0.5).all()


def check_batch_equals_single(make: Make) -> None:
    data = checkerboard()
    model = fit(make, data)
    if hasattr(model, "scores_batch"):
        matrix = vstack([data.matrix[:5], csr_matrix((1, N_ITEMS), dtype=np.float32)]).tocsr()
        parts = [matrix[place] for place in range(6)]
        alone = np.stack([model.scores(one.indices, one.data) for one in parts])
        np.testing.assert_allclose(model.scores_batch(matrix), alone, atol=1e-5)
        assert model.scores_batch(matrix[:0]).shape == (0, N_ITEMS)


def check_only_allowed_items_and_no_more_than_there_are(make: Make) -> None:
    data = checkerboard()
    allowed = np.arange(N_ITEMS) < 7
    scores = fit(make, data).scores(*history(data, 1))
    rows, values = top_rows(np.where(allowed, scores, 0.0).astype(np.float32), 1_000)
    assert len(rows) <= 7
    assert allowed[rows].all()
    assert (np.diff(values) <= 0).all()


def check_all_zero_ratings_say_nothing(make: Make) -> None:
    zeros = csr_matrix((np.zeros(4, dtype=np.float32), ([0, 0, 1, 1], [0, 1, 1, 2])), shape=(2, 3))
    scores = make().fit(zeros, empty(3).sequences).scores(np.array([1], dtype=np.int32), np.ones(1, dtype=np.float32))
    assert scores.tolist() == [0.0, 0.0, 0.0]


def check_an_item_in_all_baskets_does_not_hide_the_others(make: Make) -> None:
    data = checkerboard()
    users, rows = data.matrix.nonzero()
    everybody = np.arange(N_USERS)
    columns = np.concatenate((users, everybody)), np.concatenate((rows, np.full(N_USERS, N_ITEMS)))
    times_s = np.arange(len(columns[0]), dtype=np.float64)
    full = from_columns(*columns, times_s, np.ones(len(times_s), np.float32), shape=(N_USERS, N_ITEMS + 1))
    scores = fit(make, full).scores(np.array([0, 2, 4], dtype=np.int32), np.ones(3, dtype=np.float32))
    scores[[0, 2, 4]] = -np.inf
    assert np.isfinite(scores[6:]).all()
    assert scores[6:N_ITEMS:2].max() > scores[1:N_ITEMS:2].max()


def check_duplicates_are_no_harm(make: Make) -> None:
    users, rows = np.tile([0, 0, 1, 1], 3), np.tile([0, 1, 1, 2], 3)
    data = from_columns(users, rows, np.zeros(12), np.ones(12, dtype=np.float32), shape=(2, 3))
    scores = fit(make, data).scores(np.array([0, 0, 0, 1], dtype=np.int32), np.ones(4, dtype=np.float32))
    assert np.isfinite(scores).all()


def check_a_million_events_of_one_user(make: Make) -> None:
    """Over 100,000 items: what is quadratic in a history would not end. Scoring that history must not either."""
    rng = np.random.default_rng(0)
    users = np.concatenate((np.zeros(1_000_000, dtype=np.int64), rng.integers(1, 100, 500)))
    rows = rng.integers(0, 100_000, len(users))
    data = from_columns(users, rows, np.arange(len(users), dtype=np.float64), np.ones(len(users), np.float32), shape=(100, 100_000))
    start = time.process_time()
    scores = fit(make, data).scores(*history(data, 0))
    assert np.isfinite(scores).all()
    assert time.process_time() - start < 30.0


def check_nothing_is_pickled(make: Make, folder: Path) -> None:
    fit(make, checkerboard()).save(folder / "model.npz")
    assert all(array.dtype != object for array in load_arrays(folder / "model.npz").values())


PERSONAL = (
    check_finds_what_was_left_out,
    check_one_event_is_enough,
    check_no_history_scores_nothing,
    check_an_item_in_all_baskets_does_not_hide_the_others,
)
COMMON = (
    check_scores_have_the_promised_form,
    check_zero_weights_are_finite,
    check_empty_data,
    check_one_row_of_data,
    check_an_item_without_events_is_never_nan,
    check_same_data_same_scores,
    check_contributions_add_up,
    check_fit_leaves_the_data_alone,
    check_batch_equals_single,
    check_only_allowed_items_and_no_more_than_there_are,
    check_all_zero_ratings_say_nothing,
    check_duplicates_are_no_harm,
)
