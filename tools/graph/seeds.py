"""Where a user's walk starts: liked items, stated tastes, and the scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from scenewise.store.types import Event, ItemId, Profile, Taste

DISLIKING = frozenset({"dislike", "skip", "hide", "block", "reject", "remove", "uninstall", "thumbs_down"})
RATING = frozenset({"rating", "rate", "rated"})
HALF_LIFE_EVENTS = 50
HISTORY_MASS, INTEREST_MASS, PROFILE_MASS, SCENE_MASS = 1.0, 0.3, 0.6, 0.3
"""How much each part weighs as a whole, so that a long history does not drown what was said or where the user is."""


def liking(event: Event, *, top: float = 5.0) -> float:
    """Say how much the event speaks for the item, in [-1, 1]; ratings are read on a scale whose best is `top`, its middle 0.

    >>> liking(Event("u", "i", "rating", 5.0, 0.0)), liking(Event("u", "i", "skip", None, 0.0))
    (1.0, -1.0)
    """
    if event.kind.casefold() in DISLIKING:
        return -1.0
    if event.value is None:
        return 1.0
    if event.kind.casefold() in RATING:
        return max(-1.0, min(1.0, 2.0 * event.value / top - 1.0))
    return 1.0 if event.value > 0 else -1.0


def likings(history: Sequence[Event]) -> dict[ItemId, float]:
    """Say how much a user likes each item, in [-1, 1], newest first, halved every 50 events; the latest event of an item counts.

    Ratings above 5 mean that the user rates out of ten.
    """
    values = [event.value for event in history if event.value is not None and event.kind.casefold() in RATING]
    top = 10.0 if values and max(values) > 5.0 else 5.0
    weights: dict[ItemId, float] = {}
    for age, event in enumerate(sorted(history, key=lambda event: -event.time_s)):
        if event.item_id not in weights:
            weights[event.item_id] = liking(event, top=top) * 0.5 ** (age / HALF_LIFE_EVENTS)
    return weights


def liked_items(history: Sequence[Event]) -> dict[ItemId, float]:
    """Weigh the items a user likes: the positive `likings`."""
    return {item_id: weight for item_id, weight in likings(history).items() if weight > 0}


def weigh_seeds(
    history: Sequence[Event],
    profile: Profile,
    scene_node: str | None,
    *,
    resolve: Callable[[Taste], str | None],
    disliked: Callable[[str, frozenset[str]], bool],
    interests: Callable[[frozenset[str]], Mapping[str, float]] = lambda avoid: {},
) -> dict[str, float]:
    """Put the parts together: node -> weight > 0.

    `resolve` finds the node of a taste; `disliked(item node, disliked nodes)` says whether an item carries any of them;
    `interests(disliked nodes)` gives what the history shows to be liked. What the profile dislikes, and items that carry it, start no
    walk.
    """
    avoid = frozenset(node for taste in profile.dislikes if (node := resolve(taste)) is not None)
    items = {f"item:{item_id}": weight for item_id, weight in liked_items(history).items()}
    items = {node: weight for node, weight in items.items() if node not in avoid and not disliked(node, avoid)}
    tastes: dict[str, float] = {}
    for taste in profile.likes:
        node = resolve(taste)
        if node is not None and node not in avoid and taste.strength > 0:
            tastes[node] = max(tastes.get(node, 0.0), taste.strength)
    seeds: dict[str, float] = {}
    scene = {scene_node: 1.0} if scene_node is not None else {}
    shown = {node: strength for node, strength in interests(avoid).items() if node not in tastes}
    for part, mass in ((items, HISTORY_MASS), (shown, INTEREST_MASS), (tastes, PROFILE_MASS), (scene, SCENE_MASS)):
        _pour(seeds, part, mass)
    return seeds


def _pour(seeds: dict[str, float], part: Mapping[str, float], mass: float) -> None:
    total = sum(part.values())
    for node, weight in part.items():
        seeds[node] = seeds.get(node, 0.0) + mass * weight / total
