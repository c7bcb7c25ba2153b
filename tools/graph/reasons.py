"""Readable ways from a user to an item, and from one domain to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenewise.store.errors import InputError
from scenewise.store.types import Event, ItemId, Profile
from scenewise.tools.graph.build import item_node
from scenewise.tools.graph.fits import FITS
from scenewise.tools.graph.paths import GraphPath
from scenewise.tools.graph.relations import describe
from scenewise.tools.graph.seeds import liked_items
from scenewise.tools.graph.sentences import chosen, liked, spoken, suited

if TYPE_CHECKING:
    from scenewise.tools.graph.graph import KnowledgeGraph

USER = "user"
"""The user's own node in a path. It is in no graph: what a user likes is computed when asked."""
_LIKED = 20
_TRIED = 5  # candidates of a bridge for each one wanted


@dataclass(frozen=True, slots=True)
class Bridge:
    """An item of another domain, and the way there from a liked one."""

    item_id: ItemId
    path: GraphPath


def reasons_for(
    graph: KnowledgeGraph,
    item_id: ItemId,
    *,
    history: Sequence[Event] = (),
    profile: Profile,
    scene: str | None = None,
    locale: str = "en",
) -> list[GraphPath]:
    """List the ways from a user and a scene to an item, the strongest first.

    From a liked item (one or more edges); `user -likes-> concept <- item`; `item -fits-> scene`, by what people did or by what the
    scene prefers. Raises InputError for an unknown item.
    """
    node = item_node(item_id)
    if node not in graph:
        raise InputError("There is no such item in the graph.")
    ways = [_from_history(graph, item_id, history, locale), *_from_interests(graph, node, history, profile, locale)]
    scene_node = graph.resolve("scene", scene) if scene else None
    if scene_node is not None:
        ways.append(_from_scene(graph, node, scene_node, locale))
    return sorted((way for way in ways if way is not None), key=lambda way: (-way.strength, way.nodes))


def _from_history(graph: KnowledgeGraph, item_id: ItemId, history: Sequence[Event], locale: str) -> GraphPath | None:
    weights = liked_items(history)
    best = sorted(weights, key=lambda one: (-weights[one], one))[:_LIKED]
    return graph.path([one for one in best if one != item_id], item_id, locale=locale)


def _from_interests(graph: KnowledgeGraph, node: str, history: Sequence[Event], profile: Profile, locale: str) -> list[GraphPath]:
    relation_to = {other: relation for relation, other, _ in reversed(graph.neighbours(node))}
    ways = []
    for interest in graph.interests(history, profile):
        relation = relation_to.get(interest.node)
        if relation is not None:
            number = graph.facts.find(interest.node)
            rarity = graph.facts.rarity(number) if number is not None else 0.0
            sentence = liked(interest.display, relation, locale=locale)
            ways.append(
                GraphPath(
                    (USER, interest.node, node), ("likes", relation), sentence, interest.strength * describe(relation).weight * rarity
                )
            )
    return ways


def _from_scene(graph: KnowledgeGraph, node: str, scene: str, locale: str) -> GraphPath | None:
    number, scene_number = graph.facts.find(node), graph.facts.find(scene)
    if number is None or scene_number is None:
        return None
    row = graph.facts.row(number)
    fits = row.take((row.relation == graph.facts.code(FITS)) & (row.other == scene_number))
    shown = graph.display(scene).replace("_", " ")
    if len(fits):
        confidence = float(fits.confidence.max())
        sentence = chosen(shown, 1.0 / max(1.0 - confidence, 0.01), locale=locale)
        return GraphPath((scene, node), (FITS,), sentence, describe(FITS).weight * confidence)
    has = {other: relation for relation, other, _ in graph.neighbours(node)}
    asked = [(other, display) for _, other, display in graph.neighbours(scene, "prefers") if other in has]
    if not asked:
        return None
    values = " and ".join(spoken(display) for _, display in asked[:2])
    first = asked[0][0]
    strength = describe("prefers").weight * describe(has[first]).weight
    return GraphPath((scene, first, node), ("prefers", has[first]), suited(values, shown, locale=locale), strength)


def bridges(
    graph: KnowledgeGraph, from_items: Sequence[ItemId], domains: Sequence[str] = (), k: int = 5, *, locale: str = "en"
) -> dict[str, list[Bridge]]:
    """Cross from liked items into other domains: up to `k` items of each of `domains` (none: all that the liked items are not of).

    Items come in the order of personalised PageRank from the liked ones; those that no readable path reaches are left out. Raises
    InputError for an unknown domain and for items of which none is known.
    """
    rows = [row for one in from_items if (row := graph.catalogue.row(one)) is not None]
    if not rows:
        raise InputError("None of these items is in the catalogue.")
    unknown = [domain for domain in domains if domain not in graph.catalogue.domains]
    if unknown:
        raise InputError(f"There are no items of this kind. There are: {', '.join(graph.catalogue.domains)}.")
    own = {graph.catalogue.items[row].domain for row in rows}
    found: dict[str, list[Bridge]] = {}
    seeds = {item_node(one): 1.0 for one in from_items}
    for domain in domains or [domain for domain in graph.catalogue.domains if domain not in own]:
        allowed = np.asarray(graph.catalogue.columns.in_domains({domain}), dtype=np.bool_)
        for candidate in graph.candidates(seeds, _TRIED * k, allowed=allowed, locale=locale):
            path = graph.path(from_items, candidate.item_id, locale=locale)
            if path is not None and len(found.setdefault(domain, [])) < k:
                found[domain].append(Bridge(candidate.item_id, path))
    return found
