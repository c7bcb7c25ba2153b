"""Diversity: maximal marginal relevance (Carbonell & Goldstein 1998), and a place for every domain that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.ranking.model import RankedItem


def diversify(
    ranked: Sequence[RankedItem],
    k: int,
    *,
    catalogue: Catalogue,
    relevance_share: float = 0.7,
    ensure_domains: frozenset[str] = frozenset(),
    vectors: Mapping[ItemId, NDArray[np.float32]] | None = None,
) -> tuple[RankedItem, ...]:
    """Choose k of the ranked items, in the order chosen; the first is the best one unless its place is owed to a domain.

    Each step takes the item with the highest `relevance_share` * relevance - (1 - share) * likeness to the nearest item chosen
    (the paper's lambda). Relevance is the log-odds of the score, scaled to [0, 1] over the list. Likeness is the mean of same
    domain, overlap of attributes (Jaccard) and, where both items have vectors of length 1, their cosine. The best item of each
    of `ensure_domains` is in the list whenever k has room. InputError for a share outside [0, 1] or an unknown item.
    """
    if not 0.0 <= relevance_share <= 1.0:
        raise InputError("relevance_share must be between 0 and 1.")
    items = [_item(catalogue, one.item_id) for one in ranked]
    owed = _owed(items, ensure_domains, k)
    relevance, likeness = _relevance(ranked), _likeness(items, vectors or {})
    chosen: list[int] = []
    nearest = np.zeros(len(items))
    while len(chosen) < min(k, len(items)):
        gain = relevance_share * relevance - (1.0 - relevance_share) * nearest
        gain[chosen] = -np.inf
        if len(owed) >= min(k, len(items)) - len(chosen):  # no room left but for what is owed
            gain[[place for place in range(len(items)) if place not in owed]] = -np.inf
        best = int(np.argmax(gain))
        chosen.append(best)
        owed.discard(best)
        nearest = np.maximum(nearest, likeness[best])
    return tuple(ranked[place] for place in chosen)


def _item(catalogue: Catalogue, item_id: ItemId) -> Item:
    row = catalogue.row(item_id)
    if row is None:
        raise InputError("A ranked item is not in the catalogue; rank and diversify over the same catalogue.")
    return catalogue.items[row]


def _owed(items: Sequence[Item], domains: frozenset[str], k: int) -> set[int]:
    """Find the best place of each asked domain; the best k of them where there are more."""
    first: dict[str, int] = {}
    for place, item in enumerate(items):
        if item.domain in domains:
            first.setdefault(item.domain, place)
    return set(sorted(first.values())[: max(k, 0)])


def _relevance(ranked: Sequence[RankedItem]) -> NDArray[np.float64]:
    scores = np.clip(np.asarray([one.score for one in ranked], dtype=np.float64), 1e-12, 1.0 - 1e-12)
    logits = np.log(scores) - np.log1p(-scores)
    if not len(logits) or np.ptp(logits) == 0.0:
        return np.ones(len(logits))
    return np.asarray((logits - logits.min()) / np.ptp(logits), dtype=np.float64)


def _likeness(items: Sequence[Item], vectors: Mapping[ItemId, NDArray[np.float32]]) -> NDArray[np.float64]:
    """Compare all pairs: float64 (m, m) in [0, 1]."""
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
