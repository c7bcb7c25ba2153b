"""How edges are written: what is the same fact, what is a new one, and when a fact ends. Every change carries the edges' revision.

`closed_by` says who ended a fact: "hand" (`Edges.close`; it then stays ended, whatever its source says later), "import" (its source no
longer states it) or "item" (an item at one of its ends was deleted). Where a source states one of the last two again, a new fact begins at
that time, so that the time in between can be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, or_, update

from scenewise.store.revision import grow_revision, note_erasure, read_revision
from scenewise.store.schema import edges as table

Row = tuple[object, ...]
"""subject, relation, object, source, evidence, confidence, begin_s, end_s, denied"""

_COLUMNS = "subject, relation, object, source, evidence, confidence, valid_from_s, valid_to_s, denied"
_SAME = "e.subject = i.subject AND e.relation = i.relation AND e.object = i.object AND e.source = i.source"
_REOPENS = "e.closed_by IN ('import', 'item')"

_FAST = f"""
    INSERT INTO edges ({_COLUMNS}, closed_by, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?)
    ON CONFLICT (subject, relation, object, source, valid_from_s) DO NOTHING
"""
_PREPARE = (
    f"CREATE TEMP TABLE IF NOT EXISTS incoming ({_COLUMNS}, edge_no INTEGER)",
    "CREATE TEMP TABLE IF NOT EXISTS stated (edge_no INTEGER PRIMARY KEY)",
    "DELETE FROM temp.incoming",
)
_PUT = f"INSERT INTO temp.incoming ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
# The same beginning is the same fact, unless its source once took it back; a fact that is open is the same whenever it began, where the
# source does not say when, or where it is one that came back.
_FIND = (
    f"""
    UPDATE temp.incoming AS i SET edge_no = (
        SELECT e.edge_no FROM edges AS e WHERE {_SAME} AND e.valid_from_s = i.valid_from_s
        AND NOT ({_REOPENS} AND i.valid_to_s = 9e999) AND (e.denied = i.denied OR NOT :tracked)
    )
    """,
    f"""
    UPDATE temp.incoming AS i SET edge_no = (
        SELECT max(e.edge_no) FROM edges AS e WHERE {_SAME} AND e.valid_to_s = 9e999 AND e.denied = i.denied
    ) WHERE edge_no IS NULL AND valid_to_s = 9e999 AND (
        (:tracked AND valid_from_s = -9e999) OR EXISTS (SELECT 1 FROM edges AS e WHERE {_SAME} AND e.valid_from_s = i.valid_from_s)
    )
    """,
)
_RENEW = """
    UPDATE edges SET
        evidence = i.evidence, confidence = i.confidence, denied = i.denied, valid_to_s = min(edges.valid_to_s, i.valid_to_s),
        revision = :revision
    FROM temp.incoming AS i WHERE edges.edge_no = i.edge_no AND (
        edges.evidence IS NOT i.evidence OR edges.confidence IS NOT i.confidence OR edges.denied IS NOT i.denied
        OR edges.valid_to_s > i.valid_to_s
    )
"""
_NEW = f"""
    INSERT INTO edges ({_COLUMNS}, closed_by, revision)
    SELECT subject, relation, object, source, evidence, confidence, CASE
        WHEN valid_to_s = 9e999 AND (
            (valid_from_s = -9e999 AND source IN (SELECT source FROM imports) AND :tracked)
            OR EXISTS (SELECT 1 FROM edges AS e WHERE {_SAME} AND e.valid_from_s = i.valid_from_s)
        ) THEN max(valid_from_s, :now_s) ELSE valid_from_s END, valid_to_s, denied, '', :revision
    FROM temp.incoming AS i WHERE edge_no IS NULL
    ON CONFLICT (subject, relation, object, source, valid_from_s) DO NOTHING
