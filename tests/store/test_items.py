from dataclasses import replace

import pytest

from scenewise.store import Edge, Event, InputError, Item, ItemId, NotFound, Store, UserId

A, B = ItemId("a"), ItemId("b")


def test_upsert_counts_what_is_new_or_different(store: Store) -> None:
    items = [Item(A, "movies", "Alpha", attributes={"genre": ("Drama",), "mood": ("calm",)}), Item(B, "books", "Beta")]
    assert store.items.upsert(items) == 2
    revision = store.revision()
    same = replace(items[0], attributes={"mood": ("calm",), "genre": ("Drama",)})
    assert store.items.upsert([same, items[1]]) == 0
    assert store.revision() == revision
    assert store.items.upsert([replace(items[0], year=1999), items[1]]) == 1
    assert store.items.get(A).year == 1999
    assert store.revision("items") == store.revision() == revision + 1


def test_the_last_of_two_items_with_one_id_stays(store: Store) -> None:
    store.items.upsert([Item(A, "movies", "first"), Item(A, "movies", "second")])
    assert [item.title for item in store.items.all()] == ["second"]


def test_all_is_ordered_by_id_over_several_batches(store: Store) -> None:
    ids = [ItemId(f"é{number}" if number % 2 else f"Z{number}") for number in range(4_500)]
    store.items.upsert(Item(item_id, "movies", "") for item_id in ids)
    assert [item.item_id for item in store.items.all()] == sorted(ids) == store.items.ids()


def test_items_may_be_changed_while_they_are_read(store: Store) -> None:
    store.items.upsert(Item(ItemId(f"{number:05}"), "movies", "") for number in range(2_500))
    for item in store.items.all():
        if item.item_id.endswith("00"):
            store.items.delete([item.item_id])
    assert store.items.count() == 2_475


def test_get_many_keeps_the_order_asked_for_and_leaves_out_what_is_missing(store: Store) -> None:
    store.items.upsert(Item(ItemId(f"i{number}"), "movies", "") for number in range(1_200))
    asked = [ItemId(f"i{number}") for number in (1_100, 5, 9_999, 700, 5)]
    assert list(store.items.get_many(asked)) == ["i1100", "i5", "i700"]
    assert store.items.known(asked) == {"i1100", "i5", "i700"}
    assert store.items.get_many([]) == {}
    with pytest.raises(NotFound):
        store.items.get(ItemId("i9999"))


def test_delete_takes_events_edges_and_search_along(store: Store) -> None:
    store.items.upsert([Item(A, "movies", "Alpha"), Item(B, "movies", "Beta")])
    store.events.add([Event(UserId("u"), item, "play", None, 1.0) for item in (A, B)])
    facts = [
        Edge("item:a", "genre", "genre:x", "s"),
        Edge("item:b", "like", "item:a", "s"),
        Edge("item:b", "genre", "genre:x", "s"),
    ]
    store.edges.add(facts)
    before = [store.revision(part) for part in ("items", "events", "edges")]
    assert store.items.delete([A, ItemId("none")]) == 1
    assert [event.item_id for event in store.events.of_user(UserId("u"))] == [B]
    assert [*store.edges.holding()] == facts[2:]
    assert list(store.edges.all()) == [*(replace(fact, valid_to_s=1_000.0) for fact in facts[:2]), facts[2]]
    assert [fact.object for fact in store.edges.holding(999.0)] == [fact.object for fact in facts]
    assert store.items.search_text("alpha beta", 5)[0][0] == B
    assert len(store.items.search_text("alpha", 5)) == 0
    assert all(store.revision(part) > old for part, old in zip(("items", "events", "edges"), before, strict=True))
    assert store.items.delete([A]) == 0


def test_an_item_that_comes_back_has_no_old_events(store: Store) -> None:
    store.items.upsert([Item(A, "movies", "Alpha")])
    store.events.add([Event(UserId("u"), A, "play", None, 1.0)])
    store.items.delete([A])
    with pytest.raises(NotFound):
        store.events.add([Event(UserId("u"), A, "play", None, 2.0)])
    store.items.upsert([Item(A, "movies", "Alpha")])
    assert store.events.of_user(UserId("u")) == []
    assert store.events.add([Event(UserId("u"), A, "play", None, 2.0)]) == 1


@pytest.mark.parametrize(
    "item",
    [
        Item(ItemId(""), "movies", "Alpha"),
        Item(A, "", "Alpha"),
        Item(A, "movies", "half a pair \ud800"),
        Item(A, "movies", "Alpha", attributes={"genre": ("\udfff",)}),
        Item(A, "movies", "Alpha", price_cents=2**63),
    ],
)
def test_what_cannot_be_stored_is_refused_whole(store: Store, item: Item) -> None:
    with pytest.raises(InputError) as caught:
        store.items.upsert([Item(B, "movies", "Beta"), item])
    assert "Alpha" not in str(caught.value)
    assert store.items.count() == 0
