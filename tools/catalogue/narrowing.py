"""Joining conditions so that the result lets through nothing that either of them keeps out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from scenewise.store.errors import RetryTool
from scenewise.tools.catalogue.constraints import Constraints

_N = TypeVar("_N", int, float)


def narrow(standing: Constraints, further: Constraints) -> Constraints:
    """Add further conditions to standing ones: of two sets of alternatives what they share, of two limits the tighter.

    (`Constraints.merge` lets the later one win instead.) Raises RetryTool where two sets of alternatives share nothing.
    """
    require = dict(standing.require)
    for attribute, values in further.require.items():
        require[attribute] = _shared(require.get(attribute, frozenset()), values, attribute)
    ban = {name: standing.ban.get(name, frozenset()) | further.ban.get(name, frozenset()) for name in {*standing.ban, *further.ban}}
    return replace(
        standing,
        domains=_shared(standing.domains, further.domains, "domains"),
        exclude_domains=standing.exclude_domains | further.exclude_domains,
        require=MappingProxyType(require),
        ban=MappingProxyType(ban),
        ban_items=standing.ban_items | further.ban_items,
        min_year=_tighter(max, standing.min_year, further.min_year),
        max_year=_tighter(min, standing.max_year, further.max_year),
        max_duration_min=_tighter(min, standing.max_duration_min, further.max_duration_min),
        max_price_cents=_tighter(min, standing.max_price_cents, further.max_price_cents),
        available_only=standing.available_only or further.available_only,
    )


def _shared(standing: frozenset[str], further: frozenset[str], name: str) -> frozenset[str]:
    """Share alternatives; an empty set asks for nothing."""
    if not standing or not further:
        return standing or further
    if not standing & further:
        raise RetryTool(f"The request already asks for other {name} ({', '.join(sorted(standing))}); choose among these.")
    return standing & further


def _tighter(pick: Callable[[_N, _N], _N], a: _N | None, b: _N | None) -> _N | None:
    if a is None or b is None:
        return b if a is None else a
    return pick(a, b)
