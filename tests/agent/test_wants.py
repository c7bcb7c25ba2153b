"""A conversation asks for one thing over several messages, until it asks for another."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenewise import Agent, Item, ItemId, Settings, Turn
from scenewise.tools.retrieval.encoders import Encoders

NOW_S = 1_760_000_000.0


@pytest.fixture
def agent(own_store: Path, encoders: Encoders) -> Agent:
    """An agent without an LLM."""
    return Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders, clock=lambda: NOW_S)


def talk(agent: Agent, *messages: str) -> list[Turn]:
    """A conversation."""
    turns: list[Turn] = []
    with agent:
        for message in messages:
            turns.append(agent.turn(message, "ann", conversation_id=turns[0].conversation_id if turns else None))
    return turns


def kinds(turn: Turn) -> set[str]:
    """The kinds of a list's items."""
    return {item.domain for item in turn.items}


def years(agent_items: dict[str, int | None], turn: Turn) -> list[int]:
    """The known years of a list's items."""
    return [year for item in turn.items if (year := agent_items[item.item_id]) is not None]


@pytest.mark.parametrize(
    "narrowing",
    [
        "from the 90s",
        "nothing violent",
        "something with Tom Hanks",
        "but newer than 1980",
        "something else",
        "shorter",
        "and something sad",
    ],
)
def test_the_kind_of_items_stays_while_the_request_is_narrowed(agent: Agent, narrowing: str) -> None:
    first, then = talk(agent, "only films please, a comedy", narrowing)
    assert kinds(first) == {"movies"}
    assert kinds(then) == {"movies"}


def test_what_nothing_has_together_is_asked_for_one_after_the_other(agent: Agent) -> None:
    with agent:
        agent.put_items(
            [
                Item(ItemId("solo"), "music", "Solo", "", {"genre": ("Zydeco",)}),
                Item(ItemId("joke"), "books", "A Joke", "", {"topic": ("Beekeeping",)}),
                Item(ItemId("both"), "books", "Smoke", "", {"topic": ("Beekeeping",), "mood": ("Wry",)}),
            ]
        )
        first = agent.turn("some zydeco", "ann")
        then = agent.turn("something about beekeeping", "ann", conversation_id=first.conversation_id)
        last = agent.turn("something wry", "ann", conversation_id=first.conversation_id)
    assert first.items[0].item_id == "solo"
    assert "solo" not in {item.item_id for item in then.items}
    assert {"joke", "both"} & {item.item_id for item in (*first.items, *then.items)}
    assert not [call for call in then.plan if "zydeco" in str(call.arguments)]
    assert [call for call in last.plan if "beekeeping" in str(call.arguments)]


@pytest.mark.parametrize("said", ["how about a film instead", "a film then", "a film about it", "rather a film", "那电影呢", "换成电影"])
def test_another_kind_of_the_same_is_asked_for_in_few_words(agent: Agent, said: str) -> None:
    _, then = talk(agent, "I want to learn about astronomy", said)
    assert kinds(then) == {"movies"}
    assert [call for call in then.plan if "astronomy" in call.arguments.get("query", "")]


@pytest.mark.parametrize("said", ["a film", "a film with Tom Hanks instead", "actually some jazz"])
def test_another_kind_by_itself_is_another_wish(agent: Agent, said: str) -> None:
    _, then = talk(agent, "I want to learn about astronomy", said)
    assert not [call for call in then.plan if "astronomy" in call.arguments.get("query", "")]


def test_limits_and_wishes_add_up(agent: Agent) -> None:
    with agent:
        store = agent.store
        first = agent.turn("a film from before 1980", "ann")
        then = agent.turn("something funny", "ann", conversation_id=first.conversation_id)
        last = agent.turn("and nothing violent", "ann", conversation_id=first.conversation_id)
        found = {item.item_id: item for item in store.items.all()}
    for turn in (first, then, last):
        assert turn.items
        assert all((found[item.item_id].year or 1900) < 1980 and item.domain == "movies" for item in turn.items)


@pytest.mark.parametrize("change", ["a recipe with eggs instead", "I want to listen to some jazz", "find me a course on statistics"])
def test_another_request_begins_anew(agent: Agent, change: str) -> None:
    _, then = talk(agent, "only films from before 1980 please", change)
    assert "movies" not in kinds(then)


def test_a_kind_that_is_joined_on_keeps_the_wish(agent: Agent) -> None:
    first, then = talk(agent, "a funny film", "and books?")
    assert kinds(first) == {"movies"}
    assert "books" in kinds(then)


def test_thanks_and_questions_between_change_nothing(agent: Agent) -> None:
    *_, last = talk(agent, "only films please, a comedy", "why the first one?", "thanks", "from the 90s")
    assert kinds(last) == {"movies"}


def test_what_is_like_a_title_stays_so(agent: Agent) -> None:
    first, then = talk(agent, "something like Alien", "but nothing before 1990")
    assert any("Alien" in item.reason for item in first.items)
    assert any("Alien" in item.reason for item in then.items)


def test_a_taste_that_names_an_item_is_a_request_too(agent: Agent) -> None:
    _, then, last = talk(agent, "only albums please", "I loved Alien, what next?", "something shorter")
    assert kinds(then) != {"music"}
    assert "movies" in kinds(last)


@pytest.mark.parametrize(
    ("text", "disliked"),
    [
        ("my sister loves horror but I hate comedies", {"comedy"}),
        ("my kids love horror, but I can't stand comedies", {"comedy"}),
        ("我姐喜欢恐怖片，但我讨厌喜剧", {"comedy"}),
    ],
)
def test_a_taste_beside_somebody_elses_is_kept_alone(agent: Agent, text: str, disliked: set[str]) -> None:
    with agent:
        turn = agent.turn(text, "ann")
        profile = agent.store.profiles.get("ann")  # type: ignore[arg-type]
    assert turn.intent == "state_taste"
    assert {taste.value.casefold() for taste in profile.dislikes} == disliked
    assert not profile.likes
    assert not [call for call in turn.plan if call.arguments.get("value") == "horror" or "horror" in call.arguments.get("query", "")]
