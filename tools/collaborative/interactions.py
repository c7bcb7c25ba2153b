"""From events to what the models learn from: how much an event is worth, a matrix, and sequences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.types import Event
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.model import Rows, Sequences, Weights

if TYPE_CHECKING:
    from scenewise.store.events import EventArrays

RATING_KINDS = frozenset({"rating", "rate", "rated", "review"})
REFUSING_KINDS = frozenset({"dislike", "disliked", "skip", "skipped", "hide", "hidden", "reject", "rejected", "dismiss", "dismissed"})
LIKED = 1.0
_LONGEST_SCALE = 10.0  # a kind with larger values counts plays or hours, even where an import called it a rating


@dataclass(frozen=True)
class Worth:
    """How much an event says for its item, in [0, 1]. `scales` maps a rating kind to its highest value in the store.

    A rating counts 1 from 70% of its scale, 0.6 from 50%, and 0.3 below: what people choose says more than how it pleased. On
    MovieLens 100k and 1M (events before the validation events; target: the last item rated 4 or 5) this beat all events alike
    and both cuts at 3 and at 4. Refusals count 0: they only mark the item as seen. Everything else (a play, a purchase, a count)
    counts 1, or 0.3 where its value is not positive.
    """

    scales: Mapping[str, float]

    def of(self, kind: str, value: float | None) -> float:
        """Return the worth of one event."""
        if kind.casefold() in REFUSING_KINDS:
            return 0.0
        if value is None or math.isnan(value):
            return LIKED
        if value <= 0:
            return 0.3
        share = value / self.scales.get(kind, value)
        return LIKED if share >= 0.7 else 0.6 if share >= 0.5 else 0.3

    def of_events(self, history: Sequence[Event]) -> Weights:
        """Return the worth of each event: float32 (h,)."""
        return np.asarray([self.of(event.kind, event.value) for event in history], dtype=np.float32)


@dataclass(frozen=True)
class Interactions:
    """What the models are fitted on: `matrix` csr float32 (n_users, n_items) with the best worth of each pair, `sequences` and,
    for each event of them, `worth` float32 (n,)."""

    matrix: csr_matrix
    sequences: Sequences
    worth: Weights

    def hold_back(self, n: int = 1) -> tuple[Interactions, tuple[HeldBack, ...]]:
        """Take the last n events of each user, the first one never: the rest, and the events taken, by user, oldest first.

        An event whose item the user had before is no question, and stays in the rest.
        """
        users, starts, rows = self.sequences.user_of_event(), self.sequences.starts, self.sequences.rows
        place = np.arange(len(rows))
        keep = (place < starts[users + 1] - n) | (place == starts[users])
        held = []
        for event in np.flatnonzero(~keep).tolist():
            start = int(starts[users[event]])
            if rows[event] in rows[start:event]:
                keep[event] = True
                continue
            before = _latest(rows[start:event], self.worth[start:event])
            held.append(HeldBack(int(users[event]), *before, int(rows[event]), float(self.worth[event])))
        columns = (users[keep], rows[keep], self.sequences.times_s[keep], self.worth[keep])
        scenes = None if self.sequences.scenes is None else self.sequences.scenes[keep]
        return from_columns(*columns, shape=self.matrix.shape, scenes=scenes), tuple(held)


@dataclass(frozen=True)
class HeldBack:
    """One question to a model: what did this user do after `rows` (int32 (h,), oldest first, each item once at its latest event)?
    `worth` float32 (h,) and `scenes` int16 (h,), None where none is known, go with the rows, `target_worth` and `scene` with the target;
    -1 is a scene that is not known."""

    user: int
    rows: Rows
    worth: Weights
    target: int
    target_worth: float
    scene: int = -1
    scenes: NDArray[np.int16] | None = None


def learn_worth(arrays: EventArrays) -> Worth:
    """Find the scale of each rating kind: its highest value, where that is at most 10."""
    kinds = np.asarray(arrays.kind, dtype=np.str_)
    scales: dict[str, float] = {}
    for kind in np.unique(kinds).tolist():
        values = arrays.value[kinds == kind]
        known = values[~np.isnan(values)]
        if kind.casefold() in RATING_KINDS and len(known) and 0 < known.max() <= _LONGEST_SCALE:
            scales[kind] = float(known.max())
    return Worth(scales)


def interactions_of(arrays: EventArrays, catalogue: Catalogue, worth: Worth, *, scenes: NDArray[np.int16] | None = None) -> Interactions:
    """Bring the store's events over the catalogue's rows, in time order; refusals and unknown items are left out. `scenes` are the
    codes of the events' scenes, int16 (arrays.n,), see Sequences."""
    row_of_item = np.asarray([-1 if (row := catalogue.row(item)) is None else row for item in arrays.item_ids], dtype=np.int32)
    weights = _worth_of(arrays, worth)
    rows = row_of_item[arrays.item] if arrays.n else np.zeros(0, dtype=np.int32)
    keep = (weights > 0) & (rows >= 0)
    shape = (len(arrays.user_ids), catalogue.n)
    kept = None if scenes is None else scenes[keep]
    return from_columns(arrays.user[keep], rows[keep], arrays.time_s[keep], weights[keep], shape=shape, scenes=kept)


