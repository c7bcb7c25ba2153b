"""Paths from liked items to a candidate, and their words."""

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.types import Edge, Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph


def make(item_id: str, title: str, year: int | None = None, domain: str = "movies", **attributes: tuple[str, ...]) -> Item:
    return Item(ItemId(item_id), domain, title, attributes=attributes, year=year)


def build(items, edges=()) -> KnowledgeGraph:
    return KnowledgeGraph.build(Catalogue.from_items(items), [Edge(*edge, "test") for edge in edges])


def filler(n: int = 20) -> list[Item]:
    return [make(f"x{i}", f"Filler {i}", genre=("Drama",)) for i in range(n)]


def sentence(graph: KnowledgeGraph, liked: list[str], item_id: str, **options) -> str | None:
    path = graph.path([ItemId(item) for item in liked], ItemId(item_id), **options)
    return path.sentence if path else None


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ([("item:a", "directed_by", "entity:m.1"), ("item:b", "directed_by", "entity:m.1")], "by the same director as Fargo"),
        ([("item:a", "written_by", "entity:m.1"), ("item:b", "written_by", "entity:m.1")], "by the same writer as Fargo"),
        ([("item:a", "starring", "entity:m.1"), ("item:b", "starring", "entity:m.1")], "shares an actor with Fargo"),
        ([("item:a", "directed_by", "entity:m.1"), ("item:b", "written_by", "entity:m.1")], "written by the director of Fargo"),
        (
            [("item:a", "directed_by", "entity:m.1"), ("item:b", "starring", "entity:m.1")],
            "has the director of Fargo among its stars",
        ),
        ([("item:a", "starring", "entity:m.1"), ("item:b", "directed_by", "entity:m.1")], "directed by a star of Fargo"),
        ([("item:a", "about", "entity:m.1"), ("item:b", "about", "entity:m.1")], "about the same subject as Fargo"),
        ([("item:a", "company", "entity:m.1"), ("item:b", "company", "entity:m.1")], "has the same production company as Fargo"),
        (
            [("item:a", "directed_by", "person:Joel Coen"), ("item:b", "directed_by", "person:Joel Coen")],
            "directed by Joel Coen, like Fargo",
        ),
        (
            [("item:a", "starring", "person:Frances"), ("item:b", "starring", "person:Frances")],
            "shares an actor, Frances, with Fargo",
        ),
        ([("item:a", "sequel", "item:b")], "from the same series as Fargo"),
        ([("item:b", "sequel", "item:a")], "from the same series as Fargo"),
        ([("item:b", "inspired_by", "item:a")], "inspired by Fargo"),
        ([("item:a", "inspired_by", "item:b")], "connected with Fargo"),
    ],
)
def test_words_for_stored_facts(edges, words):
    assert sentence(build([make("a", "Fargo"), make("b", "Other"), *filler()], edges), ["a"], "b") == words


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("creator", "Joel Coen", "by Joel Coen, like Fargo"),
        ("genre", "Sci-Fi", "science fiction, like Fargo"),
        ("genre", "Crime", "crime, like Fargo"),
        ("topic", "space", "about space, like Fargo"),
        ("mood", "dark", "dark, like Fargo"),
        ("level", "beginner", "shares its level, beginner, with Fargo"),
    ],
)
def test_words_for_attributes(attribute, value, words):
    graph = build([make("a", "Fargo", **{attribute: (value,)}), make("b", "Other", **{attribute: (value,)}), *filler()])
    assert sentence(graph, ["a"], "b") == words


def test_the_rare_beats_the_common():
    items = [
        make("a", "Fargo", genre=("Drama",), topic=("ice",)),
        make("b", "Other", genre=("Drama",), topic=("ice",)),
        *filler(),
    ]
    path = build(items).path([ItemId("a")], ItemId("b"))
    assert path is not None
    assert path.nodes == ("item:a", "topic:ice", "item:b")
    assert path.relations == ("about", "about")
    # idf = log(23/3) / log(23), weight of "about" is 0.8
    assert path.strength == pytest.approx(0.8 * 0.64962, abs=1e-4)


