import pytest

from scenewise.store import InputError, NotAllowed, NotFound, Store, UserId

ANN, BOB = UserId("ann"), UserId("bob")


def test_turns_of_a_conversation_come_in_the_order_of_time(store: Store) -> None:
    store.turns.save("t2", "c", user_id=ANN, time_s=2.0, record={"n": 2})
    store.turns.save("t1", "c", user_id=ANN, time_s=1.0, record={"n": 1, "reply": "好的 🎬", "list": [1.5, None, {"x": True}]})
    store.turns.save("t3", "c", user_id=ANN, time_s=2.0, record={"n": 3})
    store.turns.save("t4", "other", user_id=ANN, time_s=9.0, record={"n": 4})
    assert [record["n"] for record in store.turns.of_conversation("c")] == [1, 2, 3]
    assert store.turns.last("c") == {"n": 3}
    assert store.turns.last("c", before="t3") == {"n": 2}
    assert store.turns.last("c", before="not kept") == {"n": 3}
    assert store.turns.get("t1") == {"n": 1, "reply": "好的 🎬", "list": [1.5, None, {"x": True}]}
    assert store.turns.owner("c") == ANN
    assert store.users.exists(ANN)


def test_unknown_turns_and_conversations(store: Store) -> None:
    with pytest.raises(NotFound):
        store.turns.get("none")
    assert store.turns.of_conversation("none") == []
    assert store.turns.last("none") is None
    assert store.turns.owner("none") is None


def test_conversations_by_how_their_ids_begin(store: Store) -> None:
    for place, name in enumerate(("c-1-b", "c-1-a", "c-10", "c-2-a", "c-1_", "c-1-\U0001f3ac")):
        store.turns.save(f"t{place}", name, user_id=ANN, time_s=float(place), record={})
    assert store.turns.begun_with("c-1-", last=9) == ["c-1-\U0001f3ac", "c-1-a", "c-1-b"]
    assert store.turns.begun_with("c-1-", last=1) == ["c-1-\U0001f3ac"]
    assert store.turns.begun_with("d", last=9) == []


def test_saving_a_turn_again_replaces_its_record(store: Store) -> None:
    store.turns.save("t", "c", user_id=ANN, time_s=1.0, record={"n": 1})
    store.turns.save("t", "c", user_id=ANN, time_s=1.0, record={"n": 2})
    assert store.turns.of_conversation("c") == [{"n": 2}]


def test_nobody_writes_into_another_users_conversation(store: Store) -> None:
    store.turns.save("t", "c", user_id=ANN, time_s=1.0, record={"n": 1})
    with pytest.raises(NotAllowed):
        store.turns.save("t", "c", user_id=BOB, time_s=2.0, record={"n": 2})
    with pytest.raises(NotAllowed):
        store.turns.save("t2", "c", user_id=BOB, time_s=2.0, record={"n": 2})
    with pytest.raises(NotAllowed):
        store.turns.save("t", "mine", user_id=BOB, time_s=2.0, record={"n": 2})
    assert store.turns.of_conversation("c") == [{"n": 1}]
    assert store.turns.owner("mine") is None
    assert not store.users.exists(BOB)


@pytest.mark.parametrize("record", [{"x": float("nan")}, {"x": object()}, {"x": {1, 2}}, {"x": "\ud800"}])
def test_a_record_that_is_not_json_is_refused(store: Store, record: dict[str, object]) -> None:
    with pytest.raises(InputError):
        store.turns.save("t", "c", user_id=ANN, time_s=1.0, record=record)
    assert store.turns.last("c") is None


def test_a_turn_needs_ids(store: Store) -> None:
    with pytest.raises(InputError):
        store.turns.save("", "c", user_id=ANN, time_s=1.0, record={})
