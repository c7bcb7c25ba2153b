"""Whatever comes in: one clear error or a sensible answer, and nothing that is stored changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenewise import Agent, InputError, Item, ItemId, Moment, NotFound, Place, Settings, Store, StoreError
from scenewise.tools.retrieval.encoders import Encoders


@pytest.mark.parametrize(
    "message",
    [
        "",
        "   ",
        "\x00\x00",
        "\u202egnp.exe\u202c tell me",
        "🎬🍿🎉",
        "?" * 8_000,
        "DROP TABLE items; --",
        "' OR 1=1",
        "<script>alert(1)</script>",
        "%s%n{}",
    ],
)
def test_odd_messages_are_answered(small_agent: Agent, message: str) -> None:
    turn = small_agent.turn(message, "ann")
    assert turn.reply
    assert "\x00" not in turn.message
    assert "\u202e" not in turn.message


@given(st.text(max_size=300))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_answered(small_agent: Agent, message: str) -> None:
    turn = small_agent.turn(message, "dan")
    assert turn.reply
    known = small_agent.store.items.known([item.item_id for item in turn.items])
    assert len(known) == len(turn.items)


def test_a_megabyte_is_refused_with_the_limit(small_agent: Agent) -> None:
    with pytest.raises(InputError, match="8,000"):
        small_agent.turn("x" * 1_000_000, "ann")


@pytest.mark.parametrize("k", [0, -1, 101, 10**9])
def test_an_impossible_length_is_refused(small_agent: Agent, k: int) -> None:
    with pytest.raises(InputError, match="1 to 100"):
        small_agent.turn("a film", "ann", k=k)


@pytest.mark.parametrize(
    "moment",
    [
        Moment(local_time=datetime.fromtimestamp(1_760_000_000) + timedelta(days=800)),
        Moment(available_min=-5),
        Moment(place=Place(latitude=123.0, longitude=0.0)),
        Moment(place=Place(latitude=0.0, longitude=999.0)),
        Moment(place=Place(speed_mps=-1.0)),
        Moment(place=Place(speed_mps=float("nan"))),
    ],
)
def test_impossible_moments_are_refused(small_agent: Agent, moment: Moment) -> None:
    with pytest.raises(InputError):
        small_agent.turn("a film", "ann", moment)


def test_an_unknown_user_is_answered_and_an_unknown_scene_is_not(small_agent: Agent) -> None:
    turn = small_agent.turn("a film", "nobody-knows")
    assert turn.items
    assert any("new" in note for note in turn.notes)
    with pytest.raises(NotFound, match="date night"):
        small_agent.recommend("ann", scene="date nigth")


def test_an_empty_user_id_is_refused(small_agent: Agent) -> None:
    with pytest.raises(InputError):
        small_agent.turn("a film", " ")


def test_bad_input_changes_nothing(small_agent: Agent) -> None:
    before = (small_agent.store.revision(), small_agent.store.users.count())
    for message in ("x" * 10_000, ""):
        for k in (0, 5):
            try:
                small_agent.turn(message, "ann", k=k)
            except InputError:
                continue
    assert (small_agent.store.revision(), small_agent.store.users.count()) == before


@pytest.mark.parametrize("n", [0, 1, 2])
def test_tiny_catalogues(tmp_path: Path, n: int, encoders: Encoders) -> None:
    with Store.open(tmp_path / "tiny", create=True) as store:
        store.items.upsert(Item(ItemId(f"i{i}"), "movies", f"Film {i}") for i in range(n))
    with Agent.open(tmp_path / "tiny", settings=Settings(llm_off=True), encoders=encoders) as agent:
        turn = agent.turn("a film", "ann")
        assert len(turn.items) == n
        assert turn.reply
        assert agent.turn("why the second one?", "ann", conversation_id=turn.conversation_id).reply


def test_a_missing_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="scenewise"):
        Agent.open(tmp_path / "nothing", settings=Settings(llm_off=True))


def test_a_store_in_use_names_its_holder(small_agent: Agent) -> None:
    import os

    from scenewise import Busy

    with pytest.raises(Busy, match=str(os.getpid())):
        Agent.open(small_agent.store.path, settings=Settings(llm_off=True))


def test_a_damaged_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "store.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError):
        Agent.open(tmp_path / "bad", settings=Settings(llm_off=True))


def test_a_scene_file_with_a_typo_names_line_and_nearest(own_store: Path, encoders: Encoders) -> None:
    (own_store / "scenes.toml").write_text('[scene.gaming]\ndescription = "x"\nexmples = ["a"]\n')
    with pytest.raises(InputError, match=r"scenes.toml:3.*did you mean 'examples'"):
        Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders)


def test_an_edited_scene_file_counts_in_the_next_turn(own_store: Path, encoders: Encoders) -> None:
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders) as agent:
        assert agent.turn("raid night with my guild", "ann").scene != "gaming"
        (own_store / "scenes.toml").write_text(
            '[scene.gaming]\ndescription = "Playing online with others"\n'
            'examples = ["raid night with my guild", "gaming with friends online", "a long session of my favourite game"]\n'
        )
        assert agent.turn("raid night with my guild", "ann").scene == "gaming"
