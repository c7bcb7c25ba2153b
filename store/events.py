"""What users did with items."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from scenewise.store.codec import dump_moment, load_moment
from scenewise.store.database import Database
from scenewise.store.errors import InputError, NotFound
from scenewise.store.numbers import RowNumbers
from scenewise.store.revision import grow_revision
from scenewise.store.schema import events as table
from scenewise.store.schema import items, users
from scenewise.store.types import Event, ItemId, Moment, UserId
from scenewise.store.users import number_users

ROWS_PER_FETCH = 50_000

EventRow = tuple[UserId, ItemId, str, float | None, float]  # user_id, item_id, kind, value, time_s
_StoredRow = tuple[int, float, int, str, float | None, str | None]  # the columns of the table, in their order

_ADD = """
    INSERT INTO events (user_no, time_s, item_no, kind, value, moment) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (user_no, time_s, item_no, kind) DO NOTHING
"""
# A row without a moment leaves the moment that is there: an import knows less than the conversation in which it was said.
_REPLACE = """
    INSERT INTO events (user_no, time_s, item_no, kind, value, moment) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (user_no, time_s, item_no, kind)
    DO UPDATE SET value = excluded.value, moment = coalesce(excluded.moment, moment)
    WHERE value IS NOT excluded.value OR moment IS NOT coalesce(excluded.moment, moment)
