"""The items in memory, as columns: which pass a set of constraints, which values there are, and which item a title names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.conditions import Columns, Mask, Rows, conditions
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.catalogue.texts import INGREDIENT, MENTIONS, Texts
from scenewise.tools.catalogue.titles import TitleMatch, Titles
from scenewise.tools.catalogue.values import ValueMention, Values

if TYPE_CHECKING:
    from scenewise.store.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """All items at one revision of the store; rows 0..n-1 are in `item_id` order. Nothing in it changes after it is made.

    `items_revision` is the revision of the store's items alone: events may come without making it old.
    """

    items: tuple[Item, ...]
    revision: int
    items_revision: int
    columns: Columns
    vocabulary: Mapping[str, Mapping[str, int]]
    titles: Titles
    values: Values

    @classmethod
    def from_store(cls, store: Store) -> Catalogue:
        """Read all items of a store; raises StoreError."""
        revision, items_revision = store.revision(), store.revision("items")
        return replace(cls.from_items(store.items.all(), revision), items_revision=items_revision)

    @classmethod
    def from_items(cls, items: Iterable[Item], revision: int = 0) -> Catalogue:
        """Make a catalogue of items in any order; raises InputError where two share an id.

        >>> Catalogue.from_items([Item(ItemId("b"), "books", "Emma"), Item(ItemId("a"), "apps", "Chess")]).row(ItemId("b"))
        1
        """
        ordered = tuple(sorted(items, key=lambda item: item.item_id))
        postings, shown = _postings(ordered)
        columns = columns_of(ordered, postings)
        if len(columns.row_of) < len(ordered):
            raise InputError("Two items share one item_id; give each its own.")
        vocabulary = MappingProxyType({attribute: by_count(rows_of) for attribute, rows_of in postings.items()})
        return cls(ordered, revision, revision, columns, vocabulary, Titles.of(ordered), Values.of(shown))

    @property
    def n(self) -> int:
        """How many items there are."""
        return len(self.items)

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that have items, in alphabetical order."""
        return self.columns.domains

    def row(self, item_id: ItemId) -> int | None:
        """Find an item's row; None if there is no such item."""
        return self.columns.row_of.get(item_id)

    def rows(self, item_ids: Iterable[ItemId]) -> Rows:
        """Find the rows of items: int32 (m,), in the order given; unknown ids are left out, so m may be less than the ids."""
        row_of = self.columns.row_of
        return np.array([row_of[item_id] for item_id in item_ids if item_id in row_of], dtype=np.int32)

    def allowed(self, constraints: Constraints) -> Mask:
        """Say which items pass: bool (n,)."""
        mask = np.ones(self.n, dtype=np.bool_)
        for condition in conditions(constraints, self.shown):
            mask &= condition.passes(self.columns)
        return mask

    def relaxations(self, constraints: Constraints) -> list[tuple[str, int]]:
        """Where nothing passes, say which one condition to drop: (name, how many items would then pass), most items first.

        Empty where something passes already, and where no single condition is to blame.
        """
        parts = conditions(constraints, self.shown)
        if not parts or self.n == 0:
            return []
        fails = np.stack([~part.passes(self.columns) for part in parts])  # (parts, n)
        n_fails: NDArray[np.int_] = fails.sum(axis=0)
        if (n_fails == 0).any():
            return []
        gains = fails[:, n_fails == 1].sum(axis=1)
        found = [(part.name, int(gain)) for part, gain in zip(parts, gains, strict=True) if gain]
        return sorted(found, key=lambda pair: -pair[1])

    def describe(self, constraints: Constraints) -> list[str]:
        """Name what is asked for in a few words each; the names are those of `relaxations`."""
        return [part.name for part in conditions(constraints, self.shown) if not part.usual]

    def shown(self, attribute: str, value: str) -> str:
        """Give a value's display form, or the value itself where the catalogue does not have it."""
        return self.values.shown.get(attribute, {}).get(value.casefold(), value)

    def has(self, attribute: str, value: str) -> bool:
        """Whether any item has this value, casefolded; of ingredients and words, whether any item's own words name it."""
        if value in self.vocabulary.get(attribute, {}):
            return True
        return attribute in (INGREDIENT, MENTIONS) and bool(self.columns.having(attribute, (value,)).any())

    def look_up(self, name: str, k: int = 5) -> list[tuple[ItemId, float]]:
        """Find items by title, best first: (item_id, score in 0..1); see `Titles.look_up`."""
        return [(self.items[row].item_id, score) for row, score in self.titles.look_up(name, k)]

    def find_titles(self, text: str) -> list[TitleMatch]:
        """Find titles written out in a text; see `Titles.find`."""
        return self.titles.find(text)

    def find_values(self, text: str) -> list[ValueMention]:
        """Find attribute values (genres, creators, topics, ...) written out in a text; see `Values.find`."""
        return self.values.find(text)


def _postings(items: tuple[Item, ...]) -> tuple[dict[str, dict[str, Rows]], dict[str, dict[str, str]]]:
    """Collect attribute -> casefolded value -> rows, and the display form most often used, both in alphabetical order."""
    rows_of: dict[str, dict[str, list[int]]] = {}
    forms: dict[tuple[str, str], Counter[str]] = {}
    for row, item in enumerate(items):
        for attribute, values in item.attributes.items():
            for value, form in forms_of(values).items():
                rows_of.setdefault(attribute, {}).setdefault(value, []).append(row)
                forms.setdefault((attribute, value), Counter())[form] += 1
    postings: dict[str, dict[str, Rows]] = {}
    shown: dict[str, dict[str, str]] = {}
    for attribute, of_value in sorted(rows_of.items()):
        postings[attribute] = {value: np.array(rows, dtype=np.int32) for value, rows in sorted(of_value.items())}
        shown[attribute] = {value: forms[attribute, value].most_common(1)[0][0] for value in postings[attribute]}
    return postings, shown


def forms_of(values: Iterable[str]) -> dict[str, str]:
    """Map an item's values, casefolded, to how they are written."""
    return {value.casefold(): value for value in values}


def columns_of(items: tuple[Item, ...], postings: Mapping[str, Mapping[str, Rows]]) -> Columns:
    """Write items as columns; `postings` as in `Columns`."""
    domains = tuple(sorted({item.domain for item in items}))
    code = {domain: number for number, domain in enumerate(domains)}

    def numbers(values: Iterable[float | None]) -> NDArray[np.float64]:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    return Columns(
        row_of=MappingProxyType({item.item_id: row for row, item in enumerate(items)}),
        domains=domains,
        domain_code=np.array([code[item.domain] for item in items], dtype=np.int16),
        year=numbers(item.year for item in items),
        duration_min=numbers(item.duration_min for item in items),
        price_cents=numbers(item.price_cents for item in items),
        available=np.array([item.available for item in items], dtype=np.bool_),
        postings=postings,
        texts=Texts(items),
    )


def by_count(rows_of: Mapping[str, Rows]) -> Mapping[str, int]:
    """Count items per value, the most frequent first, ties by name."""
    counts = sorted(((value, len(rows)) for value, rows in rows_of.items()), key=lambda pair: (-pair[1], pair[0]))
    return MappingProxyType(dict(counts))
