import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from scenewise.store import Event, Item, ItemId, NotFound, Store, UserId

A, B, C = ItemId("a"), ItemId("b"), ItemId("c")

WRITE_FOREVER = """
import sys
from scenewise.store import Edge, Event, Item, Store
with Store.open(sys.argv[1]) as store, store.transaction():
    number = 0
    while True:
        items = [Item(f"new{number}-{n}", "movies", "a title " * 20) for n in range(1000)]
        store.items.upsert(items)
        store.items.upsert([Item("a", "movies", f"changed {number}")])
        store.events.add(Event("ann", item.item_id, "play", None, 1.0) for item in items)
        store.edges.add(Edge(f"item:{item.item_id}", "r", "x:y", "s") for item in items)
        number += 1
        print(number, flush=True)
"""


def titles(store: Store) -> dict[str, str]:
    return {item.item_id: item.title for item in store.items.all()}


@contextmanager
def given_up(store: Store) -> Iterator[None]:
    """A transaction that an error leaves at its end."""
    with suppress(KeyError), store.transaction():
        yield
        raise KeyError


def test_a_transaction_keeps_all_or_nothing(store: Store) -> None:
    store.items.upsert([Item(A, "movies", "old")])
    revision = store.revision()
    with given_up(store):
        store.items.upsert([Item(A, "movies", "new"), Item(B, "movies", "new")])
        store.events.add([Event(UserId("ann"), B, "play", None, 1.0)])
        assert store.events.count() == 1
    assert titles(store) == {"a": "old"}
    assert store.events.count() == store.users.count() == 0
    assert store.revision() == revision


def test_what_a_rollback_took_back_is_not_remembered(store: Store) -> None:
    with given_up(store):
        store.items.upsert([Item(A, "movies", "")])
        store.events.add([Event(UserId("ann"), A, "play", None, 1.0)])
    store.items.upsert([Item(B, "movies", ""), Item(C, "movies", "")])
    store.users.upsert(UserId("bob"), {})
    with pytest.raises(NotFound):
        store.events.add([Event(UserId("ann"), A, "play", None, 1.0)])
    store.events.add([Event(UserId("ann"), C, "play", None, 1.0)])
    assert [event.item_id for event in store.events.of_user(UserId("ann"))] == [C]
    assert store.events.of_user(UserId("bob")) == []


def test_an_inner_transaction_joins_the_outer_one(store: Store) -> None:
    with given_up(store), store.transaction():
        store.items.upsert([Item(A, "movies", "")])
    assert store.items.count() == 0


def test_an_inner_transaction_that_fails_is_undone_alone(store: Store) -> None:
    with store.transaction():
        store.items.upsert([Item(A, "movies", "")])
        with given_up(store):
            store.items.upsert([Item(B, "movies", "")])
        with pytest.raises(NotFound):
            store.events.add([Event(UserId("ann"), B, "play", None, 1.0)])
        store.items.upsert([Item(C, "movies", "")])
    assert list(titles(store)) == ["a", "c"]


def test_errors_of_the_caller_pass_through_unchanged(store: Store) -> None:
    with pytest.raises(UnicodeEncodeError), store.transaction():
        "\ud800".encode()


def test_threads_take_turns(store: Store) -> None:
    n_threads, n_rounds = 8, 25
    store.items.upsert([Item(A, "movies", "")])
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for round_ in range(n_rounds):
                with store.transaction():
                    before = store.events.count()
                    store.events.add([Event(UserId(f"u{number}"), A, "play", None, float(round_))])
                    assert store.events.count() == before + 1  # no other thread writes inside this transaction
                assert len(store.events.of_user(UserId(f"u{number}"))) == round_ + 1
                store.items.search_text("x", 3)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread, which fails the test with it
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.events.count() == n_threads * n_rounds


@pytest.mark.parametrize("rounds_before_the_kill", [1, 3, 8])
def test_a_writer_that_is_killed_leaves_the_old_state(tmp_path: Path, rounds_before_the_kill: int) -> None:
    path = tmp_path / "store"
    with Store.open(path, create=True) as store:
        store.items.upsert([Item(A, "movies", "old")])
        revision = store.revision()
    with subprocess.Popen([sys.executable, "-c", WRITE_FOREVER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(rounds_before_the_kill):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with Store.open(path, read_only=True) as reader:
        assert titles(reader) == {"a": "old"}
    with Store.open(path) as store:
        assert titles(store) == {"a": "old"}
        assert (store.events.count(), store.edges.count(), store.users.count(), store.revision()) == (0, 0, 0, revision)
        assert store.find_damage() == []
        assert store.items.upsert([Item(B, "movies", "next")]) == 1
