from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError
from scenewise.tools.collaborative import pairs
from scenewise.tools.collaborative.interactions import Interactions, from_columns
from scenewise.tools.collaborative.model import Sequences
from scenewise.tools.collaborative.transition_knn import TransitionKnn

N = 6
Event = tuple[int, int]  # item, scene


def sequences_of(histories: list[list[Event]]) -> Sequences:
    events = np.array([event for history in histories for event in history], dtype=np.int16).reshape(-1, 2)
    starts = np.cumsum([0, *map(len, histories)])
    return Sequences(events[:, 0].astype(np.int32), np.arange(len(events), dtype=np.float64), starts, events[:, 1])


def fit(model: TransitionKnn, histories: list[list[Event]]) -> TransitionKnn:
    return model.fit(csr_matrix((len(histories), N), dtype=np.float32), sequences_of(histories))


def table(model: TransitionKnn, scene: int = -1) -> list[list[float]]:
    """What each item alone says of all others."""
    return [model.scores_in(np.array([row], dtype=np.int32), np.ones(1, np.float32), scene).tolist() for row in range(len(model.counts))]


def in_order(*rows: int, n_items: int) -> Interactions:
    n = len(rows)
    return from_columns(np.zeros(n, dtype=int), np.array(rows), np.arange(float(n)), np.ones(n, np.float32), shape=(1, n_items))


def test_transitions_by_hand() -> None:
    # 0 -> 1 -> 2, window 2, decay .5, no damping: 0->1: 1, 1->2: 1, 0->2: .5; read backwards at half worth
    data = in_order(0, 1, 2, n_items=3)
    model = TransitionKnn(window=2, decay=0.5, damping=0.0, damping_from=0.0, recency=0.5).fit(data.matrix, data.sequences)
    assert table(model) == [[0, 1, 0.5], [0.5, 0, 1], [0.25, 0.5, 0]]
    # history 0, 1: the older event counts half
    assert model.scores(np.array([0, 1], dtype=np.int32), np.ones(2, np.float32)) == pytest.approx([0.5, 0.5, 1.25])


def test_damping_divides_by_the_counts_of_both_ends() -> None:
    data = in_order(0, 1, 0, 1, n_items=2)  # within one step 0->1 twice, 1->0 once; each has two events
    model = TransitionKnn(window=1, backward=0.0, damping=1.0, damping_from=2.0).fit(data.matrix, data.sequences)
    assert table(model) == [[0, 2 / 8], [1 / 8, 0]]


def test_older_pairs_fade() -> None:
    data = from_columns(np.repeat([0, 1], 2), np.array([0, 1, 0, 2]), np.array([0.0, 0, 0, 86_400]), np.ones(4, np.float32), shape=(2, 3))
    model = TransitionKnn(half_life_days=1.0, backward=0.0, damping=0.0, damping_from=0.0).fit(data.matrix, data.sequences)
    assert table(model)[0] == [0, 0.5, 1]


def test_transitions_do_not_run_from_one_user_to_the_next() -> None:
    data = from_columns(np.array([0, 1]), np.array([0, 1]), np.arange(2.0), np.ones(2, np.float32), shape=(2, 2))
    assert not np.any(table(TransitionKnn().fit(data.matrix, data.sequences)))


def test_transitions_need_an_order() -> None:
    with pytest.raises(InputError, match="sequences"):
        TransitionKnn().fit(csr_matrix((1, 1), dtype=np.float32))


def test_a_scene_has_its_own_transitions_and_leans_on_all_of_them() -> None:
    # 0 -> 1 three times in scene 0, 0 -> 2 once in scene 1
    histories = [[(0, 0), (1, 0)]] * 3 + [[(0, 1), (2, 1)]]
    model = fit(TransitionKnn(window=1, backward=0.0, damping=0.0, damping_from=0.0, back_off=1.0), histories)
    assert table(model)[0][:3] == [0, 3, 1]
    # in scene 1: one pair of its own and back_off = 1 of all four: 1/2 * (3, 1) + 4 * (0, 1) / 2
    assert table(model, 1)[0][:3] == [0, 1.5, 2.5]
    assert table(model, 7) == table(model)  # a scene never seen


def test_contributions_in_a_scene_add_up() -> None:
    model = fit(TransitionKnn(), [[(0, 0), (1, 1), (2, 0), (3, 1)], [(3, 0), (1, 0)]])
    rows, weights, columns = np.array([0, 1, 3], dtype=np.int32), np.array([1.0, 0.3, 0.6], dtype=np.float32), np.arange(N, dtype=np.int32)
    for scene in (-1, 0, 1):
        parts = model.contributions(rows, weights, columns, scene=scene)
        np.testing.assert_allclose(parts.sum(axis=0), model.scores_in(rows, weights, scene), rtol=1e-5)


