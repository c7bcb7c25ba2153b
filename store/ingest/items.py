"""Load items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from scenewise.store.errors import InputError
from scenewise.store.ingest.fields import ATTRIBUTE, minutes_per_unit
from scenewise.store.ingest.loader import LastRows, cast_out
from scenewise.store.ingest.plan import Plan, count_repeats
from scenewise.store.ingest.quarantine import BadRow
from scenewise.store.ingest.sources import Reject, Row
from scenewise.store.ingest.values import (
    read_cents,
    read_flag,
    read_id,
    read_minutes,
    read_price_cents,
    read_text,
    read_values,
    read_year,
)
from scenewise.store.types import Item, ItemId

if TYPE_CHECKING:
    from scenewise.store.store import Store

_BLANKS = r"\s+"


class ItemLoader:
    """Load items. Of an id that comes again, the last sound row counts.

    `domain` is that of items whose row names none; `amend` changes an item before it is written.
    """

    def __init__(self, store: Store, plan: Plan, *, domain: str | None, amend: Callable[[Item], Item] | None) -> None:
        if domain is None and "domain" not in plan.places:
            raise InputError(f"{plan.name} has no column domain: say which domain its items are (movies, books, music, ...).")
        self.skipped: Counter[str] = Counter()
        self._store = store
        self._plan = plan
        self._domain = domain or ""
        self._amend = amend
        self._notes: list[str] = []
        self._odd_years = 0
        repeats = count_repeats(plan, "item_id")
        if repeats:
            self._notes.append(f"{len(repeats):,} ids come more than once: of each, the last sound row counts.")
        self._last: LastRows[Item] = LastRows(repeats, self.skipped)
        self._attributes = [(field.removeprefix(ATTRIBUTE), place) for field, place in plan.places.items() if field.startswith(ATTRIBUTE)]
        self._unit_min = minutes_per_unit(plan.columns.get("duration_min", ""))

    @property
    def notes(self) -> list[str]:
        """Say what a person should know."""
        column = self._plan.columns.get("year", "")
        odd = f"{self._odd_years:,} rows have no year in column {column!r}: their items were loaded without one."
        return [*self._notes, odd] if self._odd_years else self._notes

    def load(self, rows: Sequence[Row], reject: Reject) -> tuple[int, int]:
        """Load a batch; see `Loader`."""
        items: list[Item] = []
        for row in rows:
            key, item = None, None
            try:
                key = read_id(row[1][self._plan.places["item_id"]], self._plan.columns["item_id"])
                item = self._read(ItemId(key), row[1])
            except BadRow as bad:
                cast_out(reject, row, bad)
            if key is not None and key in self._last:
                item = self._last.pass_on(key, item)
            if item is not None:
                items.append(item)
        return len(items), self._store.items.upsert(items)

    def _read(self, item_id: ItemId, cells: Sequence[object]) -> Item:
        columns, places = self._plan.columns, self._plan.places
        found = {field: (cells[place], columns[field]) for field, place in places.items() if not field.startswith(ATTRIBUTE)}
        empty = (None, "")
        title = read_text(found["title"][0])
        domain = (read_text(found["domain"][0]) if "domain" in found else "") or self._domain
        if not title or not domain:
            missing = "domain" if title else "title"
            raise BadRow(f"missing {missing}", columns.get(missing))
        price_cents = read_price_cents(*found["price"]) if "price" in found else read_cents(*found.get("price_cents", empty))
        item = Item(
            item_id=item_id,
            domain=domain.casefold(),
            title=title,
            text=read_text(found.get("text", empty)[0]),
            attributes=self._read_attributes(cells),
            year=self._read_year(*found.get("year", empty)),
            duration_min=read_minutes(*found.get("duration_min", empty), unit_min=self._unit_min),
            price_cents=price_cents,
            currency=read_text(found.get("currency", empty)[0]) or None,
            available=read_flag(*found.get("available", empty)),
            media=read_values(found.get("media", empty)[0], on=r"\||\s+"),
        )
        return self._amend(item) if self._amend else item

    def _read_year(self, value: object, column: str) -> int | None:
        """A year is good to know, but an item with "TBA" there is an item all the same."""
        try:
            return read_year(value, column)
        except BadRow as bad:
            if bad.reason != "unreadable date":
                raise
            self._odd_years += 1
            return None

    def _read_attributes(self, cells: Sequence[object]) -> Mapping[str, tuple[str, ...]]:
        attributes: dict[str, tuple[str, ...]] = {}
        for name, place in self._attributes:
            on_blanks = name == "genre" and self._plan.recbole
            values = read_values(cells[place], on=_BLANKS) if on_blanks else read_values(cells[place])
            if values:
                attributes[name] = values
        return MappingProxyType(attributes)
