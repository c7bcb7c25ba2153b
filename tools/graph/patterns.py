"""Constrained patterns: start at a node, take typed steps, keep what passes the filters. Not a query language.

"Films by the director of Heat that fit a date night" is Pattern("item:heat", (Step(("directed_by",)), Step(("directed_by",), "item")),
domain="movies", scene="scene:date night").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import ItemId
from scenewise.tools.graph.build import item_node
from scenewise.tools.graph.fits import FITS
from scenewise.tools.graph.relations import describe

if TYPE_CHECKING:
    from scenewise.tools.graph.graph import KnowledgeGraph

TELLING = describe("in_genre").weight
"""A step by any relation takes those of at least this weight: everything shares a decade or a language with something."""
SUITED = 0.5
"""A scene that names kinds of items is taken to suit those of at least this weight."""


@dataclass(frozen=True, slots=True)
class Step:
    """Along one fact, in either direction: by one of `relations` (none: any telling one), to nodes of the type `kind` (None: any)."""

    relations: tuple[str, ...] = ()
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """`steps` lead from the node `start` to items (no start: all items); those stay that are in `domain`, fit `scene` (a node), and are
    reached by each of `also`, whose own filters count too."""

    start: str | None = None
    steps: tuple[Step, ...] = ()
    domain: str | None = None
    scene: str | None = None
    also: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """An item that a pattern reaches, with one way to it: `nodes` from the start on, `relations` between them (one fewer)."""

    item_id: ItemId
    nodes: tuple[str, ...]
    relations: tuple[str, ...]


def find(graph: KnowledgeGraph, pattern: Pattern) -> list[Found]:
    """Find the items of a pattern, in the order of their ids; the start itself is none of them."""
    mask, ways = matched(graph, pattern), _walked(graph, pattern)
    found = []
    for row in np.flatnonzero(mask).tolist():
        item_id = graph.catalogue.items[row].item_id
        nodes, relations = ways.get(item_node(item_id), ((item_node(item_id),), ()))
        found.append(Found(item_id, nodes, relations))
    return found


def matched(graph: KnowledgeGraph, pattern: Pattern) -> NDArray[np.bool_]:
    """Say which items a pattern reaches: bool (n_items,) over the catalogue's rows."""
    mask = np.ones(graph.catalogue.n, dtype=np.bool_)
    if pattern.start is not None:
        mask[:] = False
        rows = [graph.catalogue.row(ItemId(node.removeprefix("item:"))) for node in _walked(graph, pattern) if node.startswith("item:")]
        mask[[row for row in rows if row is not None]] = True
    if pattern.domain is not None:
        mask &= graph.catalogue.columns.in_domains({pattern.domain})
    if pattern.scene is not None:
        mask &= fitting(graph, pattern.scene)
    for other in pattern.also:
        mask &= matched(graph, other)
    return mask


def _walked(graph: KnowledgeGraph, pattern: Pattern) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The nodes at the end of the steps, each with the first way there in the order of names."""
    if pattern.start is None or pattern.start not in graph:
        return {}
    reached: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {pattern.start: ((pattern.start,), ())}
    for step in pattern.steps:
        following: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        for node, (nodes, relations) in reached.items():
            for relation, other, _ in graph.neighbours(node):
                told = relation in step.relations if step.relations else describe(relation).weight >= TELLING
                if told and step.kind in (None, other.partition(":")[0]) and other not in nodes:
                    following.setdefault(other, ((*nodes, other), (*relations, relation)))
        reached = following
    return reached


def fitting(graph: KnowledgeGraph, scene: str) -> NDArray[np.bool_]:
    """Say which items fit a scene: bool (n_items,). People chose them for it (`fits`), or they have what it prefers and are of a kind
    that it suits."""
    around = graph.neighbours(scene)
    fits = _items(graph, [node for relation, node, _ in around if relation == FITS])
    preferred = np.zeros(graph.catalogue.n, dtype=np.bool_)
    for relation, node, _ in around:
        if relation == "prefers":
            preferred |= _items(graph, [other for _, other, _ in graph.neighbours(node)])
    domains = {display for _, display in suited_domains(graph, scene)}
    named = any(relation == "suits" for relation, _, _ in around)
    return fits | (preferred & graph.catalogue.columns.in_domains(domains) if named else preferred)


def suited_domains(graph: KnowledgeGraph, scene: str) -> list[tuple[float, str]]:
    """The kinds of items that a scene suits, with their weights in (0, 1], the most suited first."""
    number = graph.facts.find(scene)
    if number is None:
        return []
    row = graph.facts.row(number)
    row = row.take(row.relation == graph.facts.code("suits"))
    by_key = {domain.casefold(): domain for domain in graph.catalogue.domains}
    keys = [graph.facts.name(node).partition(":")[2] for node in row.other.tolist()]
    pairs = [(weight, by_key[key]) for weight, key in zip(row.confidence.tolist(), keys, strict=True) if weight >= SUITED and key in by_key]
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1]))


def _items(graph: KnowledgeGraph, nodes: list[str]) -> NDArray[np.bool_]:
    mask = np.zeros(graph.catalogue.n, dtype=np.bool_)
    rows = [graph.catalogue.row(ItemId(node.removeprefix("item:"))) for node in nodes if node.startswith("item:")]
    mask[[row for row in rows if row is not None]] = True
    return mask
