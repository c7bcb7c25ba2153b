"""The scene of the moment counts in what the trained models find, from the message to the list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from scenewise import Agent, Moment, Place, Settings
from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, UserId
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.training.train import Order, train_store

TRAIN = Moment(device="phone", local_time=datetime(2025, 6, 16, 8, 10), place=Place("train"))
GYM = Moment(device="watch", local_time=datetime(2025, 6, 16, 18, 10), place=Place("gym"))
NOW_S = 1_750_100_000.0


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory, encoders: Encoders) -> Iterator[Agent]:
    """Eighty people hear three of ten songs; then half of them are on a train and take song x, half are in the gym and take song y."""
    path = tmp_path_factory.mktemp("scenes") / "store"
    with Store.open(path, create=True, purpose="test") as store:
        names = [f"s{number}" for number in range(10)] + ["x", "y"]
        store.items.upsert(Item(ItemId(name), "music", f"Song {name}", attributes={"genre": ("Pop",)}) for name in names)
        for user in range(80):
            steps = [(f"s{(user // 2 + step) % 10}", None) for step in range(3)] + [("xy"[user % 2], (TRAIN, GYM)[user % 2])]
            store.events.add(
                Event(UserId(f"u{user}"), ItemId(item), "play", None, 1_750_000_000.0 + 1000.0 * user + step, moment)
                for step, (item, moment) in enumerate(steps)
            )
        store.events.add(Event(UserId("me"), ItemId(f"s{step}"), "play", None, 1_750_000_000.0 + step) for step in range(3))
    with Store.open(path, read_only=True) as store:
        train_store(store, encoders, Order(epochs=3), clock=lambda: NOW_S)
    with Agent.open(path, settings=Settings(llm_off=True), encoders=encoders, clock=lambda: NOW_S) as agent:
        yield agent


def test_two_scenes_with_opposite_favourites_give_different_lists(agent: Agent) -> None:
    places = {}
    for scene, moment in (("commute", TRAIN), ("workout", GYM)):
        turn = agent.turn("", "me", moment, k=12)
        assert turn.scene == scene
        ids = [item.item_id for item in turn.items]
        places[scene] = ids.index("x") < ids.index("y")
    assert places == {"commute": True, "workout": False}


def test_songs_that_may_come_again_come_from_collaborative_sources(agent: Agent) -> None:
    turn = agent.turn("", "me", TRAIN, k=12)
    known = {item.item_id: {score.source for score in item.sources} for item in turn.items if item.item_id in ("s0", "s1", "s2")}
    assert len(known) == 3
    assert all(sources >= {"item_knn", "popularity"} for sources in known.values())