def from_columns(
    users: NDArray[np.integer],
    rows: NDArray[np.integer],
    times_s: NDArray[np.float64],
    worth: Weights,
    *,
    shape: tuple[int, int],
    scenes: NDArray[np.int16] | None = None,
) -> Interactions:
    """Build both views of events given as columns (n,); ties in time keep the order given."""
    order = np.lexsort((times_s, users))
    users, times_s, worth = users[order], times_s[order], worth[order]
    ordered: Rows = rows[order].astype(np.int32)
    starts = np.concatenate(([0], np.cumsum(np.bincount(users, minlength=shape[0])))).astype(np.int64)
    sequences = Sequences(ordered, times_s, starts, None if scenes is None else scenes[order])
    return Interactions(_best_of_pairs(users, ordered, worth, shape), sequences, worth)


def _worth_of(arrays: EventArrays, worth: Worth) -> Weights:
    """Ask once for each distinct (kind, value): float32 (n,)."""
    number: dict[str, int] = {}
    kinds = np.fromiter((number.setdefault(kind, len(number)) for kind in arrays.kind), dtype=np.int64, count=arrays.n)
    values, value = np.unique(arrays.value, return_inverse=True)  # all NaN are one
    pairs, pair = np.unique(kinds * max(len(values), 1) + value, return_inverse=True)
    names, known = [*number], values.tolist()
    told = [worth.of(names[one // len(known)], known[one % len(known)]) for one in pairs.tolist()]
    return np.asarray(told, dtype=np.float32)[pair]


def _best_of_pairs(users: NDArray[np.integer], rows: Rows, worth: Weights, shape: tuple[int, int]) -> csr_matrix:
    """Keep the highest worth where a user met an item several times."""
    order = np.lexsort((-worth, rows, users))
    users, rows, worth = users[order], rows[order], worth[order]
    first = np.ones(len(users), dtype=bool)
    first[1:] = (users[1:] != users[:-1]) | (rows[1:] != rows[:-1])
    return csr_matrix((worth[first], (users[first], rows[first])), shape=shape, dtype=np.float32)


def _latest(rows: Rows, worth: Weights) -> tuple[Rows, Weights]:
    """Keep each item at its latest event, as Collaborative.fold does for a live history."""
    latest: dict[int, float] = {}
    for row, value in zip(rows.tolist(), worth.tolist(), strict=True):
        latest.pop(row, None)
        latest[row] = value
    return np.asarray([*latest], dtype=np.int32), np.asarray([*latest.values()], dtype=np.float32)
