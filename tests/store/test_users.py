import pytest

from scenewise.store import Edge, Event, InputError, Item, ItemId, NotAllowed, NotFound, Profile, Store, Taste, UserId

ANN, BOB = UserId("ann"), UserId("bob")


def test_upsert_replaces_attributes(store: Store) -> None:
    store.users.upsert(ANN, {"city": "Köln", "job": "nurse"})
    store.users.upsert(ANN, {"city": "Rome"})
    store.users.upsert_many([(BOB, {})])
    assert store.users.attributes(ANN) == {"city": "Rome"}
    assert store.users.attributes(BOB) == {}
    assert store.users.ids() == [ANN, BOB]
    assert store.users.count() == 2
    assert store.users.exists(ANN)
    assert not store.users.exists(UserId("cleo"))
    with pytest.raises(NotFound):
        store.users.attributes(UserId("cleo"))
    with pytest.raises(InputError):
        store.users.upsert(UserId(""), {})


def test_identities_link_resolve_and_unlink(store: Store) -> None:
    store.users.upsert(ANN, {})
    store.users.upsert(BOB, {})
    store.users.link(ANN, "music", "42")
    store.users.link(ANN, "music", "42")
    store.users.link(ANN, "books", "a@b")
    store.users.link(BOB, "books", "42")
    assert store.users.resolve("music", "42") == ANN
    assert store.users.resolve("books", "42") == BOB
    assert store.users.resolve("books", "43") is None
    assert store.users.identities(ANN) == [("books", "a@b"), ("music", "42")]
    with pytest.raises(NotAllowed):
        store.users.link(BOB, "music", "42")
    assert store.users.resolve("music", "42") == ANN
    assert store.users.unlink("music", "42")
    assert not store.users.unlink("music", "42")
    store.users.link(BOB, "music", "42")
    assert store.users.resolve("music", "42") == BOB


def test_only_a_known_user_can_be_linked(store: Store) -> None:
    with pytest.raises(NotFound):
        store.users.link(ANN, "music", "42")
    store.users.upsert(ANN, {})
    with pytest.raises(InputError):
        store.users.link(ANN, "music", "")


def test_delete_removes_everything_of_a_user_and_nothing_of_others(store: Store) -> None:
    store.items.upsert([Item(ItemId("a"), "movies", "Alpha")])
    for user_id in (ANN, BOB):
        store.users.upsert(user_id, {"city": "Rome"})
        store.users.link(user_id, "music", user_id)
        store.events.add([Event(user_id, ItemId("a"), "play", None, 1.0)])
        store.edges.add([Edge(f"user:{user_id}", "likes", "item:a", "said")])
        store.profiles.save(Profile(user_id, likes=(Taste("genre", "Drama"),)))
        store.turns.save(f"turn-{user_id}", f"conversation-{user_id}", user_id=user_id, time_s=1.0, record={"x": 1})
    revision = store.revision()
    assert store.users.delete(ANN)
    assert not store.users.delete(ANN)
    assert store.revision() > revision
    assert store.users.ids() == [BOB]
    assert store.events.of_user(ANN) == []
    assert store.events.count() == 1
    assert store.users.resolve("music", ANN) is None
    assert store.profiles.get(ANN) == Profile(ANN)
    assert store.turns.of_conversation("conversation-ann") == []
    assert store.turns.owner("conversation-ann") is None
    assert [edge.subject for edge in store.edges.all()] == ["user:bob"]
    assert store.users.resolve("music", BOB) == BOB
    assert store.profiles.get(BOB).likes
    assert store.turns.get("turn-bob") == {"x": 1}
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_a_deleted_user_who_returns_is_new(store: Store) -> None:
    store.items.upsert([Item(ItemId("a"), "movies", "Alpha")])
    store.events.add([Event(ANN, ItemId("a"), "play", None, 1.0), Event(BOB, ItemId("a"), "play", None, 1.0)])
    store.users.delete(ANN)
    store.events.add([Event(ANN, ItemId("a"), "play", None, 2.0)])
    assert [event.time_s for event in store.events.of_user(ANN)] == [2.0]
    assert [event.time_s for event in store.events.of_user(BOB)] == [1.0]
