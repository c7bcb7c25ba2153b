"""Events as the network takes them: windows of users' sequences, in batches of like length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError
from scenewise.tools.collaborative.model import Sequences, Weights
from scenewise.tools.ranking.transformer.config import TransformerConfig

START = -1  # stands where a row would for "no event yet"
N_AGES = 16
_ASKED = 200  # held-back events scored at a time
_LEAST_ASKED, _SHARE_ASKED = 50, 5
_WINDOWS = 20  # of a user at most, so that one who never stops does not teach all
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch:
    """Histories beside each other, filled up at the end, all (b, t). Of each event: `rows` int64 (START: none), `weights` float32,
    `scenes` and `ages` int64, its own and the time since the event before; then of the moment after it: `next_scenes`, `next_ages`.
    0 where a scene or an age is not known. `real` bool is False where a history has ended."""

    rows: Ints
    weights: Weights
    scenes: Ints
    ages: Ints
    next_scenes: Ints
    next_ages: Ints
    real: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Question:
    """Held-back events: histories (b, t), the items that came next, int64 (b,), and what each user had had, (places, items)."""

    batch: Batch
    target: Ints
    seen: tuple[Ints, Ints]


@dataclass(frozen=True, eq=False)
class Samples:
    """What is learned from: all users' events as columns (n,), `first` is True for a user's first one. `windows` int64 (w, 2): first
    event to be told and how many."""

    rows: Ints
    weights: Weights
    scenes: Ints
    ages: Ints
    first: NDArray[np.bool_]
    windows: Ints

    @classmethod
    def of(cls, sequences: Sequences, weights: Weights, held: Ints, length: int) -> tuple[Samples, list[Question]]:
        """Ask for the last events of the users `held`, and cut what is left into windows of at most `length` events, from each user's
        latest one backwards."""
        starts, ends = sequences.starts[:-1], sequences.starts[1:].copy()
        first = np.zeros(len(sequences.rows), dtype=bool)
        first[starts[starts < ends]] = True
        scenes = np.zeros(len(first), dtype=np.int64) if sequences.scenes is None else sequences.scenes.astype(np.int64) + 1
        ages = np.where(first, 0, age_codes(np.diff(sequences.times_s, prepend=sequences.times_s[:1])))
        ends[held] -= 1
        counts = np.minimum(-(-(ends - starts) // length), _WINDOWS)
        number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)  # of the window, the latest is 0
        stops = np.repeat(ends, counts) - number * length
        begins = np.maximum(stops - length, np.repeat(starts, counts))
        windows = np.stack((begins, stops - begins), axis=1)
        samples = cls(sequences.rows.astype(np.int64), weights, scenes, ages, first, windows)
        return samples, [samples._question(sequences, held[at : at + _ASKED], length) for at in range(0, len(held), _ASKED)]

    def _question(self, sequences: Sequences, users: Ints, length: int) -> Question:
        """Ask for the last events of these users, after all that came before."""
        starts, last = sequences.starts[users], sequences.starts[users + 1] - 1
        begins = np.maximum(last + 1 - length, starts)
        batch, _ = self.batch(np.stack((begins, last + 1 - begins), axis=1))
        had = [self.rows[start:stop] for start, stop in zip(starts.tolist(), last.tolist(), strict=True)]
        places = np.repeat(np.arange(len(users)), [len(rows) for rows in had])
        return Question(batch, self.rows[last], (places, np.concatenate(had)))

    def batches(self, tokens: int, generator: np.random.Generator) -> Iterator[tuple[Batch, Ints]]:
        """Deal all windows out in random order, those of like length together, some `tokens` events at a time. With each batch come
        the places of the events to be told after each one: int64 (b, t), -1 past the end."""
        windows = self.windows[np.lexsort((generator.random(len(self.windows)), self.windows[:, 1]))]
        cuts = self._cuts(tokens)
        for cut in generator.permutation(len(cuts) - 1).tolist():
            yield self.batch(windows[cuts[cut] : cuts[cut + 1]])

    def n_batches(self, tokens: int) -> int:
        """Return how many batches there are in a round."""
        return len(self._cuts(tokens)) - 1

    def _cuts(self, tokens: int) -> list[int]:
        """Cut the windows, in order of length, so that none of the batches has more than `tokens` places."""
        lengths, cuts = np.sort(self.windows[:, 1]).tolist(), [0]
        for place, length in enumerate(lengths):
            if place > cuts[-1] and length * (place + 1 - cuts[-1]) > tokens:
                cuts.append(place)
        return [*cuts, len(lengths)] if lengths else cuts

    def batch(self, windows: Ints) -> tuple[Batch, Ints]:
        """Put windows (w, 2) beside each other; see `batches`."""
        begins, lengths = windows[:, :1], windows[:, 1:]
        steps = np.arange(int(lengths.max()))[None]
        real = steps < lengths
        target = np.where(real, begins + steps, begins)
        before = np.maximum(target - 1, 0)
        none = self.first[target]
        batch = Batch(
            rows=np.where(none, START, self.rows[before]),
            weights=np.where(none, np.float32(1), self.weights[before]),
            scenes=np.where(none, 0, self.scenes[before]),
            ages=np.where(none, 0, self.ages[before]),
            next_scenes=self.scenes[target],
            next_ages=self.ages[target],
            real=real,
        )
        return batch, np.where(real, target, -1)


def choose_held(sequences: Sequences, config: TransformerConfig) -> Ints:
    """Choose the users whose last events say when to stop: one in five at most, and none where they are too few to say anything."""
    last = sequences.starts[1:] - 1
    able = np.flatnonzero(np.diff(sequences.starts) > 1)
    able = able[[sequences.rows[last[user]] not in sequences.rows[sequences.starts[user] : last[user]] for user in able]]
    n = min(config.n_held_back, len(able) // _SHARE_ASKED)
    if n < _LEAST_ASKED:
        return np.zeros(0, dtype=np.int64)
    return np.sort(np.random.default_rng(config.seed).choice(able, n, replace=False))


def without_last(sequences: Sequences, users: Ints) -> Sequences:
    """Take the last events of these users away, and the scenes of all."""
    kept = np.ones(len(sequences.rows), dtype=bool)
    kept[sequences.starts[users + 1] - 1] = False
    gone = np.zeros(len(sequences.starts), dtype=np.int64)
    gone[users + 1] = 1
    return Sequences(sequences.rows[kept], sequences.times_s[kept], sequences.starts - np.cumsum(gone))


def history(
    weights: Weights,
    *,
    max_length: int,
    n_scenes: int = 0,
    scene: int | None = None,
    scenes: NDArray[np.int16] | None = None,
    ages_s: NDArray[np.float64] | None = None,
) -> Batch:
    """Put one history (h,) into a batch, (1, t): the last `max_length` places of the start and the events, which are numbered from 0.
    A scene that is not among the `n_scenes` is unknown."""
    n = len(weights)
    gaps = np.zeros(n + 1, dtype=np.int64)
    if ages_s is not None and n:
        gaps[1:] = age_codes(-np.diff(ages_s, append=0.0))  # from each event to the next one, from the last one to now
    now = np.asarray([-1 if scene is None else scene])
    own = np.concatenate(([-1], np.full(n, -1) if scenes is None else scenes))
    kept = slice(-max_length, None)
    following, ages = np.zeros((1, n + 1), dtype=np.int64), np.zeros((1, n + 1), dtype=np.int64)
    following[0, -1], ages[0, -1] = _known(now, n_scenes)[0], gaps[-1]
    before = np.concatenate(([0], gaps[:-1]))
    return Batch(
        rows=np.arange(-1, n)[None, kept],
        weights=np.concatenate((np.ones(1, dtype=np.float32), weights))[None, kept],
        scenes=_known(own, n_scenes)[None, kept],
        ages=before[None, kept],
        next_scenes=following[:, kept],
        next_ages=ages[:, kept],
        real=np.ones((1, min(n + 1, max_length)), dtype=bool),
    )


def _known(scenes: NDArray[np.integer], n_scenes: int) -> Ints:
    """Turn scenes into 1..n_scenes, 0 for those that are not known."""
    return np.where((scenes >= 0) & (scenes < n_scenes), scenes.astype(np.int64) + 1, 0)


def age_codes(gaps_s: NDArray[np.float64]) -> Ints:
    """Turn times into 1..15, each four times as long as the one before: under 3 s, 15 s, a minute, ... years."""
    codes: Ints = np.clip(np.log(np.maximum(gaps_s, 0.0) + 1.0) / np.log(4.0), 0, N_AGES - 2).astype(np.int64)
    return codes + 1


def worth_of_events(interactions: csr_matrix, sequences: Sequences) -> Weights:
    """Look each event's worth up in the matrix (sorted, see check_interactions): float32 (n,), 1 where the pair is not in it.

    InputError where the sequences name other users or items than the matrix.
    """
    n_users, n_items = interactions.shape
    rows = sequences.rows.astype(np.int64)
    if len(sequences.starts) != n_users + 1 or (len(rows) and not 0 <= rows.min() <= rows.max() < n_items):
        raise InputError("The sequences must hold the users and items of the interactions.")
    pairs = np.repeat(np.arange(n_users), np.diff(interactions.indptr)) * n_items + interactions.indices
    wanted = sequences.user_of_event() * n_items + rows
    place = np.minimum(np.searchsorted(pairs, wanted), max(len(pairs) - 1, 0))
    if not len(pairs):
        return np.ones(len(rows), dtype=np.float32)
    return np.where(pairs[place] == wanted, interactions.data[place], np.float32(1)).astype(np.float32)
