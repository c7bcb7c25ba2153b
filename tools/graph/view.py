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
    """The nodes at most `hops` facts away from `node`, itself first, then the nearest; `limit` of them at most, what few share first."""
    found, edge = {node: None}, [node]
    for _ in range(hops):
        around = {other for one in edge for other in facts.row(one).other.tolist()} - found.keys()
        edge = sorted(around, key=lambda one: (facts.n_joined[one], facts.name(one)))
        found |= dict.fromkeys(edge)
        if limit is not None and len(found) >= limit:
            break
    return list(found)[:limit]
