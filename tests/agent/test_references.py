"""What a message only points at: that director, the author of the second one."""

from __future__ import annotations

import pytest

from scenewise import Agent, ItemId
from scenewise.agent.memory import Memory
from scenewise.agent.references import spell_out

LIST = Memory(items=(ItemId("film-fargo"), ItemId("film-alien"), ItemId("film-vertigo")))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("something else by that director", "something else by the director of Fargo"),
        ("more films by the same director, no horror", "more films by the director of Fargo, no horror"),
        ("films by the director of the second one", "films by the director of Alien"),
        ("who is the director of the last film", "who is the director of Vertigo"),
        ("anything else from this artist", "anything else from the artist of Fargo"),
        ("more from that singer", "more from the artist of Fargo"),
        ("films by the director of Heat", "films by the director of Heat"),
        ("the director who made Jaws", "the director who made Jaws"),
        ("something like that", "something like that"),
    ],
)
def test_makers_are_spelled_out(small_agent: Agent, said: str, meant: str) -> None:
    assert spell_out(said, LIST, small_agent._box) == meant


def test_without_a_list_nothing_is_meant(small_agent: Agent) -> None:
    assert spell_out("more by that director", Memory(), small_agent._box) == "more by that director"


def test_the_item_spoken_of_last_is_meant(small_agent: Agent) -> None:
    memory = Memory(items=LIST.items, focus=ItemId("film-alien"))
    assert spell_out("more by that director", memory, small_agent._box) == "more by the director of Alien"
    assert Memory.from_json(memory.to_json()).focus == "film-alien"


def test_that_director_narrows_the_next_list(small_agent: Agent) -> None:
    first = small_agent.turn("a science fiction film, only films", "gus", k=5)
    place = next(place for place, item in enumerate(first.items) if "Ridley Scott" in maker(small_agent, item.item_id))
    small_agent.turn(f"why {first.items[place].title}?", "gus", conversation_id=first.conversation_id)
    turn = small_agent.turn("films by that director", "gus", conversation_id=first.conversation_id)
    assert turn.message.startswith("films by the director of ")
    assert turn.items
    assert all("Ridley Scott" in maker(small_agent, item.item_id) for item in turn.items)


def maker(agent: Agent, item_id: ItemId) -> tuple[str, ...]:
    return tuple(agent.store.items.get(item_id).attributes["creator"])


def test_a_hundred_turns_leave_the_prompt_and_the_memory_as_short(small_agent: Agent) -> None:
    """What a conversation keeps does not grow with its length beyond the last list, what was ruled out and the last 200 items shown."""
    said = (
        "a funny film",
        "something shorter",
        "not that one again",
        "a book about the sea",
        "no horror",
        "something else",
        "why the first one?",
    )
    conversation = small_agent.turn("hello", "eve").conversation_id
    for number in range(100):
        turn = small_agent.turn(said[number % len(said)], "eve", conversation_id=conversation)
        assert turn.reply
    state = small_agent._run(small_agent._graph.aget_state({"configurable": {"thread_id": conversation}}))
    memory = Memory.from_json(state.values["memory"])
    assert memory.turns == 101
    assert len(memory.rejected) <= 200
    assert len(memory.shown_s) <= 200


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("thanks, good night", "thanks"),
        ("thank you! see you tomorrow", "thanks"),
        ("thanks, and a film about jazz", "recommend"),
        ("who made Alien", "recommend"),
    ],
)
def test_what_a_message_wants(small_agent: Agent, said: str, intent: str) -> None:
    assert small_agent._intents.read(said, has_list=True) == intent
