import numpy as np

from scenewise.tools.collaborative.interactions import Interactions, from_columns
from scenewise.tools.ranking.transformer import TransformerConfig
from scenewise.tools.ranking.transformer.samples import START, Samples, age_codes, choose_held, history, without_last


def events(*of_users: list[int]) -> Interactions:
    users = np.repeat(np.arange(len(of_users)), [len(rows) for rows in of_users])
    rows = np.concatenate([np.asarray(rows, dtype=int) for rows in of_users])
    return from_columns(users, rows, np.arange(len(rows), dtype=float), np.ones(len(rows), np.float32), shape=(len(of_users), 20))


NOBODY = np.zeros(0, dtype=np.int64)


def test_windows_run_backwards_from_the_latest_event() -> None:
    data = events([1, 2, 3, 4, 5], [], [6])
    samples, questions = Samples.of(data.sequences, data.worth, NOBODY, 2)
    assert sorted(samples.windows.tolist()) == [[0, 1], [1, 2], [3, 2], [5, 1]]
    assert questions == []
    told = sorted(
        (before, after)
        for batch, places in samples.batches(4, np.random.default_rng(0))
        for before, after in zip(batch.rows[batch.real].tolist(), samples.rows[places[batch.real]].tolist(), strict=True)
    )
    assert told == [(START, 1), (START, 6), (1, 2), (2, 3), (3, 4), (4, 5)]


def test_batches_hold_all_windows_within_the_budget() -> None:
    rng = np.random.default_rng(3)
    data = events(*[rng.integers(0, 20, rng.integers(0, 30)).tolist() for _ in range(50)])
    samples, _ = Samples.of(data.sequences, data.worth, NOBODY, 10)
    batches = [*samples.batches(40, rng)]
    assert len(batches) == samples.n_batches(40)
    assert all(batch.rows.size <= 40 for batch, _ in batches)
    assert sorted(np.concatenate([places[places >= 0] for _, places in batches]).tolist()) == list(range(len(data.sequences.rows)))


def test_held_back_events_are_asked_for_and_not_told() -> None:
    data = events([1, 2, 3], [4, 5])
    samples, [question] = Samples.of(data.sequences, data.worth, np.array([1]), 10)
    assert samples.windows.tolist() == [[0, 3], [3, 1]]
    assert question.batch.rows.tolist() == [[START, 4]]
    assert question.target.tolist() == [5]
    assert [part.tolist() for part in question.seen] == [[0], [4]]
    rest = without_last(data.sequences, np.array([1]))
    assert (rest.rows.tolist(), rest.starts.tolist()) == ([1, 2, 3, 4], [0, 3, 4])


def test_repeats_are_no_question_and_few_users_ask_none() -> None:
    data = events(*[[1, 2, 1]] * 300, *[[1, 2]] * 300, [3])
    held = choose_held(data.sequences, TransformerConfig())
    assert len(held) == 60
    assert held.min() >= 300
    assert len(choose_held(events(*[[1, 2]] * 200).sequences, TransformerConfig())) == 0


def test_a_history_keeps_its_latest_events_and_the_moment() -> None:
    batch = history(
        np.ones(3, np.float32), max_length=3, n_scenes=2, scene=1, scenes=np.array([0, 5, 1]), ages_s=np.array([70.0, 10.0, 0.0])
    )
    assert batch.rows.tolist() == [[0, 1, 2]]
    assert batch.scenes.tolist() == [[1, 0, 2]]
    assert batch.next_scenes.tolist() == [[0, 0, 2]]
    assert batch.ages.tolist() == [[0, *age_codes(np.array([60.0, 10.0])).tolist()]]
    assert batch.next_ages.tolist() == [[0, 0, 1]]
    assert history(np.ones(1, np.float32), max_length=3).rows.tolist() == [[START, 0]]


def test_ages_by_hand() -> None:
    assert age_codes(np.array([-5.0, 0.0, 2.9, 3.0, 15.0, 1e12])).tolist() == [1, 1, 1, 2, 3, 15]
