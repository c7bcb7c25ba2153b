"""An open agent takes newly trained models up at its next turn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scenewise import Agent, Event, Item, ItemId, Settings, Store
from scenewise.tools.features import encode_items
from scenewise.tools.ranking.artefacts import versions
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.toolbox import Toolbox
from scenewise.tools.training.train import Order, train_store

QUIET = Settings(llm_off=True)


@pytest.fixture(autouse=True, scope="module")
def encoded(small_store: Path, encoders: Encoders) -> None:
    """Encode the items once: copies of the store have the cache."""
    with Store.open(small_store, read_only=True) as store:
        encode_items(list(store.items.all()), encoders, cache=store.cache / "features")


def train_elsewhere(store: Path) -> str:
    """Train in another process, and return the version."""
    code = """
import sys
from scenewise import Store
from scenewise.tools.retrieval.encoders import default_encoders
from scenewise.tools.training.train import Order, train_store
with Store.open(sys.argv[1], read_only=True) as store:
    print(train_store(store, default_encoders(), Order(parts=frozenset({"sources", "fusion"}))).version)
"""
    return subprocess.run([sys.executable, "-c", code, str(store)], capture_output=True, text=True, check=True).stdout.strip()


def test_the_next_turn_names_the_version_that_was_trained_meanwhile(own_store: Path, encoders: Encoders) -> None:
    with Agent.open(own_store, settings=QUIET, encoders=encoders) as agent:
        assert agent.recommend("eve").artefact is None
        first = train_elsewhere(own_store)
        box = agent._box
        turn = agent.recommend("eve")
        assert turn.artefact == first
        assert agent.store.turns.get(turn.turn_id)["artefact"] == first
        assert agent._box.retriever is box.retriever  # nothing else was made anew
        assert agent._box.graph is box.graph
        assert box.artefact is None  # a turn that was under way goes on with what it had
        agent.tell("eve", "film-duck-soup", "rating", 5.0)  # the agent writes while the other process trains
        second = train_elsewhere(own_store)
        assert agent.recommend("eve").artefact == second > first
    with Agent.open(own_store, settings=QUIET, encoders=encoders) as agent:
        assert agent.recommend("eve").artefact == second


def train(store: Path, encoders: Encoders) -> str:
    """Train here, on what is there."""
    with Store.open(store, read_only=True) as opened:
        return train_store(opened, encoders, Order(parts=frozenset({"sources", "fusion"}))).version


def spoil(store: Path) -> None:
    """Damage the current version."""
    (versions(store / "models")[0] / "fusion.json").write_text("{}")


def test_damaged_models_break_no_turn(own_store: Path, encoders: Encoders, caplog: pytest.LogCaptureFixture) -> None:
    first = train(own_store, encoders)
    with Agent.open(own_store, settings=QUIET, encoders=encoders) as agent:
        second = train(own_store, encoders)
        spoil(own_store)
        turn = agent.recommend("eve")
        assert turn.items
        assert turn.artefact == first
        assert second in caplog.text
    with Agent.open(own_store, settings=QUIET, encoders=encoders) as agent:
        assert agent.recommend("eve").artefact == first  # the one before serves
    for version in versions(own_store / "models"):
        (version / "manifest.json").unlink()
    with Agent.open(own_store, settings=QUIET, encoders=encoders) as agent:
        turn = agent.recommend("eve")
        assert turn.items
        assert turn.artefact is None


def test_a_version_serves_on_when_items_come_and_go(own_store: Path, encoders: Encoders) -> None:
    version = train(own_store, encoders)
    with Store.open(own_store) as store:
        box = Toolbox.open(store, encoders)
        history = store.events.of_user("eve")
        before = _told(box, history)
        store.items.upsert([Item(ItemId("film-aaa"), "movies", "A new film")])
        store.items.delete([ItemId("film-alien")])
        box = box.fresh()
        assert box.artefact == version
        assert box.catalogue.row(ItemId("film-aaa")) is not None
        after = _told(box, history)
        assert "film-alien" not in {item for _, item in after}
        shared = before.keys() & after.keys()
        assert shared
        assert {item: before[item] for item in shared} == {item: after[item] for item in shared}
        store.items.delete([item.item_id for item in box.catalogue.items])
        store.items.upsert([Item(ItemId("other"), "movies", "Of another catalogue")])
        assert box.fresh().artefact is None


def _told(box: Toolbox, history: list[Event]) -> dict[tuple[str, str], float]:
    """What the sources but content, which depends on all items there are, say of the candidates."""
    found = box.collaborative.candidates(history, 10, allowed=np.ones(box.catalogue.n, dtype=bool))
    return {(one.source, one.item_id): one.score for one in found if one.source != "content_knn"}
