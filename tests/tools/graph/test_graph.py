"""Seeds, candidates and names."""

import numpy as np
import pytest

from scenewise.store.errors import InputError
from scenewise.store.types import Edge, Event, Item, ItemId, Profile, Taste, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph
from scenewise.tools.graph.seeds import liked_items
from scenewise.tools.scene.pack import SceneDef

USER = UserId("u")


def make(item_id: str, title: str, domain: str = "movies", **attributes: tuple[str, ...]) -> Item:
    return Item(ItemId(item_id), domain, title, attributes=attributes)


def event(item_id: str, value: float | None, time_s: float, kind: str = "rating") -> Event:
    return Event(USER, ItemId(item_id), kind, value, time_s)


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    items = [
        make("a", "Alien", genre=("Sci-Fi",), mood=("tense",)),
        make("b", "Dune", "books", genre=("science fiction",), creator=("Frank Herbert",)),
        make("c", "Emma", "books", genre=("romance",), mood=("warm",), creator=("Jane Austen",)),
        make("d", "Persuasion", "books", genre=("romance",), mood=("warm",), creator=("Jane Austen",)),
        make("e", "Solaris", genre=("Sci-Fi",), mood=("quiet",)),
    ]
    scene = SceneDef("bedtime", "going to sleep", ("bedtime story",), domains={"books": 1.0}, prefer={"mood": ("warm",)})
    return KnowledgeGraph.build(Catalogue.from_items(items), [Edge("item:a", "directed_by", "entity:m.1", "t")], [scene])


def ids(candidates) -> list[str]:
    return [row.item_id for row in candidates]


def test_candidates_lie_near_the_seeds(graph):
    found = graph.candidates({"item:a": 1.0}, 2)
    assert set(ids(found)) == {"b", "e"}
    assert [row.source for row in found] == ["graph", "graph"]
    assert found.rows[0].score >= found.rows[1].score > 0
    assert {row.reason for row in found} == {"science fiction, like Alien"}


def test_only_allowed_items_and_none_of_the_excluded(graph):
    allowed = np.array([True, True, True, False, True])
    assert ids(graph.candidates({"creator:jane austen": 1.0}, 5, allowed=allowed))[0] == "c"
    assert "d" not in ids(graph.candidates({"creator:jane austen": 1.0}, 5, allowed=allowed))
    assert "c" not in ids(graph.candidates({"creator:jane austen": 1.0}, 5, exclude={ItemId("c")}))


def test_the_reason_names_the_seed_where_no_liked_item_explains(graph):
    found = graph.candidates({"creator:jane austen": 1.0}, 2)
    assert [(row.item_id, row.reason) for row in found] == [("c", "by Jane Austen"), ("d", "by Jane Austen")]


def test_wrong_shapes_are_refused(graph):
    with pytest.raises(InputError):
        graph.candidates({"item:a": 1.0}, 5, allowed=np.ones(3, dtype=np.bool_))
    with pytest.raises(InputError):
        graph.candidates({"item:a": 1.0}, 0)
    with pytest.raises(InputError):
        graph.display("genre:none such")


def test_seeds_weigh_recency_and_rating_and_leave_dislikes_out():
    history = [event("old", 5.0, 1.0), event("bad", 1.0, 2.0), event("new", 5.0, 3.0), event("fair", 4.0, 4.0)]
    weights = liked_items(history)
    assert list(weights) == ["fair", "new", "old"]
    assert weights["fair"] == pytest.approx(0.6)
    assert weights["new"] == pytest.approx(0.5 ** (1 / 50))
    assert weights["old"] == pytest.approx(0.5 ** (3 / 50))


def test_the_latest_event_of_an_item_decides():
    assert liked_items([event("x", 5.0, 1.0), event("x", None, 2.0, "dislike")]) == {}


def test_ratings_out_of_ten_are_read_on_their_own_scale():
    assert list(liked_items([event("good", 9.0, 1.0), event("poor", 4.0, 2.0)])) == ["good"]


def test_seeds_join_history_profile_and_scene(graph):
    profile = Profile(USER, likes=(Taste("genre", "Romance"), Taste("item", "b", 0.5)), dislikes=(Taste("mood", "tense"),))
    seeds = graph.seeds_from([event("a", 5.0, 1.0), event("e", 5.0, 2.0)], profile, "bedtime")
    assert set(seeds) == {"item:e", "genre:romance", "item:b", "scene:bedtime"}
    assert seeds["item:e"] == pytest.approx(1.0)
    assert seeds["genre:romance"] == pytest.approx(0.4)
    assert seeds["item:b"] == pytest.approx(0.2)
    assert seeds["scene:bedtime"] == pytest.approx(0.3)


def test_a_disliked_thing_is_no_seed_even_if_liked_elsewhere(graph):
    profile = Profile(USER, likes=(Taste("genre", "romance"),), dislikes=(Taste("genre", "Romance"), Taste("item", "c")))
    assert graph.seeds_from([event("c", 5.0, 1.0)], profile) == {}


def test_a_scene_alone_gives_candidates(graph):
    found = graph.candidates(graph.seeds_from([], Profile(USER), "bedtime"), 2)
    assert set(ids(found)) == {"c", "d"}


@pytest.mark.parametrize(
    ("kind", "value", "node"),
    [
        ("genre", "SCI-FI", "genre:science fiction"),
        ("genre", "science  fiction", "genre:science fiction"),
        ("creator", "Jane Austin", "creator:jane austen"),
        (None, "jane austen", "creator:jane austen"),
        (None, "frank herber", "creator:frank herbert"),
        ("creator", "Stephen King", None),
        ("genre", "Jane Austen", None),
        ("no such kind", "x", None),
        ("genre", "", None),
    ],
)
def test_names_are_found_through_aliases_and_near_spellings(graph, kind, value, node):
    assert graph.resolve(kind, value) == node


def test_kinds_and_relations_are_those_of_the_items(graph):
    assert graph.kinds == ("creator", "domain", "genre", "mood")
    assert graph.relations == ("created_by", "has_mood", "in_domain", "in_genre")


def test_shared_lists_the_telling_first(graph):
    assert graph.shared(ItemId("c"), ItemId("d"))[0] == ("created_by", "creator:jane austen", "Jane Austen")
    assert graph.shared(ItemId("a"), ItemId("zz")) == []
