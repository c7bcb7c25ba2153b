"""The door to store.sqlite: one connection, one lock around it, transactions that nest, and errors in the product's own words."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, RootTransaction, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from scenewise.store.errors import Busy, InputError, NotAllowed, ScenewiseError, StoreError

BUSY_TIMEOUT_MS = 5_000
PAGE_CACHE_KIB = 64 * 1024


class Database:
    """A connection shared by all threads of the process; who uses it holds `_lock`, so threads take turns.

    `rollbacks` grows when something written was taken back: what is remembered of the tables outside them is then void.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self.rollbacks = 0
        self._lock = threading.RLock()
        self._to_write = False
        self._engine = _make_engine(path, read_only=read_only)
        # The driver's own handling of transactions commits before DDL; with isolation_level None SQLAlchemy must say BEGIN itself. A
        # writer says at once that it is one: begun as a reader it could not wait for a writer of another process.
        begin = lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE" if self._to_write else "BEGIN")  # noqa: E731
        event.listen(self._engine, "begin", begin)
        self._connection: Connection | None = None
        with _explained():
            self._connection = self._engine.connect()

    def use_write_ahead_log(self) -> None:
        """Switch the file to WAL, in which readers and the writer do not wait for each other. Not inside a transaction."""
        with self._lock, _explained():
            self._get_driver(self._get_connection()).execute("PRAGMA journal_mode = WAL").fetchone()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give the connection for reads that all see the same state. Raises StoreError, Busy."""
        with self._lock, _explained(), _values_explained():
            connection = self._get_connection()
            if connection.in_transaction():
                yield connection
            else:
                with connection.begin():
                    yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give the connection for writes of which all or none are kept.

        Inside another transaction it joins that one: it is undone alone where it fails alone, and kept when the outer one is.
        Raises NotAllowed (opened for reading), StoreError, Busy.
        """
        if self.read_only:
            raise NotAllowed("the store was opened for reading; open it with read_only=False to change it")
        with self._lock, _explained():
            connection = self._get_connection()
            transaction = connection.begin_nested() if connection.in_transaction() else self._begin_to_write(connection)
            try:
                with _explained():
                    yield connection
                    self._get_connection()
                    transaction.commit()
            except BaseException:
                self.rollbacks += 1
                with suppress(DBAPIError):  # on a full disk SQLite has ended the whole transaction itself: no savepoint to go back to
                    transaction.rollback()
                raise

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Do as `transaction`, for the store's own statements: values that SQLite cannot hold raise InputError."""
        with self.transaction() as connection, _values_explained():
            yield connection

    def scrub(self) -> None:
        """Move the log into the file and empty it: what was deleted stands in older pages of the log until then. Not inside a transaction.
        Raises Busy where a reader of another process still needs the log."""
        with self._lock, _explained():
            blocked, _, _ = self._get_driver(self._get_connection()).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if blocked:
            raise Busy("another program reads the store, so its log could not be emptied yet; try again", retry_after_s=1.0)

    def changes_elsewhere(self) -> int:
        """Return a number that grows when another connection has changed the file. To be asked inside a transaction."""
        row = self._get_driver(self._get_connection()).execute("PRAGMA data_version").fetchone()
        return int(row[0])

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()
            self._engine.dispose()

    def _begin_to_write(self, connection: Connection) -> RootTransaction:
        self._to_write = True
        try:
            return connection.begin()
        finally:
            self._to_write = False

    def _get_driver(self, connection: Connection) -> sqlite3.Connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # it comes from _connect
        return driver

    def _get_connection(self) -> Connection:
        if self._connection is None:
            raise StoreError("the store is closed; open it again")
        if self._connection.in_transaction() and not self._get_driver(self._connection).in_transaction:
            raise StoreError("an earlier error ended this transaction and nothing of it was kept; begin it again")
        return self._connection


def _make_engine(path: Path, *, read_only: bool) -> Engine:
    return create_engine("sqlite://", creator=lambda: _connect(path, read_only=read_only), poolclass=StaticPool, hide_parameters=True)


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    mode = "ro" if read_only else "rwc"
    # On a read-only disk SQLite cannot make the files beside a WAL database; without a log, what is in the file is all there is.
    frozen = read_only and not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists()
    uri = f"{path.absolute().as_uri()}?mode={mode}{'&immutable=1' if frozen else ''}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{PAGE_CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten with zeros
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the driver's errors into ours. Values stay out of the messages."""
    try:
        yield
    except DBAPIError as error:
        raise _explain(error.orig) from error
    except sqlite3.Error as error:
        raise _explain(error) from error


@contextmanager
def _values_explained() -> Iterator[None]:
    try:
        yield
    except UnicodeEncodeError as error:
        raise InputError("a text holds half of a surrogate pair, which is no character; clean it before storing it") from error
    except OverflowError as error:
        raise InputError("a number is outside the 64 bits that the store keeps") from error


def _explain(error: BaseException | None) -> ScenewiseError:
    code = getattr(error, "sqlite_errorcode", None)
    match code & 0xFF if isinstance(code, int) else None:
        case sqlite3.SQLITE_FULL:
            return StoreError("the disk is full and nothing of this change was kept; free some space and try again")
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return StoreError("store.sqlite is damaged or no database; restore a copy, or ingest into a new folder")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Busy("the store is locked by another program; try again", retry_after_s=BUSY_TIMEOUT_MS / 1000)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreError("store.sqlite or its folder may not be opened or written; check the permissions")
        case sqlite3.SQLITE_CONSTRAINT | sqlite3.SQLITE_MISMATCH | sqlite3.SQLITE_TOOBIG:
            return InputError("a value is missing, too long, or of the wrong type for the store")
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return InputError("a value has a type that the store cannot keep")
    return StoreError(f"store.sqlite cannot be used (SQLite error {code}); check the disk")
