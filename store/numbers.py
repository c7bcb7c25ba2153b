"""From external ids to row numbers, remembered, so that a million events are written without a million look-ups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Column, Connection, select

from scenewise.store.database import Database

IDS_PER_QUERY = 500


class RowNumbers:
    """Row numbers of one table. Only a writer may use it, inside its transaction; what another process changed is noticed there."""

    def __init__(self, database: Database, id_column: Column[str], number_column: Column[int]) -> None:
        self._database = database
        self._columns = (id_column, number_column)
        self._known: dict[str, int] = {}
        self._rollbacks = database.rollbacks
        self._elsewhere = -1

    def find(self, connection: Connection, ids: Iterable[str]) -> Mapping[str, int]:
        """Map ids to row numbers; ids without a row are not in the result, which may hold others beside `ids`."""
        elsewhere = self._database.changes_elsewhere()
        if self._rollbacks != self._database.rollbacks or self._elsewhere != elsewhere:
            self._known.clear()
            self._rollbacks, self._elsewhere = self._database.rollbacks, elsewhere
        missing = [one for one in set(ids) if one not in self._known]
        id_column, number_column = self._columns
        for start in range(0, len(missing), IDS_PER_QUERY):
            query = select(id_column, number_column).where(id_column.in_(missing[start : start + IDS_PER_QUERY]))
            self._known.update((row[0], row[1]) for row in connection.execute(query))
        return self._known

    def forget(self, ids: Iterable[str]) -> None:
        """Drop ids whose rows were deleted."""
        for one in ids:
            self._known.pop(one, None)
