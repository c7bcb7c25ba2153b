"""What is fitted on and what is asked: the splits of a data set that benchmarks use. All are nested: validation is cut from train.

Splits know nothing of models. Seeds decide what chance decides: the order of events of one user and time, and who is held back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenewise.eval.dataset import TEST, TRAIN, VALIDATION, Dataset
from scenewise.store.errors import InputError
from scenewise.tools.collaborative.interactions import Interactions, from_columns, interactions_of, learn_worth
from scenewise.tools.collaborative.model import Rows, Sequences, Weights

_Mask = NDArray[np.bool_]
_EACH = 10  # questions of one user at most in a temporal split


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What did this user do besides or after `rows` (int32 (h,), oldest first, each item once at its latest event)?

    `worth` float32, `times_s` float64 and `scenes` int16 (None where the set has none) go with `rows`. `targets` int32 (t,), t >= 1,
    no item of `rows`, each once, with `target_worth` float32 (t,); `now_s` and `scene` (-1: unknown) are those of the first target.
    """

    user: int
    rows: Rows
    worth: Weights
    times_s: NDArray[np.float64]
    scenes: NDArray[np.int16] | None
    targets: Rows
    target_worth: Weights
    now_s: float
    scene: int


@dataclass(frozen=True)
class Split:
    """What may be fitted on, and the questions. For a temporal split nothing in `train` is at or after `cutoff_s`. `among`, int32
    (m,), are the items to rank, all of them where None."""

    train: Interactions
    cases: tuple[Question, ...]
    cutoff_s: float | None = None
    among: Rows | None = None


def interactions(dataset: Dataset, *, scenes: NDArray[np.int16] | None = None) -> Interactions:
    """Return all events of a set that say something good. Where its order says nothing all times are 0, so that seeds decide."""
    arrays = dataset.arrays if dataset.ordered else replace(dataset.arrays, time_s=np.zeros(dataset.arrays.n))
    return interactions_of(arrays, dataset.catalogue, learn_worth(dataset.arrays), scenes=scenes)


def leave_one_out(events: Interactions, seed: int) -> tuple[Split, Split]:
    """Ask for each user's last event, and for validation the one before it. An event whose item the user had before is no question,
    and stays in train; so does a user's first event."""
    shuffled = shuffle_ties(events, seed)
    test = _hold_back(shuffled, _last(shuffled))
    return _hold_back(test.train, _last(test.train)), test


def temporal(events: Interactions, seed: int) -> tuple[Split, Split]:
    """Fit before the 90% point of time and ask for up to ten events, drawn by seed, of everybody who has some at or after it;
    validation does so with 80% and 90%. A question is one event whose item is new to its user, and holds all that the user did
    before it, also after the cutoff: models fold it in, as for a live user. A user's first event is no question.

    InputError where the events have no common clock (times that are places in the user's own sequence).
    """
    times_s, starts = events.sequences.times_s, events.sequences.starts
    place = np.arange(len(times_s)) - starts[events.sequences.user_of_event()]
    if len(times_s) and (np.array_equal(times_s, place) or times_s.min() == times_s.max()):
        raise InputError("This set gives no times that users share: only leave-one-out, or its own split, can be asked of it.")
    shuffled = shuffle_ties(events, seed)
    first, second = (float(np.quantile(times_s, share)) for share in (0.8, 0.9))
    until = _take(shuffled, shuffled.sequences.times_s < second)
    return _from_cutoff(until, first, seed), _from_cutoff(shuffled, second, seed)


def given(dataset: Dataset, seed: int, *, scenes: NDArray[np.int16] | None = None) -> tuple[Split, Split]:
    """Ask for all of each user's events in the set's own test part that are not in the others.

    Validation is the set's own part, or else, of each user's train events, the share that the test part has of all, the last ones
    where order counts. InputError where the set comes unsplit.
    """
    if dataset.part is None:
        raise InputError("This set does not come split: choose leave-one-out or temporal.")
    events, part = _with_parts(dataset, dataset.part, scenes)
    test = _ask(_take(events, part != TEST), events, part == TEST)
    if (part == VALIDATION).any():
        return _ask(_take(events, part == TRAIN), events, part == VALIDATION), test
    shuffled = shuffle_ties(test.train, seed)
    share = float((part == TEST).mean()) if len(part) else 0.0
    starts, users = shuffled.sequences.starts, shuffled.sequences.user_of_event()
    taken = np.minimum(np.maximum(np.round(np.diff(starts) * share), 1), np.diff(starts) - 1)
    return _hold_back(shuffled, np.arange(len(users)) >= starts[users + 1] - taken[users]), test


def cold_items(dataset: Dataset, share: float = 0.2, seed: int = 0) -> tuple[Split, Split]:
    """Take every event of a share of the items out of train, and ask users who had others for them. `among` is the cold items: set
    it to None to rank them among all. InputError for too few items or a share outside (0, 1)."""
    events = shuffle_ties(interactions(dataset), seed)
    rng = np.random.default_rng(seed)
    test = _without_items(events, share, rng)
    return _without_items(test.train, share, rng), test


