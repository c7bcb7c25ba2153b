"""Ranking metrics, pinned: pessimistic ties, the whole catalogue, seen items masked by the caller.

Ranks count from 1. Per-user functions take `ranks`: int64 (r,), the ranks of one user's relevant items, ascending; the caller
averages over users. `ir-measures` is the oracle in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError

Ranks = NDArray[np.int64]
_FEW = 8


def pessimistic_ranks(scores: NDArray[np.float32], relevant: Sequence[int], *, masked: Sequence[int] = ()) -> Ranks:
    """Rank the relevant items among all that are not masked: int64 (r,), ascending.

    Where scores tie, items that are not relevant come first, so a model gains nothing by scoring everything alike. A relevant
    item that is masked, or whose score is -inf, is counted at the end. InputError for NaN.
    """
    if np.isnan(scores).any():
        raise InputError("Scores hold NaN; repair the model before measuring it.")
    values = scores.astype(np.float64, copy=True)
    values[list(masked)] = -np.inf
    wanted = np.asarray(sorted(set(relevant)), dtype=np.int64)
    best_first = np.sort(values[wanted])[::-1]
    values[wanted] = -np.inf
    if len(wanted) <= _FEW:  # counting is faster than sorting the catalogue
        ahead = np.asarray([np.count_nonzero(values >= one) for one in best_first], dtype=np.int64)
    else:
        ahead = len(values) - np.searchsorted(np.sort(values), best_first, side="left")
    # at -inf the wanted ones, put there above, are counted too
    ahead -= np.where(np.isneginf(best_first), len(wanted), 0)
    return np.asarray(ahead + np.arange(1, len(wanted) + 1), dtype=np.int64)


def hit_rate(ranks: Ranks, k: int) -> float:
    """Return 1 where a relevant item is in the top k, else 0."""
    return float((ranks <= k).any())


def recall(ranks: Ranks, k: int) -> float:
    """Return the share of the relevant items in the top k; 0 where there are none."""
    return float((ranks <= k).mean()) if len(ranks) else 0.0


def ndcg(ranks: Ranks, k: int) -> float:
    """Return binary NDCG@k: gain 1, discount log2(rank + 1), ideal over min(r, k) items (Järvelin & Kekäläinen 2002)."""
    if not len(ranks):
        return 0.0
    ideal = (1.0 / np.log2(np.arange(2, min(len(ranks), k) + 2))).sum()
    return float((1.0 / np.log2(ranks[ranks <= k] + 1.0)).sum() / ideal)


def reciprocal_rank(ranks: Ranks) -> float:
    """Return 1 / rank of the first relevant item; the mean over users is MRR."""
    return float(1.0 / ranks.min()) if len(ranks) else 0.0


def coverage(lists: Sequence[Sequence[int]], n_items: int) -> float:
    """Return the share of the catalogue that is in somebody's list."""
    return len({row for rows in lists for row in rows}) / n_items if n_items else 0.0


def mean_popularity(lists: Sequence[Sequence[int]], counts: NDArray[np.float64]) -> float:
    """Return the mean number of training events of a recommended item; counts: float64 (n_items,)."""
    rows = [row for items in lists for row in items]
    return float(counts[rows].mean()) if rows else 0.0


def gini(lists: Sequence[Sequence[int]], n_items: int) -> float:
    """Return Gini's index of exposure over the catalogue: 0 where every item is shown alike, near 1 where one gets everything."""
    shown = np.sort(np.bincount([row for rows in lists for row in rows], minlength=n_items))
    total = shown.sum()
    if not total:
        return 0.0
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float((weights * shown).sum() / (n_items * total))


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of a - b over users, its 95% interval, and a two-sided p."""

    mean: float
    low: float
    high: float
    p: float


def paired_bootstrap(a: NDArray[np.float64], b: NDArray[np.float64], *, seed: int = 0, n_resamples: int = 10_000) -> Difference:
    """Compare two models user by user (Efron & Tibshirani 1993, percentile interval).

    `a`, `b`: float64 (n_users,), the same users in the same order. p = 2 min(P(mean* <= 0), P(mean* >= 0)) with one added to the
    counts, so it is never 0. InputError where the lengths differ or there is nobody.
    """
    if a.shape != b.shape or not len(a):
        raise InputError("A paired comparison needs the same users on both sides, and at least one.")
    difference = a - b
    rng = np.random.default_rng(seed)
    means = np.empty(n_resamples)
    for start in range(0, n_resamples, 500):  # in blocks: 10,000 resamples of many users at once would not fit
        stop = min(start + 500, n_resamples)
        means[start:stop] = difference[rng.integers(0, len(a), size=(stop - start, len(a)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    tail = min((means <= 0).sum(), (means >= 0).sum())
    return Difference(float(difference.mean()), float(low), float(high), min(1.0, 2.0 * (int(tail) + 1) / (n_resamples + 1)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p for several comparisons (Holm 1979), in the order given."""
    order = np.argsort(np.asarray(p_values), kind="stable")
    adjusted, worst = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = worst
    return adjusted


def novelty(lists: Sequence[Sequence[int]], counts: NDArray[np.float64]) -> float:
    """Return the mean self-information of a recommended item in bits, -log2 of its share of the events, one added to each count
    (Vargas & Castells 2011)."""
    rows = [row for items in lists for row in items]
    bits = -np.log2((counts + 1.0) / (counts + 1.0).sum())
    return float(bits[rows].mean()) if rows else 0.0


def intra_list_diversity(lists: Sequence[Sequence[int]], attributes: csr_matrix) -> float:
    """Return the mean over lists of 1 - the mean cosine between two items of the list; attributes: csr (n_items, n_values).

    Lists with fewer than two items that have attributes are left out; 0 where there are no others.
    """
    lengths = np.sqrt(np.asarray(attributes.multiply(attributes).sum(axis=1)).ravel())
    found = []
    for rows in lists:
        known = [row for row in rows if lengths[row] > 0]
        if len(known) > 1:
            scaled = attributes[known].toarray() / lengths[known, None]
            alike = scaled @ scaled.T
            found.append(1.0 - float(alike[np.triu_indices(len(known), 1)].mean()))
    return float(np.mean(found)) if found else 0.0


def expected_calibration_error(p: NDArray[np.float64], happened: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Return the mean distance between what was said and what came true over bins of equal size (Guo et al. 2017, with bins of
    equal size in place of equal width, since recommendation probabilities are mostly small)."""
    if not len(p):
        return 0.0
    parts = np.array_split(np.argsort(p, kind="stable"), min(bins, len(p)))
    return float(sum(len(part) * abs(p[part].mean() - happened[part].mean()) for part in parts) / len(p))
