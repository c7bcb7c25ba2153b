"""A catalogue after a few changes, equal to one read anew, and which row each item had before."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue, by_count, columns_of, forms_of
from scenewise.tools.catalogue.conditions import Rows
from scenewise.tools.catalogue.titles import Titles
from scenewise.tools.catalogue.values import Values

Touched = dict[str, set[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Updated:
    """`origin`: int32 (n,), each item's row in the catalogue before, -1 for a new one; `changed`: int32, the rows of items that are new or
    different."""

    catalogue: Catalogue
    origin: Rows
    changed: Rows

    def carry(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring rows over the catalogue before, float32 (m, d), to its rows: float32 (n, d), zeros for new items."""
        out = np.empty((len(self.origin), matrix.shape[1]), dtype=np.float32)
        follows = np.flatnonzero(np.diff(self.origin) != 1) + 1
        for begin, end in zip([0, *follows.tolist()], [*follows.tolist(), len(out)], strict=True):  # in runs: a copy row by row is slow
            if begin < end:
                first = self.origin[begin]
                out[begin:end] = matrix[first : first + end - begin] if first >= 0 else 0.0
        return out


def update(before: Catalogue, items: Iterable[Item], removed: Collection[ItemId], *, revision: int, items_revision: int) -> Updated:
    """Put items into a catalogue, in place of those of the same id, and take some out; ids that it lacks are passed over.

    `before` stays as it is. Nothing of the result depends on how it was come by: ties, orders and display forms are those of
    `Catalogue.from_items`.
    """
    new = {item.item_id: item for item in items}
    there = {item_id: row for item_id in new if (row := before.row(item_id)) is not None}
    gone = before.rows([item_id for item_id in removed if item_id not in new])
    rows = np.delete(np.arange(before.n, dtype=np.int32), gone)
    ids = [before.items[row].item_id for row in rows.tolist()]
    added = sorted(item_id for item_id in new if item_id not in there)
    origin = np.insert(rows, [bisect_left(ids, item_id) for item_id in added], -1).astype(np.int32)
    places = iter(added)
    kept = ((next(places) if row < 0 else before.items[row].item_id, row) for row in origin.tolist())
    ordered = tuple(new[item_id] if item_id in new else before.items[row] for item_id, row in kept)
    changed = np.asarray([row for row, item in enumerate(ordered) if item.item_id in new], dtype=np.int32)

    touched: Touched = {}
    for item in [*new.values(), *(before.items[row] for row in [*there.values(), *gone.tolist()])]:
        for attribute, values in item.attributes.items():
            touched.setdefault(attribute, set()).update(forms_of(values))
    postings = _move_postings(before, origin, changed, ordered, touched)
    same = origin.copy()
    same[changed] = -1
    shown = _show(before, postings, ordered, touched)
    vocabulary = {name: by_count(of_value) if name in touched else before.vocabulary[name] for name, of_value in postings.items()}
    titles = Titles.of(ordered, before=before.titles, rows=same.tolist())
    columns = columns_of(ordered, postings)
    names = Values.of(shown, before=before.values)
    catalogue = Catalogue(ordered, revision, items_revision, columns, MappingProxyType(vocabulary), titles, names)
    return Updated(catalogue, origin, changed)


def _move_postings(
    before: Catalogue, origin: Rows, changed: Rows, items: tuple[Item, ...], touched: Touched
) -> dict[str, dict[str, NDArray[np.int32]]]:
    """Bring attribute -> value -> rows to the new rows."""
    place = np.full(before.n, -1, dtype=np.int32)
    place[origin[origin >= 0]] = np.flatnonzero(origin >= 0)
    moved = len(origin) != before.n or bool((origin != np.arange(before.n)).any())
    having: dict[tuple[str, str], list[int]] = {}
    for row in changed.tolist():
        for attribute, values in items[row].attributes.items():
            for value in forms_of(values):
                having.setdefault((attribute, value), []).append(row)
    is_changed = np.zeros(len(items), dtype=np.bool_)
    is_changed[changed] = True
    nobody = np.zeros(0, dtype=np.int32)
    out: dict[str, dict[str, NDArray[np.int32]]] = {}
    for attribute in sorted({*before.columns.postings, *touched}):
        old, names = before.columns.postings.get(attribute, {}), touched.get(attribute, set())
        of_value = {value: place[rows] if moved else rows for value, rows in old.items() if value not in names}
        for value in names:
            rows = place[old.get(value, nobody)]
            rows = rows[rows >= 0]
            rows = np.union1d(rows[~is_changed[rows]], having.get((attribute, value), [])).astype(np.int32)
            if len(rows):
                of_value[value] = rows
        if of_value:
            out[attribute] = dict(sorted(of_value.items())) if names else of_value
    return out


def _show(
    before: Catalogue, postings: Mapping[str, Mapping[str, Rows]], items: tuple[Item, ...], touched: Touched
) -> dict[str, Mapping[str, str]]:
    """Choose the display forms of touched values anew."""
    out: dict[str, Mapping[str, str]] = {}
    for attribute, of_value in postings.items():
        known = before.values.shown.get(attribute, {})
        if attribute not in touched:
            out[attribute] = known
            continue
        names = touched[attribute]
        out[attribute] = {
            value: _most_common(attribute, value, rows, items) if value in names else known[value] for value, rows in of_value.items()
        }
    return out


def _most_common(attribute: str, value: str, rows: Rows, items: tuple[Item, ...]) -> str:
    forms = Counter(forms_of(items[row].attributes[attribute])[value] for row in rows.tolist())
    return forms.most_common(1)[0][0]
