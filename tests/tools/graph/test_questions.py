"""Patterns, their words, reasons, and bridges between domains."""

from __future__ import annotations

import numpy as np
import pytest

from scenewise.store.errors import InputError
from scenewise.store.types import Edge, Event, Item, ItemId, Profile, Taste, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph
from scenewise.tools.graph.patterns import Pattern, Step, find, matched
from scenewise.tools.graph.reading import describe_pattern, read_question, tells_more
from scenewise.tools.graph.reasons import bridges, reasons_for
from scenewise.tools.scene.pack import SceneDef

USER = UserId("u")


def make(item_id: str, title: str, domain: str = "movies", year: int | None = None, **attributes: tuple[str, ...]) -> Item:
    return Item(ItemId(item_id), domain, title, attributes=attributes, year=year)


ITEMS = [
    make("heat", "Heat", year=1995, genre=("Crime",)),
    make("insider", "The Insider", year=1999, genre=("Drama",)),
    make("mohicans", "The Last of the Mohicans", year=1992, genre=("Romance",)),
    make("alien", "Alien", year=1979, genre=("Sci-Fi",), mood=("tense",)),
    make("dune", "Dune", "books", 1965, genre=("science fiction",), creator=("Frank Herbert",), topic=("desert",)),
    make("dune-film", "Dune (1984)", year=1984, genre=("Sci-Fi",)),
    make("emma", "Emma", "books", 1815, genre=("romance",), creator=("Jane Austen",), topic=("love",)),
    make("bread", "Desert Bread", "recipes", topic=("desert",)),
    *(make(f"x{i}", f"Filler {i}", year=2010, genre=("Documentary",)) for i in range(12)),
]
EDGES = [
    *(Edge(f"item:{item}", "directed_by", "entity:m.mann", "freebase") for item in ("heat", "insider", "mohicans")),
    Edge("item:insider", "fits", "scene:weekend", "events", "9 of 12 choices, 4.5 expected, 7 people", 0.5),
    Edge("item:dune-film", "directed_by", "person:David Lynch", "freebase"),
    Edge("item:alien", "starring", "person:Sigourney Weaver", "freebase"),
]
SCENES = [
    SceneDef("date night", "two people", ("a date",), domains={"movies": 1.7, "books": 0.4}, prefer={"genre": ("Romance",)}),
    SceneDef("weekend", "two free days", ("a weekend",)),
]


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return KnowledgeGraph.build(Catalogue.from_items(ITEMS), EDGES, SCENES)


def ids(graph: KnowledgeGraph, question: str) -> list[str]:
    return [found.item_id for found in find(graph, read_question(graph, question))]


def test_a_pattern_is_walked_step_by_step_and_filtered(graph):
    chain = (Step(("directed_by",)), Step(("directed_by",), "item"))
    assert [one.item_id for one in find(graph, Pattern("item:heat", chain))] == ["insider", "mohicans"]
    (found,) = find(graph, Pattern("item:heat", chain, domain="movies", scene="scene:date night"))
    assert found.nodes == ("item:heat", "entity:m.mann", "item:mohicans")
    assert found.relations == ("directed_by", "directed_by")


def test_a_pattern_without_a_start_is_about_all_items(graph):
    assert matched(graph, Pattern()).all()
    assert [one.item_id for one in find(graph, Pattern(domain="recipes"))] == ["bread"]
    assert not np.any(matched(graph, Pattern("person:nobody", (Step((), "item"),))))


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("films by the director of Heat that fit a date night", ["mohicans"]),
        ("Show me movies by the same director as The Insider?", ["heat", "mohicans"]),
        ("films by the director of The Last of the Mohicans", ["heat", "insider"]),
        ("anything that fits a weekend", ["insider"]),
        ("films directed by David Lynch", ["dune-film"]),
        ("books by Jane Austen", ["emma"]),
        ("books by jane austin", ["emma"]),
        ("books about love", ["emma"]),
        ("something about desert", ["bread", "dune"]),
        ("sci-fi films", ["alien", "dune-film"]),
        ("science fiction books", ["dune"]),
        ("films like Alien", ["dune-film"]),
        ("anything like Alien", ["dune", "dune-film"]),
        ("films with Sigourney Weaver", ["alien"]),
        ("science fiction films from the 1970s", ["alien"]),
        ("films from the 90s by the director of Heat", ["insider", "mohicans"]),
        ("recipes about desert", ["bread"]),
        ("films for a date night", ["mohicans"]),
    ],
)
def test_questions_in_words(graph, question, found):
    assert ids(graph, question) == found


