"""`user -likes-> concept`: what a user's history and profile say of their taste, computed when asked and never kept.

A concept is liked where it stands behind much of what the user chose, and more than chance would put there: with w_i the liking of item
i (newer counts more, see seeds.py; disliked items count against), share(c) = sum of w_i over items with c / sum of |w_i|, and chance(c)
the share of all items that have c. strength(c) = (share - chance) / (1 - chance), times n / (n + 2) for n items, so that one says
little. What the profile states comes first, at its own strength.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scenewise.store.types import Event, Profile
from scenewise.tools.graph.facts import Facts
from scenewise.tools.graph.seeds import likings

LEAST_ITEMS = 3
_CALM = 2.0


@dataclass(frozen=True, slots=True)
class Interest:
    """One `likes` edge of a user: `node` is the concept, `strength` in (0, 1], `items` how many liked items have it, `last_s` when one was
    chosen last (None where only stated), `source` "history" or "profile"."""

    node: str
    display: str
    strength: float
    items: int
    last_s: float | None
    source: str


def interests_of(
    facts: Facts, history: Sequence[Event], profile: Profile, *, stated: Mapping[str, float], avoided: frozenset[str] = frozenset()
) -> list[Interest]:
    """List what the user likes, the strongest first, ties by name.

    `stated` are the nodes that the profile names with their strength, `avoided` those that it dislikes: they are left out.
    """
    weights = {f"item:{item_id}": weight for item_id, weight in likings(history).items()}
    when = {f"item:{event.item_id}": event.time_s for event in sorted(history, key=lambda event: event.time_s)}
    total = sum(map(abs, weights.values())) or 1.0
    pull: dict[int, float] = {}
    liked: dict[int, list[str]] = {}
    for name, weight in weights.items():
        node = facts.find(name)
        if node is None:
            continue
        for concept in facts.concepts(node):
            pull[concept] = pull.get(concept, 0.0) + weight
            if weight > 0:
                liked.setdefault(concept, []).append(name)
    found = {node: Interest(node, facts.display(number), strength, 0, None, "profile") for node, strength, number in _stated(facts, stated)}
    for concept, items in liked.items():
        name = facts.name(concept)
        if len(items) < LEAST_ITEMS or name in avoided or name in found or facts.is_nameless(concept):
            continue
        chance = min(int(facts.n_joined[concept]) / max(facts.n_items, 1), 0.99)
        strength = (pull[concept] / total - chance) / (1.0 - chance) * len(items) / (len(items) + _CALM)
        if strength > 0:
            found[name] = Interest(name, facts.display(concept), strength, len(items), max(when[item] for item in items), "history")
    return sorted(found.values(), key=lambda one: (-one.strength, one.node))


def _stated(facts: Facts, stated: Mapping[str, float]) -> list[tuple[str, float, int]]:
    numbers = ((node, strength, facts.find(node)) for node, strength in stated.items())
    return [(node, strength, number) for node, strength, number in numbers if number is not None and not node.startswith("item:")]
