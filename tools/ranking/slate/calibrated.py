"""Calibration (Steck, "Calibrated recommendations", RecSys 2018): the kinds of a list mixed as in the user's history.

A kind is a domain with a genre of it. Steck's p(g|u) is the `Taste`, q(g|u) the mix of the list, smoothed to (1 - alpha) q + alpha p with
his alpha = 0.01; the list grows greedily, as his does, by relevance less lambda KL(p || q). We differ in one thing: items of domains of
which the history knows nothing are neutral. Who has only ever rated films has said nothing against music.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import Item

Kind = tuple[str, str]
ALPHA = 0.01
_SURE = 10.0  # events at which calibration has half its weight


@dataclass(frozen=True)
class Taste:
    """Shares of kinds, which sum to 1; none where nothing is known. `events` is how much history they come from."""

    shares: Mapping[Kind, float]
    events: float = 0.0

    @property
    def certainty(self) -> float:
        """How far to trust it, from 0 (no history) to 1."""
        return self.events / (self.events + _SURE)

    @property
    def domains(self) -> frozenset[str]:
        """The domains that it knows."""
        return frozenset(domain for domain, _ in self.shares)


def kinds_of(item: Item) -> tuple[Kind, ...]:
    """Name the kinds of an item, which share it equally: a domain without genres is one kind."""
    genres = dict.fromkeys(value.casefold() for value in item.attributes.get("genre", ()))
    return tuple((item.domain, genre) for genre in genres) or ((item.domain, ""),)


def taste_of(
    history: Iterable[tuple[Item, float]], *, domain_weights: Mapping[str, float] | None = None, only: frozenset[str] = frozenset()
) -> Taste:
    """Mix the kinds of (item, worth) pairs. `domain_weights` lifts or lowers domains (1 where one is missing), as a scene does;
    `only` leaves no other domains, where a request names them."""
    mass: dict[Kind, float] = {}
    events = 0.0
    for item, worth in history:
        weight = worth * (domain_weights or {}).get(item.domain, 1.0)
        if weight <= 0.0 or (only and item.domain not in only):
            continue
        events += worth
        kinds = kinds_of(item)
        for kind in kinds:
            mass[kind] = mass.get(kind, 0.0) + weight / len(kinds)
    total = sum(mass.values())
    return Taste(MappingProxyType({kind: value / total for kind, value in mass.items()}), events)


class ListMix:
    """The mix of a list as it grows, against a taste."""

    def __init__(self, items: Sequence[Item], taste: Taste) -> None:
        place = {kind: number for number, kind in enumerate(taste.shares)}
        self._target = np.fromiter(taste.shares.values(), dtype=np.float64, count=len(place))  # (G,)
        self._known = np.asarray([item.domain in taste.domains for item in items], dtype=np.bool_)  # (m,)
        self._shares = np.zeros((len(items), len(place)))  # (m, G)
        for row, item in enumerate(items):
            kinds = kinds_of(item)
            for kind in kinds:
                if kind in place:
                    self._shares[row, place[kind]] = 1.0 / len(kinds)
        self._sum, self._count = np.zeros(len(place)), 0

    def add(self, place: int) -> None:
        """Take an item into the list."""
        self._sum = self._sum + self._shares[place]
        self._count += int(self._known[place])

    def costs(self) -> NDArray[np.float64]:
        """Say how much further from the taste each item would take the list than the best one: float64 (m,), >= 0, neutral items 0."""
        if not self._known.any():
            return np.zeros(len(self._known))
        divergence = self._divergence((self._sum + self._shares) / (self._count + 1))
        return np.where(self._known, divergence - divergence[self._known].min(), 0.0)

    def divergence(self) -> float:
        """Measure KL(taste || list) in nats; of an empty list, or one of unknown domains only, log(1 / alpha)."""
        return float(self._divergence(self._sum / max(self._count, 1)))

    def _divergence(self, mix: NDArray[np.float64]) -> NDArray[np.float64]:
        smoothed = (1.0 - ALPHA) * mix + ALPHA * self._target
        return np.asarray((self._target * np.log(self._target / smoothed)).sum(axis=-1), dtype=np.float64)
