"""A kept turn answered once more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from scenewise import Agent, InputError, Moment, NotFound, Place, Settings, UserId
from scenewise.tools.retrieval.encoders import Encoders

TRAIN = Moment(device="phone", local_time=datetime(2025, 10, 6, 8, 10), place=Place("train", latitude=48.1, longitude=11.5, speed_mps=20.0))
TALK = (
    ("something funny for the train", TRAIN),
    ("not the first one", TRAIN),
    ("why the second one?", TRAIN),
    ("no, I'm at home", TRAIN),
    ("I hate westerns", None),
    ("only films please", None),
)


@pytest.fixture
def agent(own_store: Path, encoders: Encoders) -> Iterator[Agent]:
    """An agent of its own without an LLM, whose store may be changed."""
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders, clock=lambda: 1_760_000_000.0) as agent:
        yield agent


def test_every_turn_of_a_conversation_is_answered_as_it_was(agent: Agent) -> None:
    for user in ("eve", None):
        turns, talk = [], None
        for text, moment in TALK:
            turns.append(agent.turn(text, user, moment, conversation_id=talk))
            talk = turns[-1].conversation_id
        profile = agent.export_user(user)["profile"] if user else None
        for turn in turns:
            again = agent.replay(turn.turn_id)
            changed = {"calls", "items", "reply"} if user else set()  # what was told meanwhile counts
            assert {*again.differs} <= changed, (turn.message, again.differs)
            assert again.now.scene_probability == pytest.approx(turn.scene_probability, abs=0.05 if user else 1e-6)
        assert agent.store.turns.of_conversation(talk or "")[-1]["turn_id"] == turns[-1].turn_id
        assert user is None or agent.export_user(user)["profile"] == profile


def test_what_has_changed_since_is_named(agent: Agent) -> None:
    turn = agent.turn("a funny film", k=3)
    first = turn.items[0]
    agent.delete_items([first.item_id])
    again = agent.replay(turn.turn_id)
    assert "items" in again.differs
    assert "scene" not in again.differs
    assert first.item_id not in [item.item_id for item in again.now.items]
    assert [item.item_id for item in again.before.items] == [item.item_id for item in turn.items]


def test_nothing_is_written(agent: Agent) -> None:
    turn = agent.turn("I hate westerns", "eve")
    agent.edit_profile("eve", "remove", "genre", "Western")
    kept = agent.store.turns.get(turn.turn_id)
    before = agent.export_user("eve")
    asyncio.run(agent.areplay(turn.turn_id))
    assert agent.store.turns.get(turn.turn_id) == kept
    assert agent.export_user("eve") == before


def test_of_the_moment_no_coordinates_are_kept(agent: Agent) -> None:
    turn = agent.turn("something funny for the train", "eve", TRAIN)
    assert "48.1" not in str(agent.store.turns.get(turn.turn_id)["given"])
    assert '"train"' in agent.store.turns.get(turn.turn_id)["given"]["moment"]


def test_a_turn_that_is_not_there_or_too_old(agent: Agent) -> None:
    with pytest.raises(NotFound):
        agent.replay("nothing")
    turn = agent.turn("a funny film")
    record = {name: value for name, value in agent.store.turns.get(turn.turn_id).items() if name != "given"}
    agent.store.turns.save(turn.turn_id, turn.conversation_id, user_id="anonymous", time_s=turn.time_s, record=record)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="began with"):
        agent.replay(turn.turn_id)


def test_warming_up_leaves_no_trace(agent: Agent) -> None:
    before = agent.store.turns.conversations(UserId("anonymous"))
    agent.warm_up()
    assert agent.store.turns.conversations(UserId("anonymous")) == before
    assert agent.turn("something funny for tonight", k=2).items
