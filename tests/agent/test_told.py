"""What is asked about items is answered with what is known of them, with an LLM and without one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scenewise import Agent, ScriptedModel, Settings, Turn
from scenewise.agent.told import _people


def turn(agent: Agent, message: str, written: str | None, conversation: str | None = None) -> Turn:
    other = object.__new__(Agent)
    other.__dict__.update(agent.__dict__)
    other.model = ScriptedModel(written=written, name="scenewise-planner") if written is not None else None
    other.settings = Settings(llm_off=written is None)
    return other.turn(message, "told", conversation_id=conversation)


@pytest.mark.parametrize("written", ["facts( Blade Runner)", None])
@pytest.mark.parametrize("message", ["how long is Blade Runner?", "who directed Blade Runner", "is Blade Runner any good"])
def test_a_question_about_an_item_is_answered_and_makes_no_list(small_agent: Agent, message: str, written: str | None) -> None:
    made = turn(small_agent, message, written)
    assert (made.intent, made.items) == ("facts", ())
    assert made.reply.startswith("Blade Runner: a 1982 film by Ridley Scott;")
    assert "117 minutes" in made.reply
    assert made.reply.endswith("That is all I know of it.")
    assert [(call.name, call.status) for call in made.plan] == [("look_up_items", "run")]


@pytest.mark.parametrize("written", ["none", None])
@pytest.mark.parametrize(
    "message", ["who made the second one?", "how long does the second one take", "is number 2 any good?", "tell me about the second one"]
)
def test_an_item_of_the_list_may_be_asked_about(small_agent: Agent, message: str, written: str | None) -> None:
    first = turn(small_agent, "a funny film", "find( funny film; movies)")
    made = turn(small_agent, message, written, first.conversation_id)
    assert (made.intent, made.items) == ("facts", ())
    assert made.reply.startswith(first.items[1].title)
    again = turn(small_agent, "why the first one?", written, first.conversation_id)
    assert again.intent == "explain", "the list is still there to talk about"
    assert again.items[0].title == first.items[0].title


@pytest.mark.parametrize("message", ["is it sad?", "was it funny", "how do I use the first one", "is it vegetarian?"])
def test_it_is_the_first_of_the_list_without_an_llm(small_agent: Agent, message: str) -> None:
    first = turn(small_agent, "a funny film", None)
    made = turn(small_agent, message, None, first.conversation_id)
    assert (made.intent, made.items) == ("facts", ())
    assert made.reply.startswith(first.items[0].title)


@pytest.mark.parametrize("written", ["none", None])
def test_a_question_may_follow_a_word_about_the_item(small_agent: Agent, written: str | None) -> None:
    first = turn(small_agent, "a funny film", "find( funny film; movies)")
    made = turn(small_agent, "the second one sounds good, who is in it?", written, first.conversation_id)
    assert (made.intent, made.items) == ("facts", ())
    assert made.reply.startswith(first.items[1].title)


@pytest.mark.parametrize("message", ["is it raining", "is that ok", "how do I cook rice"])
def test_it_may_be_nothing_of_the_list(small_agent: Agent, message: str) -> None:
    first = turn(small_agent, "a funny film", None)
    assert turn(small_agent, message, None, first.conversation_id).intent != "facts"


def test_in_chinese(small_agent: Agent) -> None:
    made = turn(small_agent, "Blade Runner\u591a\u957f", "facts( Blade Runner)")
    assert made.intent == "facts"
    assert made.items == ()


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("films like Blade Runner", "like( Blade Runner)"),
        ("is there anything like Blade Runner", None),
        ("who made Blade Runner, and find me something like it", "like( Blade Runner) facts( Blade Runner)"),
        ("do you have The Glass Harbour", "facts( The Glass Harbour)"),
    ],
)
def test_a_wish_makes_a_list(small_agent: Agent, message: str, written: str | None) -> None:
    made = turn(small_agent, message, written)
    assert made.intent != "facts"
    assert made.items


def test_more_like_an_item_is_kept_by_its_title(small_agent: Agent) -> None:
    first = turn(small_agent, "a funny film", None)
    second = turn(small_agent, "more like the second one", None, first.conversation_id)
    third = turn(small_agent, "nothing sad please", None, first.conversation_id)
    assert second.items
    title = first.items[1].title
    assert [call.arguments["like_titles"] for call in third.plan if call.name == "collaborative_candidates"] == [[title]]


def test_that_one_is_what_was_spoken_of_last(small_agent: Agent) -> None:
    first = turn(small_agent, "a funny film", None)
    turn(small_agent, "why the third one?", None, first.conversation_id)
    for message in ("and who made that one?", "how long is that one", "is it any good?", "who made it"):
        assert turn(small_agent, message, None, first.conversation_id).reply.startswith(first.items[2].title)
    assert turn(small_agent, "how long is that one", "none", first.conversation_id).reply.startswith(first.items[2].title)


@pytest.mark.parametrize("message", ["is it raining outside?", "what time is it", "is that all you have"])
def test_it_is_not_always_an_item(small_agent: Agent, message: str) -> None:
    first = turn(small_agent, "a funny film", None)
    assert turn(small_agent, message, None, first.conversation_id).intent != "facts"


def test_a_limit_holds_for_more_like_an_item(small_agent: Agent) -> None:
    first = turn(small_agent, "a film, at most 100 minutes", None)
    second = turn(small_agent, "more like the first one", None, first.conversation_id)
    third = turn(small_agent, "nothing sad please", None, first.conversation_id)
    lengths = {item.item_id: item.duration_min for item in small_agent.store.items.all()}
    for made in (first, second, third):
        assert made.items
        assert all((lengths[item.item_id] or 0) <= 100 for item in made.items)


def test_people_are_told_by_the_graphs_names_of_them(small_agent: Agent) -> None:
    box = small_agent.toolbox()
    (film,) = [item for item in box.catalogue.items if item.title == "Blade Runner"]
    bare = replace(film, attributes={name: values for name, values in film.attributes.items() if name != "creator"})
    assert _people(bare, box, "en") == ["creator Ridley Scott"]
    assert _people(film, box, "en") == [], "the catalogue has it already"
