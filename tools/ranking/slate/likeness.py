"""How relevant the ranked items are on one scale, and how much they are alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import Item, ItemId
from scenewise.tools.ranking.model import RankedItem

Vectors = Mapping[ItemId, NDArray[np.float32]]


def relevance_of(ranked: Sequence[RankedItem]) -> NDArray[np.float64]:
    """Scale the log-odds of the scores to [0, 1] over the list: float64 (m,); 1 where all are equal."""
    scores = np.clip(np.asarray([one.score for one in ranked], dtype=np.float64), 1e-12, 1.0 - 1e-12)
    logits = np.log(scores) - np.log1p(-scores)
    if not len(logits) or np.ptp(logits) == 0.0:
        return np.ones(len(logits))
    return np.asarray((logits - logits.min()) / np.ptp(logits), dtype=np.float64)


def likeness_of(items: Sequence[Item], vectors: Vectors) -> NDArray[np.float64]:
    """Compare all pairs: float64 (m, m) in [0, 1], the mean of same domain, overlap of attributes (Jaccard) and, where both items have
    vectors of length 1, their cosine."""
    domains = np.asarray([item.domain for item in items], dtype=np.str_)
    same = (domains[:, None] == domains[None, :]).astype(np.float64)
    total, terms = same + _jaccard(items), np.full(same.shape, 2.0)
    known = [place for place, item in enumerate(items) if item.item_id in vectors]
    if known:
        matrix = np.stack([vectors[items[place].item_id] for place in known]).astype(np.float64)
        total[np.ix_(known, known)] += np.clip(matrix @ matrix.T, 0.0, 1.0)
        terms[np.ix_(known, known)] += 1.0
    return np.asarray(total / terms, dtype=np.float64)


def _jaccard(items: Sequence[Item]) -> NDArray[np.float64]:
    """Overlap of attribute values: float64 (m, m); 0 where neither has any."""
    bags = [{(name, value.casefold()) for name, values in item.attributes.items() for value in values} for item in items]
    place = {pair: number for number, pair in enumerate(sorted(set().union(*bags)))}
    table = np.zeros((len(items), len(place)))
    for row, bag in enumerate(bags):
        table[row, [place[pair] for pair in bag]] = 1.0
    shared = table @ table.T
    union = table.sum(axis=1)[:, None] + table.sum(axis=1)[None, :] - shared
    return np.asarray(shared / np.maximum(union, 1.0), dtype=np.float64)
