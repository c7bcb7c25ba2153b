"""Counters that grow with every change, so that what was computed from the store can tell whether it is still true."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, func, select, update

from scenewise.store.schema import meta

Part = Literal["items", "events", "edges"]


def grow_revision(connection: Connection, part: Part) -> None:
    """Count one more change of `part`."""
    connection.execute(update(meta).where(meta.c.name == part).values(value=meta.c.value + 1))


def read_revision(connection: Connection, part: Part | None) -> int:
    """Read one counter, or the sum of all."""
    total = select(func.sum(meta.c.value))
    return int(connection.scalar(total if part is None else total.where(meta.c.name == part)) or 0)
