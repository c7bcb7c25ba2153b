"""The LLM itself is hostile: what it plans and what it writes."""

from __future__ import annotations

import json

import pytest
from attacks.conftest import World
from attacks.writing import HUGE, Case, calls_of, cases

from scenewise import Profile, ScriptedModel, Taste, UserId
from scenewise.agent.model import Call

MAX_RECORD = 100_000  # characters that a turn's record may have, however much the LLM said


def call_of(call: dict[str, object]) -> Call:
    """A call as the client hands it on."""
    arguments = call["arguments"]
    assert isinstance(arguments, dict)
    return Call(str(call["name"]), arguments)


@pytest.mark.parametrize("case", cases("plan"), ids=lambda case: case.name)
def test_a_hostile_plan_runs_only_what_the_request_bears_out(world: World, case: Case) -> None:
    user, calls, taste = UserId("dan"), calls_of(case), case.entry.get("taste")
    with world.profile(Profile(user)), world.model(ScriptedModel(plans=[[call_of(call) for call in calls]])):
        turn = world.agent.turn(case.entry.get("message", "a film about space"), user)
        kept = world.agent.store.profiles.get(user)
        world.check(turn, user=user, changed=[Taste(taste[1], taste[2])] if taste else [])
    asked = [call for call in turn.plan if call.asked_by == "model"]
    assert len(asked) == len(calls)
    assert {place for place, call in enumerate(asked) if call.status in ("run", "failed")} <= set(case.entry.get("runs", ()))
    assert all(call.note for call in asked if call.status == "refused")
    if taste:
        assert [one.value.casefold() for one in getattr(kept, f"{taste[0]}s")] == [taste[2].casefold()]
    assert turn.items
    assert turn.degraded == ()


REFUSED_WHOLLY = [case for case in cases("plan") if not (case.entry.get("runs") or case.entry.get("message"))]


@pytest.mark.parametrize("case", REFUSED_WHOLLY, ids=lambda case: case.name)
def test_a_hostile_plan_does_not_change_the_list(world: World, case: Case) -> None:
    """What is refused leaves no trace in the ranking: the list is the one that the default plan gives."""
    alone = world.agent.turn("a film about space", "dan")
    with world.model(ScriptedModel(plans=[[call_of(call) for call in calls_of(case)]])):
        turn = world.agent.turn("a film about space", "dan")
    assert [item.item_id for item in turn.items] == [item.item_id for item in alone.items]


def test_a_huge_plan_makes_no_huge_record(world: World) -> None:
    plan = [Call("retrieve", {"query": HUGE}), Call(HUGE, {HUGE: HUGE})]
    with world.model(ScriptedModel(plans=[plan])):
        turn = world.agent.turn("a film about space", "dan")
    assert len(json.dumps(world.agent.store.turns.get(turn.turn_id))) < MAX_RECORD


@pytest.mark.parametrize("case", cases("copy"), ids=lambda case: case.name)
def test_hostile_copy_is_replaced_and_marked(world: World, case: Case) -> None:
    with world.model(ScriptedModel(texts=[case.text])):
        turn = world.agent.turn("only films please, a comedy", "hal", k=6)
    world.check(turn, user="hal", never=[case.text])
    assert len(turn.items) > 2
    for item in turn.items:
        assert item.copy_source == "template"
        assert item.refused
        assert case.text not in turn.reply


@pytest.mark.parametrize("case", [case for case in cases("copy") if case.way == "plain"], ids=lambda case: case.name)
def test_hostile_copy_after_a_true_sentence_is_refused_whole(world: World, case: Case) -> None:
    with world.model(ScriptedModel(texts=[f"A film. {case.text}"[:158]])):
        turn = world.agent.turn("only films please, a comedy", "hal", k=4)
    world.check(turn, user="hal", never=[case.text])
    assert all(item.copy_source == "template" for item in turn.items)
