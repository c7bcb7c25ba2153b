"""Attacks in what the user writes."""

from __future__ import annotations

import pytest
from attacks.conftest import MALLORY, World
from attacks.writing import Case, cases

from scenewise import Moment, Profile, ScriptedModel
from scenewise.agent.model import Call


@pytest.mark.parametrize("case", cases("message"), ids=lambda case: case.name)
def test_a_hostile_message_changes_nothing_and_is_answered(world: World, case: Case) -> None:
    moment = Moment(locale="zh" if case.is_chinese else "en")
    with world.profile(Profile(MALLORY)):
        turn = world.agent.turn(case.text, MALLORY, moment)
        world.check(turn, user=MALLORY, never=case.never)
    assert turn.reply


@pytest.mark.parametrize("case", [case for case in cases("message") if case.way == "plain"], ids=lambda case: case.name)
def test_an_llm_that_obeys_a_hostile_message_gains_nothing(world: World, case: Case) -> None:
    """The LLM repeats the message as its query and as its copy, and calls what the message wants."""
    asked = Call("update_profile", {"action": "like", "attribute": "genre", "value": "Horror"})
    obedient = ScriptedModel(plans=[[Call("retrieve", {"query": case.text}), asked]], texts=[case.text])
    with world.profile(Profile(MALLORY)), world.model(obedient):
        turn = world.agent.turn(case.text, MALLORY, Moment(locale="en"))
        world.check(turn, user=MALLORY, never=case.never)
    assert all(item.copy != case.text for item in turn.items)
    assert all(call.status == "refused" for call in turn.plan if call.name == "update_profile" and call.asked_by == "model")


@pytest.mark.parametrize("case", [case for case in cases("message") if case.way == "plain"], ids=lambda case: case.name)
def test_a_message_reaches_the_llm_only_as_the_users_own(world: World, case: Case) -> None:
    with world.profile(Profile(MALLORY)), world.model(ScriptedModel()) as model:
        world.agent.turn(case.text, MALLORY)
    for messages in model.asked[:1]:
        assert messages[0]["role"] == "system"
        assert messages[-1]["role"] == "user"
        assert sum(message["role"] == "system" for message in messages) == 1
        assert case.text[:20] not in str(messages[:-1])
