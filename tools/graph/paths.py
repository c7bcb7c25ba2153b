"""Find the most specific readable connection from things a user likes to a candidate.

A connection through a node is worth relation weight x inverse document frequency, idf = log((1+n)/(1+df)) / log(1+n), in [0, 1]:
a director of two films says much, a genre of half the catalogue little. Items' nodes are kept as sets, so that a search is a few
set intersections.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenewise.tools.graph.relations import SILENT, describe
from scenewise.tools.graph.sentences import Link, bridge, clause, direct, nearby

MIXED = 0.8
"""What is left when the node plays another role in each item (writer here, director there)."""
PLAIN = 0.12
"""Below this strength two hops say next to nothing ("from the 1990s"), and a longer path is worth a look."""
BRIDGES = 8


@dataclass(frozen=True, slots=True)
class GraphPath:
    """A way from a liked item to a candidate: `nodes` from the one to the other, `relations` between them (one fewer), `sentence`
    a clause that reads after "it is" or, starting with "shares" or "has", after "it"; `strength` in [0, 1]."""

    nodes: tuple[str, ...]
    relations: tuple[str, ...]
    sentence: str
    strength: float


@dataclass(frozen=True, slots=True)
class _Hop:
    """A connection of two items through one node."""

    liked: str
    node: str
    link: Link
    strength: float


class PathFinder:
    """Item-to-node sets of one graph, made once."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._links: dict[str, dict[str, list[str]]] = {}
        self._siblings: dict[str, dict[str, tuple[str, bool]]] = {}
        by_role: dict[tuple[str, str], set[str]] = {}
        members: dict[str, set[str]] = {}
        for subject, obj, relation in graph.edges(keys=True):
            for item, other, is_subject in ((subject, obj, True), (obj, subject, False)):
                if not item.startswith("item:"):
                    continue
                if other.startswith("item:"):
                    self._siblings.setdefault(item, {})[other] = (relation, is_subject)
                elif relation not in SILENT:
                    self._links.setdefault(item, {}).setdefault(other, []).append(relation)
                    by_role.setdefault((other, relation), set()).add(item)
                    members.setdefault(other, set()).add(item)
        self._by_role = {key: frozenset(items) for key, items in by_role.items()}
        self._members = {node: frozenset(items) for node, items in members.items()}
        self._idf = self._rarity(sum(1 for node in graph if node.startswith("item:")))

    def _rarity(self, n_items: int) -> Mapping[str, float]:
        scale = math.log1p(n_items) or 1.0
        return {node: math.log((1 + n_items) / (1 + len(items))) / scale for node, items in self._members.items()}

    def shared(self, left: str, right: str) -> list[tuple[str, str]]:
        """List (relation, node) that both item nodes have, the most telling first."""
        mine, other = self._links.get(left, {}), self._links.get(right, {})
        pairs = [(relation, node) for node in mine.keys() & other.keys() for relation in mine[node] if relation in other[node]]
        return sorted(pairs, key=lambda pair: (-describe(pair[0]).weight * self._idf[pair[1]], pair))

    def best(self, liked: Sequence[str], candidate: str, *, max_hops: int = 4, locale: str = "en") -> GraphPath | None:
        """Find the strongest path of at most `max_hops` edges, or None; among equals the earliest liked item wins."""
        order = {node: place for place, node in enumerate(dict.fromkeys(liked)) if node != candidate and node in self._graph}
        found = self._direct(order, candidate, locale) if max_hops >= 1 else None
        if found is None and max_hops >= 2:
            hop = self._hop(order, candidate)
            found = self._path(hop, candidate, locale) if hop else None
        if max_hops >= 3 and (found is None or found.strength < PLAIN):
            longer = [self._near(order, candidate, locale), self._bridge(order, candidate, locale) if max_hops >= 4 else None]
            found = max((path for path in (found, *longer) if path), key=lambda path: path.strength, default=None)
        return found

    def _direct(self, order: Mapping[str, int], candidate: str, locale: str) -> GraphPath | None:
        others = self._siblings.get(candidate, {})
        near = min(others.keys() & order.keys(), key=order.__getitem__, default=None)
        if near is None:
            return None
        relation, is_subject = others[near]
        sentence = direct(relation, self._name(near), candidate_is_subject=is_subject, locale=locale)
        return GraphPath((near, candidate), (relation,), sentence, describe(relation).weight)

    def _hop(self, order: Mapping[str, int], candidate: str) -> _Hop | None:
        best: _Hop | None = None
        for node, relations in self._links.get(candidate, {}).items():
            members = self._members[node]
            common = frozenset(liked for liked in order if liked in members)  # a view of keys would walk through all members
            if not common:
                continue
            for option in self._options(node, relations, common, order):
                if best is None or _place(option, order) < _place(best, order):
                    best = option
        return best

    def _options(self, node: str, relations: list[str], common: frozenset[str], order: Mapping[str, int]) -> Iterator[_Hop]:
        value = self._graph.nodes[node]["display"] if self._graph.nodes[node]["named"] else None
        for relation in relations:
            same = self._by_role[node, relation] & common
            liked = min(same or common, key=order.__getitem__)
            other = relation if same else self._links[liked][node][0]
            weight = describe(relation).weight if same else MIXED * min(describe(relation).weight, describe(other).weight)
            yield _Hop(liked, node, Link(relation, other, value), weight * self._idf[node])

    def _path(self, hop: _Hop, candidate: str, locale: str) -> GraphPath:
        sentence = clause(hop.link, self._name(hop.liked), locale=locale)
        return GraphPath((hop.liked, hop.node, candidate), (hop.link.other_relation, hop.link.relation), sentence, hop.strength)

    def _near(self, order: Mapping[str, int], candidate: str, locale: str) -> GraphPath | None:
        """Look for a node of the candidate that lies close (related_to) to a node of a liked item: three edges."""
        best: GraphPath | None = None
        for node, relations in self._links.get(candidate, {}).items():
            for other in self._related(node):
                liked = min(self._members.get(other, frozenset()) & order.keys(), key=order.__getitem__, default=None)
                if liked is None:
                    continue
                theirs = self._links[liked][other][0]
                rarity = min(self._idf[node], self._idf[other])
                strength = describe("related_to").weight * describe(relations[0]).weight * rarity
                if best is None or strength > best.strength:
                    sentence = nearby(self._name(node), theirs, self._name(other), self._name(liked), locale=locale)
                    best = GraphPath((liked, other, node, candidate), (theirs, "related_to", relations[0]), sentence, strength)
        return best

    def _related(self, node: str) -> Iterator[str]:
        for _, other, relation in self._graph.out_edges(node, keys=True):
            if relation == "related_to":
                yield other
        for other, _, relation in self._graph.in_edges(node, keys=True):
            if relation == "related_to":
                yield other

    def _bridge(self, order: Mapping[str, int], candidate: str, locale: str) -> GraphPath | None:
        """Look for an item in the middle, close to both ends: four edges. Only the closest few to the candidate are tried."""
        close: dict[str, float] = {}
        for node, relations in self._links.get(candidate, {}).items():
            worth = self._idf[node] * max(describe(relation).weight for relation in relations)
            if worth >= 2 * PLAIN:
                for item in self._members[node]:
                    close[item] = max(close.get(item, 0.0), worth)
        middles = [item for item in close if item != candidate and item not in order]
        best: GraphPath | None = None
        for middle in sorted(middles, key=lambda item: (-close[item], item))[:BRIDGES]:
            far, near = self._hop(order, middle), self._hop({middle: 0}, candidate)
            if far is None or near is None:
                continue
            strength = far.strength * near.strength
            if best is None or strength > best.strength:
                best = self._joined(far, near, candidate, strength=strength, locale=locale)
        return best

    def _joined(self, far: _Hop, near: _Hop, candidate: str, *, strength: float, locale: str) -> GraphPath:
        first = clause(near.link, self._name(near.liked), locale=locale)
        second = clause(far.link, self._name(far.liked), locale=locale)
        nodes = (far.liked, far.node, near.liked, near.node, candidate)
        relations = (far.link.other_relation, far.link.relation, near.link.other_relation, near.link.relation)
        return GraphPath(nodes, relations, bridge(first, second, locale=locale), strength)

    def _name(self, node: str) -> str:
        return str(self._graph.nodes[node]["display"])


def _place(hop: _Hop, order: Mapping[str, int]) -> tuple[float, int, str]:
    return -hop.strength, order[hop.liked], hop.node
