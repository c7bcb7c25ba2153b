"""A graph after any changes answers as one built anew, and the one before it still answers as before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewise.store.types import Edge, Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph, walks
from scenewise.tools.graph import change as changes

IDS = ("a", "b", "c", "d", "e")
NODES = ("entity:m.1", "entity:m.2", "person:Ann", "person:ANN", "topic:ice", "genre:Noir", "genre:crime", "scene:party", "scene:rest")
RELATIONS = ("about", "starring", "in_domain", "related_to", "sequel", "prefers")
SOURCES = ("s1", "s2")


@dataclass(frozen=True)
class OneScene:
    name: str
    domains: dict[str, float] = field(default_factory=dict)
    prefer: dict[str, tuple[str, ...]] = field(default_factory=dict)


SCENES = (OneScene("party", {"movies": 1.0, "books": 0.5}, {"mood": ("loud", "funny"), "genre": ("noir",)}),)


def make(item_id: str, domain: str, year: int | None, genre: tuple[str, ...], mood: tuple[str, ...]) -> Item:
    return Item(ItemId(item_id), domain, f"{item_id.upper()} {domain}", attributes={"genre": genre, "mood": mood}, year=year)


items_of = st.builds(
    make,
    st.sampled_from(IDS),
    st.sampled_from(("movies", "books")),
    st.sampled_from((None, 1994, 2001)),
    st.lists(st.sampled_from(("Noir", "NOIR", "noir", "Film-Noir", "Crime", "thriller")), max_size=2).map(tuple),
    st.lists(st.sampled_from(("loud", "Loud", "dark")), max_size=2).map(tuple),
)
ends = st.sampled_from([*(f"item:{item_id}" for item_id in IDS), "item:zz", *NODES])
edges_of = st.builds(
    Edge,
    ends,
    st.sampled_from(RELATIONS),
    ends,
    st.sampled_from(SOURCES),
    confidence=st.sampled_from((0.0, 0.4, 0.8, 1.0)),
    valid_to_s=st.sampled_from((None, None, None, 5.0)),
)
steps_of = st.tuples(st.lists(items_of, max_size=2), st.sets(st.sampled_from(IDS), max_size=1), st.lists(edges_of, max_size=4))


class World:
    """The truth: items and facts, and which of them a change would hand over."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.edges: dict[tuple[str, str, str, str], Edge] = {}

    def graph(self) -> KnowledgeGraph:
        held = (edge for edge in self.edges.values() if edge.valid_to_s is None)
        return KnowledgeGraph.build(self.catalogue(), held, SCENES)

    def catalogue(self) -> Catalogue:
        return Catalogue.from_items(self.items.values())

    def step(self, graph: KnowledgeGraph, items: Iterable[Item], removed: Iterable[str], edges: Iterable[Edge]) -> KnowledgeGraph:
        new = {item.item_id: item for item in items}
        gone = {ItemId(one) for one in removed if one in self.items and one not in new}
        self.items = {name: item for name, item in {**self.items, **new}.items() if name not in gone}
        nodes = {f"item:{item_id}" for item_id in new}
        for edge in edges:
            self.edges[edge.subject, edge.relation, edge.object, edge.source] = edge
            nodes |= {edge.subject, edge.object}
        alike = {self.canonical(node) for node in nodes}
        held = [edge for edge in self.edges.values() if edge.valid_to_s is None]
        touching = [edge for edge in held if {self.canonical(edge.subject), self.canonical(edge.object)} & alike]
        others = [node for node in nodes if node[5:] not in new or not node.startswith("item:")]
        return graph.changed(self.catalogue(), new.values(), gone, touching, nodes=others)

    @staticmethod
    def canonical(node: str) -> str:
        return node if node.startswith(("item:", "entity:")) else node.casefold()


def assert_alike(graph: KnowledgeGraph, anew: KnowledgeGraph) -> None:
    names = sorted(map(anew.facts.name, anew.facts.nodes()))
    assert sorted(map(graph.facts.name, graph.facts.nodes())) == names
    for name in names:
        assert graph.neighbours(name) == anew.neighbours(name)
        assert graph.display(name) == anew.display(name)
        assert graph.facts.rarity(graph.facts.find(name)) == anew.facts.rarity(anew.facts.find(name))  # type: ignore[arg-type]
    assert (graph.kinds, graph.relations, graph.n_edges) == (anew.kinds, anew.relations, anew.n_edges)
    ids = [item.item_id for item in anew.catalogue.items]
    for item_id in ids:
        assert graph.path([one for one in ids if one != item_id], item_id) == anew.path([one for one in ids if one != item_id], item_id)
    for seeds in ({f"item:{ids[0]}": 1.0} if ids else {}, {"scene:party": 1.0, "genre:noir": 0.5}):
        found, wanted = graph.candidates(seeds, 5), anew.candidates(seeds, 5)
        assert [(row.item_id, row.reason) for row in found] == [(row.item_id, row.reason) for row in wanted]
        assert [row.score for row in found] == pytest.approx([row.score for row in wanted], abs=2e-12)


