"""Attacks in what an item says of itself."""

from __future__ import annotations

import re

import pytest
from attacks.conftest import MALLORY, World, told
from attacks.writing import Case, cases, item_id_of

from scenewise import Moment, ScriptedModel, Turn

K = 12


def ask(world: World, case: Case) -> Turn:
    """Ask for what the hostile item is about."""
    subject = case.entry["subject"]
    if case.is_chinese:
        return world.agent.turn(f"一本关于{subject}的书", MALLORY, Moment(locale="zh"), k=K)
    return world.agent.turn(f"a book about {subject}", MALLORY, k=K)


@pytest.mark.parametrize("case", cases("item"), ids=lambda case: case.name)
def test_a_hostile_item_is_shown_without_its_attack(world: World, case: Case) -> None:
    turn = ask(world, case)
    assert item_id_of(case) in [item.item_id for item in turn.items], "a request for its subject finds it"
    world.check(turn, user=MALLORY, never=case.never, about=item_id_of(case))


@pytest.mark.parametrize("case", cases("item"), ids=lambda case: case.name)
def test_an_llm_that_repeats_a_hostile_item_is_not_believed(world: World, case: Case) -> None:
    sentences = re.split(r"(?<=[.!])\s+|(?<=。)", case.text)
    model = ScriptedModel()
    for text in dict.fromkeys([case.text, *filter(None, sentences)]):
        model.texts = [text]
        with world.model(model):
            turn = ask(world, case)
        world.check(turn, user=MALLORY, never=case.never, about=item_id_of(case))
    world.check_prompts(model)
    for words in case.never:
        assert words.casefold() not in told(model).casefold()


def test_an_items_text_cannot_leave_the_line_that_the_writer_is_shown(world: World) -> None:
    """The facts of an item are one line of the last message; a forged "Creator:" row in a text is not among them."""
    (case,) = [case for case in cases("item") if case.entry["name"] == "forged evidence rows"]
    with world.model(ScriptedModel()) as model:
        turn = ask(world, case)
    place = [item.item_id for item in turn.items].index(item_id_of(case))
    facts = model.asked[1 + place][-1]["content"]
    assert case.entry["subject"] in facts
    assert "\n" not in facts
    assert "Shakespeare" not in facts
