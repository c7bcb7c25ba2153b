"""The LLM's answer is no answer at all, at each of its calls: plan, copy, copy written again."""

from __future__ import annotations

import pytest
from attacks.conftest import SecondThoughts, World
from attacks.writing import Case, cases

from scenewise import ScriptedModel
from scenewise.store.errors import ModelError

FALSE = "A comedy by Nobody Atall"  # is refused, so that the writer is asked again
MESSAGE = "only films please, a comedy"
NAMES = ("scenewise-x", "another")


def model_of(case: Case, name: str) -> ScriptedModel:
    """An LLM that says this at the case's call, and what is usual at the others."""
    says = ModelError("scripted", reason=case.entry["error"]) if "error" in case.entry else case.text
    if case.way == "plan":
        return ScriptedModel(plans=[says] if isinstance(says, Exception) else [()], written=says, texts=["A comedy"], name=name)
    texts = [says] if case.way == "write" else [FALSE]
    return SecondThoughts(written="find(comedy; movies)", texts=texts, again=[says] if case.way == "rewrite" else (), name=name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", cases("output"), ids=lambda case: case.name)
def test_whatever_the_llm_says_the_turn_is_answered(world: World, case: Case, name: str) -> None:
    with world.model(model_of(case, name)) as model:
        turn = world.agent.turn(MESSAGE, "hal", k=4)
    world.check(turn, user="hal", never=[case.text] if case.text.strip() else [])
    world.check_prompts(model)
    assert len(turn.items) > 2
    if case.way != "plan":
        assert all(item.copy_source == "template" for item in turn.items)
    if case.way == "rewrite":
        assert all(item.refused for item in turn.items)
        assert len(model.asked) == 1 + 2 * len(turn.items), "asked again, once"


@pytest.mark.parametrize("case", [case for case in cases("output") if case.way == "plan"], ids=lambda case: case.name)
def test_a_plan_that_is_none_leaves_the_list_of_the_default_plan(world: World, case: Case) -> None:
    alone = world.agent.turn(MESSAGE, "hal", k=4)
    with world.model(model_of(case, NAMES[0])):
        turn = world.agent.turn(MESSAGE, "hal", k=4)
    assert [item.item_id for item in turn.items] == [item.item_id for item in alone.items]
    assert turn.degraded or case.entry["name"] == "calls without end"