@settings(deadline=None, max_examples=30)
@given(steps=st.lists(steps_of, min_size=1, max_size=5), compact=st.booleans())
def test_after_any_changes_a_graph_answers_as_one_built_anew(steps, compact):
    with pytest.MonkeyPatch.context() as patch:
        if compact:
            patch.setattr(changes, "MOST_ROWS", 3)
        world = World()
        graph = world.graph()
        for items, removed, edges in steps:
            before, was = graph, {name: graph.neighbours(name) for name in map(graph.facts.name, graph.facts.nodes())}
            graph = world.step(graph, items, removed, edges)
            assert_alike(graph, world.graph())
            assert {name: before.neighbours(name) for name in map(before.facts.name, before.facts.nodes())} == was


@settings(deadline=None, max_examples=60)
@given(steps=st.lists(steps_of, min_size=1, max_size=6), walked=st.integers(1, 3))
def test_the_weights_carried_over_changes_are_those_made_anew(steps, walked):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, "MOST_CHANGED", 1)
        world = World()
        graph = world.graph()
        before = graph.walker
        for number, step in enumerate(steps):
            graph = world.step(graph, *step)
            assert walks.changed_rows(before.facts, graph.facts) is not None
            if number % walked == 0:
                anew, before = walks.Walker(graph.facts), graph.walker
                assert (before.weights != anew.weights).nnz == 0
                seeds = {"item:a": 1.0, "genre:noir": 0.5, "scene:party": 1.0}
                assert before.rank(seeds).tolist() == anew.rank(seeds).tolist()


def test_after_a_large_change_all_weights_are_read_anew() -> None:
    world = World()
    graph = world.graph()
    after = world.step(graph, [make(f"n{number}", "movies", 1990, ("noir",), ()) for number in range(40)], [], [])
    assert walks.changed_rows(graph.facts, after.facts) is None


def catalogue(*items: Item) -> Catalogue:
    return Catalogue.from_items(items)


A, B = make("a", "movies", 1994, ("Noir",), ()), make("b", "movies", None, ("noir",), ("dark",))


def test_an_item_that_comes_is_found_and_one_that_goes_is_not() -> None:
    graph = KnowledgeGraph.build(catalogue(A))
    more = graph.changed(catalogue(A, B), [B], [], [])
    assert [row.item_id for row in more.candidates({"item:a": 1.0}, 3)] == ["b"]
    assert len(graph.candidates({"item:a": 1.0}, 3)) == 0
    less = more.changed(catalogue(B), [], [ItemId("a")], [])
    assert "item:a" not in less
    assert less.neighbours("genre:noir", "in_genre") == [("in_genre", "item:b", "B movies")]
    assert less.display("genre:noir") == "noir"


def test_a_fact_that_holds_no_longer_is_gone_and_one_that_ends_later_is_there() -> None:
    held = Edge("item:a", "about", "topic:ice", "s")
    graph = KnowledgeGraph.build(catalogue(A), [held])
    ending = Edge("item:a", "about", "topic:ice", "s", valid_to_s=9.0)
    assert "topic:ice" in graph
    assert "topic:ice" in graph.changed(catalogue(A), [A], [], [ending])
    assert "topic:ice" not in graph.changed(catalogue(A), [A], [], [])
    assert "topic:ice" not in graph.changed(catalogue(A), [], [], [], nodes=["item:a", "topic:ice"])


def test_a_nameless_node_comes_alive_with_its_second_item() -> None:
    first = Edge("item:a", "starring", "entity:m.1", "s")
    graph = KnowledgeGraph.build(catalogue(A), [first])
    assert "entity:m.1" not in graph
    more = graph.changed(catalogue(A, B), [B], [], [Edge("item:b", "starring", "entity:m.1", "s")])
    assert more.neighbours("entity:m.1", "starring") == [("starring", "item:a", "A movies"), ("starring", "item:b", "B movies")]


def test_a_scene_points_at_what_comes_and_no_longer_at_what_goes() -> None:
    graph = KnowledgeGraph.build(catalogue(A), [], SCENES)
    loud = make("l", "books", None, (), ("Loud",))
    more = graph.changed(catalogue(A, loud), [loud], [], [])
    assert more.neighbours("scene:party", "prefers") == [("prefers", "genre:noir", "Noir"), ("prefers", "mood:loud", "Loud")]
    less = more.changed(catalogue(A), [], [loud.item_id], [])
    assert less.neighbours("scene:party") == graph.neighbours("scene:party")


def test_many_changes_are_laid_out_anew_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_ROWS", 10)
    world = World()
    graph = world.graph()
    for number in range(60):
        graph = world.step(graph, [make(f"n{number:02}", "movies", 1990, ("noir",), (f"mood {number}",))], [], [])
        assert len(graph.facts.rows) <= 12
    assert len(graph.candidates({"genre:noir": 1.0}, 100)) == 60
    assert_alike(graph, world.graph())
