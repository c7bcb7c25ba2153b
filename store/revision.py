"""Counters that grow with every change, so that what was computed from the store can tell whether it is still true."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, func, select, update

from scenewise.store.schema import meta

Part = Literal["items", "events", "edges"]
_PARTS = ("items", "events", "edges")


def grow_revision(connection: Connection, part: Part) -> None:
    """Count one more change of `part`."""
    connection.execute(update(meta).where(meta.c.name == part).values(value=meta.c.value + 1))


def read_revision(connection: Connection, part: Part | None) -> int:
    """Read one counter, or the sum of all."""
    names = _PARTS if part is None else (part,)
    return int(connection.scalar(select(func.sum(meta.c.value)).where(meta.c.name.in_(names))) or 0)


def note_erasure(connection: Connection) -> None:
    """Keep that edges were taken out whole, without a trace: what changed before can no longer be told."""
    now = read_revision(connection, "edges")
    connection.execute(update(meta).where(meta.c.name == "erased").values(value=now))


def last_erasure(connection: Connection) -> int:
    """Read the edges' revision at which edges were last taken out whole; 0 where none were."""
    return int(connection.scalar(select(meta.c.value).where(meta.c.name == "erased")) or 0)