def new_to_domain(dataset: Dataset, domain: str, seed: int, *, share: float = 0.2) -> tuple[Split, Split]:
    """Take all events in a domain of a share of those users who have others too, and ask for them; `among` is the domain's items.

    InputError where the set has no such domain, or too few users with events in it and elsewhere.
    """
    of_domain = np.asarray([item.domain == domain for item in dataset.catalogue.items])
    if not of_domain.any():
        raise InputError(f"The set has no domain of this name; it has {', '.join(dataset.catalogue.domains)}.")
    events = shuffle_ties(interactions(dataset), seed)
    rng = np.random.default_rng(seed)
    test = _new_users(events, of_domain, share, rng)
    return _new_users(test.train, of_domain, share, rng), test


def shuffle_ties(events: Interactions, seed: int) -> Interactions:
    """Put events of one user and time in random order."""
    order = np.random.default_rng(seed).permutation(len(events.worth))
    return _arrange(events, events.sequences.times_s, order)


def shuffle_order(split: Split, seed: int) -> Split:
    """Forget the order of events, in what is fitted on and in the questions: what is left of a model then is not order."""
    rng = np.random.default_rng(seed)
    sequences = split.train.sequences
    train = _arrange(split.train, rng.random(len(sequences.rows)), np.arange(len(sequences.rows)))

    def mix(case: Question) -> Question:
        order = rng.permutation(len(case.rows))
        return replace(case, rows=case.rows[order], worth=case.worth[order], scenes=None if case.scenes is None else case.scenes[order])

    return replace(split, train=train, cases=tuple(map(mix, split.cases)))


def _from_cutoff(events: Interactions, cutoff_s: float, seed: int) -> Split:
    sequences, users = events.sequences, events.sequences.user_of_event()
    late = np.zeros(len(users), dtype=bool)
    late[_first(_pairs(events))] = True
    late &= (sequences.times_s >= cutoff_s) & (np.arange(len(users)) > sequences.starts[users])
    asked = _some_of_each(np.flatnonzero(late), users, np.random.default_rng(seed))
    cases = tuple(_next_event(events, int(users[place]), place) for place in asked.tolist())
    return Split(_take(events, sequences.times_s < cutoff_s), cases, cutoff_s=cutoff_s)


