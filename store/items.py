"""The items of the store and their full-text search."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, delete, func, literal, or_, select
from sqlalchemy.dialects.sqlite import insert

from scenewise.store.codec import dump_attributes, dump_json, load_attributes
from scenewise.store.database import Database
from scenewise.store.edge_sql import end_edges, erase_edges
from scenewise.store.errors import InputError, NotFound
from scenewise.store.numbers import IDS_PER_QUERY, RowNumbers
from scenewise.store.revision import grow_revision, read_revision
from scenewise.store.schema import events, past_items
from scenewise.store.schema import items as table
from scenewise.store.search import BEGINNING_SQL, SEARCH_SQL, make_beginnings, make_match, make_words
from scenewise.store.types import Item, ItemId

BATCH = 2_000

_FIELDS = [column for column in table.columns if column.name not in {"item_no", "words", "updated_s", "revision"}]
_PAST_FIELDS = [past_items.c[column.name] for column in _FIELDS]
_SPAN = [past_items.c.valid_from_s, past_items.c.valid_to_s, past_items.c.deleted_at]


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
            revision = read_revision(connection, "items") + 1
            while batch := [_make_row(item, now_s) | {"revision": revision} for item in islice(remaining, BATCH)]:
                changed += connection.execute(_UPSERT, batch).rowcount
            if changed:
                grow_revision(connection, "items")
        return changed

    def get(self, item_id: ItemId, as_of_s: float | None = None) -> Item:
        """Return one item, with `as_of_s` as it was at that time. Raises NotFound."""
        found = self.get_many([item_id]) if as_of_s is None else {item.item_id: item for item in self._past(as_of_s, item_id)}
        if item_id not in found:
            raise NotFound("no item of the store has this id" + ("; see the ids with `store.items.all()`" if as_of_s is None else " then"))
        return found[item_id]

    def as_of(self, time_s: float) -> list[Item]:
        """Return all items as they were at a time, in the order of their ids."""
        return self._past(time_s)

    def changed_since(self, revision: int) -> tuple[list[Item], list[ItemId]]:
        """Return the items that are new or different since a revision of the items, and the ids of those that are gone since then."""
        gone = select(past_items.c.item_id).where(past_items.c.deleted_at > revision, past_items.c.item_id.not_in(select(table.c.item_id)))
        with self._database.reading() as connection:
            rows = connection.execute(select(*_FIELDS).where(table.c.revision > revision).order_by(table.c.item_id)).all()
            ids = sorted(set(connection.scalars(gone)))
        return [_make_item(row) for row in rows], [ItemId(item_id) for item_id in ids]

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

    def delete(self, item_ids: Iterable[ItemId], *, forget: bool = False) -> int:
        """Delete items with their events; return how many items there were.

        The facts about "item:<id>" end now and are kept, as is what the item was (`as_of`); with `forget` neither is, also where the
        item was deleted earlier, and only the id stays.
        """
        deleted = 0
        ids = list(set(item_ids))
        with self._database.writing() as connection:
            for chunk in _chunks(ids):
                deleted += self._delete_chunk(connection, chunk, forget=forget)
            self._numbers.forget(ids)
            if deleted or forget:
                grow_revision(connection, "items")
        return deleted

    def _delete_chunk(self, connection: Connection, item_ids: list[ItemId], *, forget: bool) -> int:
        nodes, now_s = [f"item:{item_id}" for item_id in item_ids], self._clock()
        revision = read_revision(connection, "items") + 1
        if forget:
            erase_edges(connection, nodes)
            _leave_ids(connection, item_ids, revision)
        else:
            end_edges(connection, nodes, now_s)
            ended = (table.c.updated_s, func.max(table.c.updated_s, now_s), literal(revision))
            past = select(*_FIELDS, *ended).where(table.c.item_id.in_(item_ids))
            connection.execute(past_items.insert().from_select([*_PAST_FIELDS, *_SPAN], past))
        numbers = select(table.c.item_no).where(table.c.item_id.in_(item_ids))
        if connection.execute(delete(events).where(events.c.item_no.in_(numbers))).rowcount:
            grow_revision(connection, "events")
        return connection.execute(delete(table).where(table.c.item_id.in_(item_ids))).rowcount

    def _past(self, time_s: float, item_id: ItemId | None = None) -> list[Item]:
        now = select(*_FIELDS).where(table.c.updated_s <= time_s)
        then = select(*_PAST_FIELDS).where(past_items.c.valid_from_s <= time_s, past_items.c.valid_to_s > time_s)
        if item_id is not None:
            now, then = now.where(table.c.item_id == item_id), then.where(past_items.c.item_id == item_id)
        with self._database.reading() as connection:
            found = [_make_item(row) for row in connection.execute(now.union_all(then))]
        return sorted(found, key=lambda item: item.item_id)

    def count(self) -> int:
        """Count the items."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    def have_any(self, beginnings: Iterable[str]) -> bool:
        """Whether any item has a word, in its title, text or values, that begins as one of these; without case and diacritics."""
        expression = make_beginnings(beginnings)
        if not expression:
            return False
        with self._database.reading() as connection:
            return connection.exec_driver_sql(BEGINNING_SQL, (expression,)).first() is not None

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


def _leave_ids(connection: Connection, item_ids: list[ItemId], revision: int) -> None:
    """Forget what items were; that these ids went at this revision stays, for those who hold what they were."""
    there = select(table.c.item_id).where(table.c.item_id.in_(item_ids))
    once = select(past_items.c.item_id).where(past_items.c.item_id.in_(item_ids))
    known = sorted(set(connection.scalars(there.union(once))))
    connection.execute(delete(past_items).where(past_items.c.item_id.in_(item_ids)))
    blank = dict.fromkeys(("domain", "title", "text", "attributes", "media"), "")
    never = {"available": 0, "valid_from_s": 0.0, "valid_to_s": 0.0, "deleted_at": revision}
    if known:
        connection.execute(past_items.insert(), [{"item_id": item_id, **blank, **never} for item_id in known])


def _chunks(ids: list[ItemId]) -> Iterator[list[ItemId]]:
    return (ids[start : start + IDS_PER_QUERY] for start in range(0, len(ids), IDS_PER_QUERY))
