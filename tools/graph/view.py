"""The graph as networkx.MultiDiGraph, whole or around a node: for export, pictures, and whatever else networkx can do.

Nodes are "type:key" with `kind`, `display` and `named` (False where only an identifier is known); edges are keyed by their relation and
carry `confidence` in (0, 1] and `source`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import networkx as nx
import numpy as np

from scenewise.tools.graph.facts import Facts
from scenewise.tools.graph.relations import describe


def view_of(facts: Facts, nodes: Iterable[int]) -> Any:
    """The part of the graph that has these nodes, with all facts between them; of equal facts the surest."""
    chosen = sorted(nodes, key=facts.name)
    inside = np.zeros(facts.n, dtype=np.bool_)
    inside[chosen] = True
    graph = nx.MultiDiGraph()
    for node in chosen:
        graph.add_node(facts.name(node), kind=facts.kind(node), display=facts.display(node), named=not facts.is_nameless(node))
    for node in chosen:
        row = facts.row(node)
        row = row.take(row.forward & inside[row.other])
        for other, relation, confidence, source in zip(
            row.other.tolist(), row.relation.tolist(), row.confidence.tolist(), row.source.tolist(), strict=True
        ):
            ends = facts.name(node), facts.name(other), facts.relations[relation]
            known = graph.get_edge_data(*ends)
            if known is None or known["confidence"] < confidence:
                graph.add_edge(*ends, confidence=confidence, source=facts.sources[source])
    return graph


def nearest(facts: Facts, node: int, *, hops: int, limit: int | None) -> list[int]:
    """The nodes at most `hops` facts away from `node`, itself first, then the nearest; within a distance the most telling first.

    A node tells as much as the facts that lead to it from nodes taken before: relation weight x confidence x rarity of the end that is
    no item. `limit` is the most nodes: each distance but the last takes half of the room that is left at first, so that a picture shows
    both what is said of a thing and what else it is said of.
    """
    weights = np.array([describe(name).weight for name in facts.relations], dtype=np.float64)
    found, edge, told, left = {node: None}, [node], {node: 1.0}, list[int]()
    for hop in range(1, hops + 1):
        worth: dict[int, float] = {}
        for one in edge:
            row = facts.row(one)
            joint = row.other if facts.is_item[one] else np.full(len(row), one)
            values = weights[row.relation] * row.confidence * np.maximum(facts.rarities[joint], 0.02) * told[one]
            for other, value in zip(row.other.tolist(), values.tolist(), strict=True):
                if other not in found:
                    worth[other] = worth.get(other, 0.0) + value
        room = None if limit is None else (limit - len(found)) // (2 if hop < hops else 1)
        told, edge = worth, sorted(worth, key=lambda one: (-worth[one], facts.name(one)))
        if room is not None:
            edge, left = edge[:room], [*left, *edge[room:]]
        found |= dict.fromkeys(edge)
    return list(dict.fromkeys([*found, *left]))[:limit]
