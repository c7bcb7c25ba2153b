"""What leaves the graph: networkx, GraphML, JSON-LD, Parquet, a picture."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import networkx as nx
import polars as pl
import pytest

from scenewise.store.errors import InputError
from scenewise.store.types import Edge, Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph
from scenewise.tools.graph.export import export
from scenewise.tools.graph.picture import draw

TITLES = {
    "latin": "Amélie & <b>Zoë</b>",
    "chinese": "卧虎藏龙",
    "arabic": "وجدة",
    "cyrillic": "Сталкер",
    "devanagari": "लगान",
    "evil": '</script><script>alert("x")</script><!-- \u2028 ]]> \x01',
}
NAMED = {name: title.replace("\x01", "\ufffd") for name, title in TITLES.items()}


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    items = [Item(ItemId(name), "movies", title, attributes={"topic": ("ice & snow",)}) for name, title in TITLES.items()]
    edges = [Edge(f"item:{name}", "directed_by", "entity:m.1", "free<base>", confidence=0.8) for name in ("latin", "evil")]
    return KnowledgeGraph.build(Catalogue.from_items(items), edges)


def test_networkx_whole_and_around_a_node(graph):
    assert graph.graph.number_of_nodes() == graph.n_nodes == len(TITLES) + 3
    assert graph.graph.number_of_edges() == graph.n_edges == 2 * len(TITLES) + 2
    assert graph.graph.edges["item:latin", "entity:m.1", "directed_by"] == {"confidence": 0.8, "source": "free<base>"}
    near = graph.around("entity:m.1")
    assert set(near) == {"entity:m.1", "item:latin", "item:evil"}
    assert near.nodes["entity:m.1"] == {"kind": "entity", "display": "m.1", "named": False}
    assert graph.around("entity:m.1", 2).number_of_nodes() == 5
    assert graph.around("item:latin", 4, limit=3).number_of_nodes() == 3
    assert graph.around("item:nowhere").number_of_nodes() == 0


def test_graphml_comes_back_with_every_name_and_fact(graph, tmp_path: Path):
    (written,) = export(graph, tmp_path / "g.graphml")
    back = nx.read_graphml(written, force_multigraph=True)
    assert {data["name"] for node, data in back.nodes(data=True) if node.startswith("item:")} == set(NAMED.values())
    assert back.number_of_edges() == graph.n_edges
    told = [data for start, end, data in back.edges(data=True) if end == "entity:m.1"]
    assert {(data["relation"], data["source"], data["confidence"]) for data in told} == {("directed_by", "free<base>", 0.8)}


def test_json_ld_has_nodes_links_and_statements(graph, tmp_path: Path):
    (written,) = export(graph, tmp_path / "g.jsonld")
    parts = json.loads(written.read_text(encoding="utf-8"))["@graph"]
    nodes = {part["@id"]: part for part in parts if "@id" in part}
    assert nodes["urn:scenewise:item:chinese"]["name"] == "卧虎藏龙"
    assert nodes["urn:scenewise:item:latin"]["about"] == [{"@id": "urn:scenewise:topic:ice%20%26%20snow"}]
    facts = [part for part in parts if part["@type"] == "rdf:Statement"]
    assert len(facts) == graph.n_edges
    assert all(fact[f"rdf:{end}"]["@id"] in nodes for fact in facts for end in ("subject", "object"))


def test_parquet_holds_nodes_and_edges(graph, tmp_path: Path):
    nodes, edges = export(graph, tmp_path / "g.parquet")
    assert (nodes.name, edges.name) == ("g.nodes.parquet", "g.edges.parquet")
    assert set(pl.read_parquet(nodes)["name"]) >= set(TITLES.values())
    assert pl.read_parquet(edges).filter(pl.col("object") == "entity:m.1")["confidence"].to_list() == [0.8, 0.8]


def test_an_unknown_format_is_refused_and_a_failed_export_leaves_what_was_there(graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InputError, match="graphml, jsonld, parquet"):
        export(graph, tmp_path / "g.csv")
    (written,) = export(graph, tmp_path / "g.csv", "jsonld")
    before = written.read_bytes()
    monkeypatch.setattr("scenewise.tools.graph.export._jsonld_facts", lambda graph: iter([1 / 0]) if False else (1 / n for n in (0,)))
    with pytest.raises(ZeroDivisionError):
        export(graph, written, "jsonld")
    assert written.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["g.csv"]


class Page(HTMLParser):
    """What a browser makes of a page: its elements, what they load, and the data script's text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.data = ""
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [str(value) for name, value in attrs if name in ("src", "href", "action", "data")]
        self._inside = ("id", "data") in attrs

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.data += data


def test_a_picture_is_one_page_that_loads_nothing_and_that_no_name_can_break(graph):
    text = draw(graph, "item:evil")
    page = Page(text)
    assert page.tags.count("script") == 2
    assert page.loads == []
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", text)
    data = json.loads(page.data)
    assert {node["name"] for node in data["nodes"] if node["kind"] == "item"} == set(TITLES.values())
    assert "director" in {node["name"] for node in data["nodes"]}  # what an identifier is to those around it
    assert {edge["source"] for edge in data["edges"]} == {"catalogue", "free<base>"}
    assert [node["name"] for node in data["nodes"] if node["start"]] == [TITLES["evil"]]


def test_a_picture_is_of_a_known_node_and_not_too_large(graph):
    assert len(json.loads(Page(draw(graph, "topic:ice & snow", limit=4)).data)["nodes"]) == 4
    with pytest.raises(InputError):
        draw(graph, "item:nowhere")
    with pytest.raises(InputError):
        draw(graph, "item:evil", limit=1_000)
