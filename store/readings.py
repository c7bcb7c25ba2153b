"""Which texts were read into the graph by which reader, and which names of the graph were taken for one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, select, update

from scenewise.store.database import Database
from scenewise.store.errors import InputError, NotFound
from scenewise.store.revision import grow_revision, note_erasure
from scenewise.store.schema import merges, readings


@dataclass(frozen=True, slots=True)
class Reading:
    """How the reading of one text ended: edges kept, those refused by reason, tokens, and why it failed where it did."""

    node: str
    text_hash: str
    kept: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    tokens_in: int = 0
    tokens_out: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Merge:
    """`node` is another name of `into`; `score` in [0, 1] is how sure `decided_by` was."""

    node: str
    into: str
    score: float
    decided_by: str
    merged_s: float


class Readings:
    """Read and write what was read. A later reading of the same node by the same source takes the earlier one's place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, source: str, found: Iterable[Reading], at_s: float) -> None:
        """Keep readings; all or none."""
        rows = []
        for one in found:
            outcome = asdict(one)
            node, text_hash = outcome.pop("node"), outcome.pop("text_hash")
            rows.append((node, source, text_hash, json.dumps(outcome), at_s))
        with self._database.writing() as connection:
            if rows:
                connection.exec_driver_sql("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?)", rows)

    def of(self, source: str) -> dict[str, Reading]:
        """Return what `source` has read, by node."""
        query = select(readings.c.node, readings.c.text_hash, readings.c.outcome).where(readings.c.source == source)
        with self._database.reading() as connection:
            return {row.node: Reading(row.node, row.text_hash, **json.loads(row.outcome)) for row in connection.execute(query)}


class Merges:
    """Read and change which names are one. Chains are shortened when read: every node points at the last of its chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, found: Iterable[Merge]) -> None:
        """Keep merges, all or none; a node's earlier merge is replaced. InputError where names would point at each other in a ring."""
        with self._database.writing() as connection:
            new = list(found)
            after = {row.node: row.into_node for row in connection.execute(select(merges))} | {one.node: one.into for one in new}
            after = {node: into for node, into in after.items() if node != into}
            for node in after:
                _last(node, after)
            rows = [(one.node, one.into, one.score, one.decided_by, one.merged_s) for one in new]
            if rows:
                connection.exec_driver_sql("INSERT OR REPLACE INTO merges VALUES (?, ?, ?, ?, ?)", rows)
                _note_other_names(connection)

    def undo(self, node: str) -> None:
        """Let a node stand for itself, now and when names are compared again; NotFound where it was not merged."""
        same = (merges.c.node == node) & (merges.c.into_node != node)
        with self._database.writing() as connection:
            if not connection.execute(update(merges).where(same).values(into_node=node, decided_by="hand")).rowcount:
                raise NotFound("this name was not merged into another; `scenewise graph merges` lists those that were")
            _note_other_names(connection)

    def all(self) -> list[Merge]:
        """Return all merges as they were decided, by node; one that was undone points at itself."""
        with self._database.reading() as connection:
            return [Merge(*row) for row in connection.execute(select(merges).order_by(merges.c.node))]

    def names(self) -> dict[str, str]:
        """Map each merged node to the one that stands for it."""
        into = {one.node: one.into for one in self.all() if one.node != one.into}
        return {node: _last(node, into) for node in into}


def _note_other_names(connection: Connection) -> None:
    """Facts may stand under other names now: whoever holds them in memory must read all anew."""
    grow_revision(connection, "edges")
    note_erasure(connection)


def _last(node: str, into: dict[str, str]) -> str:
    seen = {node}
    while node in into:
        node = into[node]
        if node in seen:
            raise InputError("names cannot be merged in a ring; undo one of the merges first")
        seen.add(node)
    return node
