"""Constraints taken apart into single conditions, each with a readable name and a test over the catalogue's columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import ItemId
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.catalogue.texts import INGREDIENT, MENTIONS, Texts

Mask = NDArray[np.bool_]
Rows = NDArray[np.int32]
Show = Callable[[str, str], str]
MAX_NAMED = 6


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The catalogue as columns over its rows.

    `domain_code`: int16 (n,); `year`, `duration_min`, `price_cents`: float64 (n,), NaN where unknown; `available`: bool (n,);
    `postings`: attribute -> casefolded value -> int32 row numbers, ascending; `texts`: what items say in words of their own.
    """

    row_of: Mapping[ItemId, int]
    domains: tuple[str, ...]
    domain_code: NDArray[np.int16]
    year: NDArray[np.float64]
    duration_min: NDArray[np.float64]
    price_cents: NDArray[np.float64]
    available: Mask
    postings: Mapping[str, Mapping[str, Rows]]
    texts: Texts

    def in_domains(self, domains: Collection[str]) -> Mask:
        """Mark the rows of some domains: bool (n,). A domain that is not there has no rows."""
        wanted = np.array([domain in domains for domain in self.domains], dtype=np.bool_)
        return wanted[self.domain_code] if len(self.domains) else np.zeros(0, dtype=np.bool_)

    def having(self, attribute: str, values: Collection[str]) -> Mask:
        """Mark the rows that have any of the values of an attribute: bool (n,). An ingredient is had where the words of a dish name it."""
        mask = np.zeros(len(self.available), dtype=np.bool_)
        rows_of = self.postings.get(attribute, {})
        for value in values:
            if (rows := rows_of.get(value.casefold())) is not None:
                mask[rows] = True
            if attribute in (INGREDIENT, MENTIONS):
                mask[self.texts.naming(value, food_only=attribute == INGREDIENT)] = True
        return mask

    def among(self, item_ids: Collection[ItemId]) -> Mask:
        """Mark the rows of some items: bool (n,). Unknown ids have no row."""
        mask = np.zeros(len(self.available), dtype=np.bool_)
        mask[[self.row_of[item_id] for item_id in item_ids if item_id in self.row_of]] = True
        return mask


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: `passes(columns)` gives bool (n,). `usual` marks what holds without anybody having asked for it."""

    name: str
    passes: Callable[[Columns], Mask]
    usual: bool = False


def conditions(constraints: Constraints, show: Show) -> list[Condition]:
    """Take constraints apart; an item meets them when it passes every one. `show(attribute, value)` gives a display form."""
    return [*_of_domains(constraints), *_of_values(constraints, show), *_of_limits(constraints), *_of_items(constraints)]


def _of_domains(c: Constraints) -> Iterator[Condition]:
    if c.domains:
        yield Condition("only " + " or ".join(sorted(c.domains)), lambda columns: columns.in_domains(c.domains))
    if c.exclude_domains:
        yield Condition("no " + " or ".join(sorted(c.exclude_domains)), lambda columns: ~columns.in_domains(c.exclude_domains))


def _of_values(c: Constraints, show: Show) -> Iterator[Condition]:
    def named(attribute: str, values: frozenset[str]) -> str:
        shown = [show(attribute, value) for value in sorted(values)]
        return " or ".join(shown if len(shown) <= MAX_NAMED else [*shown[:MAX_NAMED], "the like"])

    def required(attribute: str, values: frozenset[str]) -> Condition:
        return Condition(f"{attribute} {named(attribute, values)}", lambda columns: columns.having(attribute, values))

    def banned(attribute: str, values: frozenset[str]) -> Condition:
        what = "word" if attribute == MENTIONS else attribute
        return Condition(f"no {what} {named(attribute, values)}", lambda columns: ~columns.having(attribute, values))

    yield from (required(attribute, values) for attribute, values in sorted(c.require.items()) if values)
    yield from (banned(attribute, values) for attribute, values in sorted(c.ban.items()) if values)


def _of_limits(c: Constraints) -> Iterator[Condition]:
    # Written as "not beyond the limit": NaN compares false, so what is unknown passes, as Constraints promises.
    if (min_year := c.min_year) is not None:
        yield Condition(f"from {min_year} on", lambda columns: ~(columns.year < min_year))
    if (max_year := c.max_year) is not None:
        yield Condition(f"until {max_year}", lambda columns: ~(columns.year > max_year))
    if (max_min := c.max_duration_min) is not None:
        yield Condition(f"at most {max_min:g} min", lambda columns: ~(columns.duration_min > max_min))
    if (max_cents := c.max_price_cents) is not None:
        yield Condition(f"price at most {max_cents / 100:.2f}", lambda columns: ~(columns.price_cents > max_cents))


def _of_items(c: Constraints) -> Iterator[Condition]:
    if c.ban_items:
        count = len(c.ban_items)
        name = "without one named item" if count == 1 else f"without {count} named items"
        yield Condition(name, lambda columns: ~columns.among(c.ban_items))
    if c.available_only:
        yield Condition("available now", lambda columns: columns.available, usual=True)
