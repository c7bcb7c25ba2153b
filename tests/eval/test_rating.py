"""The rating benchmark on a small world whose ratings are known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from scenewise.eval import rating
from scenewise.eval.ctr import ALL, NO_MOMENT
from scenewise.eval.dataset import TEST, Codes, Dataset
from scenewise.store.errors import InputError
from scenewise.store.events import EventArrays
from scenewise.store.types import Item, ItemId, UserId
from scenewise.tools.catalogue.catalogue import Catalogue


def world(n: int = 400) -> Dataset:
    """Ratings are 3, one more for the second half of the items, and two less or more by who is there; the weather says nothing."""
    rng = np.random.default_rng(0)
    user, item, with_whom, weather = (rng.integers(0, high, n).astype(np.int32) for high in (10, 8, 2, 3))
    value = (3 + (item >= 4) + 2 * np.where(with_whom == user % 2, 1, -1)).astype(np.float32)
    ids = tuple(UserId(f"u{k}") for k in range(10)), tuple(ItemId(f"i{k}") for k in range(8))
    arrays = EventArrays(*ids, user, item, value, np.arange(n, dtype=np.float64), ("rating",) * n)
    context = {"whom": Codes(("alone", "family"), with_whom), "weather": Codes(("a", "b", "c"), weather)}
    return Dataset("small", arrays, Catalogue.from_items(Item(one, "movies", one) for one in ids[1]), context, ordered=False)


def test_every_row_is_tested_once() -> None:
    worlds = rating.folds(world(101), seeds=(0, 1, 2))
    assert sorted(np.concatenate([one.split[TEST] for one in worlds]).tolist()) == list(range(101))
    for one in worlds:
        assert sorted(np.concatenate(one.split).tolist()) == list(range(101))
    assert [*worlds[0].inputs] == [ALL, NO_MOMENT, "without weather", "without whom"]


def test_neighbours_are_asked_for_all_that_is_tested() -> None:
    one = rating.folds(world(), seeds=(0, 1))[0]
    answer = rating.neighbours(one, "items")
    assert len(answer.said) == len(answer.true) == len(one.split[TEST])
    assert (answer.said >= one.target.min()).all()


@pytest.mark.parametrize("kind", ["use", "label"])
def test_a_set_without_ratings_is_refused(kind: str) -> None:
    data = world(20)
    with pytest.raises(InputError, match="no ratings"):
        rating.run(replace(data, arrays=replace(data.arrays, kind=(kind,) * 20)))


def test_too_few_ratings_for_the_folds_are_refused() -> None:
    with pytest.raises(InputError, match="too few"):
        rating.run(world(6), seeds=range(6))


@pytest.mark.slow
def test_the_moment_is_found_to_matter_and_the_table_is_json() -> None:
    result = rating.run(world(), seeds=(0, 1), tries=2)
    json.dumps(result, allow_nan=False)
    rows = {(row["model"], row["inputs"]): row for row in result["rows"]}
    assert rows["fm", ALL]["rmse"] < rows["biases", NO_MOMENT]["rmse"] - 0.5
    assert rows["fm", "without whom"]["rmse"] > rows["fm", ALL]["rmse"] + 0.5
    assert ("user neighbours", NO_MOMENT) in rows
