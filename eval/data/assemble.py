"""From the tables of a reader to a Dataset: ids become places, words become codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scenewise.eval.data.text import LINE, numbers
from scenewise.eval.dataset import Codes, Dataset, Triples
from scenewise.store.errors import InputError
from scenewise.store.events import EventArrays
from scenewise.store.types import Item, ItemId, UserId
from scenewise.tools.catalogue.catalogue import Catalogue

USER, ITEM, VALUE, TIME = "#user", "#item", "#value", "#time"


@dataclass(frozen=True, eq=False)
class Graph:
    """Triples as words (columns head, relation, tail) and the entity of an item."""

    triples: pl.DataFrame
    entity_of: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Kind:
    """What all events of a set are: the kind of event, the domain of items of which nothing else is known, whether order counts."""

    event: str
    domain: str = "items"
    ordered: bool = True


def assemble(
    name: str,
    events: pl.DataFrame,
    kind: Kind,
    *,
    items: Iterable[Item] = (),
    graph: Graph | None = None,
    context: Iterable[str] = (),
    measures: Iterable[str] = (),
    part: NDArray[np.int8] | None = None,
) -> Dataset:
    """Make a Dataset of `events`: USER and ITEM (words), VALUE (Float64, may be absent) and TIME (Float64 unix seconds, absent: row
    numbers), `context` columns (words, missing where null or empty) and `measures` (numbers). Only items with an event come in.

    Repeated events, events out of order and times in the future stay as they are. InputError: no events, an id or a time that is
    missing, each with its line.
    """
    _check(name, events)
    users, user = _places(events[USER])
    ids, item = _places(events[ITEM])
    known = {str(one.item_id): one for one in items}
    catalogue = Catalogue.from_items(known.get(one) or Item(ItemId(one), kind.domain, one) for one in ids)
    arrays = EventArrays(
        tuple(map(UserId, users)),
        tuple(map(ItemId, ids)),
        user,
        item,
        _float32(events[VALUE]) if VALUE in events.columns else np.full(len(events), np.nan, dtype=np.float32),
        events[TIME].to_numpy().astype(np.float64) if TIME in events.columns else np.arange(len(events), dtype=np.float64),
        (kind.event,) * len(events),
    )
    return Dataset(
        name,
        arrays,
        catalogue,
        MappingProxyType({column: codes(events[column]) for column in context}),
        MappingProxyType({column: _float32(events[column]) for column in measures}),
        None if graph is None else join_graph(graph, ids),
        part,
        ordered=kind.ordered,
    )


def codes(words: pl.Series) -> Codes:
    """Number the words of a column in their order; -1 where null or empty."""
    known = words.set(words == "", None) if words.has_nulls() or (words == "").any() else words
    names, code = _places(known)
    return Codes(tuple(names), code)


def split_columns(table: pl.DataFrame, columns: Iterable[str]) -> tuple[pl.DataFrame, list[str], list[str]]:
    """Tell words from numbers: a column is numbers where every value is one and some are not whole. Return the table with those
    columns as Float64, the names of the columns of words, and those of numbers."""
    words, measures = [], []
    for column in columns:
        known = table[column].filter(table[column] != "")
        values = known.cast(pl.Float64, strict=False)
        if len(known) and not values.has_nulls() and (values != values.round()).any():
            table = table.with_columns(numbers(table, column).alias(column))
            measures.append(column)
        else:
            words.append(column)
    return table, words, measures


def join_graph(graph: Graph, ids: Iterable[str]) -> Triples:
    """Number entities and relations, and find the entity of each item; an item that no triple names has none."""
    ends = pl.concat([graph.triples["head"], graph.triples["tail"]])
    entities, place = _places(ends)
    relations, relation = _places(graph.triples["relation"])
    row_of = {entity: row for row, entity in enumerate(entities)}
    n = len(graph.triples)
    of_item = np.asarray([row_of.get(graph.entity_of.get(one, ""), -1) for one in ids], dtype=np.int32)
    return Triples(tuple(entities), tuple(relations), place[:n], relation, place[n:], of_item)


def _check(name: str, events: pl.DataFrame) -> None:
    if not len(events):
        raise InputError(f"The data set {name} has no events.")
    checks = {column: (events[column] == "").fill_null(value=True) for column in (USER, ITEM)}
    if TIME in events.columns:
        checks[TIME] = ~events[TIME].is_finite().fill_null(value=False)
    for column, missing in checks.items():
        if missing.any():
            place = int(missing.to_numpy().argmax())
            line = events[LINE][place] if LINE in events.columns else f"{place} (of the events)"
            raise InputError(f"Line {line}: the {column[1:]} is missing.")


def _places(words: pl.Series) -> tuple[list[str], NDArray[np.int32]]:
    """Return the distinct words in order, and the place of each value in them (-1 for null)."""
    names = words.drop_nulls().unique().sort()
    place = words.cast(pl.Enum(names)).to_physical().cast(pl.Int32).fill_null(-1)
    return names.to_list(), place.to_numpy().astype(np.int32)


def _float32(values: pl.Series) -> NDArray[np.float32]:
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float32)
