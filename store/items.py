"""The items of the store and their full-text search."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select
from sqlalchemy.dialects.sqlite import insert

from scenewise.store.codec import dump_attributes, dump_json, load_attributes
from scenewise.store.database import Database
from scenewise.store.errors import InputError, NotFound
from scenewise.store.numbers import IDS_PER_QUERY, RowNumbers
from scenewise.store.revision import grow_revision
from scenewise.store.schema import edges, events
from scenewise.store.schema import items as table
from scenewise.store.search import SEARCH_SQL, make_match, make_words
from scenewise.store.types import Item, ItemId

BATCH = 2_000

_FIELDS = [column for column in table.columns if column.name not in {"item_no", "words", "updated_s"}]


class Items:
    """Read, change and search items. All methods may be called from any thread."""

    def __init__(self, database: Database, numbers: RowNumbers, clock: Callable[[], float]) -> None:
        self._database = database
        self._numbers = numbers
        self._clock = clock

    def upsert(self, items: Iterable[Item]) -> int:
        """Add items and replace those whose id is there; return how many are new or different. All or none are kept."""
        changed = 0
        remaining = iter(items)
        now_s = self._clock()
        with self._database.writing() as connection:
            while batch := [_make_row(item, now_s) for item in islice(remaining, BATCH)]:
                changed += connection.execute(_UPSERT, batch).rowcount
            if changed:
                grow_revision(connection, "items")
        return changed

    def get(self, item_id: ItemId) -> Item:
        """Return one item. Raises NotFound."""
        found = self.get_many([item_id])
        if item_id not in found:
            raise NotFound("no item of the store has this id; see the ids with `store.items.all()`")
        return found[item_id]

    def get_many(self, item_ids: Iterable[ItemId]) -> dict[ItemId, Item]:
        """Map ids to items, in the order asked for; ids that the store lacks are left out."""
        ids = list(dict.fromkeys(item_ids))
        found: dict[ItemId, Item] = {}
        with self._database.reading() as connection:
            for chunk in _chunks(ids):
                for row in connection.execute(select(*_FIELDS).where(table.c.item_id.in_(chunk))):
                    item = _make_item(row)
                    found[item.item_id] = item
        return {item_id: found[item_id] for item_id in ids if item_id in found}

    def known(self, item_ids: Iterable[ItemId]) -> set[ItemId]:
        """Say which of these ids the store has."""
        found: set[ItemId] = set()
        with self._database.reading() as connection:
            for chunk in _chunks(list(set(item_ids))):
                found.update(map(ItemId, connection.scalars(select(table.c.item_id).where(table.c.item_id.in_(chunk)))))
        return found

    def all(self) -> Iterator[Item]:
        """Iterate over all items in the order of their ids (by code point).

        Rows are read in batches: what another thread or process writes meanwhile may or may not be seen.
        """
        last = ""
        while True:
            query = select(*_FIELDS).where(table.c.item_id > last).order_by(table.c.item_id).limit(BATCH)
            with self._database.reading() as connection:
                batch = [_make_item(row) for row in connection.execute(query)]
            yield from batch
            if len(batch) < BATCH:
                return
            last = batch[-1].item_id

    def ids(self) -> list[ItemId]:
        """Return all ids in order (by code point)."""
        with self._database.reading() as connection:
            return list(map(ItemId, connection.scalars(select(table.c.item_id).order_by(table.c.item_id))))

    def delete(self, item_ids: Iterable[ItemId]) -> int:
        """Delete items with their events and the edges that touch "item:<id>"; return how many items there were."""
        deleted = 0
        ids = list(set(item_ids))
        with self._database.writing() as connection:
            for chunk in _chunks(ids):
                deleted += _delete_chunk(connection, chunk)
            self._numbers.forget(ids)
            if deleted:
                grow_revision(connection, "items")
        return deleted

    def count(self) -> int:
        """Count the items."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    def search_text(self, query: str, k: int) -> list[tuple[ItemId, float]]:
        """Return at most `k` items with any word of `query`, best first, with positive BM25 scores (a title counts most).

        Words match whole, without case and diacritics; Chinese, Japanese and Korean match by pairs of characters. Equal scores
        are in the order of the ids. A query without words finds nothing.
        """
        expression = make_match(query)
        if not expression or k < 1:
            return []
        with self._database.reading() as connection:
            return [(ItemId(row[0]), float(row[1])) for row in connection.exec_driver_sql(SEARCH_SQL, (expression, k))]


def _make_upsert() -> Any:
    statement = insert(table)
    new = {column.name: statement.excluded[column.name] for column in table.columns if column.name != "item_no"}
    differs = or_(*(column.is_distinct_from(new[column.name]) for column in _FIELDS))
    return statement.on_conflict_do_update(index_elements=["item_id"], set_=new, where=differs)


_UPSERT = _make_upsert()


def _make_row(item: Item, now_s: float) -> dict[str, object]:
    if not item.item_id or not item.domain:
        raise InputError("an item needs an id and a domain")
    values = [value for name in sorted(item.attributes) for value in item.attributes[name]]
    return {
        "item_id": item.item_id,
        "domain": item.domain,
        "title": item.title,
        "text": item.text,
        "attributes": dump_attributes(item.attributes),
        "media": dump_json(list(item.media)),
        "year": item.year,
        "duration_min": item.duration_min,
        "price_cents": item.price_cents,
        "currency": item.currency,
        "available": int(item.available),
        "words": make_words(item.title, item.text, values),
        "updated_s": now_s,
    }


def _make_item(row: Row[Any]) -> Item:
    return Item(
        item_id=ItemId(row.item_id),
        domain=row.domain,
        title=row.title,
        text=row.text,
        attributes=load_attributes(row.attributes),
        year=row.year,
        duration_min=row.duration_min,
        price_cents=row.price_cents,
        currency=row.currency,
        available=bool(row.available),
        media=tuple(json.loads(row.media)),
    )


def _delete_chunk(connection: Connection, item_ids: list[ItemId]) -> int:
    nodes = [f"item:{item_id}" for item_id in item_ids]
    if connection.execute(delete(edges).where(or_(edges.c.subject.in_(nodes), edges.c.object.in_(nodes)))).rowcount:
        grow_revision(connection, "edges")
    numbers = select(table.c.item_no).where(table.c.item_id.in_(item_ids))
    if connection.execute(delete(events).where(events.c.item_no.in_(numbers))).rowcount:
        grow_revision(connection, "events")
    return connection.execute(delete(table).where(table.c.item_id.in_(item_ids))).rowcount


def _chunks(ids: list[ItemId]) -> Iterator[list[ItemId]]:
    return (ids[start : start + IDS_PER_QUERY] for start in range(0, len(ids), IDS_PER_QUERY))
