"""What changed since a revision, what the store held earlier, and changes beside the one writer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scenewise.store import Busy, Edge, Event, InputError, Item, ItemId, NotFound, Store, UserId

A, B = ItemId("a"), ItemId("b")
ALPHA = Item(A, "movies", "Alpha", attributes={"genre": ("Drama",)}, price_cents=900)
FACT = Edge("item:a", "by", "creator:x", "list")


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(tmp_path / "kept", create=True, clock=clock) as opened:
        yield opened


def test_changes_tell_what_is_new_different_and_gone(kept: Store) -> None:
    kept.items.upsert([ALPHA, Item(B, "movies", "Beta")])
    kept.edges.add([FACT])
    before = kept.revision("items"), kept.revision("edges")
    nothing = kept.changes(*before)
    assert nothing is not None
    assert (nothing.items, nothing.removed, nothing.ends) == ((), (), frozenset())
    kept.items.upsert([replace(ALPHA, year=1999), Item(B, "movies", "Beta")])
    kept.items.delete([B])
    kept.edges.add([replace(FACT, confidence=0.5), Edge("creator:x", "from", "country:y", "list")])
    changes = kept.changes(*before)
    assert changes is not None
    assert changes.items == (replace(ALPHA, year=1999),)
    assert changes.removed == (B,)
    assert changes.ends == {("item:a", "creator:x"), ("creator:x", "country:y")}
    assert (changes.items_revision, changes.edges_revision) == (kept.revision("items"), kept.revision("edges"))
    kept.items.upsert([Item(B, "books", "Back")])
    back = kept.changes(*before)
    assert back is not None
    assert (back.removed, [item.item_id for item in back.items]) == ((), [A, B])


def test_an_erased_fact_cannot_be_told_as_a_change(kept: Store) -> None:
    kept.items.upsert([ALPHA])
    kept.users.upsert(UserId("u"), {})
    kept.edges.add([Edge("user:u", "likes", "item:a", "said")])
    before = kept.revision("items"), kept.revision("edges")
    kept.users.delete(UserId("u"))
    assert list(kept.edges.all()) == []
    assert kept.changes(*before) is None
    assert kept.changes(kept.revision("items"), kept.revision("edges")) is not None


def test_items_are_as_they_were(kept: Store, clock: Clock) -> None:
    kept.items.upsert([ALPHA])
    clock.now_s = 2_000.0
    kept.items.upsert([replace(ALPHA, price_cents=700), Item(B, "movies", "Beta")])
    clock.now_s = 3_000.0
    kept.items.delete([A])
    clock.now_s = 4_000.0
    kept.items.upsert([replace(ALPHA, title="Alpha again")])
    assert kept.items.as_of(999.0) == []
    assert kept.items.as_of(1_500.0) == [ALPHA]
    assert kept.items.as_of(2_000.0) == [replace(ALPHA, price_cents=700), Item(B, "movies", "Beta")]
    assert [item.item_id for item in kept.items.as_of(3_500.0)] == [B]
    assert kept.items.get(A, 4_000.0).title == "Alpha again"
    with pytest.raises(NotFound):
        kept.items.get(A, 3_500.0)


def test_a_forgotten_item_leaves_its_id_alone(kept: Store, clock: Clock) -> None:
    kept.items.upsert([ALPHA])
    kept.edges.add([FACT])
    clock.now_s = 2_000.0
    kept.items.upsert([replace(ALPHA, text="secret")])
    before = kept.revision("items")
    assert kept.items.delete([A], forget=True) == 1
    assert kept.items.as_of(1_500.0) == kept.items.as_of(2_500.0) == []
    assert list(kept.edges.all()) == []
    changes = kept.changes(before, kept.revision("edges"))
    assert changes is not None
    assert changes.removed == (A,)
    kept.items.upsert([ALPHA])
    kept.items.delete([A])  # its history is kept now, and forgotten afterwards
    kept.items.delete([A], forget=True)
    assert kept.items.as_of(2_000.0) == []


def test_deleting_an_item_ends_its_facts_and_stating_them_again_begins_them_anew(kept: Store, clock: Clock) -> None:
    kept.items.upsert([ALPHA])
    kept.edges.add([FACT])
    clock.now_s = 2_000.0
    kept.items.delete([A])
    assert [*kept.edges.holding()] == []
    assert [*kept.edges.holding(1_999.0)] == [replace(FACT, valid_to_s=2_000.0)]
    clock.now_s = 3_000.0
    kept.items.upsert([ALPHA])
    assert kept.edges.add([FACT]) == 1
    assert kept.edges.add([FACT]) == 0
    assert list(kept.edges.all()) == [replace(FACT, valid_to_s=2_000.0), replace(FACT, valid_from_s=3_000.0)]
    assert [edge.source for edge in kept.edges.holding(2_500.0)] == []


def test_an_import_ends_what_its_source_no_longer_says(kept: Store, clock: Clock) -> None:
    other, third = replace(FACT, object="creator:y"), replace(FACT, object="creator:z")
    elsewhere = replace(FACT, source="another list")

    def take_in(*edges: Edge) -> int:
        begun = kept.edges.begin_import()
        begun.add(edges)
        return begun.finish()

    kept.edges.add([elsewhere])
    assert take_in(FACT, other) == 0
    clock.now_s = 2_000.0
    revision = kept.revision("edges")
    assert take_in(FACT, other) == 0
    assert kept.revision("edges") == revision
    assert take_in(FACT, third) == 1
    assert list(kept.edges.all()) == [elsewhere, FACT, replace(other, valid_to_s=2_000.0), replace(third, valid_from_s=2_000.0)]
    assert {edge.object for edge in kept.edges.holding(1_999.0)} == {"creator:x", "creator:y"}
    clock.now_s = 3_000.0
    assert take_in(FACT, other) == 1  # y comes back, z goes
    assert {edge.object for edge in kept.edges.holding(2_999.0)} == {"creator:x", "creator:z"}
    assert {edge.object for edge in kept.edges.holding()} == {"creator:x", "creator:y"}
    clock.now_s = 4_000.0
    revision = kept.revision("edges")
    assert take_in(FACT, other) == 0
    assert kept.revision("edges") == revision
    assert elsewhere in kept.edges.holding()


def test_what_a_person_closed_no_import_opens(kept: Store, clock: Clock) -> None:
    for _ in range(2):
        begun = kept.edges.begin_import()
        begun.add([FACT])
        begun.finish()
        if clock.now_s == 1_000.0:
            kept.edges.close(FACT, 1_500.0)
        clock.now_s += 1_000.0
    assert list(kept.edges.all()) == [replace(FACT, valid_to_s=1_500.0)]


def test_a_source_that_now_denies_ends_what_it_said(kept: Store, clock: Clock) -> None:
    for denied in (False, True):
        begun = kept.edges.begin_import()
        begun.add([replace(FACT, denied=denied)])
        begun.finish()
        clock.now_s += 1_000.0
    assert list(kept.edges.all()) == [
        replace(FACT, valid_to_s=2_000.0),
        replace(FACT, valid_from_s=2_000.0, denied=True),
    ]
    assert [*kept.edges.holding()] == []
    assert [edge.object for edge in kept.edges.holding(1_500.0)] == ["creator:x"]


def test_an_import_that_was_cut_ends_nothing_and_the_next_one_completes_it(kept: Store, clock: Clock) -> None:
    kept.edges.begin_import().add([FACT])
    clock.now_s = 2_000.0
    begun = kept.edges.begin_import()
    begun.add([FACT, replace(FACT, object="creator:y")])
    assert begun.finish() == 0
    assert [edge.valid_from_s for edge in kept.edges.all()] == [None, None]


BESIDE = """
import sys
from scenewise import Item, ItemId, Store
with Store.open(sys.argv[1], beside=True) as store:
    store.items.delete([ItemId("a")])
    store.items.upsert([Item(ItemId("a"), "movies", "Written elsewhere"), Item(ItemId("c"), "movies", "Gamma")])
