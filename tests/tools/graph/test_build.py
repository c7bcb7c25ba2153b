"""Building the graph: nodes, aliases, entities, scenes."""

from dataclasses import dataclass, field

import pytest

from scenewise.store.types import Edge, Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph
from scenewise.tools.graph.aliases import load_aliases
from scenewise.tools.graph.schema import load_schema


@dataclass(frozen=True)
class OneScene:
    name: str
    domains: dict[str, float] = field(default_factory=dict)
    prefer: dict[str, tuple[str, ...]] = field(default_factory=dict)


def make(item_id: str, title: str = "", domain: str = "movies", year: int | None = None, **attributes: tuple[str, ...]) -> Item:
    return Item(ItemId(item_id), domain, title or item_id, attributes=attributes, year=year)


def build(items, edges=(), scenes=()) -> KnowledgeGraph:
    return KnowledgeGraph.build(Catalogue.from_items(items), edges, scenes)


def fact(subject: str, relation: str, obj: str, confidence: float = 1.0) -> Edge:
    return Edge(subject, relation, obj, "test", confidence=confidence)


def test_an_items_data_becomes_edges():
    graph = build([make("1", "Fargo", year=1996, genre=("Crime",), creator=("Joel Coen",), mood=("dark",), topic=("money",))])
    assert graph.neighbours("item:1") == [
        ("about", "topic:money", "money"),
        ("created_by", "creator:joel coen", "Joel Coen"),
        ("from_decade", "decade:1990s", "1990s"),
        ("has_mood", "mood:dark", "dark"),
        ("in_domain", "domain:movies", "movies"),
        ("in_genre", "genre:crime", "Crime"),
    ]


def test_any_other_attribute_gets_a_relation_of_its_own():
    graph = build([make("1", domain="workouts", level=("Beginner",))])
    assert graph.neighbours("item:1", "has_level") == [("has_level", "level:beginner", "Beginner")]


def test_values_that_differ_in_case_are_one_node_with_the_usual_spelling():
    graph = build([make("1", genre=("Noir",)), make("2", genre=("noir",)), make("3", genre=("noir",))])
    assert graph.neighbours("genre:noir", "in_genre") == [("in_genre", f"item:{n}", str(n)) for n in (1, 2, 3)]
    assert graph.display("genre:noir") == "noir"


@pytest.mark.parametrize(
    ("film", "elsewhere"),
    [("Sci-Fi", "science fiction"), ("Children's", "children's"), ("Film-Noir", "noir"), ("Musical", "musical")],
)
def test_film_genres_meet_their_names_in_other_domains(film, elsewhere):
    graph = build([make("film", genre=(film,)), make("book", domain="books", genre=(elsewhere,))])
    assert [node for _, node, _ in graph.shared(ItemId("film"), ItemId("book"))] == [f"genre:{elsewhere}"]
    assert graph.display(f"genre:{elsewhere}").casefold() == elsewhere


def test_related_nodes_are_joined_only_where_both_exist():
    joined = build([make("1", genre=("Film-Noir",)), make("2", genre=("crime",))])
    assert joined.neighbours("genre:noir", "related_to") == [("related_to", "genre:crime", "crime")]
    assert build([make("1", genre=("Film-Noir",))]).neighbours("genre:noir", "related_to") == []


def test_a_nameless_entity_is_kept_only_if_two_items_share_it():
    items = [make("1"), make("2")]
    edges = [fact("item:1", "directed_by", "entity:m.a"), fact("item:2", "directed_by", "entity:m.a")]
    edges += [fact("item:1", "starring", "entity:m.b"), fact("item:9", "starring", "entity:m.b")]
    graph = build(items, edges)
    assert "entity:m.a" in graph.graph
    assert "entity:m.b" not in graph.graph
    assert "item:9" not in graph.graph


def test_a_stored_fact_with_a_name_meets_the_items_own_value():
    graph = build([make("1", creator=("Joel Coen",)), make("2")], [fact("item:2", "created_by", "creator:JOEL  Coen")])
    assert graph.neighbours("creator:joel coen") == [("created_by", "item:1", "1"), ("created_by", "item:2", "2")]


def test_the_same_fact_twice_is_one_edge_with_the_higher_confidence():
    graph = build([make("1")], [fact("item:1", "about", "topic:ice", 0.3), fact("item:1", "about", "topic:ice", 0.8)])
    assert graph.graph.edges["item:1", "topic:ice", "about"]["confidence"] == 0.8


def test_a_fact_without_any_confidence_is_left_out():
    assert "topic:ice" not in build([make("1")], [fact("item:1", "about", "topic:ice", 0.0)]).graph


def test_a_scene_points_at_what_it_prefers_and_suits_if_that_exists():
    scene = OneScene("date_night", {"movies": 1.0, "apps": 0.0, "books": 0.5}, {"mood": ("Romantic", "absent")})
    graph = build([make("1", mood=("romantic",)), make("2", domain="books")], scenes=[scene])
    assert graph.neighbours("scene:date_night") == [
        ("prefers", "mood:romantic", "romantic"),
        ("suits", "domain:books", "books"),
        ("suits", "domain:movies", "movies"),
    ]


def test_an_empty_catalogue_makes_an_empty_graph():
    graph = build([])
    assert graph.kinds == ()
    assert graph.relations == ()
    assert len(graph.candidates({"genre:noir": 1.0}, 5)) == 0


def test_alias_table_is_folded_and_one_step_deep():
    aliases = load_aliases()
    for table in aliases.same.values():
        for name, canonical in table.items():
            assert name == name.casefold()
            assert table.get(canonical, canonical) == canonical
    for left, right in aliases.related:
        assert aliases.canonical(*left.split(":")) == left.split(":")[1]
        assert aliases.canonical(*right.split(":")) == right.split(":")[1]


def test_relation_weights_are_shares():
    assert all(0 < relation.weight <= 1 for relation in load_schema().relations.values())
