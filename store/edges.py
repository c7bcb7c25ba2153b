"""The facts of the knowledge graph."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import func, or_, select, update

from scenewise.store.database import Database
from scenewise.store.errors import InputError, NotFound
from scenewise.store.revision import grow_revision
from scenewise.store.schema import edges as table
from scenewise.store.types import Edge

BATCH = 5_000

_FIELDS = [column for column in table.columns if column.name != "edge_no"]
_COLUMNS = "(subject, relation, object, source, evidence, confidence, valid_from_s, valid_to_s)"
_ADD = f"""
    INSERT INTO edges {_COLUMNS} VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (subject, relation, object, source, valid_from_s) DO NOTHING
"""
# min(): a fact that was closed stays closed when its source is imported again.
_REPLACE = f"""
    INSERT INTO edges {_COLUMNS} VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (subject, relation, object, source, valid_from_s)
    DO UPDATE SET
        evidence = excluded.evidence, confidence = excluded.confidence, valid_to_s = min(valid_to_s, excluded.valid_to_s)
    WHERE evidence IS NOT excluded.evidence OR confidence IS NOT excluded.confidence OR valid_to_s > excluded.valid_to_s
"""


class Edges:
    """Read and change edges. All methods may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, edges: Iterable[Edge]) -> int:
        """Add edges; return how many are new. All or none are kept.

        One with the same subject, relation, object, source and beginning replaces evidence and confidence, and may end the fact
        earlier, never later. Raises InputError for nodes that are not "type:key", and for a confidence outside [0, 1].
        """
        remaining = iter(edges)
        new = replaced = 0
        with self._database.writing() as connection:
            while batch := [_make_row(edge) for edge in islice(remaining, BATCH)]:
                added = connection.exec_driver_sql(_ADD, batch).rowcount
                if added < len(batch):
                    replaced += connection.exec_driver_sql(_REPLACE, batch).rowcount
                new += added
            if new or replaced:
                grow_revision(connection, "edges")
        return new

    def all(self, as_of_s: float | None = None) -> Iterator[Edge]:
        """Iterate over the edges, oldest entry first; with `as_of_s` only over those valid at that time.

        Rows are read in batches: what another thread or process writes meanwhile may or may not be seen.
        """
        query = select(*_FIELDS, table.c.edge_no).order_by(table.c.edge_no).limit(BATCH)
        if as_of_s is not None:
            query = query.where(table.c.valid_from_s <= as_of_s, table.c.valid_to_s > as_of_s)
        last = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(query.where(table.c.edge_no > last)).all()
            yield from (_make_edge(row[:-1]) for row in rows)
            if len(rows) < BATCH:
                return
            last = rows[-1].edge_no

    def of(self, node: str) -> list[Edge]:
        """Return the edges that begin or end at `node`, valid or not, oldest entry first."""
        touches = or_(table.c.subject == node, table.c.object == node)
        with self._database.reading() as connection:
            return [_make_edge(row) for row in connection.execute(select(*_FIELDS).where(touches).order_by(table.c.edge_no))]

    def close(self, edge: Edge, at_s: float) -> None:
        """Say that a fact holds no longer from `at_s` on. Raises NotFound; InputError where `at_s` is before its beginning."""
        begin_s = -math.inf if edge.valid_from_s is None else edge.valid_from_s
        if not math.isfinite(at_s) or at_s < begin_s:
            raise InputError("an edge can only be closed at a finite time after its beginning")
        same = (
            (table.c.subject == edge.subject)
            & (table.c.relation == edge.relation)
            & (table.c.object == edge.object)
            & (table.c.source == edge.source)
            & (table.c.valid_from_s == begin_s)
        )
        with self._database.writing() as connection:
            if not connection.execute(update(table).where(same).values(valid_to_s=at_s)).rowcount:
                raise NotFound("this edge is not in the store; take the edge to close from `store.edges.of`")
            grow_revision(connection, "edges")

    def count(self) -> int:
        """Count the edges."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0


def _make_row(edge: Edge) -> tuple[object, ...]:
    if not all(":" in node for node in (edge.subject, edge.object)) or not edge.relation or not edge.source:
        raise InputError('an edge needs nodes like "type:key", a relation and a source')
    if not 0.0 <= edge.confidence <= 1.0:
        raise InputError("the confidence of an edge is between 0 and 1")
    begin_s = -math.inf if edge.valid_from_s is None else float(edge.valid_from_s)
    end_s = math.inf if edge.valid_to_s is None else float(edge.valid_to_s)
    if not begin_s <= end_s:
        raise InputError("an edge cannot end before it begins")
    return (edge.subject, edge.relation, edge.object, edge.source, edge.evidence, edge.confidence, begin_s, end_s)


def _make_edge(row: Sequence[Any]) -> Edge:
    subject, relation, target, source, evidence, confidence, begin_s, end_s = row
    valid_from_s = None if begin_s == -math.inf else begin_s
    valid_to_s = None if end_s == math.inf else end_s
    return Edge(subject, relation, target, source, evidence, confidence, valid_from_s, valid_to_s)
