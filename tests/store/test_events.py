import math
import time

import numpy as np
import pytest

from scenewise.store import Event, InputError, Item, ItemId, Moment, NotFound, Store, UserId

ANN, BOB = UserId("ann"), UserId("bob")
A, B = ItemId("a"), ItemId("b")


@pytest.fixture
def shelf(store: Store) -> Store:
    store.items.upsert([Item(B, "movies", "Beta"), Item(A, "movies", "Alpha")])
    return store


def test_adding_twice_is_adding_once(shelf: Store) -> None:
    events = [Event(ANN, A, "rating", 4.0, 5.0), Event(ANN, A, "play", None, 5.0), Event(BOB, A, "rating", 1.0, 5.0)]
    assert shelf.events.add(events) == 3
    revision = shelf.revision()
    assert shelf.events.add(events) == 0
    assert shelf.revision() == revision
    assert shelf.events.count() == 3


def test_the_same_event_with_another_value_replaces_it(shelf: Store) -> None:
    shelf.events.add([Event(ANN, A, "rating", 4.0, 5.0, Moment(device="phone"))])
    revision = shelf.revision("events")
    assert shelf.events.add_rows([(ANN, A, "rating", 2.0, 5.0), (ANN, A, "rating", None, 5.0), (ANN, B, "rating", 1.0, 5.0)]) == 1
    assert shelf.revision("events") == revision + 1
    assert shelf.events.of_user(ANN) == [
        Event(ANN, B, "rating", 1.0, 5.0),
        Event(ANN, A, "rating", None, 5.0, Moment(device="phone")),  # what an import does not know stays
    ]


def test_of_user_gives_the_newest_oldest_first(shelf: Store) -> None:
    shelf.events.add([Event(ANN, A, "play", None, float(t)) for t in (3, 1, 5, 2, 4)] + [Event(BOB, A, "play", None, 9.0)])
    assert [event.time_s for event in shelf.events.of_user(ANN)] == [1, 2, 3, 4, 5]
    assert [event.time_s for event in shelf.events.of_user(ANN, limit=2)] == [4, 5]
    assert shelf.events.of_user(ANN, limit=0) == []
    assert shelf.events.of_user(UserId("nobody")) == []


def test_events_of_unknown_items_are_refused_before_anything_is_written(shelf: Store) -> None:
    with pytest.raises(NotFound, match="1 items"):
        shelf.events.add_rows([(ANN, A, "play", None, 1.0), (ANN, ItemId("none"), "play", None, 2.0)])
    assert shelf.events.count() == 0
    assert not shelf.users.exists(ANN)


@pytest.mark.parametrize(
    "event",
    [
        Event(ANN, A, "play", None, math.nan),
        Event(ANN, A, "play", None, math.inf),
        Event(ANN, A, "", None, 1.0),
        Event(UserId(""), A, "play", None, 1.0),
        Event(UserId("\ud800"), A, "play", None, 1.0),
        Event(ANN, A, "play", None, 1.0, Moment(available_min=math.nan)),
    ],
)
def test_what_cannot_be_an_event_is_refused(shelf: Store, event: Event) -> None:
    with pytest.raises(InputError):
        shelf.events.add([Event(BOB, A, "play", None, 1.0), event])
    assert shelf.events.count() == 0


def test_arrays_are_the_events_as_columns(shelf: Store) -> None:
    shelf.users.upsert(UserId("zoe"), {})
    shelf.events.add([Event(BOB, B, "rating", 4.5, 2.0), Event(ANN, A, "play", None, 1.5e9), Event(BOB, A, "play", 0.0, 1.0)])
    arrays = shelf.events.arrays()
    assert arrays.user_ids == (ANN, BOB, "zoe")
    assert arrays.item_ids == (A, B)
    assert arrays.n == 3
    assert (arrays.user.dtype, arrays.item.dtype) == (np.int32, np.int32)
    assert (arrays.value.dtype, arrays.time_s.dtype) == (np.float32, np.float64)
    rows = set(zip(arrays.user.tolist(), arrays.item.tolist(), arrays.time_s.tolist(), arrays.kind, strict=True))
    assert rows == {(1, 1, 2.0, "rating"), (0, 0, 1.5e9, "play"), (1, 0, 1.0, "play")}
    assert dict(zip(arrays.time_s.tolist(), arrays.value.tolist(), strict=True))[2.0] == 4.5
    assert np.isnan(arrays.value).sum() == 1


def test_arrays_of_an_empty_store_are_empty(store: Store) -> None:
    arrays = store.events.arrays()
    assert (arrays.n, arrays.user_ids, arrays.item_ids, arrays.kind) == (0, (), (), ())
    assert arrays.user.shape == arrays.item.shape == arrays.value.shape == arrays.time_s.shape == (0,)


@pytest.mark.slow
def test_a_million_events_are_added_and_read_in_reasonable_time(store: Store) -> None:
    n_users, n_items, n = 20_000, 5_000, 1_000_000
    store.items.upsert(Item(ItemId(f"i{number}"), "movies", "") for number in range(n_items))
    rng = np.random.default_rng(0)
    picks = zip(rng.integers(n_users, size=n).tolist(), rng.integers(n_items, size=n).tolist(), strict=True)
    rows = [(UserId(f"u{user}"), ItemId(f"i{item}"), "rating", 3.0, float(t)) for t, (user, item) in enumerate(picks)]
    began_s = time.process_time()
    assert sum(store.events.add_rows(rows[start : start + 20_000]) for start in range(0, n, 20_000)) == n
    added_s = time.process_time()
    arrays = store.events.arrays()
    read_s = time.process_time()
    assert arrays.n == n
    assert added_s - began_s < 30  # CPU seconds: about 8 where nothing else runs
    assert read_s - added_s < 8  # about 2
    by_time = np.argsort(arrays.time_s)
    assert [arrays.user_ids[user] for user in arrays.user[by_time[:100]]] == [row[0] for row in rows[:100]]
    assert [arrays.item_ids[item] for item in arrays.item[by_time[-100:]]] == [row[1] for row in rows[-100:]]
