"""Why not, and what if: answered from the record and a ranking done again, without an LLM and without a trace."""

import pytest

from scenewise import Agent
from scenewise.store.types import Moment, Place


def ask(agent: Agent, first: str, then: str, user: str | None = "ann", **moment: object) -> tuple[str, str, list[str]]:
    """Hold two turns; the second reply, its intent, and the titles of the first list."""
    before = agent.turn(first, user, Moment(**moment))  # type: ignore[arg-type]
    after = agent.turn(then, user, Moment(**moment), conversation_id=before.conversation_id)  # type: ignore[arg-type]
    return after.reply, after.intent, [item.title for item in before.items]


def test_a_condition_that_was_said_is_named(small_agent: Agent) -> None:
    reply, intent, titles = ask(small_agent, "a film, no horror", "why didn't you pick Psycho?", "dan")
    assert intent == "explain"
    assert "Psycho" not in titles
    assert "Psycho was left out" in reply
    assert "horror" in reply.casefold()


def test_what_is_known_already_is_said_so(small_agent: Agent) -> None:
    reply, _, _ = ask(small_agent, "a science fiction film", "why isn't Alien on the list?")
    assert "you know it already" in reply


def test_the_place_in_the_ranking_is_told(small_agent: Agent) -> None:
    reply, _, titles = ask(small_agent, "a science fiction film", "why not Duck Soup?")
    assert "Duck Soup" not in titles
    assert "Duck Soup came " in reply or "none of the searches" in reply


def test_what_is_on_the_list_is_pointed_at(small_agent: Agent) -> None:
    first = small_agent.turn("a film please", "dan")
    title = first.items[1].title
    reply = small_agent.turn(f"why didn't you show {title}?", "dan", conversation_id=first.conversation_id).reply
    assert reply == f"{title} is on the list: number 2."


def test_a_name_that_is_not_there_is_not_made_up(small_agent: Agent) -> None:
    reply, _, _ = ask(small_agent, "a film please", "why not Zardoz?")
    assert "nothing by that name" in reply


def test_a_request_is_no_question(small_agent: Agent) -> None:
    _, intent, _ = ask(small_agent, "a film please", "why not something funny?")
    assert intent != "explain"


def test_what_if_names_the_scene_and_a_list(small_agent: Agent) -> None:
    before = small_agent.turn("on the train to work", "ann", Moment(place=Place("train")))
    after = small_agent.turn("what if I were cooking dinner?", "ann", Moment(place=Place("train")), conversation_id=before.conversation_id)
    assert "cooking" in after.reply
    assert after.items == ()
    catalogue = {small_agent.store.items.get(item_id).title for item_id in small_agent.store.items.ids()}
    assert any(title in after.reply for title in catalogue)
    # The supposition is not taken for the truth.
    why = small_agent.turn("why the first one?", "ann", conversation_id=before.conversation_id)
    assert before.items[0].title in why.reply


@pytest.mark.parametrize("text", ["what if it were raining?", "如果下雨呢？"])
def test_weather_may_be_supposed(small_agent: Agent, text: str) -> None:
    reply, intent, _ = ask(small_agent, "a lazy Sunday at home", text)
    assert intent == "explain"
    assert "Then I would" in reply or "那样" in reply


def test_nothing_is_written_by_asking(small_agent: Agent) -> None:
    before = small_agent.turn("I love jazz", "newcomer")
    profile = small_agent.store.profiles.get("newcomer")  # type: ignore[arg-type]
    small_agent.turn("what if I were at the gym?", "newcomer", conversation_id=before.conversation_id)
    assert small_agent.store.profiles.get("newcomer") == profile  # type: ignore[arg-type]
