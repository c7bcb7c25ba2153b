"""A conditional logit over lists of candidates (McFadden 1974), and the scale on which its sums are log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_STEPS = 100
_DEEPEST = 400  # ranks beyond count alike


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of candidates one after the other. `values`: float32 (n, f); `lengths`: int64 (q,), with sum n; `target`: int64
    (q,), which of its candidates each list's user took, -1 where it is none of them; `worth`: float64 (q,)."""

    values: NDArray[np.float32]
    lengths: NDArray[np.int64]
    target: NDArray[np.int64]
    worth: Array

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each list begins: int64 (q,)."""
        return np.cumsum(self.lengths) - self.lengths

    def found(self) -> Lists:
        """Leave out lists without their target."""
        kept = self.target >= 0
        rows = np.repeat(kept, self.lengths)
        return Lists(self.values[rows], self.lengths[kept], self.target[kept], self.worth[kept])

    def ranks(self, logits: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return the target's place in each list, ties counting against it; of lists that all have their target: int64 (q,)."""
        own = np.repeat(logits[self.starts + self.target], self.lengths)
        return np.add.reduceat((logits >= own).astype(np.int64), self.starts)


def fit_weights(lists: Lists, *, ridge: float) -> Array:
    """Weigh the values, none below 0, so that targets come out high in their lists: float64 (f,).

    Maximises the mean log-probability of the targets under a softmax over each list, lists counting by their worth, less ridge times
    the squared weights. Then once more with lists counting by 1 / sqrt(rank of their target so far): near the top of a list a better
    place is worth more, and without that, lists which nobody could have got right decide (on Amazon Sports +.002 NDCG@10, and 15%
    more items shown).
    """
    lists = lists.found()
    n = lists.values.shape[1]
    free = [(0.0, None)] * n
    weights = maximise(lists, bounds=free, ridge=ridge, centre=np.zeros(n), start=np.full(n, 0.3))
    ranks = np.minimum(lists.ranks(lists.values @ weights.astype(np.float32)), _DEEPEST)
    lists = Lists(lists.values, lists.lengths, lists.target, lists.worth / np.sqrt(ranks))
    return maximise(lists, bounds=free, ridge=ridge, centre=np.zeros(n), start=weights)


def maximise(
    lists: Lists,
    *,
    bounds: Sequence[tuple[float | None, float | None]],
    ridge: float,
    centre: Array,
    start: Array,
    offset: NDArray[np.float32] | None = None,
) -> Array:
    """Fit the weights of a conditional logit within bounds, drawn towards `centre`: float64 (f,). All lists have their target.
    `offset` float32 (n,) is added to every candidate's sum."""
    from scipy.optimize import minimize

    starts, lengths, values = lists.starts, lists.lengths, lists.values
    share = lists.worth / lists.worth.sum()
    taken = starts + lists.target
    wanted = share @ values[taken].astype(np.float64)

    def loss(weights: Array) -> tuple[float, Array]:
        logits = values @ weights.astype(np.float32)
        if offset is not None:
            logits += offset
        best = np.maximum.reduceat(logits, starts)
        odds = np.exp(logits - np.repeat(best, lengths))
        total = np.add.reduceat(odds, starts)
        odds *= np.repeat((share / total).astype(np.float32), lengths)
        away = weights - centre
        value = -share @ (logits[taken] - best - np.log(total)) + ridge * away @ away
        return float(value), odds @ values - wanted + 2.0 * ridge * away

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=list(bounds), options={"maxiter": _STEPS})
    return np.asarray(found.x, dtype=np.float64)


def fit_scale(lists: Lists, logits: NDArray[np.floating]) -> tuple[float, float]:
    """Find (scale, bias) with which scale * logit + bias are the log-odds that a candidate is the one taken (Platt 1999)."""
    from scipy.optimize import minimize

    taken = np.zeros(len(logits), dtype=bool)
    taken[(lists.starts + lists.target)[lists.target >= 0]] = True
    signed, n = np.where(taken, 1.0, -1.0), len(lists.lengths)

    def loss(ab: Array) -> tuple[float, Array]:
        log_odds = signed * (ab[0] * logits + ab[1])
        wrong = -signed * np.exp(-np.logaddexp(0.0, log_odds))
        return float(np.logaddexp(0.0, -log_odds).sum() / n), np.asarray([wrong @ logits / n, wrong.sum() / n])

    found = minimize(loss, np.asarray([1.0, -6.0]), jac=True, method="L-BFGS-B", bounds=[(0.05, 20.0), (-40.0, 20.0)])
    return float(found.x[0]), float(found.x[1])