"""


@dataclass(frozen=True, eq=False)
class EventArrays:
    """All events as columns, ordered by user (as they were added), time and item (as they were added).

    `user_ids` and `item_ids` hold every user and item of the store in the order of their ids, also those without events.
    `user`: int32 (n,) positions in `user_ids`; `item`: int32 (n,) positions in `item_ids`; `value`: float32 (n,), NaN where
    there is none; `time_s`: float64 (n,), unix seconds; `kind`: n words. Where they were asked for: `moment`: int32 (n,) positions
    in `moments`, -1 where none is known.
    """

    user_ids: tuple[UserId, ...]
    item_ids: tuple[ItemId, ...]
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    value: NDArray[np.float32]
    time_s: NDArray[np.float64]
    kind: tuple[str, ...]
    moment: NDArray[np.int32] | None = None
    moments: tuple[Moment, ...] = ()

    @property
    def n(self) -> int:
        """The number of events."""
        return len(self.kind)


class Events:
    """Read and add events. All methods may be called from any thread."""

    def __init__(self, database: Database, user_numbers: RowNumbers, item_numbers: RowNumbers) -> None:
        self._database = database
        self._user_numbers = user_numbers
        self._item_numbers = item_numbers

    def add(self, events: Iterable[Event]) -> int:
        """Add events; return how many are new. One with the same user, item, kind and time as before replaces its value.

        Unknown users are added. Raises NotFound where the store lacks an item, before anything is written.
        """
        rows = list(events)
        return self._add(
            [(event.user_id, event.item_id, event.kind, event.value, event.time_s) for event in rows],
            [dump_moment(event.moment) for event in rows],
        )

    def add_rows(self, rows: Sequence[EventRow]) -> int:
        """Do `add` for plain tuples (user_id, item_id, kind, value, time_s) without moments: the fast way for imports."""
        return self._add(rows, [None] * len(rows))

    def of_user(self, user_id: UserId, limit: int | None = None) -> list[Event]:
        """Return a user's newest `limit` events (all where None), oldest first; none for an unknown user."""
        query = (
            select(items.c.item_id, table.c.kind, table.c.value, table.c.time_s, table.c.moment)
            .select_from(table)
            .join(users, users.c.user_no == table.c.user_no)
            .join(items, items.c.item_no == table.c.item_no)
            .where(users.c.user_id == user_id)
            .order_by(table.c.time_s.desc(), table.c.item_no.desc(), table.c.kind.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Event(user_id, ItemId(row[0]), row[1], row[2], row[3], load_moment(row[4])) for row in reversed(rows)]

    def arrays(self, *, moments: bool = False) -> EventArrays:
        """Return all events as columns, of one state of the store. Other threads wait meanwhile (about 2 s for a million)."""
        with self._database.reading() as connection:
            user_ids, user_positions = _read_positions(connection, "SELECT user_no, user_id FROM users ORDER BY user_id")
            item_ids, item_positions = _read_positions(connection, "SELECT item_no, item_id FROM items ORDER BY item_id")
            blocks, kinds = _read_blocks(connection)
            moment, texts = _read_moments(connection, len(kinds)) if moments else (None, ())
        return EventArrays(
            user_ids=tuple(map(UserId, user_ids)),
            item_ids=tuple(map(ItemId, item_ids)),
            user=user_positions[blocks[0].astype(np.int64)],
            item=item_positions[blocks[2].astype(np.int64)],
            value=blocks[3].astype(np.float32),
            time_s=blocks[1],
            kind=kinds,
            moment=moment,
            moments=tuple(found for text in texts if (found := load_moment(text)) is not None),
        )

    def count(self) -> int:
        """Count the events."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    def _add(self, rows: Sequence[EventRow], moments: Sequence[str | None]) -> int:
        _check_rows(rows)
        if not rows:
            return 0
        with self._database.writing() as connection:
            item_numbers = self._item_numbers.find(connection, {row[1] for row in rows})
            missing = {row[1] for row in rows if row[1] not in item_numbers}
            if missing:
                raise NotFound(f"{len(missing)} items of these events are not in the store; add the items first")
            user_numbers = number_users(connection, self._user_numbers, {row[0] for row in rows})
            return _write(
                connection,
                [
                    (user_numbers[user_id], time_s, item_numbers[item_id], kind, value, moment)
                    for (user_id, item_id, kind, value, time_s), moment in zip(rows, moments, strict=True)
                ],
            )


def _check_rows(rows: Sequence[EventRow]) -> None:
    if not all(row[2] and math.isfinite(row[4]) for row in rows):
        raise InputError("an event needs a kind and a finite time in unix seconds")


def _write(connection: Connection, rows: list[_StoredRow]) -> int:
    new = connection.exec_driver_sql(_ADD, rows).rowcount
    replaced = connection.exec_driver_sql(_REPLACE, rows).rowcount if new < len(rows) else 0
    if new or replaced:
        grow_revision(connection, "events")
    return new


def _read_positions(connection: Connection, sql: str) -> tuple[list[str], NDArray[np.int32]]:
    """Return the ids in order, and position_of_row_number: int32 (largest row number + 1,)."""
    rows = connection.exec_driver_sql(sql).all()
    positions = np.zeros(max((row[0] for row in rows), default=0) + 1, dtype=np.int32)
    positions[np.array([row[0] for row in rows], dtype=np.int64)] = np.arange(len(rows), dtype=np.int32)
    return [row[1] for row in rows], positions


def _read_blocks(connection: Connection) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Read user_no, time_s, item_no, value as float64 (4, n), exact for whole numbers below 2**53, and the n kinds."""
    cursor = connection.exec_driver_sql("SELECT user_no, time_s, item_no, value, kind FROM events").cursor
    blocks = [np.empty((4, 0))]
    kinds: list[str] = []
    while rows := cursor.fetchmany(ROWS_PER_FETCH) if cursor else ():
        *numbers, words = zip(*rows, strict=True)
        blocks.append(np.array(numbers, dtype=np.float64))  # None becomes NaN
        kinds.extend(map(sys.intern, words))
    return np.concatenate(blocks, axis=1), tuple(kinds)


def _read_moments(connection: Connection, n: int) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return the place of each event's moment in the texts of all that differ, in the order of _read_blocks; -1 where there is none."""
    codes: dict[str, int] = {}
    out = np.full(n, -1, dtype=np.int32)
    for place, (text,) in enumerate(connection.exec_driver_sql("SELECT moment FROM events ORDER BY user_no, time_s, item_no, kind")):
        if text is not None:
            out[place] = codes.setdefault(text, len(codes))
    return out, tuple(codes)
