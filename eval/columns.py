"""The events of a data set as the fields of a factorisation machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenewise.eval.dataset import Codes, Dataset
from scenewise.tools.collaborative.factorisation import Columns, Words

Places = NDArray[np.int64]
_VALUES = 8  # of one attribute of an item, at most


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows to learn from and to ask. `event`: int64 (n,), the event whose moment it is; `item`: int32 (n,), its item or one that was
    drawn; `target`: float32 (n,)."""

    event: Places
    item: NDArray[np.int32]
    target: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.target)


def fields(dataset: Dataset, rows: Labelled) -> tuple[Columns, frozenset[str]]:
    """Return user, item, the item's attributes, and what is known of each event; and which of these columns are the moment's.

    A column of the events that never differs between those of one item is the item's, and goes with a drawn item; one that never
    differs between those of one user is the user's; the others are the moment's.
    """
    arrays = dataset.arrays
    columns: dict[str, Words | NDArray[np.float32]] = {
        "user": Words(arrays.user_ids, arrays.user[rows.event]),
        "item": Words(arrays.item_ids, rows.item),
    }
    columns |= {f"item {name}": Words(names, table[rows.item]) for name, (names, table) in _attributes(dataset).items()}
    moment = set()
    known: list[tuple[str, Codes | NDArray[np.float32]]] = [*dataset.context.items(), *dataset.numbers.items()]
    for name, column in known:
        values = column if isinstance(column, np.ndarray) else column.code
        first = _constant(values, arrays.item, len(arrays.item_ids))
        taken = values[rows.event] if first is None else values[first][rows.item]
        field = f"{name} of the event" if name in columns else name
        columns[field] = taken.astype(np.float32) if isinstance(column, np.ndarray) else Words(column.names, taken.astype(np.int32))
        if first is None and _constant(values, arrays.user, len(arrays.user_ids)) is None:
            moment.add(field)
    return columns, frozenset(moment)


def take(columns: Columns, rows: NDArray[np.int64]) -> Columns:
    """Return some rows of all columns."""
    return {name: Words(column.names, column.code[rows]) if isinstance(column, Words) else column[rows] for name, column in columns.items()}


def telling(columns: Columns) -> frozenset[str]:
    """Return the names of the columns that are not the same in all rows."""
    values = {name: column.code if isinstance(column, Words) else column for name, column in columns.items()}
    return frozenset(name for name, one in values.items() if len(one) and not _same(one, one[:1]).all())


def _constant(values: NDArray[np.generic], group: NDArray[np.int32], n: int) -> Places | None:
    """Return the first event of each group, 0 where it has none, if no group's values differ and some group has several events."""
    first = np.zeros(n, dtype=np.int64)
    first[group[::-1]] = np.arange(len(group) - 1, -1, -1)
    repeated = len(group) > len(np.unique(group))
    return first if repeated and _same(values, values[first[group]]).all() else None


def _same(left: NDArray[np.generic], right: NDArray[np.generic]) -> NDArray[np.bool_]:
    same = left == right
    return np.asarray(same | (np.isnan(left) & np.isnan(right)) if left.dtype.kind == "f" else same)


def _attributes(dataset: Dataset) -> dict[str, tuple[tuple[str, ...], NDArray[np.int32]]]:
    """Return for each attribute its values and int32 (n_items, w), places of an item's values, -1 where it has fewer."""
    found = {}
    items = dataset.catalogue.items
    for name in sorted({name for item in items for name in item.attributes}):
        held = [item.attributes.get(name, ())[:_VALUES] for item in items]
        names = tuple(sorted({value for values in held for value in values}))
        place = {value: code for code, value in enumerate(names)}
        table = np.full((len(items), max(map(len, held))), -1, dtype=np.int32)
        for row, values in enumerate(held):
            table[row, : len(values)] = [place[value] for value in values]
        found[name] = names, table[:, 0] if table.shape[1] == 1 else table
    return found
