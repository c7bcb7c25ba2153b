"""What the second stage learns from: events that are held back from the sources, and the questions that they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scenewise.tools.collaborative.interactions import HeldBack, Interactions, from_columns
from scenewise.tools.collaborative.model import Rows, Sequences

LEAST_USERS = 50
"""With fewer users to learn from, what is learned is chance."""
_QUESTIONS = 6_000
_SLICE = 0.1  # the latest share of time
_EACH = 5  # the last events of a user in it
_HISTORY_SHARE = 0.1  # at most this share of a history is held back, where that is an event

How = Literal["slice", "last"]


@dataclass(frozen=True, eq=False)
class Questions:
    """`rest` is what sources may be fitted on; `asked` what users did then; `scenes` int16 (len(asked),) the scene of each, -1 where
    none is known."""

    rest: Interactions
    asked: tuple[HeldBack, ...]
    scenes: NDArray[np.int16]

    @property
    def n_users(self) -> int:
        """How many users are asked about."""
        return len({one.user for one in self.asked})


def hold_back(interactions: Interactions, how: How = "slice", *, seed: int = 0) -> Questions:
    """Hold back events, at most 6,000 of them asked about, drawn by seed; an event whose item the user had before is no question.

    "slice": everything in the latest tenth of time, as a deployed model meets the future; asked are a user's last five there.
    "last": the last event of each user asked, or more where users are few and their histories long, whenever they were: for data
    whose users share no clock, and where "slice" finds too few users.
    """
    sequences = interactions.sequences
    users = sequences.user_of_event()
    place = np.arange(len(users)) - sequences.starts[users]
    from_end = sequences.starts[users + 1] - np.arange(len(users))  # 1 for the last event of a user
    rng = np.random.default_rng(seed)
    if how == "slice" and has_clock(sequences):
        out = sequences.times_s >= np.quantile(sequences.times_s, 1.0 - _SLICE)
        found = _ask(interactions, out, out & (place > 0) & (from_end <= _EACH), rng)
        if found.n_users >= LEAST_USERS:
            return found
    able = np.flatnonzero(np.diff(sequences.starts) > 1)
    mean = len(users) / max(len(able), 1)
    each = int(np.clip(min(_QUESTIONS / max(len(able), 1), _HISTORY_SHARE * mean), 1, None))
    drawn = rng.permutation(able)[: max(_QUESTIONS // each, 1)]
    out = np.isin(users, drawn) & (place > 0) & (from_end <= each)
    return _ask(interactions, out, out, rng)


def has_clock(sequences: Sequences) -> bool:
    """Say whether the times are ones that users share, rather than places in their own sequences, or none."""
    place = np.arange(len(sequences.rows)) - sequences.starts[sequences.user_of_event()]
    return len(place) > 0 and float(np.ptp(sequences.times_s)) > 0 and not np.array_equal(sequences.times_s, place)


def _ask(interactions: Interactions, out: NDArray[np.bool_], asked: NDArray[np.bool_], rng: np.random.Generator) -> Questions:
    sequences, worth = interactions.sequences, interactions.worth
    users, rows = sequences.user_of_event(), sequences.rows
    events = np.flatnonzero(asked)
    questions, places = [], []
    for event in np.sort(rng.permutation(events)[:_QUESTIONS]).tolist():
        before = slice(int(sequences.starts[users[event]]), event)
        if rows[event] not in rows[before]:
            history = before.start + _latest(rows[before])
            own, scene = (None, -1) if sequences.scenes is None else (sequences.scenes[history], int(sequences.scenes[event]))
            target = int(rows[event]), float(worth[event])
            questions.append(HeldBack(int(users[event]), rows[history], worth[history], *target, scene, own))
            places.append(event)
    scenes = np.full(len(places), -1, dtype=np.int16) if sequences.scenes is None else sequences.scenes[places]
    kept = None if sequences.scenes is None else sequences.scenes[~out]
    columns = (users[~out], rows[~out], sequences.times_s[~out], worth[~out])
    return Questions(from_columns(*columns, shape=interactions.matrix.shape, scenes=kept), tuple(questions), scenes)


def _latest(rows: Rows) -> NDArray[np.int64]:
    """Return the place of each item's latest event, as Collaborative.fold keeps them of a live history."""
    return np.sort(len(rows) - 1 - np.unique(rows[::-1], return_index=True)[1])
