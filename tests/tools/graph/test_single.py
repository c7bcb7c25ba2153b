"""Relations that can have one object only: sources that contradict each other are settled in the graph, and both stay in the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scenewise.store.store import Store
from scenewise.store.types import Edge, Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph
from scenewise.tools.graph.schema import load_schema
from scenewise.tools.scene.pack import default_pack
from scenewise.tools.toolbox import changed_graph

SURE = Edge("item:a", "from_decade", "decade:1990s", "imdb", confidence=0.9)
UNSURE = Edge("item:a", "from_decade", "decade:1980s", "wikidata", confidence=0.6)
SEVERAL = [Edge("item:a", "in_genre", f"genre:{name}", "imdb") for name in ("crime", "noir")]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True, purpose="test") as opened:
        opened.items.upsert([Item(ItemId("a"), "movies", "Alpha"), Item(ItemId("b"), "movies", "Beta")])
        yield opened


def graph_of(store: Store) -> KnowledgeGraph:
    return KnowledgeGraph.from_store(store, Catalogue.from_store(store), default_pack())


def objects(graph: KnowledgeGraph, relation: str) -> list[str]:
    return [node for _, node, _ in graph.neighbours("item:a", relation)]


def updated(graph: KnowledgeGraph, store: Store, since: tuple[int, int]) -> KnowledgeGraph:
    changes = store.changes(*since)
    assert changes is not None
    return changed_graph(graph, store, Catalogue.from_store(store), changes)


def revisions(store: Store) -> tuple[int, int]:
    return store.revision("items"), store.revision("edges")


def test_the_graph_believes_one_source_and_the_store_keeps_both(store: Store) -> None:
    store.edges.add([SURE, UNSURE, *SEVERAL])
    graph = graph_of(store)
    assert objects(graph, "from_decade") == ["decade:1990s"]
    assert objects(graph, "in_genre") == ["genre:crime", "genre:noir"]
    assert {edge.object for edge in store.edges.of("item:a") if edge.relation == "from_decade"} == {"decade:1980s", "decade:1990s"}


def test_a_change_is_settled_as_a_graph_built_anew(store: Store) -> None:
    store.edges.add([UNSURE])
    graph, since = graph_of(store), revisions(store)
    assert objects(graph, "from_decade") == ["decade:1980s"]
    store.edges.add([SURE])
    graph, since = updated(graph, store, since), revisions(store)
    assert objects(graph, "from_decade") == objects(graph_of(store), "from_decade") == ["decade:1990s"]
    store.edges.close(SURE, 1_000.0)
    graph = updated(graph, store, since)
    assert objects(graph, "from_decade") == ["decade:1980s"]


def test_what_lost_does_not_come_back_when_its_other_end_is_read_anew(store: Store) -> None:
    store.edges.add([SURE, UNSURE])
    graph, since = graph_of(store), revisions(store)
    store.edges.add([Edge("decade:1980s", "related_to", "decade:1970s", "imdb")])
    graph = updated(graph, store, since)
    assert objects(graph, "from_decade") == ["decade:1990s"]
    assert store.edges.holding_at(["decade:1990s"], single=load_schema().singles) == [SURE]


def test_a_store_marks_relations_of_its_own(store: Store) -> None:
    table = 'version = 1\n[relations.tuned_to]\ndomain = ["item"]\nrange = ["value"]\nweight = 0.2\nsingle = true\n'
    (store.path / "graph.toml").write_text(table, encoding="utf-8")
    store.edges.add([Edge("item:a", "tuned_to", "value:d", "x", confidence=0.5), Edge("item:a", "tuned_to", "value:g", "y")])
    assert objects(graph_of(store), "tuned_to") == ["value:g"]
