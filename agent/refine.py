"""How "shorter", "cheaper", "newer" and their like change the last list."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from scenewise.agent.memory import Memory
from scenewise.store.types import Item
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.constraints import Constraints


def refine(intent: str, memory: Memory, catalogue: Catalogue) -> tuple[Constraints, tuple[str, ...]]:
    """Conditions relative to the last list: beyond its median, in the kinds of items that it had; with notes where nothing is known."""
    if intent not in ("shorter", "longer", "cheaper", "newer", "older"):
        return Constraints(), ()
    rows = catalogue.rows(memory.items)
    items = [catalogue.items[row] for row in rows]
    domains = frozenset(item.domain for item in items)
    value = _middle(items, _MEASURES[intent])
    if value is None:
        return Constraints(domains=domains, ban_items=frozenset(memory.items)), (unmeasured(intent),)
    if intent == "shorter":
        return Constraints(domains=_known(items, "shorter"), max_duration_min=value - 1), ()
    if intent == "cheaper":
        return Constraints(domains=_known(items, "cheaper"), max_price_cents=int(value) - 1), ()
    if intent == "newer":
        return Constraints(domains=domains, min_year=int(value) + 1), ()
    if intent == "older":
        return Constraints(domains=domains, max_year=int(value) - 1), ()
    banned = frozenset(item.item_id for item in items if (item.duration_min or 0) <= value)
    return Constraints(domains=_known(items, "longer"), ban_items=banned), ()


def unmeasured(intent: str) -> str:
    """The note of a turn that could not do what the intent asks, or "" for other intents."""
    return f"nothing of the last list says how {_WORDS[intent]} it is" if intent in _WORDS else ""


_MEASURES: dict[str, Callable[[Item], float | None]] = {
    "shorter": lambda item: item.duration_min,
    "longer": lambda item: item.duration_min,
    "cheaper": lambda item: item.price_cents,
    "newer": lambda item: item.year,
    "older": lambda item: item.year,
}
_WORDS = {"shorter": "long", "longer": "long", "cheaper": "dear", "newer": "old", "older": "old"}


def _middle(items: list[Item], measure: Callable[[Item], float | None]) -> float | None:
    known = [value for item in items if (value := measure(item)) is not None]
    return median(known) if known else None


def _known(items: list[Item], intent: str) -> frozenset[str]:
    """The kinds of items for which the measure is known at all; others cannot be compared."""
    return frozenset(item.domain for item in items if _MEASURES[intent](item) is not None)
