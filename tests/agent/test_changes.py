"""Items that come and go while an agent is open, in its conversations too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from worlds import write_jsonl

from scenewise import Agent, Item, ItemId, Settings
from scenewise.tools.retrieval.encoders import Encoders

QUIET = Settings(llm_off=True)
ROBOTS = Item(ItemId("film-robots"), "movies", "Robots in Love", "Two robots fall in love.", {"genre": ("Comedy", "Romance")}, 2024)


def titles(agent: Agent, text: str, **more: str) -> list[str]:
    return [item.title for item in agent.recommend("eve", text=text, k=20, **more).items]


def test_what_is_put_is_recommended_and_what_is_deleted_is_not(own_store: Path, encoders: Encoders) -> None:
    with Agent.open(own_store, settings=QUIET, encoders=encoders) as agent:
        assert "Robots in Love" not in titles(agent, "a film about robots who fall in love")
        assert agent.put_items([ROBOTS]) == 1
        assert agent.put_items([ROBOTS]) == 0
        assert "Robots in Love" in titles(agent, "a film about robots who fall in love")
        assert agent.delete_items([ROBOTS.item_id, "nobody"]) == 1
        assert "Robots in Love" not in titles(agent, "a film about robots who fall in love")


def test_what_another_process_writes_counts_in_the_next_turn(own_store: Path, encoders: Encoders, tmp_path: Path) -> None:
    row = {"item_id": "film-robots", "domain": "movies", "title": "Robots in Love", "text": "Two robots fall in love."}
    file = write_jsonl(tmp_path / "one.jsonl", [row])
    put = [sys.executable, "-m", "scenewise", "item", "put", str(file), "--store", str(own_store)]
    with Agent.open(own_store, settings=QUIET, encoders=encoders) as agent:
        subprocess.run(put, check=True, capture_output=True)
        assert "Robots in Love" in titles(agent, "a film about robots who fall in love")
        subprocess.run([*put[:4], "delete", "film-robots", *put[-2:]], check=True, capture_output=True)
        assert "Robots in Love" not in titles(agent, "a film about robots who fall in love")


def test_a_deleted_item_keeps_its_place_in_the_last_list_and_is_not_spoken_of(own_store: Path, encoders: Encoders) -> None:
    with Agent.open(own_store, settings=QUIET, encoders=encoders) as agent:
        turn = agent.turn("only films please", "eve")
        first, second, third = turn.items[:3]
        agent.delete_items([second.item_id])

        def say(text: str) -> str:
            return agent.turn(text, "eve", conversation_id=turn.conversation_id).reply

        assert say("why the second one?") == "That one is no longer in the catalogue: ask for something else."
        assert third.title in say("why the third one?")
        assert first.title in say("why the first one?")
        assert say("why the ninth one?").startswith("The last list has 5 items")
        more = agent.turn("more like the second one", "eve", conversation_id=turn.conversation_id)
        assert second.item_id not in {item.item_id for item in more.items}
        assert second.title not in more.reply


WRITE = """
import os, signal, sys
from scenewise import Agent, Item, ItemId, Settings
from scenewise.tools.retrieval.index import VectorIndex
change, left = VectorIndex.change, [int(sys.argv[2])]
def cut(self, *args, **more):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    change(self, *args, **more)
VectorIndex.change = cut
with Agent.open(sys.argv[1], settings=Settings(llm_off=True)) as agent:
    agent.store.items.delete([ItemId("film-babe")])
    agent.put_items([Item(ItemId("film-robots"), "movies", "Robots in Love", "Two robots fall in love.", {"genre": ("Comedy",)}, 2024)])
"""


@pytest.mark.slow
@pytest.mark.parametrize("indexed", [0, 1])
def test_killed_between_the_store_and_its_caches_the_next_start_is_right(own_store: Path, encoders: Encoders, indexed: int) -> None:
    done = subprocess.run([sys.executable, "-c", WRITE, str(own_store), str(indexed)], stderr=subprocess.DEVNULL, env={**os.environ})
    assert done.returncode == -signal.SIGKILL
    with Agent.open(own_store, settings=QUIET, encoders=encoders) as agent:
        assert not agent._box.retriever.stale()
        for encoder in (encoders.english, encoders.multilingual):
            ids = set(agent._box.retriever._index.vectors(encoder.name)[0])
            assert ids == set(agent.store.items.ids())
        assert "Robots in Love" in titles(agent, "a film about robots who fall in love")
        assert "Babe" not in titles(agent, "a film with animals for children")