"""


def test_another_process_may_change_the_store_beside_its_writer(kept: Store) -> None:
    kept.items.upsert([ALPHA, Item(B, "movies", "Beta")])
    kept.events.add([Event(UserId("u"), A, "play", None, 1.0)])  # the writer remembers the row numbers of a and u
    subprocess.run([sys.executable, "-c", BESIDE, str(kept.path)], check=True)
    assert kept.items.get(A).title == "Written elsewhere"
    assert kept.events.of_user(UserId("u")) == []
    assert kept.events.add([Event(UserId("u"), A, "play", None, 2.0), Event(UserId("u"), ItemId("c"), "play", None, 3.0)]) == 2
    assert [event.item_id for event in kept.events.of_user(UserId("u"))] == [A, "c"]


def test_a_transaction_waits_for_that_of_the_other(kept: Store) -> None:
    kept.items.upsert([ALPHA])
    process = None
    with kept.transaction():
        kept.items.upsert([replace(ALPHA, year=1999)])
        process = subprocess.Popen([sys.executable, "-c", BESIDE, str(kept.path)])
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2.0)
    assert process.wait(timeout=30) == 0
    assert kept.items.get(A).title == "Written elsewhere"


def test_beside_makes_no_store_and_is_no_second_writer(tmp_path: Path, kept: Store) -> None:
    with pytest.raises(NotFound):
        Store.open(tmp_path / "none", beside=True)
    with pytest.raises(InputError):
        Store.open(kept.path, beside=True, read_only=True)
    with Store.open(kept.path, beside=True) as other:
        other.items.upsert([ALPHA])
    with pytest.raises(Busy):
        Store.open(kept.path)
    assert kept.items.get(A) == ALPHA