def test_the_first_liked_item_wins_among_equals():
    items = [make(letter, f"Film {letter}", topic=("ice",)) for letter in "abc"]
    assert sentence(build([*items, *filler()]), ["b", "a"], "c") == "about ice, like Film b"


def test_taste_in_films_reaches_books_and_music():
    items = [make("a", "Alien", genre=("Sci-Fi",)), make("b", "Dune", domain="books", genre=("science fiction",)), *filler()]
    assert sentence(build(items), ["a"], "b") == "science fiction, like Alien"


def test_a_close_node_serves_where_nothing_is_shared():
    items = [make("a", "Laura", genre=("Film-Noir",)), make("b", "Heat", genre=("crime",)), *filler()]
    graph = build(items)
    path = graph.path([ItemId("a")], ItemId("b"))
    assert path is not None
    assert path.relations == ("in_genre", "related_to", "in_genre")
    assert path.sentence == "crime, close to noir, the genre of Laura"
    assert graph.path([ItemId("a")], ItemId("b"), max_hops=2) is None


def test_an_item_in_the_middle_serves_where_nothing_is_shared():
    items = [make("a", "Alpha"), make("m", "Middle", topic=("ice",)), make("b", "Beta", topic=("ice",)), *filler()]
    edges = [("item:a", "directed_by", "entity:m.1"), ("item:m", "directed_by", "entity:m.1")]
    path = build(items, edges).path([ItemId("a")], ItemId("b"))
    assert path is not None
    assert path.nodes == ("item:a", "entity:m.1", "item:m", "topic:ice", "item:b")
    assert path.sentence == "about ice, like Middle, which is by the same director as Alpha"
    assert build(items, edges).path([ItemId("a")], ItemId("b"), max_hops=3) is None


def test_nothing_in_common_and_the_same_domain_is_no_path():
    graph = build([make("a", "Alpha"), make("b", "Beta")])
    assert graph.path([ItemId("a")], ItemId("b")) is None


def test_unknown_items_and_the_item_itself_give_no_path():
    graph = build([make("a", "Alpha", genre=("Drama",)), make("b", "Beta", genre=("Drama",))])
    assert graph.path([ItemId("nowhere"), ItemId("b")], ItemId("b")) is None
    assert graph.path([ItemId("a")], ItemId("nowhere")) is None
    assert graph.path([], ItemId("a")) is None


def test_chinese_words():
    edges = [("item:a", "directed_by", "entity:m.1"), ("item:b", "directed_by", "entity:m.1")]
    assert sentence(build([make("a", "Fargo"), make("b", "Other"), *filler()], edges), ["a"], "b", locale="zh") == "与《Fargo》有同一位导演"
    named = build([make("a", "英雄", topic=("武术",)), make("b", "卧虎藏龙", topic=("武术",)), *filler()])
    assert sentence(named, ["a"], "b", locale="zh") == "与《英雄》有相同的主题：武术"


values = st.sets(st.sampled_from(["ice", "war", "love", "noir", "Sci-Fi"]), max_size=3).map(tuple)


@given(st.lists(st.tuples(values, values, st.integers(1980, 2005)), min_size=2, max_size=8))
def test_every_path_exists_in_the_graph_and_names_a_liked_item(shapes):
    items = [make(str(i), f"T{i}", year=year, genre=genre, topic=topic) for i, (genre, topic, year) in enumerate(shapes)]
    graph = build(items)
    undirected = nx.Graph(graph.graph)
    liked = [item.item_id for item in items[1:]]
    path = graph.path(liked, ItemId("0"))
    if path is None:
        assert not any(graph.shared(ItemId("0"), other) for other in liked if graph.path([other], ItemId("0")))
        return
    assert path.nodes[-1] == "item:0"
    assert path.nodes[0].removeprefix("item:") in liked
    assert len(path.relations) == len(path.nodes) - 1 <= 4
    assert 0 <= path.strength <= 1
    assert all(undirected.has_edge(*pair) for pair in zip(path.nodes, path.nodes[1:], strict=False))
    assert graph.display(path.nodes[0]) in path.sentence
