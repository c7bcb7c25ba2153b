"""Splits: nothing that is asked for is fitted on, nothing is fitted on that came later, and validation lies within train."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from scenewise.eval import protocols
from scenewise.eval.dataset import TEST, TRAIN, VALIDATION, Dataset
from scenewise.eval.protocols import Question, Split
from scenewise.store.errors import InputError
from scenewise.store.events import EventArrays
from scenewise.store.types import Item, ItemId, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.interactions import Interactions

Row = tuple[int, int, float]  # user, item, time
DOMAINS = ("books", "movies", "music")


def make(rows: list[Row], *, part: list[int] | None = None, ordered: bool = True) -> Dataset:
    """A data set of these events; items 0, 3, 6, ... are books, 1, 4, ... movies, 2, 5, ... music."""
    users, items, times_s = (np.asarray(column) for column in zip(*rows, strict=True))
    ids = tuple(ItemId(f"{number:06}") for number in range(items.max() + 1))
    n = len(rows)
    arrays = EventArrays(
        tuple(UserId(f"{number:06}") for number in range(users.max() + 1)),
        ids,
        users.astype(np.int32),
        items.astype(np.int32),
        np.full(n, np.nan, dtype=np.float32),
        times_s.astype(np.float64) if ordered else np.arange(n, dtype=np.float64),
        ("play",) * n,
    )
    catalogue = Catalogue.from_items(Item(one, DOMAINS[number % 3], one) for number, one in enumerate(ids))
    parts = None if part is None else np.asarray(part, dtype=np.int8)
    return Dataset("made", arrays, catalogue, part=parts, ordered=ordered)


def pairs_of(events: Interactions) -> set[tuple[int, int]]:
    return set(zip(events.sequences.user_of_event().tolist(), events.sequences.rows.tolist(), strict=True))


def asked_of(split: Split) -> set[tuple[int, int]]:
    return {(case.user, target) for case in split.cases for target in case.targets.tolist()}


def case_of(split: Split, user: int) -> Question:
    return next(case for case in split.cases if case.user == user)


def many(n_users: int, n_items: int, per_user: int) -> list[Row]:
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(n_users), per_user)
    return list(zip(users.tolist(), rng.integers(0, n_items, len(users)).tolist(), rng.integers(0, 500, len(users)).tolist(), strict=True))


MADE = many(60, 40, 12)
SPLITS: dict[str, Callable[[Dataset, int], tuple[Split, Split]]] = {
    "leave_one_out": lambda data, seed: protocols.leave_one_out(protocols.interactions(data), seed),
    "temporal": lambda data, seed: protocols.temporal(protocols.interactions(data), seed),
    "given": lambda data, seed: protocols.given(replace(data, part=(np.arange(data.arrays.n) % 4 == 3).astype(np.int8) * TEST), seed),
    "cold_items": lambda data, seed: protocols.cold_items(data, seed=seed),
    "new_to_domain": lambda data, seed: protocols.new_to_domain(data, "books", seed),
}


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("name", SPLITS)
@settings(deadline=None, max_examples=25)
@drawn(
    rows=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8), st.integers(0, 6)), min_size=2, max_size=60),
    seed=st.integers(0, 3),
)
def test_no_target_is_in_what_is_fitted_on_or_in_its_question(name: str, *, ordered: bool, rows: list[Row], seed: int) -> None:
    data = make([(user, item, float(time_s)) for user, item, time_s in rows], ordered=ordered)
    try:
        validation, test = SPLITS[name](data, seed)
    except InputError:
        return  # one time only, or nobody with events in two domains
    for split in (validation, test):
        assert not asked_of(split) & pairs_of(split.train)
        for case in split.cases:
            assert not {*case.targets.tolist()} & {*case.rows.tolist()}
            assert len({*case.targets.tolist()}) == len(case.targets) == len(case.target_worth) > 0
            assert len({*case.rows.tolist()}) == len(case.rows) == len(case.worth) == len(case.times_s) > 0
            assert (np.diff(case.times_s) >= 0).all()
    assert not asked_of(test) & (pairs_of(validation.train) | asked_of(validation))
    assert pairs_of(validation.train) <= pairs_of(test.train)
    assert asked_of(validation) <= pairs_of(test.train) or name == "temporal"
    if name in ("leave_one_out", "given", "cold_items", "new_to_domain"):
        assert all(
            {*case.rows.tolist()} == {item for user, item in pairs_of(split.train) if user == case.user}
            for split in (validation, test)
            for case in split.cases
        )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_temporal_fits_on_nothing_at_or_after_the_cutoff(seed: int) -> None:
    data = make(MADE)
    validation, test = SPLITS["temporal"](data, seed)
    assert validation.cutoff_s is not None
    assert test.cutoff_s is not None
    assert validation.cutoff_s < test.cutoff_s
    for split in (validation, test):
        assert len(split.cases) > 10
        assert split.train.sequences.times_s.max() < split.cutoff_s
        late = {(user, item) for user, item, time_s in MADE if time_s >= split.cutoff_s}
        early = {(user, item) for user, item, time_s in MADE if time_s < split.cutoff_s}
        assert not (late - early) & {*zip(*(side.tolist() for side in split.train.matrix.nonzero()), strict=True)}
        for case in split.cases:
            assert case.now_s >= split.cutoff_s
            assert (case.times_s <= case.now_s).all()
    assert all(case.now_s < test.cutoff_s and (case.times_s < test.cutoff_s).all() for case in validation.cases)


def test_a_temporal_question_holds_what_its_user_did_after_the_cutoff() -> None:
    rows = [(0, item, float(item)) for item in range(18)] + [(1, 0, 1.0), (1, 1, 98.0), (1, 2, 99.0)]
    _, test = SPLITS["temporal"](make(rows), 0)
    asked = [(case.rows.tolist(), case.targets.tolist(), case.now_s) for case in test.cases if case.user == 1]
    assert asked == [([0], [1], 98.0), ([0, 1], [2], 99.0)]
    assert pairs_of(test.train) & {(1, 1), (1, 2)} == set()


def test_a_temporal_split_asks_ten_events_of_a_user_at_most_and_none_of_a_known_item() -> None:
    rows = (
        [(0, item, float(item)) for item in range(200)] + [(1, item, 200.0 + item) for item in range(15)] + [(1, 3, 220.0), (2, 0, 230.0)]
    )
    _, first = SPLITS["temporal"](make(rows), 0)
    _, second = SPLITS["temporal"](make(rows), 1)
    asked = [case.targets[0] for case in first.cases if case.user == 1]
    assert len(asked) == len({*asked}) == 10
    assert asked != [case.targets[0] for case in second.cases if case.user == 1]
    assert all(len(case.rows) == case.targets[0] for case in first.cases if case.user == 1)
    assert not [case for case in first.cases if case.user == 2]  # a first event has nothing before it


def test_leave_one_out_by_hand() -> None:
    rows = [(0, 3, 1.0), (0, 4, 2.0), (0, 3, 3.0), (0, 5, 4.0), (1, 3, 1.0), (1, 4, 2.0), (1, 3, 3.0), (2, 7, 1.0)]
    validation, test = SPLITS["leave_one_out"](make(rows), 0)
    case = case_of(test, 0)
    assert (case.rows.tolist(), case.times_s.tolist(), case.targets.tolist()) == ([4, 3], [2, 3], [5])
    assert [one.user for one in test.cases] == [0]  # the last event of user 1 is a repetition, that of user 2 the first
    assert pairs_of(test.train) >= {(1, 3), (1, 4), (2, 7)}
    assert [one.user for one in validation.cases] == []  # now user 0 ends with a repetition too
    assert len(test.train.worth) == 7


def test_ties_are_shuffled_by_seed_and_times_are_kept() -> None:
    data = make([(user, item, float(item // 5)) for user in range(30) for item in range(10)])
    targets = [[case.targets.tolist() for case in SPLITS["leave_one_out"](data, seed)[1].cases] for seed in (0, 0, 1)]
    assert targets[0] == targets[1] != targets[2]
    assert all(target >= 5 for (target,) in targets[0])


def test_where_order_says_nothing_any_event_may_be_the_last() -> None:
    data = make([(user, item, 0.0) for user in range(30) for item in range(10)], ordered=False)
    _, test = SPLITS["leave_one_out"](data, 0)
    assert len({case.targets[0] for case in test.cases}) > 5
    with pytest.raises(InputError, match="no times"):
        protocols.temporal(protocols.interactions(data), 0)


def test_places_in_a_sequence_are_no_clock() -> None:
    data = make([(user, item, float(item)) for user in range(3) for item in range(user + 2)])
    with pytest.raises(InputError, match="no times"):
        protocols.temporal(protocols.interactions(data), 0)


def test_given_parts() -> None:
    rows = [(0, 1, 0.0), (0, 2, 0.0), (0, 3, 0.0), (0, 4, 0.0), (0, 1, 0.0), (1, 1, 0.0), (1, 2, 0.0), (2, 2, 0.0)]
    data = make(rows, part=[TRAIN, VALIDATION, TEST, TEST, TEST, TRAIN, TEST, TEST], ordered=False)
    validation, test = protocols.given(data, 0)
    assert asked_of(validation) == {(0, 2)}
    assert asked_of(test) == {(0, 3), (0, 4), (1, 2)}  # (0, 1) was in train; of user 2 nothing is known
    assert pairs_of(validation.train) == {(0, 1), (1, 1)}
    assert pairs_of(test.train) == {(0, 1), (0, 2), (1, 1)}
    assert {*case_of(test, 0).rows.tolist()} == {1, 2}


def test_given_without_validation_takes_as_much_as_the_test_part_from_train() -> None:
    rows = [(user, item, float(item)) for user in range(20) for item in range(10)]
    part = [TEST if item >= 8 else TRAIN for _, item, _ in rows]
    for ordered in (True, False):
        validation, test = protocols.given(make(rows, part=part, ordered=ordered), 0)
        assert asked_of(test) == {(user, item) for user in range(20) for item in (8, 9)}
        asked = asked_of(validation)
        assert len(asked) == 20 * 2  # 20% of 8 is 2
        assert (asked == {(user, item) for user in range(20) for item in (6, 7)}) == ordered
    with pytest.raises(InputError, match="does not come split"):
        protocols.given(make(rows), 0)


def test_cold_items_have_no_event() -> None:
    validation, test = protocols.cold_items(make(MADE), 0.25, 1)
    for split, n_items in ((test, 40), (validation, 30)):
        assert split.among is not None
        cold = {*split.among.tolist()}
        assert len(cold) == round(n_items / 4)
        assert not cold & {*split.train.sequences.rows.tolist()}
        assert all({*case.targets.tolist()} <= cold for case in split.cases)
    assert asked_of(test) == {(user, item) for user, item, _ in MADE if item in {*(test.among if test.among is not None else ()).tolist()}}
    assert protocols.cold_items(make(MADE), 0.25, 2)[1].among is not None


def test_new_users_of_a_domain_have_no_event_in_it() -> None:
    data = make(MADE)
    validation, test = protocols.new_to_domain(data, "books", 0)
    for split, n_users in ((test, 12), (validation, 10)):
        assert split.among is not None
        books = {*split.among.tolist()}
        assert books == {*range(0, 40, 3)}
        asked = {case.user for case in split.cases}
        assert len(asked) == n_users
        assert not {user for user, item in pairs_of(split.train) if item in books} & asked
        assert all({*case.targets.tolist()} <= books for case in split.cases)
    assert {user for user, item in pairs_of(test.train) if item in books}  # others show what is liked there
    with pytest.raises(InputError, match="books, movies, music"):
        protocols.new_to_domain(data, "games", 0)


def test_scenes_go_with_their_events() -> None:
    data = make(MADE)
    scenes = data.arrays.item.astype(np.int16)  # so that every event's scene is known by its item
    events = protocols.interactions(data, scenes=scenes)
    parts = replace(data, part=(np.arange(data.arrays.n) % 4 == 3).astype(np.int8) * TEST)
    for split in (*protocols.leave_one_out(events, 0), *protocols.temporal(events, 0), *protocols.given(parts, 0, scenes=scenes)):
        assert split.train.sequences.scenes is not None
        assert (split.train.sequences.scenes == split.train.sequences.rows).all()
        for case in split.cases:
            assert case.scenes is not None
            assert (case.scenes == case.rows).all()
            assert case.scene == case.targets[0]


def test_shuffling_the_order_keeps_everything_else() -> None:
    _, test = SPLITS["leave_one_out"](make(MADE), 0)
    mixed = protocols.shuffle_order(test, 0)
    assert (mixed.train.matrix != test.train.matrix).nnz == 0
    assert pairs_of(mixed.train) == pairs_of(test.train)
    assert (mixed.train.sequences.rows != test.train.sequences.rows).any()
    assert [(case.user, {*case.rows.tolist()}, case.targets.tolist()) for case in mixed.cases] == [
        (case.user, {*case.rows.tolist()}, case.targets.tolist()) for case in test.cases
    ]


@pytest.mark.slow
def test_large_sets_are_split_in_seconds() -> None:
    data = make(many(70_000, 25_000, 10), ordered=False)
    parts = replace(data, part=(np.arange(data.arrays.n) % 5 == 4).astype(np.int8) * TEST)
    start = time.process_time()
    protocols.given(parts, 0)
    assert time.process_time() - start < 8  # measured: 2
