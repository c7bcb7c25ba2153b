"""Load events."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scenewise.store.events import EventRow
from scenewise.store.ingest.dates import read_time
from scenewise.store.ingest.loader import cast_out
from scenewise.store.ingest.plan import Plan
from scenewise.store.ingest.quarantine import BadRow
from scenewise.store.ingest.sources import Reject, Row
from scenewise.store.ingest.values import ID_CHARS, read_id, read_number, read_text
from scenewise.store.types import ItemId, UserId

if TYPE_CHECKING:
    from scenewise.store.store import Store

_KIND_CHARS = 64
_DAY_S = 86_400.0
_FAST_FROM_S = 1e8  # below it a number of eight digits may be a date such as 20150321


class EventLoader:
    """Load events. Items must be in the store; users come into it with their events."""

    def __init__(self, store: Store, plan: Plan, *, kind_of_event: str, now_s: float) -> None:
        self.skipped: Counter[str] = Counter()
        self.notes: list[str] = []
        self._store = store
        self._plan = plan
        self._kind = kind_of_event
        self._latest_s = now_s + _DAY_S
        self._known: set[ItemId] = set()

    def load(self, rows: Sequence[Row], reject: Reject) -> tuple[int, int]:
        """Load a batch; see `Loader`."""
        origins: Sequence[Row] = rows
        events = self._read_at_sight(rows)
        if events is None:
            events, origins = self._read_closely(rows, reject)
        self._known |= self._store.items.known({event[1] for event in events} - self._known)
        known = [event for event in events if event[1] in self._known]
        if len(known) < len(events):
            bad = BadRow("unknown item", self._plan.columns["item_id"])
            for event, origin in zip(events, origins, strict=True):
                if event[1] not in self._known:
                    cast_out(reject, origin, bad)
        return len(known), self._write(known)

    def _write(self, events: list[EventRow]) -> int:
        before = self._store.revision("events")
        new = self._store.events.add_rows(events)
        note = "Some events were there already with another value: they have the value of this file now."
        if not new and self._store.revision("events") != before and note not in self.notes:
            self.notes.append(note)
        return new

    def _read_at_sight(self, rows: Sequence[Row]) -> list[EventRow] | None:
        """Read a batch in which every row is plainly sound; None where one needs a closer look."""
        places = self._plan.places
        if "value" not in places or "time_s" not in places or "kind" in places:
            return None
        user, item, value, time_s = (places[field] for field in ("user_id", "item_id", "value", "time_s"))
        kind, latest_s = self._kind, self._latest_s
        events: list[EventRow] = []
        try:
            for row in rows:
                cells: Sequence[Any] = row[1]
                at_s, number = float(cells[time_s]), float(cells[value])
                user_id, item_id = cells[user].strip(), cells[item].strip()
                if not (_FAST_FROM_S <= at_s <= latest_s and -math.inf < number < math.inf):
                    return None
                if not (0 < len(user_id) <= ID_CHARS and 0 < len(item_id) <= ID_CHARS):
                    return None
                events.append((user_id, item_id, kind, number, at_s))
        except (TypeError, ValueError, AttributeError):
            return None
        return events

    def _read_closely(self, rows: Sequence[Row], reject: Reject) -> tuple[list[EventRow], list[Row]]:
        events: list[EventRow] = []
        origins: list[Row] = []
        for row in rows:
            try:
                events.append(self._read(row[1]))
            except BadRow as bad:
                cast_out(reject, row, bad)
            else:
                origins.append(row)
        return events, origins

    def _read(self, cells: Sequence[object]) -> EventRow:
        columns, places = self._plan.columns, self._plan.places
        user_id = UserId(read_id(cells[places["user_id"]], columns["user_id"]))
        item_id = ItemId(read_id(cells[places["item_id"]], columns["item_id"]))
        value = read_number(cells[places["value"]], columns["value"]) if "value" in places else None
        kind = (read_text(cells[places["kind"]]) if "kind" in places else "") or self._kind
        if len(kind) > _KIND_CHARS:
            raise BadRow(f"kind over {_KIND_CHARS} characters", columns["kind"])
        return user_id, item_id, kind, value, self._read_time(cells)

    def _read_time(self, cells: Sequence[object]) -> float:
        if "time_s" not in self._plan.places:
            return 0.0
        column = self._plan.columns["time_s"]
        time_s = read_time(cells[self._plan.places["time_s"]], column, day_first="time_s" in self._plan.day_first)
        if time_s is None:
            raise BadRow("missing time", column)
        if time_s > self._latest_s:
            raise BadRow("date in the future", column)
        return time_s
