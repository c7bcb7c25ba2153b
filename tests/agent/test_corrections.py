"""What a user puts right about the scene: it holds for the conversation, and becomes an example that is theirs alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from scenewise import Agent, Moment, Place, Settings, Store
from scenewise.agent.corrections import meant_by, read_correction
from scenewise.store.types import UserId
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.scene.own import TAUGHT, name_a_place, taught_by

MORNING = datetime(2025, 10, 6, 8, 10)
GYM = Moment(device="headphones", local_time=datetime(2025, 10, 6, 18, 30), place=Place("gym"))
NOW_S = MORNING.timestamp()


@pytest.fixture
def agent(own_store: Path, encoders: Encoders) -> Agent:
    return Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders, clock=lambda: NOW_S)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("no, I'm at home", "I'm at home"),
        ("No. We are on a train", "We are on a train"),
        ("I'm not at the gym, I'm commuting", "I'm commuting"),
        ("I’m not cooking; I’m studying for an exam", "I’m studying for an exam"),
        ("I'm at home, not at work", "I'm at home"),
        ("不对，我在家", "我在家"),
        ("不是，现在在上班路上", "现在在上班路上"),
        ("我不在健身房，我在上班的地铁上", "我在上班的地铁上"),
        ("no, something shorter", None),
        ("no, I'm not into horror", None),
        ("I'm not a fan of musicals, something else", None),
        ("I'm at home", None),
        ("not that one again", None),
        ("不喜欢恐怖片", None),
    ],
)
def test_what_is_put_right(text: str, meant: str | None) -> None:
    assert meant_by(text) == meant


@pytest.mark.parametrize(
    ("said", "scene"),
    [
        ("I'm not at the gym, I'm commuting", "commute"),
        ("我不在健身房，我在上班的地铁上", "commute"),
        ("no, this is date night", "date night"),
    ],
)
def test_a_correction_wins_for_the_conversation_and_for_no_other(agent: Agent, said: str, scene: str) -> None:
    with agent:
        first = agent.turn("something to listen to", "ann", GYM)
        assert first.scene == "workout"
        there = first.conversation_id
        put_right = agent.turn(said, "ann", GYM, conversation_id=there)
        assert (put_right.scene, put_right.signals) == (scene, (("corrected", scene, 1.0),))
        assert put_right.items
        assert agent.turn("another song", "ann", GYM, conversation_id=there).scene == scene
        assert agent.turn("louder ones", "ann", GYM).scene == "workout"


def test_who_puts_the_scene_right_still_wants_what_they_asked_for(agent: Agent) -> None:
    with agent:
        there = agent.turn("a film for tonight", "ann", GYM).conversation_id
        put_right = agent.turn("no, this is date night", "ann", GYM, conversation_id=there)
        assert put_right.items
        assert {item.domain for item in put_right.items} == {"movies"}
        assert agent.turn("thanks", "ann", GYM, conversation_id=there).items == ()
        after_thanks = agent.turn("no, I'm commuting", "ann", GYM, conversation_id=there)
        assert after_thanks.scene == "commute"


def test_who_then_clearly_says_another_scene_is_believed(agent: Agent) -> None:
    with agent:
        there = agent.turn("something to listen to", "ann", GYM).conversation_id
        assert agent.turn("no, I'm commuting", "ann", GYM, conversation_id=there).scene == "commute"
        assert agent.turn("friends are over for a party tonight, let's dance", "ann", GYM, conversation_id=there).scene == "party"
        assert agent.turn("more songs", "ann", GYM, conversation_id=there).scene != "commute"
        there = agent.turn("something to listen to", "ann", GYM).conversation_id
        assert agent.turn("no, I'm commuting", "ann", GYM, conversation_id=there).scene == "commute"
        assert agent.turn("music for cooking", "ann", GYM, conversation_id=there).scene == "cooking"


def test_a_place_put_right_holds_for_the_conversation(agent: Agent) -> None:
    with agent:
        there = agent.turn("something to listen to", "ann", GYM).conversation_id
        agent.turn("no, I'm in the kitchen", "ann", GYM, conversation_id=there)
        assert agent.turn("and now?", "ann", GYM, conversation_id=there).scene == "cooking"


def test_a_correction_is_an_example_for_this_user_alone_and_goes_with_them(agent: Agent) -> None:
    with agent:
        there = agent.turn("the usual mix", "ann", GYM).conversation_id
        agent.turn("I'm not at the gym, I'm commuting", "ann", GYM, conversation_id=there)
        profiles = agent.store.profiles
        assert taught_by(profiles.get(UserId("ann"))) == (("the usual mix", "commute"),)
        again = agent.turn("the usual mix", "ann", GYM)
        assert again.scene == "commute"
        assert "taught" in {name for name, _, _ in again.signals}
        assert agent.turn("the usual mix", "dan", GYM).scene == "workout"
        assert agent.store.users.delete(UserId("ann"))
        assert TAUGHT not in profiles.get(UserId("ann")).constraints


@pytest.mark.parametrize("said", ["I'm home now", "ok, just got home", "到家了"])
def test_who_has_moved_gets_what_they_asked_for_where_they_are_now(agent: Agent, said: str) -> None:
    with agent:
        moment = Moment(device="phone", local_time=GYM.local_time, place=Place("train"))
        first = agent.turn("a book", "ann", moment)
        then = agent.turn(said, "ann", moment, conversation_id=first.conversation_id)
        profile = agent.store.profiles.get(UserId("ann"))
    assert then.items
    assert {item.domain for item in then.items} == {"books"}
    assert json.loads(then.given["moment"])["place"]["type"] == "home"
    assert not taught_by(profile), "nothing was wrong before"


@pytest.mark.parametrize("said", ["I'm tired now", "I'm not home now", "now", "got it"])
def test_a_state_is_no_place(said: str, agent: Agent) -> None:
    with agent:
        assert read_correction(said, Moment(), agent._box.recogniser) is None


def test_without_a_user_nothing_is_taught(agent: Agent) -> None:
    with agent:
        there = agent.turn("the usual mix", None, GYM).conversation_id
        assert agent.turn("no, I'm commuting", None, GYM, conversation_id=there).scene == "commute"
        assert all(TAUGHT not in agent.store.profiles.get(user).constraints for user in agent.store.users.ids())


def test_earlier_scenes_are_a_signal_of_their_own(agent: Agent) -> None:
    with agent:
        for _ in range(6):
            agent.recommend("dan", scene="study")
        turn = agent.turn("something to listen to", "dan", Moment(device="laptop", local_time=MORNING))
        assert ("history", "6 earlier scenes") in {(name, value) for name, value, _ in turn.signals}
        agent.recommend("dan", scene="party")
        assert agent.store.turns.scenes_of(UserId("dan"), last=1) == {"party": 1}
        assert agent.store.turns.scenes_of(UserId("dan"), last=100)["study"] >= 6
        assert agent.store.turns.scenes_of(UserId("nobody"), last=3) == {}


def test_coordinates_become_the_users_own_place_and_are_kept_nowhere(agent: Agent, own_store: Path) -> None:
    here = Place(latitude=48.137154, longitude=11.576124)
    moment = replace(GYM, place=here, device="headphones")
    with agent:
        assert "place" not in {name for name, _, _ in agent.turn("songs", "ann", moment).signals}
        profile = name_a_place(agent.store.profiles.get(UserId("ann")), "my gym", (48.1372, 11.5755))
        agent.store.profiles.save(profile)
        turn = agent.turn("songs", "ann", moment)
        assert ("place", "gym") in {(name, value) for name, value, _ in turn.signals}
        assert "place" not in {name for name, _, _ in agent.turn("songs", "dan", moment).signals}
        item = turn.items[0].item_id
        agent.tell("ann", item, "play", moment=moment)
        (event,) = [event for event in agent.store.events.of_user(UserId("ann")) if event.item_id == item]
        assert event.moment == replace(moment, place=Place("gym"))
    for file in own_store.glob("*.sqlite*"):
        assert b"48.137154" not in file.read_bytes()
        assert b"11.576124" not in file.read_bytes()


def test_the_store_itself_keeps_no_coordinates(tmp_path: Path) -> None:
    from scenewise.store.types import Event, Item, ItemId

    with Store.open(tmp_path / "s", create=True, purpose="test") as store:
        store.items.upsert([Item(ItemId("i"), "music", "Song")])
        moment = Moment(place=Place("train", 48.1, 11.5, 20.0), network="cellular", weather="rain")
        store.events.add([Event(UserId("u"), ItemId("i"), "play", None, 1.0, moment)])
        (event,) = store.events.of_user(UserId("u"))
        assert event.moment == Moment(place=Place("train", speed_mps=20.0), network="cellular", weather="rain")


def test_the_scene_of_a_conversation_stays_while_the_moment_does(agent: Agent) -> None:
    evening = datetime(2025, 10, 4, 20, 30)
    home = Moment("tv", evening, Place("home"))
    with agent:
        first = agent.turn("friends are over tonight, something fun for all of us", "ann", home)
        assert first.scene == "party"
        again = agent.turn("only films please, nothing violent", "ann", home, conversation_id=first.conversation_id)
        assert (again.scene, again.signals[0][0]) == ("party", "conversation")
        later = replace(home, local_time=evening.replace(hour=21))
        assert agent.turn("something shorter", "ann", later, conversation_id=first.conversation_id).scene == "party"
        gym = replace(GYM, local_time=evening.replace(day=6, hour=18))
        assert agent.turn("something shorter", "ann", gym, conversation_id=first.conversation_id).scene == "workout"
        words = agent.turn("I want to cook dinner, a recipe please", "ann", home, conversation_id=first.conversation_id)
        assert words.scene == "cooking"


def test_a_film_that_is_asked_for_in_a_lunch_break_may_be_longer_than_that(agent: Agent) -> None:
    noon = Moment(local_time=datetime(2025, 10, 7, 12, 48), place=Place("office"))
    with agent:
        turn = agent.turn("only films please", "eve", noon)
        assert turn.scene == "lunch break"
        assert {item.domain for item in turn.items} == {"movies"}
        short = agent.turn("only films please", "eve", replace(noon, available_min=2))
        assert not short.items
