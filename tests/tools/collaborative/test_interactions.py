import numpy as np
import pytest

from scenewise.store.events import EventArrays
from scenewise.store.types import Event, Item, ItemId, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.interactions import Worth, from_columns, interactions_of, learn_worth

Row = tuple[str, str, str, float | None, float]


def arrays_of(rows: list[Row]) -> EventArrays:
    users, items = sorted({row[0] for row in rows}), sorted({row[1] for row in rows})
    return EventArrays(
        tuple(map(UserId, users)),
        tuple(map(ItemId, items)),
        np.array([users.index(row[0]) for row in rows], dtype=np.int32),
        np.array([items.index(row[1]) for row in rows], dtype=np.int32),
        np.array([np.nan if row[3] is None else row[3] for row in rows], dtype=np.float32),
        np.array([row[4] for row in rows], dtype=np.float64),
        tuple(row[2] for row in rows),
    )


def catalogue_of(*names: str) -> Catalogue:
    return Catalogue.from_items(Item(ItemId(name), "movies", name) for name in names)


@pytest.mark.parametrize(
    ("kind", "value", "worth"),
    [
        ("rating", 5.0, 1.0),
        ("rating", 3.5, 1.0),
        ("rating", 3.0, 0.6),
        ("rating", 2.0, 0.3),
        ("rating", 0.0, 0.3),
        ("rating", None, 1.0),
        ("play", 240.0, 1.0),
        ("play", 0.0, 0.3),
        ("Skip", None, 0.0),
        ("dislike", 5.0, 0.0),
    ],
)
def test_worth_on_a_scale_of_five(kind: str, value: float | None, worth: float) -> None:
    assert Worth({"rating": 5.0}).of(kind, value) == worth


def test_worth_of_a_history() -> None:
    history = [Event(UserId("u"), ItemId("a"), "rating", 1.0, 0.0), Event(UserId("u"), ItemId("b"), "view", None, 1.0)]
    assert Worth({"rating": 5.0}).of_events(history).tolist() == pytest.approx([0.3, 1.0])


def test_scales_are_the_highest_values_of_rating_kinds() -> None:
    rows: list[Row] = [("u", "a", "rating", 4.0, 0.0), ("u", "b", "rating", 10.0, 1.0), ("u", "a", "play", 7.0, 2.0)]
    assert learn_worth(arrays_of(rows)).scales == {"rating": 10.0}


def test_counts_that_an_import_called_ratings_are_all_good() -> None:
    rows: list[Row] = [("u", "a", "rating", 3.0, 0.0), ("u", "b", "rating", 5000.0, 1.0)]
    worth = learn_worth(arrays_of(rows))
    assert worth.scales == {}
    assert worth.of("rating", 3.0) == 1.0


def test_matrix_and_sequences() -> None:
    rows: list[Row] = [
        ("u", "b", "rating", 5.0, 9.0),
        ("u", "a", "rating", 1.0, 1.0),
        ("u", "a", "rating", 3.0, 2.0),
        ("v", "c", "skip", None, 1.0),
        ("v", "x", "rating", 5.0, 1.0),
    ]
    arrays = arrays_of(rows)
    got = interactions_of(arrays, catalogue_of("a", "b", "c"), learn_worth(arrays))  # x is not in the catalogue
    assert got.matrix.toarray().tolist() == pytest.approx(np.array([[0.6, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    assert got.sequences.rows.tolist() == [0, 0, 1]
    assert got.sequences.starts.tolist() == [0, 3, 3]
    assert got.worth.tolist() == pytest.approx([0.3, 0.6, 1.0])


def test_hold_back_takes_the_last_events_and_leaves_no_trace_of_them() -> None:
    users, rows = np.array([0, 0, 0, 1]), np.array([2, 0, 1, 2])
    data = from_columns(users, rows, np.array([0.0, 1.0, 2.0, 0.0]), np.ones(4, np.float32), shape=(2, 3))
    rest, held = data.hold_back(2)
    assert [(one.user, one.rows.tolist(), one.target) for one in held] == [(0, [2], 0), (0, [2, 0], 1)]
    assert rest.sequences.rows.tolist() == [2, 2]
    assert rest.matrix.toarray().tolist() == [[0, 0, 1], [0, 0, 1]]


def test_hold_back_does_not_ask_for_what_the_user_had_before() -> None:
    data = from_columns(np.zeros(3, int), np.array([1, 0, 1]), np.arange(3.0), np.ones(3, np.float32), shape=(1, 2))
    rest, held = data.hold_back()
    assert held == ()
    assert rest.sequences.rows.tolist() == [1, 0, 1]


def test_a_held_back_history_keeps_each_item_at_its_latest_event() -> None:
    worth = np.array([0.3, 1.0, 0.6, 1.0], dtype=np.float32)
    data = from_columns(np.zeros(4, int), np.array([1, 0, 1, 2]), np.arange(4.0), worth, shape=(1, 3))
    (one,) = data.hold_back()[1]
    assert one.rows.tolist() == [0, 1]
    assert one.worth.tolist() == pytest.approx([1.0, 0.6])


def test_worth_is_told_apart_by_kind_and_value_and_none_is_no_value() -> None:
    rows = [("u", "a", kind, value, 0.0) for kind in ("rating", "play", "skip") for value in (None, 5.0, 2.0, 0.0, None, 5.0)]
    got = interactions_of(arrays_of(rows), catalogue_of("a"), Worth({"rating": 5.0}))
    expected = [1.0, 1.0, 0.3, 0.3, 1.0, 1.0, 1.0, 1.0, 1.0, 0.3, 1.0, 1.0]  # skips are left out
    assert got.worth.tolist() == pytest.approx(expected)
    assert len(interactions_of(arrays_of([]), catalogue_of("a"), Worth({})).worth) == 0
