"""Which item comes how soon after which: worths of the ordered pairs in users' sequences, summed for every item."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags_array, vstack

from scenewise.tools.collaborative.model import Rows, Sequences, csr_arrays, csr_from
from scenewise.tools.collaborative.neighbours import largest

_AT_ONCE = 1 << 22  # pairs held at a time: 10^7 events in windows of 10 make 2 * 10^8


@dataclass(frozen=True)
class Pairing:
    """What a pair is worth: `decay` to the power of (places apart - 1) up to `window` places; read from the later item to the
    earlier one, `backward` times that; halved for every `half_life_s` that the later event is older than the last one of all."""

    window: int
    decay: float
    backward: float
    half_life_s: float | None

    def steps(self) -> dict[int, float]:
        """Return the worth by how many places the other event is further on."""
        onward = {step: self.decay ** (step - 1) for step in range(1, self.window + 1)}
        return onward | ({-step: self.backward * worth for step, worth in onward.items()} if self.backward else {})

    def aged(self, times_s: NDArray[np.float64], last_s: float) -> NDArray[np.float64]:
        """Return what is left of a pair whose later event was then."""
        return np.ones(len(times_s)) if self.half_life_s is None else np.exp2((times_s - last_s) / self.half_life_s)


@dataclass(frozen=True, eq=False)
class Cut:
    """How many neighbours of an item are kept, and from which domains: see `largest`. `domain`: int16 (n_items,)."""

    k: int
    domain: NDArray[np.int16] | None = None

    def of(self, matrix: csr_matrix, rows: Rows) -> csr_matrix:
        """Cut the rows of these items."""
        return largest(matrix, self.k, domains=None if self.domain is None else (self.domain[rows], self.domain))


@dataclass(eq=False)
class PairTable:
    """`best`: csr float32 (n_items, n_items), row i holds the k largest worths of what comes near i; `totals`: float64 (n_items,), the
    sums of whole rows; `whole`: those rows, or nothing where there will be no update; `fresh`: the whole rows that changed since."""

    best: csr_matrix
    totals: NDArray[np.float64]
    whole: csr_matrix
    fresh: dict[int, csr_matrix] = field(default_factory=dict)

    @classmethod
    def stack(cls, blocks: list[tuple[csr_matrix, NDArray[np.float64], csr_matrix]]) -> Self:
        """Put blocks of rows together."""
        best, totals, whole = zip(*blocks, strict=True)
        return cls(csr_matrix(vstack(best)), np.concatenate(totals), csr_matrix(vstack(whole)))

    @classmethod
    def empty(cls, n_items: int) -> Self:
        """Make a table without pairs."""
        none = np.zeros(0, dtype=np.int32)
        nothing = csr_matrix((none.astype(np.float32), (none, none)), shape=(n_items, n_items))
        return cls(nothing, np.zeros(n_items), nothing)

    def near(self, rows: Rows, cut: Cut) -> csr_matrix:
        """Return the neighbours of items: csr float32 (h, n_items)."""
        part = self.best[rows]
        return cut.of(self._renewed(part, rows), rows) if self.fresh else part

    def add(self, row: int, columns: Rows, worth: NDArray[np.float64]) -> None:
        """Add to one row of a table that keeps its whole rows."""
        more = csr_matrix((worth.astype(np.float32), columns, [0, len(columns)]), shape=(1, len(self.totals)))
        self.fresh[row] = csr_matrix((self.fresh[row] if row in self.fresh else self.whole[row]) + more)
        self.totals[row] += float(worth.sum())

    def arrays(self, cut: Cut, name: str) -> dict[str, NDArray[Any]]:
        """Take the table apart for save_arrays, changes included."""
        rows: Rows = np.arange(len(self.totals), dtype=np.int32)
        parts = {"best": self.near(rows, cut), "whole": self._renewed(self.whole, rows)}
        arrays = {f"{name} {part} {key}": array for part, matrix in parts.items() for key, array in csr_arrays(matrix).items()}
        return arrays | {f"{name} totals": self.totals}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], name: str) -> Self:
        """Put the table together again. StoreError where a part is missing or does not fit."""
        best, whole = (
            csr_from({key: arrays[f"{name} {part} {key}"] for key in ("data", "indices", "indptr", "shape")}) for part in ("best", "whole")
        )
        return cls(best, arrays[f"{name} totals"], whole)

    def _renewed(self, part: csr_matrix, rows: Rows) -> csr_matrix:
        """Put changed rows in place of those that were fitted."""
        places = [place for place, row in enumerate(rows.tolist()) if row in self.fresh]
        if not places:
            return part
        stays = np.ones(len(rows), dtype=np.float32)
        stays[places] = 0.0
        n = len(places)
        placed = csr_matrix((np.ones(n, dtype=np.float32), (places, np.arange(n))), shape=(len(rows), n))
        return csr_matrix(diags_array(stays) @ part + placed @ vstack([self.fresh[row] for row in rows[places].tolist()]))


def count_pairs(sequences: Sequences, n_items: int, pairing: Pairing) -> Iterator[tuple[Rows, dict[int, csr_matrix]]]:
    """Sum the worths of all pairs of different items, some rows at a time, so that memory stays bounded.

    Yields the rows, int32 (b,), and for each scene code csr float64 (b, n_items) with the pairs whose later event is in that scene.
    """
    scenes = np.full(len(sequences.rows), -1, dtype=np.int16) if sequences.scenes is None else sequences.scenes
    codes, code = np.unique(scenes, return_inverse=True)
    users = sequences.user_of_event()
    aged = pairing.aged(sequences.times_s, float(sequences.times_s.max(initial=0.0)))
    steps = pairing.steps()
    by_item = np.argsort(sequences.rows, kind="stable")
    first = np.concatenate(([0], np.cumsum(np.bincount(sequences.rows, minlength=n_items)))).tolist()
    room = max(_AT_ONCE // max(len(steps), 1), 1)
    start = 0
    while start < n_items:
        stop = max(start + 1, bisect_right(first, first[start] + room) - 1)
        rows: Rows = np.arange(start, stop, dtype=np.int32)
        shape = (len(codes) * len(rows), n_items)
        total = csr_matrix(shape, dtype=np.float64)
        for at in range(first[start], first[stop], room):  # more than once where a single item has more events than fit
            here, there, worth = _pairs(sequences.rows, users, by_item[at : min(at + room, first[stop])], steps)
            later = np.maximum(here, there)
            row = code[later] * len(rows) + sequences.rows[here] - start
            total = total + _summed(row, sequences.rows[there], worth * aged[later], shape)
        yield rows, {scene: total[place * len(rows) : (place + 1) * len(rows)] for place, scene in enumerate(codes.tolist())}
        start = stop


def _pairs(
    rows: Rows, users: NDArray[np.int64], events: NDArray[np.int64], steps: Mapping[int, float]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the pairs (event, another of the same user) and what each is worth before age."""
    found = [(events[:0], events[:0], np.zeros(0))]
    for step, worth in steps.items():
        other = events + step
        inside = np.clip(other, 0, len(rows) - 1)
        real = (inside == other) & (users[inside] == users[events]) & (rows[inside] != rows[events])
        found.append((events[real], other[real], np.full(int(real.sum()), worth)))
    here, there, worths = zip(*found, strict=True)
    return np.concatenate(here), np.concatenate(there), np.concatenate(worths)


def _summed(rows: NDArray[np.int64], columns: Rows, worth: NDArray[np.float64], shape: tuple[int, int]) -> csr_matrix:
    """Sum by row and column: in a dense array where much of it is filled, else by sorting."""
    if shape[0] * shape[1] > 4 * len(rows):
        return csr_matrix(coo_matrix((worth, (rows, columns)), shape=shape))
    return csr_matrix(np.bincount(rows * shape[1] + columns, weights=worth, minlength=shape[0] * shape[1]).reshape(shape))
