"""One model for all scenes against a blind one and one a scene, where what is taken depends on the scene alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scenewise.eval.cross_scene import NAMES, hold_back, run, scenes_of
from scenewise.eval.dataset import Codes, Dataset
from scenewise.eval.protocols import interactions
from scenewise.store.errors import InputError
from scenewise.store.events import EventArrays
from scenewise.store.types import Item, ItemId, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.ranking.transformer import TransformerConfig

N_USERS, N_EVENTS, N_ITEMS = 60, 30, 12


def dataset() -> Dataset:
    """In the morning people take one of the first six items, in the evening one of the others."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(N_USERS, dtype=np.int32), N_EVENTS)
    evening = rng.integers(0, 2, len(user)).astype(np.int32)
    item = (rng.integers(0, 6, len(user)) + 6 * evening).astype(np.int32)
    ids = tuple(ItemId(f"i{number:02}") for number in range(N_ITEMS))
    users = tuple(UserId(f"u{number:02}") for number in range(N_USERS))
    time_s = np.arange(len(user), dtype=np.float64)
    arrays = EventArrays(users, ids, user, item, np.full(len(user), np.nan, dtype=np.float32), time_s, ("play",) * len(user))
    context = {"daytime": Codes(("morning", "evening"), evening), "place": Codes((), np.full(len(user), -1, dtype=np.int32))}
    return Dataset("made", arrays, Catalogue.from_items(Item(one, "music", one) for one in ids), context=context)


def test_scenes_are_the_frequent_combinations() -> None:
    codes, names = scenes_of(dataset(), ["daytime", "place"])
    assert sorted(names) == ["evening ?", "morning ?"]
    counts = np.bincount(codes)
    assert counts[0] >= counts[1]
    few, only = scenes_of(dataset(), ["daytime"], most=1)
    assert len(only) == 1
    assert (few == -1).sum() == counts[1]


@pytest.mark.parametrize("columns", [[], ["weather"]])
def test_columns_that_are_not_there_are_refused(columns: list[str]) -> None:
    with pytest.raises(InputError, match="daytime, place"):
        scenes_of(dataset(), columns)


def test_nothing_held_back_is_fitted_on() -> None:
    data = dataset()
    events = interactions(data, scenes=scenes_of(data, ["daytime"])[0])
    train, questions = hold_back(events, 1)
    assert len(train.worth) + len(questions) == data.arrays.n
    times_s = {*train.sequences.times_s.tolist()}
    assert not times_s & {question.now_s for question in questions}
    assert all(question.scenes is not None and len(question.scenes) == len(question.rows) for question in questions)


@pytest.mark.slow
def test_who_sees_the_scene_tells_the_item() -> None:
    table = run(
        dataset(),
        columns=["daytime"],
        seeds=(0,),
        config=TransformerConfig(dim=16, blocks=1, heads=1, epochs=40, patience=40, lr=0.01, tokens=256),
    )
    assert json.loads(json.dumps(table)) == table
    row = table["rows"][-1]
    assert row["scene"] == "all"
    # who knows the scene ranks 1 to 6 by chance, mean gain .55; who does not, 1 to 12: .38
    assert row[NAMES[0]] == pytest.approx(0.55, abs=0.05)
    assert row[NAMES[1]] < 0.45
    assert row["against_blind"]["low"] > 0
    assert table["scenes_that_lose"] == []
