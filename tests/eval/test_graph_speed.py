"""The graph's own speed, at a small size."""

from __future__ import annotations

import json

import pytest

from scenewise.eval import graph_speed
from scenewise.store.types import Edge
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph


def test_the_made_up_graph_is_as_large_as_asked_and_has_hubs() -> None:
    items, edges = graph_speed.made_up(20_000, 0)
    graph = KnowledgeGraph.build(Catalogue.from_items(items), edges)
    assert 19_000 < graph.n_edges <= 20_000
    assert graph.n_nodes <= 2_000
    degrees = sorted(len(graph.facts.row(node)) for node in graph.facts.nodes())
    assert degrees[-1] > 20 * degrees[len(degrees) // 2]


@pytest.mark.slow
def test_every_size_is_measured_in_a_process_of_its_own() -> None:
    result = graph_speed.run(20_000, questions=20)
    assert [size["edges"] > 0 for size in result["sizes"]] == [True, True]
    for size in result["sizes"]:
        assert size["resident_mb"] >= size["graph_mb"]
        assert 0 < size["neighbours_ms"]["p50"] <= size["neighbours_ms"]["p95"] <= size["neighbours_ms"]["max"]
        assert size["paths_found"] > 0.5
    assert json.loads(json.dumps(result)) == result


def test_a_million_times_the_same_edge_is_one() -> None:
    items, _ = graph_speed.made_up(1_000, 0)
    edge = Edge(f"item:{items[0].item_id}", "about", "topic:ice", "s")
    graph = KnowledgeGraph.build(Catalogue.from_items(items[:1]), (edge for _ in range(1_000_000)))
    assert graph.neighbours("topic:ice") == [("about", edge.subject, items[0].title)]
    assert graph.n_edges == 2  # with its domain
