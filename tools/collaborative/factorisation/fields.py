"""Columns of words and numbers as a factorisation machine reads them: places in one table, and how much of each counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import accumulate
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError

FARTHEST = 4.0  # standard deviations: what lies farther out counts as that far, so that one wild sensor does not rule a sum


@dataclass(frozen=True, eq=False)
class Words:
    """A column of words. `code`: int32 (n,), or (n, w) where a row may have up to w of them; places in `names`, -1 where there is none."""

    names: tuple[str, ...]
    code: NDArray[np.int32]


Columns = Mapping[str, Words | NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Slots:
    """`place`: int32 (n, s), rows of the table, 0 where nothing is there; `share`: float32 (n, s), how much of the row counts."""

    place: NDArray[np.int32]
    share: NDArray[np.float32]

    def beside(self, other: Slots) -> Slots:
        """Put two parts of the same rows together, each of which has fields that the other lacks; one row goes with all of the other's."""
        return Slots(self.place + other.place, self.share + other.share)

    def __len__(self) -> int:
        return len(self.place)


@dataclass(frozen=True, eq=False)
class Fields:
    """What was seen of each field: `vocabularies`, the words; `scales`, mean and standard deviation of numbers; `widths`, how many
    slots it takes. The table has for each field of words the row of the unknown and one a word, for each of numbers one row."""

    vocabularies: Mapping[str, tuple[str, ...]]
    scales: Mapping[str, tuple[float, float]]
    widths: Mapping[str, int]

    @classmethod
    def fit(cls, columns: Columns, *, min_count: int = 1) -> Self:
        """Learn the fields; words seen less than `min_count` times count as unknown. InputError for columns that do not go together."""
        n_rows(columns)
        vocabularies: dict[str, tuple[str, ...]] = {}
        scales: dict[str, tuple[float, float]] = {}
        widths = {
            name: column.code.shape[1] if isinstance(column, Words) and column.code.ndim == 2 else 1 for name, column in columns.items()
        }
        for name, column in columns.items():
            if isinstance(column, Words):
                seen = np.bincount(column.code[column.code >= 0], minlength=len(column.names)) >= min_count
                vocabularies[name] = tuple(word for word, kept in zip(column.names, seen, strict=True) if kept)
            else:
                known = column[~np.isnan(column)].astype(np.float64)
                scales[name] = (float(known.mean()), float(known.std()) or 1.0) if len(known) else (0.0, 1.0)
        return cls(vocabularies, scales, widths)

    @property
    def field_of_slot(self) -> list[int]:
        """The field of each slot, by its place in `widths`."""
        return [place for place, width in enumerate(self.widths.values()) for _ in range(width)]

    @cached_property
    def starts(self) -> list[int]:
        """The first row of each field, then the number of rows."""
        return [0, *accumulate(len(self.vocabularies[name]) + 1 if name in self.vocabularies else 1 for name in self.widths)]

    @cached_property
    def _row_of(self) -> Mapping[str, Mapping[str, int]]:
        """The row of each word of each field."""
        starts = dict(zip(self.widths, self.starts, strict=False))
        return {name: {word: starts[name] + at for at, word in enumerate(words, 1)} for name, words in self.vocabularies.items()}

    def encode(self, columns: Columns) -> Slots:
        """Look the columns up; a field that is left out counts as missing. InputError for other fields, lengths or kinds."""
        n, slot = n_rows(columns), 0
        if strange := columns.keys() - self.widths.keys():
            raise InputError(f"The model was fitted without the fields {', '.join(sorted(strange))}.")
        slots = Slots(np.zeros((n, sum(self.widths.values())), dtype=np.int32), np.zeros((n, sum(self.widths.values())), dtype=np.float32))
        for (name, width), first_row in zip(self.widths.items(), self.starts, strict=False):
            part, slot = np.s_[:, slot : slot + width], slot + width
            column = columns.get(name)
            if column is None:
                continue
            if isinstance(column, Words) != (name in self.vocabularies):
                raise InputError(f"The field {name} was fitted as {'words' if name in self.vocabularies else 'numbers'}; pass it as such.")
            if isinstance(column, Words):
                slots.place[part], slots.share[part] = self._words(name, column, first_row)
            else:
                mean, deviation = self.scales[name]
                scaled = np.clip((column - mean) / deviation, -FARTHEST, FARTHEST)
                slots.place[part], slots.share[part] = first_row, np.nan_to_num(scaled)[:, None]
        return slots

    def to_json(self) -> str:
        """Write as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what to_json wrote; ValueError, KeyError, TypeError or AttributeError where it is not that."""
        held = json.loads(text)
        vocabularies = {name: tuple(words) for name, words in held["vocabularies"].items()}
        scales = {name: (float(mean), float(deviation)) for name, (mean, deviation) in held["scales"].items()}
        return cls(vocabularies, scales, held["widths"])

    def _words(self, name: str, column: Words, first_row: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the rows and shares of a field of words: (n, w) each."""
        row_of = self._row_of[name]
        rows = np.asarray([row_of.get(word, first_row) for word in column.names] + [0], dtype=np.int32)  # -1 finds the last
        code, width = column.code.reshape(len(column.code), -1), self.widths[name]
        if code.shape[1] > width:
            raise InputError(f"The field {name} was fitted with at most {width} words a row.")
        if code.shape[1] < width:
            code = np.pad(code, ((0, 0), (0, width - code.shape[1])), constant_values=-1)
        known = code >= 0
        if width == 1:
            return rows[code], known.astype(np.float32)
        return rows[code], known / np.maximum(known.sum(axis=1, keepdims=True), 1).astype(np.float32)


def n_rows(columns: Columns) -> int:
    """Return how many rows all columns have. InputError where they differ or hold what no column may."""
    lengths = {len(column.code if isinstance(column, Words) else column) for column in columns.values()}
    if len(lengths) != 1:
        raise InputError("All fields must have as many rows, and there must be at least one field.")
    for name, column in columns.items():
        if isinstance(column, Words):
            if column.code.size and not -1 <= int(column.code.min()) <= int(column.code.max()) < len(column.names):
                raise InputError(f"The codes of the field {name} must be places in its names, or -1.")
        elif np.isinf(column).any():
            raise InputError(f"The field {name} holds infinite numbers; leave them out as NaN.")
    return lengths.pop()
