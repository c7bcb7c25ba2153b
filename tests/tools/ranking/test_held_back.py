import numpy as np

from scenewise.tools.collaborative.interactions import Interactions, from_columns
from scenewise.tools.ranking.held_back import has_clock, hold_back

N_USERS, N_EACH = 60, 10


def events(times_s: np.ndarray, *, scenes: np.ndarray | None = None) -> Interactions:
    """60 people with ten different items each."""
    users = np.repeat(np.arange(N_USERS), N_EACH)
    rows = (users + np.tile(np.arange(N_EACH), N_USERS)) % 70
    return from_columns(users, rows, times_s, np.ones(len(users), np.float32), shape=(N_USERS, 70), scenes=scenes)


PLACES = np.tile(np.arange(float(N_EACH)), N_USERS)
CLOCK = PLACES * 1000.0 + np.repeat(np.arange(float(N_USERS)), N_EACH)


def test_a_clock_is_what_users_share() -> None:
    assert has_clock(events(CLOCK).sequences)
    assert not has_clock(events(PLACES).sequences)
    assert not has_clock(events(np.zeros(len(PLACES))).sequences)


def test_a_slice_leaves_nothing_as_late_as_what_is_asked() -> None:
    data = events(CLOCK)
    held = hold_back(data, "slice")
    assert held.n_users == N_USERS
    assert held.rest.sequences.times_s.max() < np.quantile(CLOCK, 0.9)
    for one in held.asked:
        part = slice(data.sequences.starts[one.user], data.sequences.starts[one.user + 1])
        assert one.rows.tolist() == data.sequences.rows[part].tolist()[:-1]
        assert one.target == data.sequences.rows[part][-1]


def test_without_a_clock_the_last_events_are_held_back_and_keep_their_scenes() -> None:
    scenes = np.tile(np.arange(N_EACH, dtype=np.int16), N_USERS)
    held = hold_back(events(PLACES, scenes=scenes), "slice")
    assert len(held.rest.worth) == N_USERS * N_EACH - len(held.asked)
    assert set(held.scenes.tolist()) == {N_EACH - 1}


def test_a_question_knows_its_scene_and_those_of_its_history() -> None:
    scenes = np.tile(np.arange(N_EACH, dtype=np.int16), N_USERS)
    one = hold_back(events(CLOCK, scenes=scenes)).asked[0]
    assert one.scene == N_EACH - 1
    assert one.scenes is not None
    assert one.scenes.tolist() == [*range(N_EACH - 1)]
    unknown = hold_back(events(CLOCK)).asked[0]
    assert (unknown.scene, unknown.scenes) == (-1, None)
