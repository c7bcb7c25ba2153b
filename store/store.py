"""The store: the one folder that holds everything that is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from scenewise.store.revision import Part, read_revision
from scenewise.store.schema import HEAD, items, users
from scenewise.store.schema_version import check_readable, migrate, read_version
from scenewise.store.turns import Turns
from scenewise.store.users import Users


class Store:
    """A folder with store.sqlite, store.lock, quarantine/ (rows that an import refused), cache/ and perhaps scenes.toml.

    Made by `Store.open`; a context manager. One process writes at a time; any number read meanwhile. Threads may share a store:
    they take turns at its connection, and a transaction of one thread keeps the others waiting, so do not await inside one.
    """

    def __init__(self, path: Path, database: Database, *, lock: WriterLock | None, clock: Callable[[], float]) -> None:
        self.path = path
        self.cache = path / "cache"
        self.quarantine = path / "quarantine"
        self.scenes_path = path / "scenes.toml"
        self.read_only = lock is None
        self._database = database
        self._lock = lock
        user_numbers = RowNumbers(database, users.c.user_id, users.c.user_no)
        item_numbers = RowNumbers(database, items.c.item_id, items.c.item_no)
        self.items = Items(database, item_numbers, clock)
        self.users = Users(database, user_numbers, clock)
        self.events = Events(database, user_numbers, item_numbers)
        self.edges = Edges(database)
        self.profiles = Profiles(database, user_numbers)
        self.turns = Turns(database, user_numbers)

    @classmethod
    def open(
        cls,
        path: str | PathLike[str],
        *,
        create: bool = False,
        read_only: bool = False,
        purpose: str = "writing",
        clock: Callable[[], float] = time.time,
    ) -> Store:
        """Open the store at `path`; a writer migrates an older one, and makes one where `create` and there is none.

        `purpose` is told to those who find the store busy; `clock` gives unix seconds. Raises NotFound (no store there), Busy
        (another writer; it is named), StoreError (damaged, not a store, newer than this program, or no permission).
        """
        if create and read_only:
            raise InputError("a store cannot be created for reading only; leave out one of create and read_only")
        folder = Path(path).absolute()
        try:
            _find_folder(folder, create=create)
            if read_only:
                return cls(folder, _open_for_reading(folder), lock=None, clock=clock)
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