def test_a_history_as_long_as_life_counts_by_its_end() -> None:
    model = fit(TransitionKnn(), [[(0, 0), (1, 0), (2, 0)]])
    short, long = np.array([2, 1] * 40, dtype=np.int32), np.array([0] * 100_000 + [2, 1] * 40, dtype=np.int32)
    np.testing.assert_allclose(model.scores(long, np.ones(len(long), np.float32)), model.scores(short, np.ones(80, np.float32)))


def test_counting_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    histories = [[(int(item), int(item) % 2) for item in rng.integers(0, N, 30)] for _ in range(20)]
    whole = table(fit(TransitionKnn(), histories), 1)
    monkeypatch.setattr(pairs, "_AT_ONCE", 100)  # five events at a time, with 20 pairs each
    np.testing.assert_allclose(table(fit(TransitionKnn(), histories), 1), whole, rtol=1e-6)


def test_update_refuses_what_it_cannot_do() -> None:
    with pytest.raises(InputError, match="updatable"):
        fit(TransitionKnn(), [[(0, 0)]]).update(np.array([0], dtype=np.int32), 1)
    with pytest.raises(InputError, match="no row"):
        fit(TransitionKnn(updatable=True), [[(0, 0)]]).update(np.array([0], dtype=np.int32), N)


@settings(deadline=None)
@given(
    histories=st.lists(st.lists(st.tuples(st.integers(0, N - 1), st.integers(-1, 2)), min_size=1, max_size=8), min_size=1, max_size=6),
    k=st.integers(1, 12),
    backward=st.sampled_from([0.0, 0.5]),
    domains=st.none() | st.lists(st.integers(0, 2), min_size=N, max_size=N),
)
def test_updates_give_what_a_new_fit_gives(histories: list[list[Event]], k: int, backward: float, domains: list[int] | None) -> None:
    """Decay and backward are powers of 2, so sums are exact and equal worths stay equal: the same neighbours are cut."""
    domain = None if domains is None else np.array(domains, dtype=np.int16)

    def make() -> TransitionKnn:
        return TransitionKnn(window=3, decay=0.5, backward=backward, k=k, domain=domain, updatable=True)

    updated = fit(make(), [history[: len(history) // 2] for history in histories])
    for history in histories:
        items = np.array([item for item, _ in history], dtype=np.int32)
        for place in range(len(history) // 2, len(history)):
            updated.update(items[:place], int(items[place]), scene=history[place][1])
    for scene in (-1, 0, 1, 2):
        np.testing.assert_allclose(table(updated, scene), table(fit(make(), histories), scene), rtol=1e-5)


def test_an_update_is_saved_and_goes_on(tmp_path: Path) -> None:
    histories = [[(0, 0), (1, 0), (2, 1)], [(1, 0), (0, 0)]]
    model = fit(TransitionKnn(updatable=True, half_life_days=3.0, domain=np.zeros(N, np.int16)), histories)
    model.update(np.array([1, 0], dtype=np.int32), 3, scene=2)
    model.save(tmp_path / "model.npz")
    again = TransitionKnn.load(tmp_path / "model.npz")
    for one in (model, again):
        one.update(np.array([1, 0, 3], dtype=np.int32), 4, scene=0, time_s=9.0)
    for scene in (-1, 0, 1, 2):
        np.testing.assert_allclose(table(again, scene), table(model, scene), rtol=1e-5)


def test_with_a_half_life_an_update_is_a_new_fit_but_for_one_factor() -> None:
    day_s = 86_400.0
    times_s = np.array([0.0, 2.0, 3.0, 7.0]) * day_s
    sequences = Sequences(np.array([0, 1, 2, 3], dtype=np.int32), times_s, np.array([0, 4]))
    first = Sequences(sequences.rows[:3], times_s[:3], np.array([0, 3]))
    matrix = csr_matrix((1, N), dtype=np.float32)
    updated = TransitionKnn(half_life_days=1.0, updatable=True).fit(matrix, first)
    updated.update(sequences.rows[:3], 3, time_s=times_s[3])
    again = TransitionKnn(half_life_days=1.0).fit(matrix, sequences)
    np.testing.assert_allclose(table(updated), np.array(table(again)) * 2**4, rtol=1e-5)