@pytest.mark.parametrize(
    "question",
    [
        *("", "films", "hello", "films by the moon", "films by the director of Nothing At All", "books by the plumber of Dune"),
        *(
            "films that fit a moon landing",
            "why?",
            "films from the 18s",
            "DROP TABLE items",
            "films by",
            "films by the director of Heat and a poodle",
        ),
        *("purple films", "films " * 500, "\x00", "电影", "films by the director of the director of Heat"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_can(graph, question):
    with pytest.raises(InputError, match="films by the director of Heat"):
        read_question(graph, question)


def test_a_pattern_says_how_it_was_understood(graph):
    pattern = read_question(graph, "films by the director of Heat that fit a date night")
    assert describe_pattern(graph, pattern) == "movies; Heat - directed by - any - directed by, created by - item; fits date night"
    assert tells_more(pattern)
    assert not tells_more(read_question(graph, "books by Jane Austen"))


def test_a_user_a_scene_and_an_item_are_joined_by_readable_ways(graph):
    history = [Event(USER, ItemId("heat"), "like", None, 1.0)]
    ways = reasons_for(graph, ItemId("insider"), history=history, profile=Profile(USER), scene="weekend")
    assert [(way.nodes[0], way.sentence) for way in ways] == [
        ("item:heat", "by the same director as Heat"),
        ("scene:weekend", "chosen for weekend 2.0 times as often as by chance"),
    ]
    assert ways[1].relations == ("fits",)


def test_a_stated_like_and_a_scenes_wish_are_ways_too(graph):
    profile = Profile(USER, likes=(Taste("genre", "romance"),))
    ways = reasons_for(graph, ItemId("mohicans"), profile=profile, scene="date night")
    assert {way.sentence for way in ways} == {"romance, which you like", "romance, which suits date night"}
    liked = next(way for way in ways if way.nodes[0] == "user")
    assert liked.nodes == ("user", "genre:romance", "item:mohicans")
    assert liked.relations == ("likes", "in_genre")
    assert "user" not in graph
    with pytest.raises(InputError):
        reasons_for(graph, ItemId("nowhere"), profile=profile)


def test_nothing_in_common_gives_no_way(graph):
    assert reasons_for(graph, ItemId("bread"), profile=Profile(USER), scene="date night") == []


def test_bridges_lead_to_other_kinds_of_items(graph):
    found = bridges(graph, [ItemId("alien")])
    (book,) = found["books"]
    assert (book.item_id, book.path.sentence) == ("dune", "science fiction, like Alien")
    (recipe,) = found["recipes"]
    assert recipe.path.nodes[0] == "item:alien"
    assert recipe.path.nodes[-1] == "item:bread"
    assert recipe.path.sentence == "about desert, like Dune, which is science fiction, like Alien"
    assert "movies" not in found
    assert list(bridges(graph, [ItemId("alien")], ["books"])) == ["books"]


def test_bridges_from_nothing_or_to_nowhere_are_refused(graph):
    with pytest.raises(InputError, match="None of these"):
        bridges(graph, [ItemId("nowhere")])
    with pytest.raises(InputError, match="books, movies, recipes"):
        bridges(graph, [ItemId("alien")], ["shoes"])
