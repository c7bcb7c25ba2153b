"""A process that is killed in the middle of turns: the store opens again, whole, and its conversations go on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scenewise import Agent, Settings, Store

TALK = """
import json, sys
from scenewise import Agent, Settings
with Agent.open(sys.argv[1], settings=Settings(llm_off=True)) as agent:
    conversation = None
    for place in range(10_000):
        said = ("only films please", "something shorter", "I hate horror", "not the first one again")[place % 4]
        turn = agent.turn(said, "eve", conversation_id=conversation)
        agent.tell("eve", turn.items[0].item_id if turn.items else "film-babe", "rating", 4.0)
        conversation = turn.conversation_id
        print(json.dumps([turn.turn_id, conversation]), flush=True)
"""


def kill_in_the_middle(store: Path, turns: int, after_s: float) -> list[tuple[str, str]]:
    """Let a process hold `turns` turns, kill it a moment later, and return (turn id, conversation id) of those it said were done."""
    process = subprocess.Popen([sys.executable, "-c", TALK, str(store)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    with process.stdout:
        told = [process.stdout.readline() for _ in range(turns)]
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().splitlines(keepends=True)
    assert process.wait() == -signal.SIGKILL
    return [tuple(json.loads(line)) for line in told if line.endswith("\n")]


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.0, 0.007, 0.019, 0.043])
def test_a_killed_process_loses_no_turn_that_was_answered(own_store: Path, after_s: float) -> None:
    told = kill_in_the_middle(own_store, 3, after_s)
    with Store.open(own_store, read_only=True) as store:
        assert store.find_damage() == []
        for turn_id, conversation_id in told:
            assert store.turns.get(turn_id)["conversation_id"] == conversation_id
    conversation = told[-1][1]
    with Agent.open(own_store, settings=Settings(llm_off=True)) as agent:
        last = agent.store.turns.last(conversation)
        assert last is not None
        turn = agent.turn("only films please", "eve", conversation_id=conversation)
        assert turn.items
        why = agent.turn("why the first one?", "eve", conversation_id=conversation)
        assert [item.item_id for item in why.items] == [turn.items[0].item_id]


@pytest.mark.slow
def test_a_process_killed_while_opening_leaves_the_lock_free_and_the_caches_usable(small_agent: Agent, own_store: Path) -> None:
    expected = [item.item_id for item in small_agent.turn("only films please", "eve").items]
    shutil.rmtree(own_store / "cache")
    process = subprocess.Popen([sys.executable, "-c", TALK, str(own_store)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not any((own_store / "cache").rglob("*")) and time.monotonic() < until:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with Agent.open(own_store, settings=Settings(llm_off=True)) as agent:
        assert [item.item_id for item in agent.turn("only films please", "eve").items] == expected
