"""The store: the one folder that holds everything that is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import TracebackType

from sqlalchemy import text

from scenewise.store.database import Database
from scenewise.store.edges import Edges
from scenewise.store.errors import InputError, NotFound, StoreError
from scenewise.store.events import Events
from scenewise.store.items import Items
from scenewise.store.lock import WriterLock
from scenewise.store.numbers import RowNumbers
from scenewise.store.profiles import Profiles
from scenewise.store.readings import Merges, Readings
from scenewise.store.revision import Part, read_revision
from scenewise.store.schema import HEAD, items, users
from scenewise.store.schema_version import check_readable, migrate, read_version
from scenewise.store.turns import Turns
from scenewise.store.types import Item, ItemId
from scenewise.store.users import Users


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different from an earlier state: items that are new or different, ids that are gone, (subject, object) of edges that are new
    or different. `items_revision` and `edges_revision` are those that it leads to."""

    items_revision: int
    edges_revision: int
    items: tuple[Item, ...] = ()
    removed: tuple[ItemId, ...] = ()
    ends: frozenset[tuple[str, str]] = frozenset()


class Store:
    """A folder with store.sqlite, store.lock, quarantine/ (rows that an import refused), cache/ and perhaps scenes.toml.

    Made by `Store.open`; a context manager. One process has it open for writing, with its caches; any number read meanwhile, and may
    change it `beside` that one, a transaction at a time. Threads may share a store: they take turns at its connection, and a
    transaction of one thread keeps the others waiting, so do not await inside one.
    """

    def __init__(
        self, path: Path, database: Database, *, lock: WriterLock | None = None, read_only: bool = False, clock: Callable[[], float]
    ) -> None:
        self.path = path
        self.cache = path / "cache"
        self.quarantine = path / "quarantine"
        self.scenes_path = path / "scenes.toml"
        self.read_only = read_only
        self._database = database
        self._lock = lock
        user_numbers = RowNumbers(database, users.c.user_id, users.c.user_no)
        item_numbers = RowNumbers(database, items.c.item_id, items.c.item_no)
        self.items = Items(database, item_numbers, clock)
        self.users = Users(database, user_numbers, clock)
        self.events = Events(database, user_numbers, item_numbers)
        self.edges = Edges(database, clock)
        self.readings = Readings(database)
        self.merges = Merges(database)
        self.profiles = Profiles(database, user_numbers)
        self.turns = Turns(database, user_numbers)

    @classmethod
    def open(
        cls,
        path: str | PathLike[str],
        *,
        create: bool = False,
        read_only: bool = False,
        beside: bool = False,
        purpose: str = "writing",
        clock: Callable[[], float] = time.time,
    ) -> Store:
        """Open the store at `path`; a writer migrates an older one, and makes one where `create` and there is none.

        `beside` opens it for short changes while another process, an agent for example, may have it open for writing: SQLite lets one
        transaction in after the other, and who comes second waits 5 s at most; the agent sees the change at its next turn.

        `purpose` is told to those who find the store busy; `clock` gives unix seconds. Raises NotFound (no store there), Busy
        (another writer; it is named), StoreError (damaged, not a store, newer than this program, or no permission).
        """
        if create + read_only + beside > 1:
            raise InputError("a store is created, or read only, or changed beside its writer: give one of create, read_only and beside")
        folder = Path(path).absolute()
        try:
            _find_folder(folder, create=create)
            if read_only:
                return cls(folder, _open_for_reading(folder), read_only=True, clock=clock)
            if beside and (database := _open_beside(folder)) is not None:
                return cls(folder, database, clock=clock)
            lock = WriterLock.take(folder / "store.lock", purpose=purpose, now_s=clock())
            try:
                return cls(folder, _open_for_writing(folder), lock=lock, clock=clock)
            except BaseException:
                lock.release()
                raise
        except OSError as error:
            raise StoreError(f"the store at {folder} cannot be used ({error.strerror}); check the path and its permissions") from error

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.path / "store.sqlite"

    def changes(self, items: int, edges: int) -> Changes | None:
        """Return what changed since these revisions, all of one state of the store; None where that can no longer be told."""
        with self._database.reading() as connection:
            now = read_revision(connection, "items"), read_revision(connection, "edges")
            touched = self.edges.touched_since(edges)
            if touched is None:
                return None
            changed, removed = self.items.changed_since(items)
        return Changes(now[0], now[1], tuple(changed), tuple(removed), frozenset(touched))

    def revision(self, part: Part | None = None) -> int:
        """Return a number that grows with every change of items, events or edges (`part`), or of any of them (None)."""
        with self._database.reading() as connection:
            return read_revision(connection, part)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all writes inside one: all are kept at its end, or none where an error leaves it.

        An inner transaction joins the outer one; where only the inner one fails, only it is undone.
        """
        with self._database.transaction():
            yield

    def scrub(self) -> None:
        """Leave nothing of what was deleted in the files of the store. Raises Busy where another program reads it just now."""
        self._database.scrub()

    def find_damage(self) -> list[str]:
        """Let SQLite read the whole file; return what is wrong in its words, nothing where all is well."""
        with self._database.reading() as connection:
            return [line for line in connection.scalars(text("PRAGMA integrity_check(20)")) if line != "ok"]

    def close(self) -> None:
        """Close the file and let the next writer in; a second call does nothing."""
        self._database.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()


def _find_folder(folder: Path, *, create: bool) -> None:
    if (folder / "store.sqlite").is_file():
        return
    if not create:
        raise NotFound(f"there is no store at {folder}; make one with `scenewise demo` or `scenewise ingest`")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _open_for_reading(folder: Path) -> Database:
    database = Database(folder / "store.sqlite", read_only=True)
    try:
        with database.reading() as connection:
            check_readable(read_version(connection))
    except BaseException:
        database.close()
        raise
    return database


def _open_beside(folder: Path) -> Database | None:
    """Open a store of the present schema; None for an older one, which its one writer has to bring up first."""
    database = Database(folder / "store.sqlite", read_only=False)
    try:
        with database.reading() as connection:
            if read_version(connection) == HEAD:
                return database
    except BaseException:
        database.close()
        raise
    database.close()
    return None


def _open_for_writing(folder: Path) -> Database:
    database = Database(folder / "store.sqlite", read_only=False)
    try:
        with database.reading() as connection:
            version = read_version(connection)
        database.use_write_ahead_log()
        if version != HEAD:
            with database.writing() as connection:
                migrate(connection)
        for name in ("cache", "quarantine"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
    except BaseException:
        database.close()
        raise
    return database
