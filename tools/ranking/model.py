"""What a ranker promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from scenewise.store.types import ItemId
from scenewise.tools.candidates import Candidates
from scenewise.tools.context import TurnContext

Wishes = Mapping[str, Mapping[str, float]]
"""Soft wishes of the request: attribute (or "domain") -> value -> strength; negative where it is not wanted."""


@dataclass(frozen=True, slots=True)
class RankedItem:
    """One place of the list. `score` in [0, 1] is the logistic of the sum of `contributions`; `sources` name the item, the strongest
    first; `reasons` are their clauses, in the same order, without empty and repeated ones; `told` holds each source's own score of
    the item and its rank, from 1, among the candidates of the turn."""

    item_id: ItemId
    score: float
    contributions: Mapping[str, float]
    sources: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    told: Mapping[str, tuple[float, int]] = field(default_factory=dict)


class Ranker(Protocol):
    """Orders candidates of all sources into one list."""

    def rank(self, candidates: Candidates, context: TurnContext, k: int, *, wishes: Wishes | None = None) -> tuple[RankedItem, ...]:
        """Return at most k items, best first, each once."""
        ...