def _some_of_each(places: NDArray[np.int64], users: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw at most `_EACH` of each user's places, in their order."""
    mixed = rng.permutation(places)
    mixed = mixed[np.argsort(users[mixed], kind="stable")]
    owners = users[mixed]
    kept: NDArray[np.int64] = np.sort(mixed[np.arange(len(mixed)) - np.searchsorted(owners, owners) < _EACH])
    return kept


def _next_event(events: Interactions, user: int, place: int) -> Question:
    """Ask for the event at a place of the sequences, given all that its user did before."""
    start = int(events.sequences.starts[user])
    past = events.sequences.rows[start:place]
    known = start + np.sort(len(past) - 1 - _first(past[::-1].astype(np.int64)))
    rows, worth, times_s, scenes = _columns(events, known)
    targets, target_worth, target_times_s, target_scenes = _columns(events, np.asarray([place]))
    scene = -1 if target_scenes is None else int(target_scenes[0])
    return Question(user, rows, worth, times_s, scenes, targets, target_worth, float(target_times_s[0]), scene)


def _last(events: Interactions) -> _Mask:
    """Mark each user's last event where there is one before it."""
    starts, users = events.sequences.starts, events.sequences.user_of_event()
    place = np.arange(len(users))
    last: _Mask = (place == starts[users + 1] - 1) & (place > starts[users])
    return last


def _without_items(events: Interactions, share: float, rng: np.random.Generator) -> Split:
    cold = _draw(np.unique(events.sequences.rows), share, rng, "items with events").astype(np.int32)
    held = np.isin(events.sequences.rows, cold)
    return replace(_ask(_take(events, ~held), events, held), among=cold)


def _new_users(events: Interactions, of_domain: _Mask, share: float, rng: np.random.Generator) -> Split:
    users, inside = events.sequences.user_of_event(), of_domain[events.sequences.rows]
    both = np.intersect1d(users[inside], users[~inside])
    held = inside & np.isin(users, _draw(both, share, rng, "users with events in this domain and elsewhere"))
    return replace(_ask(_take(events, ~held), events, held), among=np.flatnonzero(of_domain).astype(np.int32))


def _draw(values: NDArray[np.integer], share: float, rng: np.random.Generator, what: str) -> NDArray[np.integer]:
    """Draw a share of the values, in their order. InputError where it cannot leave any."""
    if not 0 < share < 1 or len(values) < 2:
        raise InputError(f"A share between 0 and 1 of at least two {what} can be held back; there are {len(values)}, the share is {share}.")
    return np.sort(rng.choice(values, min(max(round(len(values) * share), 1), len(values) - 1), replace=False))


def _with_parts(dataset: Dataset, part: NDArray[np.int8], scenes: NDArray[np.int16] | None) -> tuple[Interactions, NDArray[np.int8]]:
    """Return what `interactions` does, and the part of each of its events. Times are row numbers on the way, so that rows are found."""
    numbered = replace(dataset, arrays=replace(dataset.arrays, time_s=np.arange(dataset.arrays.n, dtype=np.float64)), ordered=True)
    events = interactions(numbered, scenes=scenes)
    row = events.sequences.times_s.astype(np.int64)
    times_s = dataset.arrays.time_s[row] if dataset.ordered else np.zeros(len(row))
    timed = _arrange(events, times_s, np.arange(len(row)))
    return timed, part[row][np.lexsort((times_s, events.sequences.user_of_event()))]


def _hold_back(events: Interactions, mask: _Mask) -> Split:
    """Ask for the marked events; those whose item the user has an event with that is not marked stay in train."""
    pairs = _pairs(events)
    held = mask.copy()
    held[mask] = ~_among(pairs[mask], pairs[~mask])
    return _ask(_take(events, ~held), events, held)


def _ask(history: Interactions, events: Interactions, held: _Mask) -> Split:
    """Fit on `history`, and ask every user who has some for the items of the held `events` that are new to them."""
    known = np.sort(len(history.worth) - 1 - _first(_pairs(history)[::-1]))
    places, pairs = np.flatnonzero(held), _pairs(events)[held]
    fresh = np.sort(places[(first := _first(pairs))[~_among(pairs[first], _pairs(history))]])
    owners, askers = history.sequences.user_of_event()[known], events.sequences.user_of_event()[fresh]
    users = np.intersect1d(owners, askers)
    before, after = _bounds(owners, users), _bounds(askers, users)
    rows, worth, times_s, scenes = _columns(history, known)
    targets, target_worth, target_times_s, target_scenes = _columns(events, fresh)
    cases = tuple(
        Question(
            user,
            rows[old],
            worth[old],
            times_s[old],
            None if scenes is None else scenes[old],
            targets[new],
            target_worth[new],
            float(target_times_s[new.start]),
            -1 if target_scenes is None else int(target_scenes[new.start]),
        )
        for user, old, new in zip(users.tolist(), before, after, strict=True)
    )
    return Split(history, cases)


def _first(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find where each value stands first."""
    order = np.argsort(pairs, kind="stable")
    first: NDArray[np.int64] = order[np.diff(pairs[order], prepend=-1) != 0]
    return first


def _among(values: NDArray[np.int64], others: NDArray[np.int64]) -> _Mask:
    """Say which values are among others; on millions of numbers np.isin takes four times as long."""
    ordered = np.append(np.sort(others), np.iinfo(np.int64).max)
    found: _Mask = ordered[np.searchsorted(ordered, values)] == values
    return found


def _bounds(owners: NDArray[np.integer], users: NDArray[np.integer]) -> list[slice]:
    """Find the stretch of each user in sorted owners."""
    begins, ends = np.searchsorted(owners, users), np.searchsorted(owners, users, side="right")
    return list(map(slice, begins.tolist(), ends.tolist()))


def _columns(events: Interactions, chosen: NDArray[np.integer]) -> tuple[Rows, Weights, NDArray[np.float64], NDArray[np.int16] | None]:
    sequences = events.sequences
    scenes = None if sequences.scenes is None else sequences.scenes[chosen]
    return sequences.rows[chosen], events.worth[chosen], sequences.times_s[chosen], scenes


def _pairs(events: Interactions) -> NDArray[np.int64]:
    """Number user and item together."""
    numbers: NDArray[np.int64] = events.sequences.user_of_event() * events.matrix.shape[1] + events.sequences.rows
    return numbers


def _arrange(events: Interactions, times_s: NDArray[np.float64], order: NDArray[np.integer]) -> Interactions:
    """Give the events other times; those of one user and time come in `order`."""
    sequences = events.sequences
    order = order[np.lexsort((times_s[order], sequences.user_of_event()[order]))]
    scenes = None if sequences.scenes is None else sequences.scenes[order]
    arranged = Sequences(sequences.rows[order], times_s[order], sequences.starts, scenes)
    return Interactions(events.matrix, arranged, events.worth[order])


def _take(events: Interactions, chosen: NDArray[np.integer] | _Mask) -> Interactions:
    """Keep these events, in this order where times are equal."""
    sequences = events.sequences
    scenes = None if sequences.scenes is None else sequences.scenes[chosen]
    columns = (sequences.user_of_event()[chosen], sequences.rows[chosen], sequences.times_s[chosen], events.worth[chosen])
    return from_columns(*columns, shape=events.matrix.shape, scenes=scenes)
