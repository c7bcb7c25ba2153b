"""Load users and their attributes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scenewise.store.errors import NotFound
from scenewise.store.ingest.fields import ATTRIBUTE
from scenewise.store.ingest.loader import LastRows, cast_out
from scenewise.store.ingest.plan import Plan, count_repeats
from scenewise.store.ingest.quarantine import BadRow
from scenewise.store.ingest.sources import Reject, Row
from scenewise.store.ingest.values import read_id, read_text
from scenewise.store.types import UserId

if TYPE_CHECKING:
    from scenewise.store.store import Store

UserRow = tuple[UserId, dict[str, str]]


class UserLoader:
    """Load users. Of an id that comes again, the last sound row counts."""

    def __init__(self, store: Store, plan: Plan) -> None:
        self.skipped: Counter[str] = Counter()
        self.notes: list[str] = []
        self._store = store
        self._plan = plan
        repeats = count_repeats(plan, "user_id")
        if repeats:
            self.notes.append(f"{len(repeats):,} ids come more than once: of each, the last sound row counts.")
        self._last: LastRows[UserRow] = LastRows(repeats, self.skipped)

    def load(self, rows: Sequence[Row], reject: Reject) -> tuple[int, int]:
        """Load a batch; see `Loader`."""
        users: list[UserRow] = []
        for row in rows:
            key, user = None, None
            try:
                key = read_id(row[1][self._plan.places["user_id"]], self._plan.columns["user_id"])
                user = (UserId(key), self._read_attributes(row[1]))
            except BadRow as bad:
                cast_out(reject, row, bad)
            if key is not None and key in self._last:
                user = self._last.pass_on(key, user)
            if user is not None:
                users.append(user)
        changed = [user for user in users if self._differs(user)]
        self._store.users.upsert_many(changed)
        return len(users), len(changed)

    def _read_attributes(self, cells: Sequence[object]) -> dict[str, str]:
        attributes: dict[str, str] = {}
        for field, place in self._plan.places.items():
            if field.startswith(ATTRIBUTE) and (text := read_text(cells[place])):
                attributes[field.removeprefix(ATTRIBUTE)] = text
        return attributes

    def _differs(self, user: UserRow) -> bool:
        try:
            return self._store.users.attributes(user[0]) != user[1]
        except NotFound:
            return True