"""
_STATE = (
    "INSERT OR IGNORE INTO temp.stated SELECT edge_no FROM temp.incoming WHERE edge_no IS NOT NULL",
    "INSERT OR IGNORE INTO temp.stated SELECT edge_no FROM edges WHERE edge_no > :last",
)
_CLOSE = """
    UPDATE edges SET valid_to_s = max(valid_from_s, :now_s), closed_by = 'import', revision = :revision
    WHERE source = :source AND valid_to_s = 9e999 AND edge_no NOT IN (SELECT edge_no FROM temp.stated)
"""


@dataclass
class Written:
    """How many facts are new, and how many others got other evidence, confidence or end."""

    new: int = 0
    renewed: int = 0


def write_edges(connection: Connection, rows: Sequence[Row], *, now_s: float, tracked: bool = False) -> Written:
    """Add facts or renew those that are there; `tracked` is for an import, which keeps what it stated for `close_unstated`."""
    revision = read_revision(connection, "edges") + 1
    written = Written()
    if not tracked:
        written.new = connection.exec_driver_sql(_FAST, [(*row, revision) for row in rows]).rowcount
    if tracked or written.new < len(rows):
        for statement in _PREPARE:
            connection.exec_driver_sql(statement)
        once = {(*row[:4], row[6]): row for row in rows}  # of a fact that comes twice the last counts
        connection.exec_driver_sql(_PUT, list(once.values()))
        last = connection.exec_driver_sql("SELECT coalesce(max(edge_no), 0) FROM edges").scalar()
        named = {"now_s": now_s, "revision": revision, "tracked": int(tracked), "last": last}
        for statement in _FIND:
            connection.exec_driver_sql(statement, named)
        written.renewed = connection.exec_driver_sql(_RENEW, named).rowcount
        written.new += connection.exec_driver_sql(_NEW, named).rowcount
        if tracked:
            for statement in _STATE:
                connection.exec_driver_sql(statement, named)
    if written.new or written.renewed:
        grow_revision(connection, "edges")
    return written


def close_unstated(connection: Connection, sources: Sequence[str], *, about: Sequence[str] | None, now_s: float) -> int:
    """End the open facts of these sources that were not stated since `forget_stated`, and note that their import came to its end.

    With `about` only facts at these nodes.
    """
    statement, closed = _CLOSE, 0
    connection.exec_driver_sql(_PREPARE[1])
    if about is not None:
        connection.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS about (node TEXT PRIMARY KEY) WITHOUT ROWID")
        connection.exec_driver_sql("DELETE FROM temp.about")
        if about:
            connection.exec_driver_sql("INSERT OR IGNORE INTO temp.about VALUES (?)", [(node,) for node in about])
        statement += " AND (subject IN (SELECT node FROM temp.about) OR object IN (SELECT node FROM temp.about))"
    revision = read_revision(connection, "edges") + 1
    for source in sources:
        closed += connection.exec_driver_sql(statement, {"now_s": now_s, "revision": revision, "source": source}).rowcount
        connection.exec_driver_sql("INSERT OR REPLACE INTO imports VALUES (?, ?)", (source, now_s))
    if closed:
        grow_revision(connection, "edges")
    return closed


def forget_stated(connection: Connection) -> None:
    """Begin an import: nothing is stated yet."""
    connection.exec_driver_sql(_PREPARE[1])
    connection.exec_driver_sql("DELETE FROM temp.stated")


def end_edges(connection: Connection, nodes: Sequence[str], now_s: float) -> None:
    """End the facts at some items' nodes."""
    ends = update(table).where(or_(table.c.subject.in_(nodes), table.c.object.in_(nodes)), table.c.valid_to_s > now_s)
    values = {"valid_to_s": func.max(table.c.valid_from_s, bindparam("now_s")), "closed_by": "item"}
    revision = read_revision(connection, "edges") + 1
    if connection.execute(ends.values(**values, revision=revision), {"now_s": now_s}).rowcount:
        grow_revision(connection, "edges")


def erase_edges(connection: Connection, nodes: Sequence[str]) -> None:
    """Take out the facts at some nodes without a trace."""
    if connection.execute(delete(table).where(or_(table.c.subject.in_(nodes), table.c.object.in_(nodes)))).rowcount:
        grow_revision(connection, "edges")
        note_erasure(connection)
