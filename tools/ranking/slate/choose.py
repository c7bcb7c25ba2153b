"""Choosing the list out of the best ranked items, place by place: relevance, diversity, calibration, what was asked for, chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.ranking.model import RankedItem
from scenewise.tools.ranking.slate.calibrated import ListMix, Taste
from scenewise.tools.ranking.slate.likeness import Vectors, likeness_of, relevance_of


@dataclass(frozen=True, slots=True)
class Chosen:
    """A place of the list. `propensity` is the probability with which this item came here, given those above; 1 without exploration."""

    item: RankedItem
    propensity: float = 1.0


@dataclass(frozen=True)
class Exploration:
    """Draw places by chance: `temperature` > 0 in units of the gain (see choose_slate), at .05 an item that is .05 worse comes
    1 / e as often. The draws are those of `rng`."""

    temperature: float
    rng: np.random.Generator


def choose_slate(
    ranked: Sequence[RankedItem],
    k: int,
    *,
    catalogue: Catalogue,
    relevance_share: float = 0.7,
    ensure_domains: frozenset[str] = frozenset(),
    vectors: Vectors | None = None,
    taste: Taste | None = None,
    calibration: float = 0.0,
    exploration: Exploration | None = None,
) -> tuple[Chosen, ...]:
    """Choose k of the ranked items, in the order chosen; the first is the best one unless its place is owed to a domain.

    Each step takes the item of the highest gain: `relevance_share` * relevance - (1 - share) * likeness to the nearest item chosen
    (maximal marginal relevance, Carbonell & Goldstein 1998, the share being their lambda) - `calibration` * how much further from
    `taste` the list would be than with the best item for that (Steck 2018; his lambda / (1 - lambda), less the less is known of the
    user). Relevance and likeness are in [0, 1]. Each of `ensure_domains` is in the list whenever k has room and there is one of it.

    With `exploration` each step draws instead, with probabilities softmax(gain / temperature): the choice model of Plackett (1975) and
    Luce (1959), in which a list's probability is the product of its places' propensities. That is what inverse propensity scoring of
    lists needs (McInerney et al., KDD 2020). Places that are owed are drawn among what is owed. InputError for a share outside
    [0, 1] or an unknown item.
    """
    if not 0.0 <= relevance_share <= 1.0:
        raise InputError("relevance_share must be between 0 and 1.")
    items = [_item(catalogue, one.item_id) for one in ranked]
    size = min(k, len(items))
    owed = _owed(items, ensure_domains, k)
    relevance, likeness = relevance_of(ranked), likeness_of(items, vectors or {})
    mix = ListMix(items, taste) if taste is not None and taste.shares and calibration > 0.0 else None
    weight = calibration * taste.certainty if taste is not None else 0.0
    chosen: list[int] = []
    propensities: list[float] = []
    nearest = np.zeros(len(items))
    while len(chosen) < size:
        gain = relevance_share * relevance - (1.0 - relevance_share) * nearest
        if mix is not None:
            gain -= weight * mix.costs()
        gain[chosen] = -np.inf
        if len(owed) >= size - len(chosen):  # no room left but for what is owed
            gain[[place for place, item in enumerate(items) if item.domain not in owed]] = -np.inf
        best, propensity = _draw(gain, exploration)
        chosen.append(best)
        propensities.append(propensity)
        owed.discard(items[best].domain)
        nearest = np.maximum(nearest, likeness[best])
        if mix is not None:
            mix.add(best)
    return tuple(Chosen(ranked[place], propensity) for place, propensity in zip(chosen, propensities, strict=True))


def _draw(gain: NDArray[np.float64], exploration: Exploration | None) -> tuple[int, float]:
    """Take the best place, or one by chance with its probability; -inf is never taken."""
    if exploration is None or exploration.temperature <= 0.0:
        return int(np.argmax(gain)), 1.0
    odds = np.exp((gain - gain.max()) / exploration.temperature)
    odds /= odds.sum()
    place = int(exploration.rng.choice(len(odds), p=odds))
    return place, float(odds[place])


def _item(catalogue: Catalogue, item_id: ItemId) -> Item:
    row = catalogue.row(item_id)
    if row is None:
        raise InputError("A ranked item is not in the catalogue; rank and choose over the same catalogue.")
    return catalogue.items[row]


def _owed(items: Sequence[Item], domains: frozenset[str], k: int) -> set[str]:
    """Find which asked domains there are; of more than k, those that have the best items."""
    return {*[*dict.fromkeys(item.domain for item in items if item.domain in domains)][: max(k, 0)]}
