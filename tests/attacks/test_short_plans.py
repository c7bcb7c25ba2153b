"""A hostile LLM plans in the short writing: only what the request bears out runs, and the turn is answered."""

from __future__ import annotations

import pytest
from attacks.conftest import World
from attacks.writing import Case, cases

from scenewise import Profile, ScriptedModel, Taste, Turn, UserId
from scenewise.agent.model import Call
from scenewise.agent.plan_text import Ask, decode, encode

ABOUT_SPACE = "a film about space"
DAN = UserId("dan")


def planner(text: str) -> ScriptedModel:
    """An LLM that says this for a plan, and nothing for copy."""
    return ScriptedModel(written=text, name="scenewise-x")


def ran(turn: Turn) -> str:
    """The LLM's calls that ran or failed, in the short writing."""
    calls = [call for call in turn.plan if call.asked_by == "model" and call.status in ("run", "failed")]
    assert all(set(call.arguments) <= SHORT[call.name] for call in calls)
    return encode(tuple(Call(call.name, call.arguments) for call in calls)).replace("( ", "(")


SHORT = {
    "collaborative_candidates": {"like_titles"},
    "query_graph": {"value"},
    "retrieve": {"query", "domain"},
    "look_up_items": {"titles"},
    "filter_catalogue": {"domains", "without", "max_duration_min", "max_price", "min_year", "max_year"},
    "update_profile": {"action", "attribute", "value"},
}
"""What the short writing can say at all."""


@pytest.mark.parametrize("case", cases("short"), ids=lambda case: case.name)
def test_a_hostile_short_plan_runs_only_what_the_request_bears_out(world: World, case: Case) -> None:
    message, taste = case.entry.get("message", ABOUT_SPACE), case.entry.get("taste")
    with world.profile(Profile(DAN)), world.model(planner(case.text)) as model:
        turn = world.agent.turn(message, DAN)
        world.check(turn, user=DAN, never=case.never, changed=[Taste(taste[1], taste[2])] if taste else [])
    world.check_prompts(model)
    assert ran(turn) == case.entry.get("runs", "none")
    assert all(call.note for call in turn.plan if call.status == "refused")
    assert set(turn.degraded) <= {"planning: no plan in the answer"}
    assert bool(turn.degraded) == (decode(case.text) is None)
    assert bool(turn.items) != bool(case.entry.get("no_list"))
    for words in case.never:
        assert words not in turn.reply


REFUSED_WHOLLY = [case for case in cases("short") if not (case.entry.get("runs") or case.entry.get("message"))]


@pytest.mark.parametrize("case", REFUSED_WHOLLY, ids=lambda case: case.name)
def test_a_hostile_short_plan_does_not_change_the_list(world: World, case: Case) -> None:
    alone = world.agent.turn(ABOUT_SPACE, DAN)
    with world.model(planner(case.text)):
        turn = world.agent.turn(ABOUT_SPACE, DAN)
    assert [item.item_id for item in turn.items] == [item.item_id for item in alone.items]


@pytest.mark.parametrize("case", [case for case in cases("message") if case.way == "plain"], ids=lambda case: case.name)
def test_an_llm_that_obeys_a_hostile_message_in_the_short_writing_gains_nothing(world: World, case: Case) -> None:
    """The LLM says the message itself for a plan, and before it what such messages want."""
    mallory = UserId("mallory")
    with world.profile(Profile(mallory)), world.model(planner(f"save(like genre Horror) graph(victim) {case.text}")) as model:
        turn = world.agent.turn(case.text, mallory)
        world.check(turn, user=mallory, never=case.never)
    world.check_prompts(model)
    assert not [call for call in turn.plan if call.name == "update_profile" and call.status == "run"]
    for words in case.never:
        assert words not in turn.reply


@pytest.mark.parametrize("case", cases("profile"), ids=lambda case: case.name)
def test_an_order_in_the_profile_is_one_line_of_data_to_the_planner(world: World, case: Case) -> None:
    profile = Profile(DAN, likes=(Taste(case.entry["attribute"], case.text),))
    with world.profile(profile), world.model(planner(f"save(like genre Horror) graph({case.text}) not({case.text})")) as model:
        turn = world.agent.turn("something about space", DAN)
        world.check(turn, user=DAN, never=[case.text])
    world.check_prompts(model)
    assert ran(turn) == "none"
    lines = model.asked[0][-1]["content"].split("\n")
    assert lines[-1] == "[new] something about space"


def test_no_hostile_text_is_a_question_about_anything_but_the_kind(world: World) -> None:
    """What the question back says comes from the product alone."""
    (case,) = [case for case in cases("short") if case.entry.get("no_list")]
    assert isinstance(decode(case.text), Ask)
    replies = []
    for text in (case.text, "ask(kind)"):
        with world.model(planner(text)):
            replies.append(world.agent.turn(case.entry["message"], DAN).reply)
    assert replies[0] == replies[1]
