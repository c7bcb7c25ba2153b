"""A public data set as the benchmarks see it: events as columns, what is known of items, the moment of each event, a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError
from scenewise.store.events import EventArrays
from scenewise.tools.catalogue.catalogue import Catalogue

TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Codes:
    """One column of words: `code` int32 (n,) are places in `names`, -1 where the value is missing."""

    names: tuple[str, ...]
    code: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Triples:
    """A graph beside the items. `heads`, `relations`, `tails`: int32 (n,) places in `entities` and `relation_names`;
    `entity_of_item`: int32 (n_items,), the entity of each catalogue row, -1 where it has none."""

    entities: tuple[str, ...]
    relation_names: tuple[str, ...]
    heads: NDArray[np.int32]
    relations: NDArray[np.int32]
    tails: NDArray[np.int32]
    entity_of_item: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Events in the order of the file; `context`, `numbers` and `part` go with the rows of `arrays`.

    `catalogue` has a row for each of `arrays.item_ids`, in that order, with titles, texts and attributes where the set has them.
    `context` holds what is known of each event's moment (and of its user), as words; `numbers` holds float32 (n,) columns, NaN where
    missing. `part` is int8 (n,), TRAIN, VALIDATION or TEST, where the set comes split; None otherwise. `ordered` is False where the
    order of a user's events says nothing (the times are then row numbers).
    """

    name: str
    arrays: EventArrays
    catalogue: Catalogue
    context: Mapping[str, Codes] = field(default_factory=lambda: MappingProxyType({}))
    numbers: Mapping[str, NDArray[np.float32]] = field(default_factory=lambda: MappingProxyType({}))
    graph: Triples | None = None
    part: NDArray[np.int8] | None = None
    ordered: bool = True

    def __post_init__(self) -> None:
        columns = [one.code for one in self.context.values()] + [*self.numbers.values()] + ([] if self.part is None else [self.part])
        if any(len(column) != self.arrays.n for column in columns):
            raise InputError("Every column of a data set must have one value an event.")
        if tuple(item.item_id for item in self.catalogue.items) != self.arrays.item_ids:
            raise InputError("The catalogue's rows must be the items of the events, in their order.")
