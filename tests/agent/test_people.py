"""A person's data: read, changed, locked, exported, joined over platforms, and forgotten to the last byte."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from pathlib import Path

import pytest

from scenewise import Agent, Moment, NotAllowed, NotFound, Settings
from scenewise.store.types import Taste, UserId
from scenewise.tools.retrieval.encoders import Encoders

NOW_S = datetime(2025, 10, 6, 20, 0).timestamp()
ANN = "ann-7f3c91"
SECRET = "xylophonist quagmire"


@pytest.fixture
def agent(own_store: Path, encoders: Encoders) -> Agent:
    return Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders, clock=lambda: NOW_S)


def traces(folder: Path, *words: str) -> list[str]:
    """The files under a folder that hold one of the words, in any case and as UTF-8 or UTF-16."""
    forms = [form for word in words for form in (word.encode(), word.encode("utf-16-le"), json.dumps(word)[1:-1].encode())]
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path.relative_to(folder).as_posix() for path in files if any(form.lower() in path.read_bytes().lower() for form in forms)]


def use(agent: Agent) -> None:
    """What leaves traces: turns, tastes, events, an identity, attributes, a correction, a rejected row."""
    agent.store.users.upsert(UserId(ANN), {"city": SECRET})
    first = agent.turn(f"a film about a {SECRET}", ANN, Moment(device="tv"))
    agent.turn("I hate horror", ANN, conversation_id=first.conversation_id)
    agent.turn("no, I'm at home", ANN, conversation_id=first.conversation_id)
    agent.tell(ANN, next(agent.store.items.all()).item_id, "rating", 5.0)
    agent.store.users.link(UserId(ANN), "music", f"{ANN}@example")
    folder = agent.store.path / "quarantine"
    folder.mkdir(exist_ok=True)
    (folder / "events.jsonl").write_text(
        json.dumps({"line": 3, "raw": f"{ANN},x,9"}) + "\n" + json.dumps({"line": 4, "raw": "bob,x,9"}) + "\n", encoding="utf-8"
    )


def test_a_forgotten_user_leaves_no_byte_behind(agent: Agent) -> None:
    folder = agent.store.path
    with agent:
        use(agent)
        other = agent.turn("a film about jazz", "bob")
        assert traces(folder, ANN, SECRET)
        assert agent.forget_user(ANN)
        assert not agent.forget_user(ANN)
        assert traces(folder, ANN, SECRET) == []
        assert agent.turn("why the first one?", "bob", conversation_id=other.conversation_id).intent == "explain"
    assert traces(folder, ANN, SECRET) == []
    assert "bob" in (folder / "quarantine" / "events.jsonl").read_text(encoding="utf-8")


def test_the_next_turn_of_a_forgotten_user_is_a_new_persons(agent: Agent) -> None:
    with agent:
        use(agent)
        conversation = agent.turn("a funny film", ANN).conversation_id
        agent.forget_user(ANN)
        turn = agent.turn("something shorter", ANN, conversation_id=conversation)
        assert turn.intent == "recommend"  # there is no last list any more that something could be shorter than
        assert "this user is new: nothing is known yet" in turn.notes


def test_turns_that_run_while_a_user_is_forgotten_leave_nothing_of_before(agent: Agent) -> None:
    with agent:
        use(agent)
        running = [threading.Thread(target=agent.turn, args=(f"number {n} of {SECRET}", ANN)) for n in range(4)]
        for thread in running:
            thread.start()
        agent.forget_user(ANN)
        for thread in running:
            thread.join()
        agent.forget_user(ANN)
        assert traces(agent.store.path, ANN, SECRET) == []


def test_a_user_takes_along_everything_that_is_kept(agent: Agent) -> None:
    with agent:
        use(agent)
        taken = json.loads(json.dumps(agent.export_user(ANN)))
        assert taken["attributes"] == {"city": SECRET}
        assert taken["identities"] == [{"platform": "music", "user_id": f"{ANN}@example"}]
        assert [taste["value"].casefold() for taste in taken["profile"]["dislikes"]] == ["horror"]
        assert len(taken["events"]) == 1
        assert [turn["message"] for turn in taken["conversations"][0]["turns"]][1] == "I hate horror"
        with pytest.raises(NotFound):
            agent.export_user("nobody")


def test_a_lock_changes_the_next_list_and_no_word_undoes_it(agent: Agent) -> None:
    with agent:
        agent.edit_profile(ANN, "dislike", "genre", "comedy")
        assert agent.lock_taste(ANN, "genre", "comedy")
        turn = agent.turn("I love comedy", ANN)
        kept = agent.store.profiles.get(UserId(ANN))
        assert [taste.value for taste in kept.dislikes] == ["comedy"]
        assert kept.likes == ()
        assert any(call.name == "update_profile" and call.status in ("failed", "refused") for call in turn.plan)
        shown = agent.recommend(ANN, k=20).items
        assert shown
        genres = {genre for item in shown for genre in agent.store.items.get(item.item_id).attributes.get("genre", ())}
        assert "comedy" not in genres
        with pytest.raises(NotAllowed):
            agent.edit_profile(ANN, "like", "genre", "comedy")
        assert agent.lock_taste(ANN, "genre", "comedy", locked=False)
        agent.edit_profile(ANN, "remove", "genre", "comedy")
        assert agent.store.profiles.get(UserId(ANN)).dislikes == ()
        shown = agent.recommend(ANN, k=20).items
        assert "comedy" in {genre for item in shown for genre in agent.store.items.get(item.item_id).attributes.get("genre", ())}
        with pytest.raises(NotFound):
            agent.lock_taste(ANN, "genre", "comedy")


def test_what_is_edited_says_so_with_its_time(agent: Agent) -> None:
    with agent:
        agent.edit_profile(ANN, "like", "genre", "comedy")
        assert agent.store.profiles.get(UserId(ANN)).likes == (Taste("genre", "comedy", source="edited", time_s=NOW_S),)


def test_identities_of_one_person_share_their_history_until_they_part(agent: Agent) -> None:
    with agent:
        item = next(agent.store.items.all()).item_id
        agent.tell("music:42", item, "rating", 5.0)
        agent.edit_profile("music:42", "dislike", "genre", "comedy")
        assert agent.turn("something", ANN).notes.count("this user is new: nothing is known yet") == 1
        agent.link_user(ANN, "music", "42")
        assert "this user is new: nothing is known yet" not in agent.turn("something", ANN).notes
        assert item not in {entry.item_id for entry in agent.recommend(ANN, k=50).items}  # had on the other platform
        turn = agent.turn("a film", "music:42")
        assert turn.user_id == ANN
        genres = {genre for entry in turn.items for genre in agent.store.items.get(entry.item_id).attributes.get("genre", ())}
        assert "comedy" not in genres
        assert agent.unlink_user("music", "42")
        assert not agent.unlink_user("music", "42")
        assert agent.turn("a film", "music:42").user_id == "music:42"
        assert agent.store.events.of_user(UserId(ANN)) == []
        assert len(agent.store.events.of_user(UserId("music:42"))) == 1


def test_forgetting_a_person_forgets_their_other_identities(agent: Agent) -> None:
    with agent:
        agent.tell(f"music:{ANN}", next(agent.store.items.all()).item_id, "rating", 5.0)
        agent.link_user("bob", "music", ANN)
        assert agent.forget_user("bob")
        assert traces(agent.store.path, ANN) == []
