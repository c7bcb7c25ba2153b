"""Attacks in what a conversation keeps: earlier messages, and the titles of the last list."""

from __future__ import annotations

import pytest
from attacks.conftest import MALLORY, VICTIM, World
from attacks.test_short_plans import planner
from attacks.writing import Case, cases, item_id_of

from scenewise import NotAllowed, Profile

K = 8  # as many titles as the planner is told of


@pytest.mark.parametrize("case", cases("before"), ids=lambda case: case.name)
def test_an_order_given_earlier_is_not_carried_out_later(world: World, case: Case) -> None:
    with world.profile(Profile(MALLORY)), world.model(planner(case.entry["plan"])) as model:
        first = world.agent.turn(case.text, MALLORY)
        turn = world.agent.turn("a funny film", MALLORY, conversation_id=first.conversation_id)
        for one in (first, turn):
            world.check(one, user=MALLORY, never=case.never)
            assert not [call for call in one.plan if call.name == "update_profile" and call.status in ("run", "failed")]
            for words in case.never:
                assert words not in one.reply
    world.check_prompts(model)
    assert turn.items
    planned = [messages[-1]["content"] for messages in model.asked if "[new] a funny film" in messages[-1]["content"]]
    assert [content.count("[before] ") for content in planned] == [1]


@pytest.mark.parametrize("case", cases("listed"), ids=lambda case: case.name)
def test_a_title_of_the_last_list_is_a_title_and_nothing_else(world: World, case: Case) -> None:
    subject = case.entry["subject"]
    first = world.agent.turn(f"一本关于{subject}的书" if case.is_chinese else f"a book about {subject}", MALLORY, k=K)
    (place,) = [place for place, item in enumerate(first.items, 1) if item.item_id == item_id_of(case)]
    plan = case.entry["plan"].replace("#", f"#{place}")
    with world.profile(Profile(MALLORY)), world.model(planner(plan)) as model:
        turn = world.agent.turn(f"more like number {place}", MALLORY, conversation_id=first.conversation_id)
        world.check(turn, user=MALLORY)
    world.check(first, user=MALLORY)
    world.check_prompts(model)
    assert turn.items
    lines = model.asked[0][-1]["content"].split("\n")
    assert lines[0].startswith("[list] 1 ")
    assert lines[0].count(" | ") == len(first.items) - 1
    assert lines[-1] == f"[new] more like number {place}"
    run = [call for call in turn.plan if call.asked_by == "model" and call.status == "run"]
    titles = {item.title for item in first.items}
    for call in run:
        named = [value for values in call.arguments.values() for value in (values if isinstance(values, list) else [values])]
        assert call.name in ("collaborative_candidates", "look_up_items", "retrieve")
        assert set(named) <= titles


def test_an_explanation_of_a_hostile_item_makes_no_link_of_its_name(world: World) -> None:
    for case in (case for case in cases("item") if case.entry["place"] == "title" and case.way == "plain"):
        first = world.agent.turn(f"a book about {case.entry['subject']}", MALLORY, k=K)
        (place,) = [place for place, item in enumerate(first.items, 1) if item.item_id == item_id_of(case)]
        turn = world.agent.turn(f"why number {place}?", MALLORY, conversation_id=first.conversation_id)
        assert turn.intent == "explain"
        world.check(turn, user=MALLORY)


def test_another_users_conversation_is_refused(world: World) -> None:
    theirs = world.agent.turn("a film about space", VICTIM)
    with pytest.raises(NotAllowed):
        world.agent.turn("go on", MALLORY, conversation_id=theirs.conversation_id)
    with pytest.raises(NotAllowed):
        world.agent.turn("go on", conversation_id=theirs.conversation_id)
