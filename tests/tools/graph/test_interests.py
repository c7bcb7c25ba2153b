"""What a user likes, and what fits a scene."""

from __future__ import annotations

import pytest

from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, Moment, Profile, Taste, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph
from scenewise.tools.graph.fits import fit_edges
from scenewise.tools.graph.interests import Interest
from scenewise.tools.scene.pack import default_pack

USER = UserId("u")
PHONE, TV = Moment(device="phone"), Moment(device="tv")


def make(item_id: str, *genres: str) -> Item:
    return Item(ItemId(item_id), "movies", item_id.upper(), attributes={"genre": genres}, year=1994)


ITEMS = [*(make(f"noir{i}", "Noir", "Crime") for i in range(4)), *(make(f"war{i}", "War") for i in range(4)), make("both", "Noir", "War")]


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return KnowledgeGraph.build(Catalogue.from_items(ITEMS))


def liked(*ids: str, value: float = 5.0) -> list[Event]:
    return [Event(USER, ItemId(item_id), "rating", value, float(at)) for at, item_id in enumerate(ids)]


def named(found: list[Interest]) -> list[str]:
    return [one.display for one in found]


def test_what_stands_behind_the_choices_is_liked_and_what_everything_has_is_not(graph):
    found = graph.interests(liked("noir0", "noir1", "noir2"), Profile(USER))
    assert named(found) == ["Crime", "Noir"]  # rarer among all items first; the decade and the kind say nothing
    crime = found[0]
    # share 1, chance 4/9, three items: (1 - 4/9) / (1 - 4/9) * 3/5
    assert (crime.strength, crime.items, crime.last_s, crime.source) == (pytest.approx(0.6), 3, 2.0, "history")
    assert found[1].strength == pytest.approx(0.6)


def test_two_items_are_no_taste(graph):
    assert graph.interests(liked("noir0", "noir1"), Profile(USER)) == []


def test_what_is_disliked_counts_against_it(graph):
    history = [*liked("noir0", "noir1", "noir2", "both"), *liked("war0", "war1", "war2", value=1.0)]
    assert "War" not in named(graph.interests(history, Profile(USER)))
    against = graph.interests([*liked("noir0", "noir1", "noir2"), *liked("noir3", value=1.0)], Profile(USER))
    assert against[0].strength < 0.6


def test_the_latest_choices_weigh_more():
    among_many = KnowledgeGraph.build(Catalogue.from_items([*ITEMS, *(make(f"other{i}", "Drama") for i in range(30))]))
    ids = [*(f"war{i}" for i in range(3)), *(f"noir{i}" for i in range(3))]
    strength = {one.display: one.strength for one in among_many.interests(liked(*ids), Profile(USER))}
    assert strength["Noir"] > strength["War"] > 0
    again = {one.display: one.strength for one in among_many.interests(liked(*reversed(ids)), Profile(USER))}
    assert again["War"] > again["Noir"]


def test_what_the_profile_says_comes_at_its_own_strength_and_dislikes_are_left_out(graph):
    profile = Profile(USER, likes=(Taste("genre", "war", 0.9),), dislikes=(Taste("genre", "crime"),))
    found = graph.interests(liked("noir0", "noir1", "noir2"), profile)
    assert [(one.display, one.source) for one in found] == [("War", "profile"), ("Noir", "history")]
    assert (found[0].strength, found[0].last_s) == (0.9, None)


def test_interests_start_a_walk(graph):
    seeds = graph.seeds_from(liked("noir0", "noir1", "noir2"), Profile(USER))
    assert seeds["genre:noir"] == seeds["genre:crime"] == pytest.approx(0.15)


def chosen(item_id: str, moment: Moment | None, n: int, first: int = 0) -> list[Event]:
    return [Event(UserId(f"u{first + i}"), ItemId(item_id), "watch", None, float(i), moment) for i in range(n)]


def by_device(moment: Moment | None) -> str | None:
    return {"phone": "commute", "tv": "date night"}.get(moment.device or "") if moment is not None else None


def test_what_people_choose_in_a_scene_fits_it_with_its_counts():
    events = [*chosen("noir0", TV, 8), *chosen("noir0", PHONE, 2), *chosen("war0", PHONE, 10), *chosen("war1", TV, 2)]
    (fit, commute) = fit_edges(events, by_device)
    # noir0: 10 of 22 events, 10 of these in date night: expected 10 * 10 / 22, lift (8 + 3) / (4.545 + 3)
    assert (fit.subject, fit.relation, fit.object, fit.source) == ("item:noir0", "fits", "scene:date night", "events")
    assert fit.evidence == "8 of 10 choices, 4.5 expected, 8 people"
    assert fit.confidence == pytest.approx(1 - (4.5454545 + 3) / 11)
    assert (commute.subject, commute.object) == ("item:war0", "scene:commute")


@pytest.mark.parametrize(
    "events",
    [
        chosen("noir0", TV, 1),
        [*chosen("noir0", TV, 2), *chosen("war0", PHONE, 50)],
        [*(Event(USER, ItemId("noir0"), "watch", None, float(at), TV) for at in range(9)), *chosen("war0", PHONE, 50)],
        [*(Event(UserId(f"u{at}"), ItemId("noir0"), "skip", None, 1.0, TV) for at in range(9)), *chosen("war0", PHONE, 50)],
        [*chosen("noir0", TV, 9), *chosen("war0", TV, 9)],
        [*chosen("noir0", None, 9), *chosen("war0", PHONE, 9)],
    ],
    ids=["one event", "two events", "one person", "what was skipped", "no more than by chance", "no moment known"],
)
def test_little_or_nothing_makes_no_edge(events):
    assert [edge for edge in fit_edges(events, by_device) if edge.subject == "item:noir0"] == []


def test_a_store_with_moments_has_the_edges_and_they_give_candidates_and_reasons(tmp_path):
    with Store.open(tmp_path / "s", create=True) as store:
        store.items.upsert(ITEMS)
        store.events.add([*chosen("noir0", TV, 8), *chosen("war0", PHONE, 12)])
        graph = KnowledgeGraph.from_store(store, Catalogue.from_store(store), default_pack(), scene_of=by_device)
    assert ("fits", "scene:date night", "date night") in graph.neighbours("item:noir0")
    found = graph.candidates(graph.seeds_from([], Profile(USER), "date night"), 3)
    assert found.rows[0].item_id == "noir0"
    assert found.rows[0].reason == "often chosen for date night"


def test_seeds_are_kept_for_the_very_history_and_let_go(graph):
    history, profile = tuple(liked("noir0", "noir1", "noir2")), Profile(USER)
    seeds = graph.seeds_from(history, profile)
    assert graph.seeds_from(history, profile) is seeds
    assert graph.seeds_from(tuple(liked("noir0", "noir1", "noir2")), profile) == seeds
    assert graph.seeds_from(history, Profile(USER, dislikes=(Taste("genre", "crime"),))) != seeds
    changing = [*history]
    graph.seeds_from(changing, profile)
    changing.pop()
    assert graph.seeds_from(changing, profile) != seeds, "a list may have changed meanwhile"
    graph.let_go()
    assert graph.seeds_from(history, profile) is not seeds
