"""The slate of a turn: what may come again, chance with its propensities, the sources of each item, whose taste it is mixed by."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from scenewise import Agent, Event, InputError, ItemId, Moment, Settings, UserId
from scenewise.agent.act import act
from scenewise.agent.intents import IntentReader
from scenewise.agent.memory import Memory
from scenewise.agent.perceive import perceive
from scenewise.agent.plan import make_plan
from scenewise.agent.record import Found, Request, Seen, Turn, TurnItem
from scenewise.agent.slate import rank, taste_for
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.toolbox import Toolbox

NOW_S = 1_760_000_000.0
DAY_S = 86_400.0


def ids(turn: Turn) -> list[str]:
    return [item.item_id for item in turn.items]


def open_at(store: Path, encoders: Encoders, **settings: object) -> Agent:
    options = Settings(llm_off=True, **settings)  # type: ignore[arg-type]
    return Agent.open(store, settings=options, encoders=encoders, clock=lambda: NOW_S)


def found_for(box: Toolbox, message: str, user: str, *, scene: str | None = None) -> tuple[Found, Seen]:
    """What perception and the tools make of a message, ready to be ranked."""
    request = Request(message, UserId(user), Moment(), "conversation", scene, 5, NOW_S)
    seen = perceive(request, box, IntentReader(box.encoders), Memory())
    return act(asyncio.run(make_plan(seen, box, None, max_tokens=120, timeout_s=1.0)), seen, box), seen


@pytest.mark.parametrize(("said", "sign"), [("an old film", -1), ("a recent film", 1), ("一部老电影", -1)])
def test_what_is_at_the_wished_end_of_its_kind_comes(small_agent: Agent, said: str, sign: int) -> None:
    films = [row.year for row in small_agent.store.items.all() if row.domain == "movies" and row.year is not None]
    shown = [small_agent.store.items.get(one.item_id).year for one in small_agent.turn(said, "gus", k=3).items]
    assert len(shown) == 3
    assert all(year is not None and sign * (year - median(films)) >= 0 for year in shown)


def test_asked_anew_a_conversation_brings_other_films_until_there_are_none(small_agent: Agent) -> None:
    first = small_agent.turn("only films please", "ann")
    second = small_agent.turn("only films please", "ann", conversation_id=first.conversation_id)
    assert not {*ids(first)} & {*ids(second)}
    third = small_agent.turn("only films please", "ann", conversation_id=first.conversation_id)
    assert len({*ids(third)} - {*ids(first), *ids(second)}) == 1, "eleven films are new to ann"
    assert len(third.items) == 5
    assert ids(small_agent.turn("only films please", "ann")) == ids(first), "another conversation begins anew"


def test_a_change_of_the_list_may_keep_what_it_had(small_agent: Agent) -> None:
    first = small_agent.turn("only films please", "gus")
    second = small_agent.turn("nothing violent", "gus", conversation_id=first.conversation_id)
    assert {*ids(first)} & {*ids(second)}


def test_music_may_come_again_and_films_may_not(own_store: Path, encoders: Encoders) -> None:
    with open_at(own_store, encoders) as agent:
        before = agent.turn("only music please", "ann", k=3)
        for item_id in ids(before):
            agent.tell("ann", item_id, "play")
        after = agent.turn("only music please", "ann", k=10)
        assert {*ids(before)} & {*ids(after)}
        again = next(item for item in after.items if item.item_id in ids(before))
        assert "new to you" not in again.reason
        assert "film-alien" not in ids(agent.turn("only films please", "ann", k=20))
        agent.tell("ann", ids(before)[0], "skip")
        assert ids(before)[0] not in ids(agent.turn("only music please", "ann", k=50))


def test_something_known_is_what_the_user_liked(own_store: Path, encoders: Encoders) -> None:
    with open_at(own_store, encoders) as agent:
        agent.tell("ann", "film-babe", "rating", 1.0)
        turn = agent.turn("a film, something I know", "ann", k=10)
        assert {*ids(turn)} == {"film-alien", "film-blade-runner", "film-star-wars"}
        assert "film-alien" not in ids(agent.turn("a film, something I do not know", "ann", k=10))
        assert agent.turn("a film, something I know", "nobody").items, "who has no history gets what there is"


def test_a_store_has_rules_of_its_own(own_store: Path, encoders: Encoders) -> None:
    with open_at(own_store, encoders) as agent:
        (own_store / "repeats.toml").write_text('[movies]\nconsumed = "free"\nshown = "free"\n')
        turn = agent.turn("only films please", "ann", k=20)
        assert "film-alien" in ids(turn)
        assert ids(agent.turn("only films please", "ann", conversation_id=turn.conversation_id, k=20)) == ids(turn)
        (own_store / "repeats.toml").write_text('[movies]\nconsumed = "perhaps"\n')
        with pytest.raises(InputError, match="repeats"):
            agent.turn("only films please", "ann")


def test_without_exploration_nothing_is_left_to_chance(small_agent: Agent) -> None:
    turn = small_agent.turn("only films please", "ann")
    assert {item.propensity for item in turn.items} == {1.0}


def test_exploration_is_recorded_and_can_be_repeated(own_store: Path, encoders: Encoders) -> None:
    with open_at(own_store, encoders, exploration=0.2) as agent:
        turn = agent.turn("only films please", "ann", conversation_id="a")
        record = agent.store.turns.get(turn.turn_id)
        assert [item["propensity"] for item in record["items"]] == [item.propensity for item in turn.items]
        assert all(0.0 < item.propensity < 1.0 for item in turn.items)
        assert json.loads(json.dumps(record)) == record
        assert [TurnItem.from_record(data) for data in record["items"]] == [
            replace(item, contributions=dict(item.contributions)) for item in turn.items
        ]
        lists = {tuple(ids(agent.turn("only films please", "ann", conversation_id=f"c{number}"))) for number in range(8)}
        assert len(lists) > 1, "each conversation draws anew"
        found, seen = found_for(agent._box, "only films please", "ann")
        once, twice = (rank(found, seen, agent._box, exploration=0.2) for _ in range(2))
        assert once == twice, "the same turn is drawn alike"
        (own_store / "repeats.toml").write_text('[movies]\nshown = "free"\n')
        assert len({tuple(ids(agent.turn("only films please", "ann", conversation_id="a"))) for _ in range(8)}) > 1, "and each turn"


def test_logged_propensities_are_the_frequencies_over_seeds(small_agent: Agent) -> None:
    box = small_agent._box
    found, seen = found_for(box, "only films please", "ann")
    n, k = 1_000, 2
    counts: Counter[tuple[str, ...]] = Counter()
    first: dict[str, float] = {}
    told: dict[tuple[str, ...], float] = {}
    for seed in range(n):
        context = replace(found.context, seed=seed, k=k)
        slate = rank(replace(found, context=context), replace(seen, context=context), box, exploration=0.2)
        names = tuple(entry.item.item_id for entry in slate.entries)
        counts[names[:1]] += 1
        counts[names] += 1
        first[names[0]] = slate.entries[0].propensity
        told[names] = float(np.prod([entry.propensity for entry in slate.entries]))
    assert len(first) > 3
    for name, p in first.items():
        assert counts[(name,)] / n == pytest.approx(p, abs=4.5 * np.sqrt(p * (1 - p) / n))
    for names, p in told.items():
        assert counts[names] / n == pytest.approx(p, abs=max(4.5 * np.sqrt(p * (1 - p) / n), 5 / n))


def test_each_item_says_what_its_sources_said(small_agent: Agent) -> None:
    box = small_agent._box
    found, seen = found_for(box, "only films please", "ann")
    for entry in rank(found, seen, box).entries:
        rows = [row for row in found.candidates if row.item_id == entry.item.item_id]
        assert {one.source for one in entry.sources} == {row.source for row in rows}
        for one in entry.sources:
            of_source = [row for row in found.candidates if row.source == one.source]
            assert one.score == max(row.score for row in rows if row.source == one.source)
            assert one.rank <= 1 + len({row.item_id for row in of_source if row.score > one.score}) + sum(
                row.score == one.score for row in of_source
            )
    assert min(one.rank for entry in rank(found, seen, box).entries for one in entry.sources) == 1


def test_the_taste_is_the_historys_unless_something_else_is_asked_for(own_store: Path, encoders: Encoders) -> None:
    with open_at(own_store, encoders) as agent:
        agent.store.events.add([Event(UserId("ann"), ItemId("film-babe"), "rating", 1.0, NOW_S - DAY_S)])
        box = agent._box
        shares = taste_for(found_for(box, "", "ann")[1], box).shares
        # Alien 1/3 each of horror, sci-fi, thriller; Blade Runner 1/2 of film-noir, sci-fi; Star Wars 1/3 of action, adventure, sci-fi
        assert shares["movies", "sci-fi"] == pytest.approx((1 / 3 + 1 / 2 + 1 / 3) / 3)
        assert ("movies", "children's") not in shares, "what did not please is no taste"
        assert taste_for(found_for(box, "only films please", "ann")[1], box).shares == shares
        for message in ("something like Fargo", "a funny film", "only music please"):
            assert not taste_for(found_for(box, message, "ann")[1], box).shares, message
        assert not taste_for(found_for(box, "", "newcomer")[1], box).shares


def test_a_named_example_brings_its_kind_and_reasons_that_speak_of_it(small_agent: Agent) -> None:
    turn = small_agent.turn("something like Fargo", "ann", Moment(device="tv"), scene="party", k=4)
    assert [item.domain for item in turn.items].count("movies") >= 3, "of a party's list films are else the smaller part"
    assert sum("Fargo" in item.reason for item in turn.items) >= 2
    usual = {small_agent.store.items.get(event.item_id).title for event in small_agent.store.events.of_user(UserId("ann"))} - {"Fargo"}
    assert not [item.reason for item in turn.items if any(title in item.reason for title in usual)]
    more = small_agent.turn("more like the second one", "ann", Moment(device="tv"), conversation_id=turn.conversation_id)
    assert more.items[0].domain == turn.items[1].domain
    assert any(turn.items[1].title in item.reason for item in more.items), [
        (turn.items[1].title, item.title, item.reason) for item in more.items
    ]
