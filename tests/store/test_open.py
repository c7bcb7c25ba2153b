import os
import sqlite3
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from scenewise.store import Event, InputError, Item, ItemId, NotAllowed, NotFound, Profile, Store, StoreError, UserId
from scenewise.store.schema import HEAD


def make_store(path: Path) -> Path:
    with Store.open(path, create=True) as store:
        store.items.upsert([Item(ItemId("a"), "movies", "Alpha")])
    return path


def test_a_missing_store_is_not_found_and_nothing_is_made(tmp_path: Path) -> None:
    for read_only in (False, True):
        with pytest.raises(NotFound, match="scenewise demo"):
            Store.open(tmp_path / "none", read_only=read_only)
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_there_after_opening_again(tmp_path: Path) -> None:
    path = make_store(tmp_path / "deep" / "store")
    with Store.open(path, create=True) as store:
        assert store.items.count() == 1
    with Store.open(str(path)) as store:
        assert store.items.get(ItemId("a")).title == "Alpha"
        assert store.find_damage() == []
    assert sorted(entry.name for entry in path.iterdir()) == ["cache", "quarantine", "store.lock", "store.sqlite"]


def test_paths_with_odd_characters_work(tmp_path: Path) -> None:
    path = make_store(tmp_path / "50% of #1? é 猫")
    with Store.open(path, read_only=True) as store:
        assert store.items.count() == 1


def test_create_and_read_only_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Store.open(tmp_path / "store", create=True, read_only=True)


def test_a_file_in_place_of_the_folder_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError):
        Store.open(tmp_path / "file", create=True)
    with pytest.raises(StoreError):
        Store.open(tmp_path / "file" / "below", create=True)


WRITES: list[Callable[[Store], object]] = [
    lambda store: store.items.upsert([]),
    lambda store: store.items.delete([ItemId("a")]),
    lambda store: store.users.upsert(UserId("u"), {}),
    lambda store: store.users.delete(UserId("u")),
    lambda store: store.events.add([Event(UserId("u"), ItemId("a"), "play", None, 0.0)]),
    lambda store: store.edges.add([]),
    lambda store: store.profiles.save(Profile(UserId("u"))),
    lambda store: store.turns.save("t", "c", user_id=UserId("u"), time_s=0.0, record={}),
]


@pytest.mark.parametrize("write", WRITES)
def test_a_reader_may_not_write(tmp_path: Path, write: Callable[[Store], object]) -> None:
    path = make_store(tmp_path / "store")
    with Store.open(path, read_only=True) as store, pytest.raises(NotAllowed, match="read_only"):
        write(store)


def test_a_reader_leaves_the_file_and_the_lock_alone(tmp_path: Path) -> None:
    path = make_store(tmp_path / "store")
    (path / "store.lock").unlink()
    before = (path / "store.sqlite").read_bytes()
    with Store.open(path, read_only=True) as store:
        assert store.items.count() == 1
        assert store.read_only
    assert (path / "store.sqlite").read_bytes() == before
    assert not (path / "store.lock").exists()


def test_a_reader_sees_what_the_writer_has_committed_only(tmp_path: Path) -> None:
    path = make_store(tmp_path / "store")
    with Store.open(path) as writer, Store.open(path, read_only=True) as reader:
        with writer.transaction():
            writer.items.upsert([Item(ItemId("b"), "movies", "Beta")])
            assert writer.items.count() == 2
            assert reader.items.count() == 1
            seen = reader.revision()
        assert reader.items.count() == 2
        assert reader.revision() > seen


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.items.count()


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("content", [b"this is no database, it is a letter to a friend" * 100, b"\x00" * 4096])
def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path, content: bytes, read_only: bool) -> None:
    path = make_store(tmp_path / "store")
    (path / "store.sqlite").write_bytes(content)
    with pytest.raises(StoreError):
        Store.open(path, read_only=read_only)
    assert (path / "store.sqlite").read_bytes() == content


def test_a_damaged_file_is_a_store_error_or_reported(tmp_path: Path) -> None:
    path = make_store(tmp_path / "store")
    with Store.open(path) as store:
        store.items.upsert(Item(ItemId(f"i{number}"), "movies", "words " * 50) for number in range(500))
    content = bytearray((path / "store.sqlite").read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    (path / "store.sqlite").write_bytes(content)
    with pytest.raises(StoreError, match="damaged"), Store.open(path, read_only=True) as store:
        list(store.items.all())


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "store.sqlite")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = (tmp_path / "store.sqlite").read_bytes()
    with pytest.raises(StoreError, match="not made by Scenewise"):
        Store.open(tmp_path, create=True)
    assert (tmp_path / "store.sqlite").read_bytes() == before


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_store_is_refused_and_left_as_it_is(tmp_path: Path, read_only: bool) -> None:
    path = make_store(tmp_path / "store")
    connection = sqlite3.connect(path / "store.sqlite")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = (path / "store.sqlite").read_bytes()
    with pytest.raises(StoreError, match=f"9999.*{HEAD}"):
        Store.open(path, read_only=read_only)
    assert (path / "store.sqlite").read_bytes() == before
    assert not (path / "store.lock").exists() or (path / "store.lock").read_bytes() == b""


def test_a_store_whose_making_was_cut_off_is_finished_by_the_next_writer(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").touch()
    with pytest.raises(StoreError, match="never finished"):
        Store.open(tmp_path, read_only=True)
    with Store.open(tmp_path) as store:
        assert store.items.count() == 0


def limit_pages(store: Store, pages: int) -> None:
    """Let SQLite answer as on a full disk once the file has this many pages."""
    with store._database.reading() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def make_many(n: int) -> list[Item]:
    return [Item(ItemId(f"i{number}"), "movies", f"a title {number}", text="words " * 100) for number in range(n)]


@pytest.mark.parametrize("inside_transaction", [False, True])
def test_a_full_disk_is_a_store_error_and_keeps_the_old_state(tmp_path: Path, inside_transaction: bool) -> None:
    path = make_store(tmp_path / "store")
    with Store.open(path) as store:
        limit_pages(store, 60)
        revision = store.revision()
        many = make_many(2_000)
        with pytest.raises(StoreError, match="disk is full"), store.transaction() if inside_transaction else nullcontext():
            store.items.upsert(many)
        assert store.items.count() == 1
        assert store.revision() == revision
        limit_pages(store, 1_000_000)
        assert store.items.upsert(many) == 2_000
        assert store.find_damage() == []


def test_a_transaction_that_a_full_disk_ended_does_not_go_on(tmp_path: Path) -> None:
    def swallow_and_go_on(store: Store) -> None:
        with store.transaction():
            store.items.upsert([Item(ItemId("before"), "movies", "")])
            with pytest.raises(StoreError, match="disk is full"):
                store.items.upsert(make_many(2_000))
            with suppress(StoreError):
                store.items.upsert([Item(ItemId("after"), "movies", "")])

    with Store.open(make_store(tmp_path / "store")) as store:
        limit_pages(store, 60)
        with suppress(StoreError):
            swallow_and_go_on(store)
        found = store.items.known([ItemId("before"), ItemId("after")])
        assert found in (set(), {"before", "after"})  # all or nothing
        limit_pages(store, 1_000_000)
        assert store.items.upsert(make_many(10)) == 10
