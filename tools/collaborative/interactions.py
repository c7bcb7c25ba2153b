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
REFUSING_KINDS = frozenset(
    {"dislike", "disliked", "skip", "skipped", "hide", "hidden", "reject", "rejected", "dismiss", "dismissed"}
)
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

    def history(self, user: int) -> tuple[Rows, Weights]:
        """Return a user's rows, oldest first, and what each is worth."""
        part = slice(int(self.sequences.starts[user]), int(self.sequences.starts[user + 1]))
        return self.sequences.rows[part], self.worth[part]

    def without_last(self, min_events: int = 2) -> tuple[Interactions, dict[int, int]]:
        """Take the last event of each user who has at least `min_events`: the rest, and user -> row of the event taken.

        An item that the user had before cannot be asked for, so such a user keeps the event.
        """
        starts = self.sequences.starts
        taken: dict[int, int] = {}
        keep = np.ones(len(self.sequences.rows), dtype=bool)
        for user in np.flatnonzero(np.diff(starts) >= min_events).tolist():
            last = int(starts[user + 1]) - 1
            row = int(self.sequences.rows[last])
            if row not in self.sequences.rows[int(starts[user]) : last]:
                taken[user], keep[last] = row, False
        users = self.sequences.user_of_event()[keep]
        rows, times_s, worth = self.sequences.rows[keep], self.sequences.times_s[keep], self.worth[keep]
        return from_columns(users, rows, times_s, worth, shape=self.matrix.shape), taken


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


def interactions_of(arrays: EventArrays, catalogue: Catalogue, worth: Worth) -> Interactions:
    """Bring the store's events over the catalogue's rows, in time order; refusals and unknown items are left out."""
    row_of_item = np.asarray([-1 if (row := catalogue.row(item)) is None else row for item in arrays.item_ids], dtype=np.int32)
    weights = _worth_of(arrays, worth)
    rows = row_of_item[arrays.item] if arrays.n else np.zeros(0, dtype=np.int32)
    keep = (weights > 0) & (rows >= 0)
    shape = (len(arrays.user_ids), catalogue.n)
    return from_columns(arrays.user[keep], rows[keep], arrays.time_s[keep], weights[keep], shape=shape)


def from_columns(
    users: NDArray[np.integer],
    rows: NDArray[np.integer],
    times_s: NDArray[np.float64],
    worth: Weights,
    *,
    shape: tuple[int, int],
) -> Interactions:
    """Build both views of events given as columns (n,); ties in time keep the order given."""
    order = np.lexsort((times_s, users))
    users, times_s, worth = users[order], times_s[order], worth[order]
    ordered: Rows = rows[order].astype(np.int32)
    starts = np.concatenate(([0], np.cumsum(np.bincount(users, minlength=shape[0])))).astype(np.int64)
    return Interactions(_best_of_pairs(users, ordered, worth, shape), Sequences(ordered, times_s, starts), worth)


def _worth_of(arrays: EventArrays, worth: Worth) -> Weights:
    """Ask once for each distinct (kind, value)."""
    values = [None if np.isnan(value) else float(value) for value in arrays.value.tolist()]
    known: dict[tuple[str, float | None], float] = {}
    out = np.empty(arrays.n, dtype=np.float32)
    for place, pair in enumerate(zip(arrays.kind, values, strict=True)):
        if pair not in known:
            known[pair] = worth.of(*pair)
        out[place] = known[pair]
    return out


def _best_of_pairs(users: NDArray[np.integer], rows: Rows, worth: Weights, shape: tuple[int, int]) -> csr_matrix:
    """Keep the highest worth where a user met an item several times."""
    order = np.lexsort((-worth, rows, users))
    users, rows, worth = users[order], rows[order], worth[order]
    first = np.ones(len(users), dtype=bool)
    first[1:] = (users[1:] != users[:-1]) | (rows[1:] != rows[:-1])
    return csr_matrix((worth[first], (users[first], rows[first])), shape=shape, dtype=np.float32)
