"""Plans in the short writing, through a whole turn."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime

import pytest

from scenewise import Agent, Moment, Place, ScriptedModel, Settings, Turn
from scenewise.agent.model import VllmModel
from scenewise.agent.plan import plan_form
from scenewise.store.errors import ModelError


def turn(
    agent: Agent, message: str, written: str | Exception, user: str = "ann", moment: Moment | None = None, **settings: object
) -> tuple[Turn, ScriptedModel]:
    model = ScriptedModel(written=written, name="scenewise-planner")
    other = object.__new__(Agent)
    other.__dict__.update(agent.__dict__)
    other.model, other.settings = model, Settings(**settings)  # type: ignore[arg-type]
    return other.turn(message, user, moment), model


def asked(made: Turn, name: str) -> list[dict[str, object]]:
    return [dict(call.arguments) for call in made.plan if call.name == name and call.asked_by == "model" and call.status == "run"]


def test_the_form_follows_the_models_name_and_the_settings() -> None:
    ours, other = VllmModel("http://127.0.0.1:9/v1", "scenewise-135m"), VllmModel("http://127.0.0.1:9/v1", "qwen")
    assert plan_form(ours, Settings()) == "short"
    assert plan_form(other, Settings()) == "tools"
    assert plan_form(other, Settings(tool_detail="full")) == "full"
    assert plan_form(other, Settings(planning="short")) == "short"
    assert plan_form(ours, Settings(planning="tools")) == "tools"


def test_a_plan_becomes_calls_with_the_catalogues_titles(small_agent: Agent) -> None:
    made, model = turn(small_agent, "something like Aliens, no horror", "like(Alien) not(horror)")
    assert asked(made, "filter_catalogue") == [{"without": ["horror"]}]
    assert made.items
    assert made.degraded == ()
    assert made.prompts[0].startswith("plan_short@")
    assert model.asked[0][-1]["content"].endswith("[new] something like Aliens, no horror")


def test_a_named_title_is_linked(small_agent: Agent) -> None:
    made, _ = turn(small_agent, "films like Blade Runner please", "like(blade runer)")
    assert {"like_titles": ["Blade Runner"]} in [dict(call.arguments) for call in made.plan]


def test_an_unknown_title_is_said_to_be_unknown(small_agent: Agent) -> None:
    made, _ = turn(small_agent, "something like The Glass Harbour", "like(The Glass Harbour)")
    assert "The Glass Harbour" in made.reply
    assert made.items


@pytest.mark.parametrize("message", ["I need something", "get me one"])
def test_a_request_that_says_too_little_is_asked_back(small_agent: Agent, message: str) -> None:
    made, _ = turn(small_agent, message, "ask(kind)")
    assert made.items == ()
    assert made.reply.endswith("to go by.")
    assert "?" in made.reply
    assert "books" in made.reply
    assert made.intent == "ask"


def test_a_question_back_in_chinese(small_agent: Agent) -> None:
    made, _ = turn(small_agent, "嗯嗯哦哦啦", "ask(kind)")
    assert made.reply.startswith("想找哪一类？")
    assert "书" in made.reply


def test_what_is_no_recommendation_gets_a_short_honest_answer(small_agent: Agent) -> None:
    made, _ = turn(small_agent, "set an alarm for seven", "none")
    assert made.items == ()
    assert "only recommend" in made.reply
    assert made.intent == "outside"
    assert made.plan == ()


@pytest.mark.parametrize("written", ["none", "ask(kind)"])
@pytest.mark.parametrize("message", ["a funny film", "something like Alien", "only books", "surprise me", "nothing violent"])
def test_a_wrong_none_does_not_stand_against_what_rules_read(small_agent: Agent, message: str, written: str) -> None:
    made, _ = turn(small_agent, message, written)
    assert made.intent not in ("ask", "outside")
    assert made.items


@pytest.mark.parametrize("written", ["none", "ask(kind)"])
def test_nor_against_a_moment_that_is_clearly_a_scene(small_agent: Agent, written: str) -> None:
    saturday = Moment("tv", datetime(2025, 10, 4, 20, 30), Place("home"))
    made, _ = turn(small_agent, "friends are over on Saturday night", written, moment=saturday)
    assert made.scene == "party"
    assert made.items


@pytest.mark.parametrize("message", ["wake me at half six please", "set an alarm for bedtime", "帮我定个早上七点的闹钟"])
def test_an_order_that_sounds_like_a_scene_may_be_none(small_agent: Agent, message: str) -> None:
    bedtime = Moment("phone", datetime(2025, 10, 4, 22, 45), Place("bedroom"))
    made, model = turn(small_agent, message, "none", moment=bedtime)
    assert made.items == ()
    assert made.intent == "outside"
    assert not model.patterns or not re.fullmatch(model.patterns[-1], "ask(kind)")


def test_an_item_that_is_pointed_at_need_not_be_a_request(small_agent: Agent) -> None:
    first, _ = turn(small_agent, "a funny film", "find( funny; movies)", user="eve")
    assert len(first.items) > 1
    other = object.__new__(Agent)
    other.__dict__.update(small_agent.__dict__)
    other.model = ScriptedModel(written="none", name="scenewise-planner")
    done = other.turn("alright, the second one it is, bye", "eve", conversation_id=first.conversation_id)
    assert (done.items, done.intent) == ((), "outside")


def test_a_condition_that_the_message_does_not_say_is_refused(small_agent: Agent) -> None:
    made, _ = turn(small_agent, "a horror film", "find(horror film; movies) not(horror) max(30 min)")
    assert asked(made, "filter_catalogue") == []
    assert asked(made, "retrieve") == [{"query": "horror film", "domain": "movies"}]


def test_a_refusal_that_rules_do_not_read_is_taken_from_the_plan(small_agent: Agent) -> None:
    made, _ = turn(small_agent, "a film, and spare me the horror", "find(film; movies) not(horror)")
    assert asked(made, "filter_catalogue") == [{"without": ["horror"]}]


def test_only_what_the_message_states_is_saved(small_agent: Agent) -> None:
    made, _ = turn(small_agent, "my sister loves horror", "save(like genre horror)", user="eve")
    assert not [call for call in made.plan if call.name == "update_profile" and call.status == "run"]
    assert not small_agent.store.profiles.get("eve").likes  # type: ignore[arg-type]


def test_answers_that_are_no_plan_degrade_in_the_open(small_agent: Agent) -> None:
    made, _ = turn(small_agent, "a funny film", "I would say")
    assert made.items
    assert "planning: no plan in the answer" in made.degraded
    made, _ = turn(small_agent, "a funny film", ModelError("no", reason="unreachable"))
    assert made.items
    assert "planning: unreachable" in made.degraded


def test_the_turn_before_is_in_the_prompt(small_agent: Agent) -> None:
    model = ScriptedModel(written="find(funny film; movies)", name="scenewise")
    other = object.__new__(Agent)
    other.__dict__.update(small_agent.__dict__)
    other.model, other.settings = model, Settings()
    first = other.turn("a funny film", "dan")
    model.asked.clear()
    model.written = "like(#2)"
    second = other.turn("more like the second one", "dan", conversation_id=first.conversation_id)
    content = model.asked[0][-1]["content"]
    assert "[before] a funny film" in content
    assert f"1 {first.items[0].title}" in content
    assert {"like_titles": [first.items[1].title]} in [dict(call.arguments) for call in second.plan]


def test_a_scripted_plan_is_slower_than_the_deadline() -> None:
    with pytest.raises(ModelError):
        asyncio.run(ScriptedModel(delay_s=1.0).complete([], pattern="", max_tokens=1, timeout_s=0.01))


@pytest.mark.parametrize(
    ("message", "free"), [("a funny film", False), ("🎬🍿", False), ("surprise me", False), ("It should be blue.", True)]
)
def test_the_grammar_leaves_no_way_out_of_what_rules_read_as_a_request(small_agent: Agent, message: str, free: bool) -> None:
    _, model = turn(small_agent, message, "like()")
    assert bool(re.fullmatch(model.patterns[-1], "none")) is free
    assert bool(re.fullmatch(model.patterns[-1], "ask(kind)")) is free
    assert re.fullmatch(model.patterns[-1], f"find( {message}; movies) like()")


@pytest.mark.parametrize(("message", "intent"), [("get me one", "ask"), ("turn off the lights in the hall", "outside")])
def test_what_is_surely_no_request_is_answered_without_an_llm(small_agent: Agent, message: str, intent: str) -> None:
    made, model = turn(small_agent, message, "like()")
    assert (made.intent, made.items, made.llm_rounds, model.patterns) == (intent, (), 0, [])


def test_words_that_are_no_titles_are_refused_and_stay_in_the_record(small_agent: Agent) -> None:
    made, _ = turn(small_agent, "friends are over tonight, a film please", "like( friends)")
    (call,) = [call for call in made.plan if call.asked_by == "model"]
    assert (call.name, call.status) == ("collaborative_candidates", "refused")
    assert call.note


def test_an_emoji_that_is_a_kind_of_items_asks_for_it(small_agent: Agent) -> None:
    made, model = turn(small_agent, "🎬 with 👪 tonight?", "like()")
    assert made.items
    assert re.fullmatch(model.patterns[0], "like()")
    assert not re.fullmatch(model.patterns[0], "none")
    assert not turn(small_agent, "thanks 🎬", "none")[0].items
