"""Find the most specific readable connection from things a user likes to a candidate.

A connection through a node is worth relation weight x inverse document frequency, idf = log((1+n)/(1+df)) / log(1+n), in [0, 1]:
a director of two films says much, a genre of half the catalogue little. The neighbours of what is liked are sorted once, so that each
thing said of the candidate is looked up among them.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scenewise.tools.graph.facts import Facts
from scenewise.tools.graph.relations import describe
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
    """A connection of two items through one node; `place` is the liked item's."""

    liked: int
    place: int
    node: int
    link: Link
    strength: float


@dataclass(frozen=True, slots=True, eq=False)
class _Liked:
    """What is liked, the best first, and what is said of it: `near` int32 sorted, with `place` the liked item's and `relation` codes,
    in the order (near, place, relation)."""

    nodes: tuple[int, ...]
    near: NDArray[np.int32]
    place: NDArray[np.int32]
    relation: NDArray[np.int32]

    def at(self, node: int) -> slice:
        """Where `node` stands in the columns."""
        return slice(int(np.searchsorted(self.near, node)), int(np.searchsorted(self.near, node, "right")))


class PathFinder:
    """Searches over one graph. May be used from several threads."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._kept: tuple[tuple[str, ...], _Liked] | None = None

    def shared(self, left: str, right: str) -> list[tuple[str, str]]:
        """List (relation, node) that both item nodes have, the most telling first."""
        ends = [self._facts.find(node) for node in (left, right)]
        mine, other = ({*self._links(end)} if end is not None else set() for end in ends)
        pairs = [(self._facts.relations[relation], node) for node, relation in mine & other]
        best = sorted(pairs, key=lambda pair: (-self._worth(pair[0], pair[1]), pair[0], self._facts.name(pair[1])))
        return [(relation, self._facts.name(node)) for relation, node in best]

    def best(self, liked: Sequence[str], candidate: str, *, max_hops: int = 4, locale: str = "en") -> GraphPath | None:
        """Find the strongest path of at most `max_hops` edges, or None; among equals the earliest liked item wins."""
        end = self._facts.find(candidate)
        if end is None or not liked:
            return None
        known = self._liked(tuple(dict.fromkeys(liked)))
        found = self._direct(known, end, locale) if max_hops >= 1 else None
        if found is None and max_hops >= 2:
            hop = self._hop(known, end)
            found = self._path(hop, end, locale) if hop else None
        if max_hops >= 3 and (found is None or found.strength < PLAIN):
            longer = [self._near(known, end, locale), self._bridge(known, end, locale) if max_hops >= 4 else None]
            found = max((path for path in (found, *longer) if path), key=lambda path: path.strength, default=None)
        return found

    def _liked(self, names: tuple[str, ...]) -> _Liked:
        """Gather what is said of the liked items; the last set is kept, as a list's reasons all ask for the same one."""
        kept = self._kept
        if kept is not None and kept[0] == names:
            return kept[1]
        nodes = [node for name in names if (node := self._facts.find(name)) is not None]
        made = self._gather(tuple(nodes))
        self._kept = (names, made)
        return made

    def _gather(self, nodes: tuple[int, ...]) -> _Liked:
        near, place, relation = [], [], []
        for at, node in enumerate(nodes):
            row = self._facts.row(node)
            told = ~self._facts.is_item[row.other] & ~self._facts.silent[row.relation]
            near.append(row.other[told])
            relation.append(row.relation[told])
            place.append(np.full(int(told.sum()), at, dtype=np.int32))
        if not near:
            return _Liked((), *(np.zeros(0, np.int32) for _ in range(3)))
        columns = [np.concatenate(column) for column in (near, place, relation)]
        order = np.lexsort((columns[1], columns[0]))  # rows are in the order of relations already, and this keeps it
        return _Liked(nodes, *(column[order] for column in columns))

    def _links(self, item: int) -> list[tuple[int, int]]:
        """List (node, relation code) of what is said of an item and can explain something, by relation."""
        row = self._facts.row(item)
        told = ~self._facts.is_item[row.other] & ~self._facts.silent[row.relation]
        return list(zip(row.other[told].tolist(), row.relation[told].tolist(), strict=True))

    def _worth(self, relation: str, node: int) -> float:
        return describe(relation).weight * self._facts.rarity(node)

    def _direct(self, liked: _Liked, candidate: int, locale: str) -> GraphPath | None:
        row = self._facts.row(candidate)
        order = {node: place for place, node in enumerate(liked.nodes)}
        near = [(order[other], at) for at, other in enumerate(row.other.tolist()) if other in order and other != candidate]
        if not near:
            return None
        place, at = min(near)
        relation, name = self._facts.relations[row.relation[at]], self._facts.name
        sentence = direct(relation, self._name(liked.nodes[place]), candidate_is_subject=bool(row.forward[at]), locale=locale)
        return GraphPath((name(liked.nodes[place]), name(candidate)), (relation,), sentence, describe(relation).weight)

    def _hop(self, liked: _Liked, candidate: int) -> _Hop | None:
        row = self._facts.row(candidate)
        row = row.take(~self._facts.is_item[row.other] & ~self._facts.silent[row.relation])
        starts, stops = np.searchsorted(liked.near, row.other), np.searchsorted(liked.near, row.other, "right")
        most = self._weights[row.relation] * self._facts.rarities[row.other]
        met = np.flatnonzero(starts < stops)
        best: _Hop | None = None
        for at in met[np.argsort(-most[met], kind="stable")].tolist():
            if best is not None and most[at] < best.strength:
                break
            node, where = int(row.other[at]), slice(int(starts[at]), int(stops[at]))
            option = self._option(node, int(row.relation[at]), liked, where, candidate)
            if option is not None and (best is None or self._order(option) < self._order(best)):
                best = option
        return best

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        """The weight of each relation code: float64 (n_relations,)."""
        return np.array([describe(name).weight for name in self._facts.relations], dtype=np.float64)

    def _option(self, node: int, code: int, liked: _Liked, at: slice, candidate: int) -> _Hop | None:
        """The connection through a node that the candidate has by this relation: with the first liked item that has it by the same one,
        else with the first of all."""
        met = [
            (place, relation)
            for place, relation in zip(liked.place[at].tolist(), liked.relation[at].tolist(), strict=True)
            if liked.nodes[place] != candidate
        ]
        if not met:
            return None
        place, other = next((one for one in met if one[1] == code), met[0])
        relation, theirs = self._facts.relations[code], self._facts.relations[other]
        weight = describe(relation).weight if other == code else MIXED * min(describe(relation).weight, describe(theirs).weight)
        value = None if self._facts.is_nameless(node) else self._name(node)
        return _Hop(liked.nodes[place], place, node, Link(relation, theirs, value), weight * self._facts.rarity(node))

    def _order(self, hop: _Hop) -> tuple[float, int, str]:
        return -hop.strength, hop.place, self._facts.name(hop.node)

    def _path(self, hop: _Hop, candidate: int, locale: str) -> GraphPath:
        sentence = clause(hop.link, self._name(hop.liked), locale=locale)
        nodes = tuple(map(self._facts.name, (hop.liked, hop.node, candidate)))
        return GraphPath(nodes, (hop.link.other_relation, hop.link.relation), sentence, hop.strength)

    @cached_property
    def _related(self) -> Mapping[int, tuple[int, ...]]:
        """The nodes that lie close to each other (related_to), by number; in the order of their names."""
        code = self._facts.code("related_to")
        if code < 0:
            return {}
        owners, row = self._facts.visible()
        which = row.relation == code
        found: dict[int, set[int]] = {}
        for node, other in zip(owners[which].tolist(), row.other[which].tolist(), strict=True):
            found.setdefault(node, set()).add(other)
        return {node: tuple(sorted(others, key=self._facts.name)) for node, others in found.items()}

    def _near(self, liked: _Liked, candidate: int, locale: str) -> GraphPath | None:
        """Look for a node of the candidate that lies close (related_to) to a node of a liked item: three edges."""
        best: GraphPath | None = None
        name = self._facts.name
        for node, code in self._links(candidate):
            for other in self._related.get(node, ()):
                at = liked.at(other)
                met = [i for i in range(at.start, at.stop) if liked.nodes[liked.place[i]] != candidate]
                if not met:
                    continue
                start, theirs = liked.nodes[liked.place[met[0]]], self._facts.relations[liked.relation[met[0]]]
                rarity = min(self._facts.rarity(node), self._facts.rarity(other))
                relation = self._facts.relations[code]
                strength = describe("related_to").weight * describe(relation).weight * rarity
                if best is None or strength > best.strength:
                    sentence = nearby(self._name(node), theirs, self._name(other), self._name(start), locale=locale)
                    nodes = (name(start), name(other), name(node), name(candidate))
                    best = GraphPath(nodes, (theirs, "related_to", relation), sentence, strength)
        return best

    def _bridge(self, liked: _Liked, candidate: int, locale: str) -> GraphPath | None:
        """Look for an item in the middle, close to both ends: four edges. Only the closest few to the candidate are tried."""
        best: GraphPath | None = None
        for middle in self._close(liked, candidate):
            far, near = self._hop(liked, middle), self._hop(self._gather((middle,)), candidate)
            if far is None or near is None:
                continue
            if best is None or far.strength * near.strength > best.strength:
                best = self._joined(far, near, candidate, locale)
        return best

    def _close(self, liked: _Liked, candidate: int) -> list[int]:
        """The items nearest to the candidate through one telling node, the nearest first, ties by name."""
        worth: dict[int, float] = {}
        for node, code in self._links(candidate):
            worth[node] = max(worth.get(node, 0.0), self._worth(self._facts.relations[code], node))
        barred, found = {candidate, *liked.nodes}, list[int]()
        telling = sorted({one for one in worth.values() if one >= 2 * PLAIN}, reverse=True)
        for level in telling:
            if len(found) >= BRIDGES:
                break
            rows = [self._facts.row(node) for node, one in worth.items() if one == level]
            telling_of = [row.other[self._facts.is_item[row.other] & ~self._facts.silent[row.relation]] for row in rows]
            items = {*np.concatenate(telling_of).tolist()} - barred
            found += heapq.nsmallest(BRIDGES, items, key=self._facts.name)
            barred |= items
        return found[:BRIDGES]

    def _joined(self, far: _Hop, near: _Hop, candidate: int, locale: str) -> GraphPath:
        first = clause(near.link, self._name(near.liked), locale=locale)
        second = clause(far.link, self._name(far.liked), locale=locale)
        nodes = tuple(map(self._facts.name, (far.liked, far.node, near.liked, near.node, candidate)))
        relations = (far.link.other_relation, far.link.relation, near.link.other_relation, near.link.relation)
        return GraphPath(nodes, relations, bridge(first, second, locale=locale), far.strength * near.strength)

    def _name(self, node: int) -> str:
        return self._facts.display(node)
