"""The facts of the knowledge graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import fields
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from scenewise.store.contradictions import fact_of, lost_facts, settle
from scenewise.store.database import Database
from scenewise.store.edge_sql import Row, Written, close_unstated, forget_stated, write_edges
from scenewise.store.errors import InputError, NotFound
from scenewise.store.numbers import IDS_PER_QUERY
from scenewise.store.revision import grow_revision, last_erasure, read_revision
from scenewise.store.schema import edges as table
from scenewise.store.types import Edge

BATCH = 5_000

_FIELDS = [table.c[field.name] for field in fields(Edge)]


class Edges:
    """Read and change edges. All methods may be called from any thread."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(self, edges: Iterable[Edge]) -> int:
        """Add edges; return how many are new. All or none are kept.

        One with the same subject, relation, object, source and beginning replaces evidence, confidence and denial, and may end the fact
        earlier, never later; where the fact had ended because its item went or its source took it back, it begins anew now. Raises
        InputError for nodes that are not "type:key", and for a confidence outside [0, 1].
        """
        remaining, new, now_s = iter(edges), 0, self._clock()
        with self._database.writing() as connection:
            while batch := [_make_row(edge) for edge in islice(remaining, BATCH)]:
                new += write_edges(connection, batch, now_s=now_s).new
        return new

    def begin_import(self) -> EdgeImport:
        """Begin to take in all that some sources say: what they no longer say ends."""
        return EdgeImport(self._database, self._clock())

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

    def holding(self, at_s: float | None = None, *, single: Set[str] = frozenset(), ranks: Sequence[str] = ()) -> Iterator[Edge]:
        """Iterate over the edges that hold at a time (now where None), contradictions resolved; see `contradictions.settle`.

        Only those that may contradict each other are held in memory at once.
        """
        now_s = self._clock() if at_s is None else at_s
        disputed = self._where(set(single), table.c.relation.in_, now_s) | self._denied(now_s)
        lost = lost_facts([disputed[number] for number in sorted(disputed)], single=single, ranks=ranks)
        return (edge for edge in self.all(now_s) if not edge.denied and fact_of(edge) not in lost)

    def _denied(self, now_s: float) -> dict[int, Edge]:
        """What is denied at a time, and what else is said of the same subjects, by the edges' numbers."""
        held = (table.c.denied == 1, table.c.valid_from_s <= now_s, table.c.valid_to_s > now_s)
        with self._database.reading() as connection:
            subjects = set(connection.scalars(select(table.c.subject).where(*held)))
        return self._where(subjects, table.c.subject.in_, now_s)

    def holding_at(
        self, nodes: Iterable[str], at_s: float | None = None, *, single: Set[str] = frozenset(), ranks: Sequence[str] = ()
    ) -> list[Edge]:
        """Do `holding` for the edges that begin or end at these nodes.

        Which of several objects a subject has is settled among all of the subject's edges, whichever of the two ends is asked for.
        """
        now_s = self._clock() if at_s is None else at_s
        names = set(nodes)
        found = self._where(names, lambda part: or_(table.c.subject.in_(part), table.c.object.in_(part)), now_s)
        rivals = {edge.subject for edge in found.values() if edge.relation in single} - names
        found |= self._where(rivals, lambda part: and_(table.c.subject.in_(part), table.c.relation.in_(single)), now_s)
        settled = settle((found[number] for number in sorted(found)), single=single, ranks=ranks)
        return [edge for edge in settled if edge.subject in names or edge.object in names] if rivals else settled

    def _where(self, names: Set[str], chosen: Callable[[list[str]], ColumnElement[bool]], now_s: float) -> dict[int, Edge]:
        """The edges that hold at a time and are chosen by some of the names, by their number."""
        order, found = sorted(names), {}
        with self._database.reading() as connection:
            for start in range(0, len(order), IDS_PER_QUERY):
                held = (chosen(order[start : start + IDS_PER_QUERY]), table.c.valid_from_s <= now_s, table.c.valid_to_s > now_s)
                found.update({row[0]: _make_edge(row[1:]) for row in connection.execute(select(table.c.edge_no, *_FIELDS).where(*held))})
        return found

    def touched_since(self, revision: int) -> set[tuple[str, str]] | None:
        """Return (subject, object) of the edges that are new or different since a revision of the edges; None where it can no longer be
        told."""
        with self._database.reading() as connection:
            if last_erasure(connection) > revision:
                return None
            rows = connection.execute(select(table.c.subject, table.c.object).where(table.c.revision > revision))
            return {(row[0], row[1]) for row in rows}

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
            ended = {"valid_to_s": at_s, "closed_by": "hand", "revision": read_revision(connection, "edges") + 1}
            if not connection.execute(update(table).where(same).values(**ended)).rowcount:
                raise NotFound("this edge is not in the store; take the edge to close from `store.edges.of`")
            grow_revision(connection, "edges")

    def count(self) -> int:
        """Count the edges."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0


class EdgeImport:
    """One import of edges, in batches that are each kept whole; `Edges.begin_import` begins it, `finish` ends it.

    Facts that stay as they are are not touched. A source that was imported before, to the end, begins its new facts now, unless it says
    since when they hold: what the store held earlier can still be told.
    """

    def __init__(self, database: Database, now_s: float) -> None:
        self._database, self._now_s = database, now_s
        self._sources: set[str] = set()
        with database.writing() as connection:
            forget_stated(connection)

    def add(self, edges: Iterable[Edge]) -> Written:
        """Take in a batch; all of it is kept or nothing. Raises InputError as `Edges.add` does."""
        rows = [_make_row(edge) for edge in edges]
        self._sources |= {str(row[3]) for row in rows}
        with self._database.writing() as connection:
            return write_edges(connection, rows, now_s=self._now_s, tracked=True) if rows else Written()

    def finish(self, *, about: Sequence[str] | None = None) -> int:
        """End the facts of the sources met that were not stated this time (with `about`, those at these nodes); return how many."""
        with self._database.writing() as connection:
            return close_unstated(connection, sorted(self._sources), about=about, now_s=self._now_s)


def _make_row(edge: Edge) -> Row:
    if not all(":" in node for node in (edge.subject, edge.object)) or not edge.relation or not edge.source:
        raise InputError('an edge needs nodes like "type:key", a relation and a source')
    if not 0.0 <= edge.confidence <= 1.0:
        raise InputError("the confidence of an edge is between 0 and 1")
    begin_s = -math.inf if edge.valid_from_s is None else float(edge.valid_from_s)
    end_s = math.inf if edge.valid_to_s is None else float(edge.valid_to_s)
    if not begin_s <= end_s:
        raise InputError("an edge cannot end before it begins")
    return (edge.subject, edge.relation, edge.object, edge.source, edge.evidence, edge.confidence, begin_s, end_s, int(edge.denied))


def _make_edge(row: Sequence[Any]) -> Edge:
    subject, relation, target, source, evidence, confidence, begin_s, end_s, denied = row
    valid_from_s = None if begin_s == -math.inf else begin_s
    valid_to_s = None if end_s == math.inf else end_s
    return Edge(subject, relation, target, source, evidence, confidence, valid_from_s, valid_to_s, bool(denied))
