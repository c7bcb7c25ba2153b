"""Hard conditions on items. A constraint that an item's data cannot decide (no duration known, say) lets the item pass,
except for `require` and `domains`, which ask for something the item must be known to have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from scenewise.store.types import ItemId

_T = TypeVar("_T")
Values = Mapping[str, frozenset[str]]


def _none() -> Values:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Constraints:
    """`domains`: only these (empty: any). `require`/`ban`: attribute -> values (casefolded); an item passes `require` when for every
    attribute it has at least one of the values, and fails `ban` when it has any. Years inclusive; durations in minutes; prices in cents."""

    domains: frozenset[str] = frozenset()
    exclude_domains: frozenset[str] = frozenset()
    require: Values = field(default_factory=_none)
    ban: Values = field(default_factory=_none)
    ban_items: frozenset[ItemId] = frozenset()
    min_year: int | None = None
    max_year: int | None = None
    max_duration_min: float | None = None
    max_price_cents: int | None = None
    available_only: bool = True

    def merge(self, other: Constraints) -> Constraints:
        """Join two sets of conditions: the later one's `domains` and limits win, bans and requirements add up."""

        def union(a: Values, b: Values) -> Values:
            return MappingProxyType({key: a.get(key, frozenset()) | b.get(key, frozenset()) for key in {*a, *b}})

        def later(a: _T | None, b: _T | None) -> _T | None:
            return a if b is None else b

        return replace(
            self,
            domains=other.domains or self.domains,
            exclude_domains=self.exclude_domains | other.exclude_domains,
            require=union(self.require, other.require),
            ban=union(self.ban, other.ban),
            ban_items=self.ban_items | other.ban_items,
            min_year=later(self.min_year, other.min_year),
            max_year=later(self.max_year, other.max_year),
            max_duration_min=later(self.max_duration_min, other.max_duration_min),
            max_price_cents=later(self.max_price_cents, other.max_price_cents),
            available_only=self.available_only and other.available_only,
        )
