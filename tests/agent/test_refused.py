"""Titles that are named to be left out: they are no examples of what is wanted."""

from __future__ import annotations

import pytest

from scenewise import Agent


@pytest.mark.parametrize(
    "said",
    [
        "something funny, but not Raising Arizona please",
        "a comedy, anything but Raising Arizona",
        "a comedy other than Raising Arizona",
        'a comedy, not like "Raising Arizona"',
        "来部喜剧，不要《Raising Arizona》",
    ],
)
def test_a_title_that_is_refused_is_left_out_and_seeds_nothing(small_agent: Agent, said: str) -> None:
    turn = small_agent.turn(said, "gus", k=10)
    assert turn.items
    assert "film-raising-arizona" not in {item.item_id for item in turn.items}
    assert not [call for call in turn.plan if "Raising Arizona" in str(dict(call.arguments))]
    again = small_agent.turn("only films please, a comedy", "gus", conversation_id=turn.conversation_id, k=10)
    assert "film-raising-arizona" not in {item.item_id for item in again.items}


def test_a_title_of_the_last_list_is_refused_by_one_word(small_agent: Agent) -> None:
    first = small_agent.turn("a science fiction film, only films", "gus", k=5)
    assert "film-alien" in {item.item_id for item in first.items}
    turn = small_agent.turn("Not Alien, please", "gus", conversation_id=first.conversation_id, k=5)
    assert "film-alien" not in {item.item_id for item in turn.items}
    assert not [call for call in turn.plan if "Alien" in str(dict(call.arguments))]


def test_a_title_that_is_wanted_stays(small_agent: Agent) -> None:
    turn = small_agent.turn("not too long, something like Raising Arizona", "gus")
    assert any("Raising Arizona" in str(dict(call.arguments)) for call in turn.plan)


def test_why_not_refuses_nothing(small_agent: Agent) -> None:
    first = small_agent.turn("a comedy, only films", "gus", k=3)
    small_agent.turn("why not Raising Arizona?", "gus", conversation_id=first.conversation_id)
    later = small_agent.turn("only films please, a comedy", "gus", conversation_id=first.conversation_id, k=10)
    assert "film-raising-arizona" in {item.item_id for item in later.items} | {item.item_id for item in first.items}
