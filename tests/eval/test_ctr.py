"""Labels, splits and counts of the click benchmark, and its table on a small world."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from scenewise.eval import ctr
from scenewise.eval.columns import Labelled, fields, telling
from scenewise.eval.dataset import TEST, TRAIN, VALIDATION, Codes, Dataset
from scenewise.store.errors import InputError
from scenewise.store.events import EventArrays
from scenewise.store.types import Item, ItemId, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.factorisation import Words


def world(n: int = 300, kind: str = "rating", n_items: int = 6) -> Dataset:
    """What is liked is decided by item and time of day together; loud is a number of the item, age one of the user."""
    rng = np.random.default_rng(0)
    user, item, day = (rng.integers(0, high, n).astype(np.int32) for high in (5, n_items, 2))
    value = np.where((item + day) % 2 == 0, 5, 1).astype(np.float32)
    ids = tuple(UserId(f"u{k}") for k in range(5)), tuple(ItemId(f"i{k:02}") for k in range(n_items))
    arrays = EventArrays(*ids, user, item, value, np.arange(n, dtype=np.float64), (kind,) * n)
    items = [Item(one, "music", one, attributes={"genre": ("pop", "rock") if k else ("pop",)}) for k, one in enumerate(ids[1])]
    numbers = {"loud": item.astype(np.float32), "age": user.astype(np.float32), "heart": rng.random(n).astype(np.float32)}
    return Dataset("small", arrays, Catalogue.from_items(items), {"day": Codes(("am", "pm"), day)}, numbers, ordered=False)


def test_ratings_are_positive_from_the_middle_of_the_scale() -> None:
    data = world(4)
    data = replace(data, arrays=replace(data.arrays, value=np.array([1, 5, 3, np.nan], dtype=np.float32)))
    rows = ctr.labelled(data, 0)
    assert rows.event.tolist() == [0, 1, 2]
    assert rows.target.tolist() == [0, 1, 1]


def test_labels_that_are_all_alike_are_refused() -> None:
    data = world(4)
    with pytest.raises(InputError, match="alike"):
        ctr.labelled(replace(data, arrays=replace(data.arrays, value=np.full(4, 2, dtype=np.float32))), 0)


def test_two_negatives_an_event_were_not_used_in_that_moment() -> None:
    data = world(60, kind="use", n_items=30)
    rows = ctr.labelled(data, 0)
    day, used = data.context["day"].code, set(zip(data.arrays.user, data.arrays.item, data.context["day"].code, strict=True))
    drawn = rows.target == 0
    assert np.bincount(rows.event[drawn]).tolist() == [2] * 60
    assert not used & set(zip(data.arrays.user[rows.event[drawn]], rows.item[drawn], day[rows.event[drawn]], strict=True))
    assert rows.item.tolist() == ctr.labelled(data, 0).item.tolist()
    assert rows.item.tolist() != ctr.labelled(data, 1).item.tolist()


def test_somebody_who_used_everything_gets_no_negatives() -> None:
    data = world(400, kind="use", n_items=2)
    assert ctr.labelled(data, 0).target.all()


def test_columns_of_the_item_go_with_a_drawn_item_and_only_the_moment_s_are_left_out() -> None:
    data = world(60)
    columns, moment = fields(data, Labelled(np.array([0]), np.array([5], dtype=np.int32), np.zeros(1, dtype=np.float32)))
    assert moment == {"day", "heart"}
    assert columns["loud"].tolist() == [5]
    assert columns["age"].tolist() == [data.arrays.user[0]]
    genres = columns["item genre"]
    assert isinstance(genres, Words)
    assert genres.code.tolist() == [[0, 1]]


def test_columns_that_never_differ_tell_nothing() -> None:
    nan = np.full(2, np.nan, dtype=np.float32)
    columns = {"same": Words(("a",), np.zeros(2, dtype=np.int32)), "missing": nan, "x": np.array([1, np.nan], dtype=np.float32)}
    assert telling(columns) == {"x"}


def test_split_shares_and_given_parts() -> None:
    data = world(100)
    rows = ctr.labelled(data, 0)
    parts = ctr.split(data, rows, 0)
    assert [len(part) for part in parts] == [80, 10, 10]
    assert sorted(np.concatenate(parts).tolist()) == list(range(100))
    given = np.repeat([TRAIN, VALIDATION, TEST], [50, 20, 30]).astype(np.int8)
    assert [len(part) for part in ctr.split(replace(data, part=given), rows, 0)] == [50, 20, 30]
    without = np.where(given == VALIDATION, TRAIN, given).astype(np.int8)
    train, validation, test = ctr.split(replace(data, part=without), rows, 0)
    assert test.tolist() == list(range(70, 100))
    assert len(validation) > 0
    assert len(train) + len(validation) == 70


def test_a_word_of_the_context_may_be_the_test_part() -> None:
    data = world(100)
    _, _, test = ctr.split(data, ctr.labelled(data, 0), 0, test_on="day=pm")
    assert test.tolist() == np.flatnonzero(data.context["day"].code == 1).tolist()
    for wrong in ("day", "day=noon", "night=pm"):
        with pytest.raises(InputError, match="context"):
            ctr.split(data, ctr.labelled(data, 0), 0, test_on=wrong)


def test_uses_are_counted_in_training_without_the_row_itself() -> None:
    data = world(5)
    user, item = np.array([0, 0, 0, 1, 0], dtype=np.int32), np.array([2, 2, 2, 2, 3], dtype=np.int32)
    data = replace(data, arrays=replace(data.arrays, user=user, item=item))
    rows = Labelled(np.arange(5), item, np.array([1, 1, 0, 1, 1], dtype=np.float32))
    counts = ctr.uses(data, rows, np.array([0, 1, 2, 4]))  # row 3 is held back
    assert np.expm1(counts[ctr.OF_PAIR]).round().tolist() == [1, 1, 2, 0, 0]
    assert np.expm1(counts[ctr.OF_ITEM]).round().tolist() == [1, 1, 2, 2, 0]


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(InputError, match="deepfm"):
        ctr.run(world(), model="svm")


@pytest.mark.slow
def test_the_moment_is_found_to_matter_and_the_table_is_json() -> None:
    seen: list[tuple[int, int | None]] = []
    result = ctr.run(world(), model="fm", seeds=(0, 1), tries=2, progress=lambda done, total: seen.append((done, total)))
    json.dumps(result, allow_nan=False)
    rows = {(row["model"], row["inputs"]): row for row in result["rows"]}
    assert rows["fm", ctr.ALL]["auc"] > 0.9
    assert rows["fm", ctr.NO_MOMENT]["auc"] < 0.7
    assert result["dataset"]["of_the_moment"] == ["day", "heart"]
    assert seen[-1][0] == seen[-1][1]
