import itertools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.errors import NotFound
from scenewise.store.types import Event, Item, ItemId, Moment, Profile, Taste, UserId
from scenewise.tools.candidates import Candidate, Candidates
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.collaborative.collaborative import Collaborative
from scenewise.tools.collaborative.interactions import Worth, from_columns
from scenewise.tools.context import TurnContext
from scenewise.tools.ranking.calibration import Calibration, SourceMap
from scenewise.tools.ranking.fusion import FusionRanker, rank_rows
from scenewise.tools.ranking.model import RankedItem
from scenewise.tools.scene.pack import SceneDef, ScenePack
from scenewise.tools.scene.reading import SceneReading

COMMUTE = SceneDef(
    "commute",
    "On the way",
    ("on the train",),
    domains={"movies": 0.3, "music": 1.8, "recipes": 0.0},
    prefer={"mood": ("calm", "focused")},
    ban={"genre": ("Horror",)},
    max_duration_min=60,
)


def item(item_id: str, domain: str, *, minutes: float | None = None, **attributes: tuple[str, ...]) -> Item:
    return Item(ItemId(item_id), domain, item_id, attributes=attributes, duration_min=minutes)


CATALOGUE = Catalogue.from_items(
    [
        *(item(f"film{n}", "movies", genre=("Crime",) if n % 2 else ("Horror",), minutes=100.0) for n in range(8)),
        *(item(f"song{n}", "music", mood=("Calm",) if n == 0 else ("wild",), minutes=4.0) for n in range(6)),
        *(item(f"dish{n}", "recipes") for n in range(6)),
    ]
)
CALIBRATION = Calibration(
    {"ease": SourceMap((0, 0, 4, 0, 0)), "popularity": SourceMap((0, 0, 2, 0, 0)), "retrieve": SourceMap((1.0,), "rank")}, bias=-3.0
)
RANKER = FusionRanker(CATALOGUE, ScenePack((COMMUTE,), ""), CALIBRATION)
CONTEXT = TurnContext(
    user_id=UserId("me"),
    message="",
    moment=Moment(),
    scene=SceneReading(None, 1.0, {"none": 1.0}),
    profile=Profile(UserId("me")),
    history=(),
    constraints=Constraints(),
    allowed=np.ones(CATALOGUE.n, dtype=bool),
    now_s=0.0,
)
IN_COMMUTE = replace(CONTEXT, scene=SceneReading("commute", 1.0, {"commute": 1.0}))


def table(source: str, scores: Mapping[str, float], reason: str = "") -> Candidates:
    return Candidates.of(source, ((ItemId(name), score) for name, score in scores.items()), reason)


def ids(ranked: tuple[RankedItem, ...]) -> list[str]:
    return [one.item_id for one in ranked]


def films(ranked: tuple[RankedItem, ...]) -> dict[str, RankedItem]:
    return {one.item_id: one for one in ranked}


def test_one_source_keeps_its_order() -> None:
    found = table("ease", {"film3": 3.0, "film1": 2.0, "film2": 1.0})
    assert ids(RANKER.rank(found, CONTEXT, 10)) == ["film3", "film1", "film2"]


def test_two_sources_by_hand() -> None:
    found = table("ease", {"film1": 2.0, "film2": 1.0}) + table("popularity", {"film2": 9.0})
    ranked = films(RANKER.rank(found, CONTEXT, 10))
    assert ranked["film1"].contributions["ease"] == pytest.approx(4.0)
    assert ranked["film2"].contributions["ease"] == pytest.approx(4.0 - np.log(2))
    assert ranked["film2"].contributions["popularity"] == pytest.approx(2.0)
    assert ranked["film2"].score == pytest.approx(1 / (1 + np.exp(3.0 - 6.0 + np.log(2))), abs=1e-6)
    assert ranked["film2"].sources == ("ease", "popularity")
    assert ranked["film2"].told == {"ease": (1.0, 2), "popularity": (9.0, 1)}


def test_popularity_counts_more_where_it_is_all_there_is() -> None:
    ranker = replace(RANKER, calibration=replace(CALIBRATION, alone={"popularity": SourceMap((0, 0, 8, 0, 0))}))
    popular = table("popularity", {"film1": 2.0, "film2": 1.0})
    (alone, _), among = ranker.rank(popular, CONTEXT, 2), ranker.rank(popular + table("ease", {"film3": 1.0}), CONTEXT, 3)
    assert alone.contributions["popularity"] == pytest.approx(8.0)
    assert films(among)["film1"].contributions["popularity"] == pytest.approx(2.0)


def test_agreement_lifts() -> None:
    found = table("ease", {"film0": 2.0, "film1": 1.9}) + table("retrieve", {"film1": 1.0})
    assert ids(RANKER.rank(found, CONTEXT, 2)) == ["film1", "film0"]


names = st.sampled_from([one.item_id for one in CATALOGUE.items])
rows = st.lists(
    st.builds(
        Candidate,
        names,
        st.sampled_from(["ease", "popularity", "retrieve", "graph", "other"]),
        st.floats(min_value=-10, max_value=1e6),
        st.sampled_from(["", "because"]),
    ),
    max_size=40,
).map(lambda found: Candidates(tuple(found)))


@given(rows, st.integers(min_value=0, max_value=20), st.sampled_from([CONTEXT, IN_COMMUTE]))
def test_every_item_once_in_order_and_its_contributions_add_up(found: Candidates, k: int, context: TurnContext) -> None:
    ranked = RANKER.rank(found, context, k)
    assert len(ranked) == min(k, len({one.item_id for one in found}))
    assert len(set(ids(ranked))) == len(ranked)
    logits = [sum(one.contributions.values()) for one in ranked]
    assert all(first >= second - 1e-9 for first, second in itertools.pairwise(logits))
    for one, logit in zip(ranked, logits, strict=True):
        assert one.score == pytest.approx(1 / (1 + np.exp(-logit)))
        assert set(one.sources) == {row.source for row in found if row.item_id == one.item_id}


@given(rows, st.permutations(range(5)))
def test_the_order_of_the_candidates_does_not_matter(found: Candidates, order: list[int]) -> None:
    best: dict[tuple[str, str], Candidate] = {}
    for row in found:
        best.setdefault((row.source, row.item_id), row)
    once = list(best.values())
    mixed = [row for part in order for row in once[part::5]]
    first, second = (RANKER.rank(Candidates(tuple(rows)), CONTEXT, 50) for rows in (once, mixed))
    assert ids(first) == ids(second)


def test_the_better_of_two_calls_counts_with_its_reason() -> None:
    found = table("retrieve", {"film1": 0.1, "film2": 0.05}, "weak") + table("retrieve", {"film2": 0.9}, "strong")
    ranked = RANKER.rank(found, CONTEXT, 2)
    assert ids(ranked) == ["film2", "film1"]
    assert ranked[0].reasons == ("strong",)


def test_what_is_forbidden_unknown_or_not_a_number_is_left_out() -> None:
    allowed = CONTEXT.allowed.copy()
    allowed[CATALOGUE.row(ItemId("film1"))] = False
    found = table("ease", {"film1": 3.0, "nowhere": 2.0, "film2": 1.0, "film3": float("nan")})
    assert ids(RANKER.rank(found, replace(CONTEXT, allowed=allowed), 9)) == ["film2"]
    assert RANKER.rank(Candidates(), CONTEXT, 9) == ()


def test_ties_fall_by_seed_and_stay() -> None:
    found = table("ease", {f"film{n}": 1.0 for n in range(8)})
    orders = {seed: ids(RANKER.rank(found, replace(CONTEXT, seed=seed), 8)) for seed in range(5)}
    assert orders[0] == ids(RANKER.rank(found, replace(CONTEXT, seed=0), 8))
    assert len({tuple(order) for order in orders.values()}) > 1


def test_a_domain_the_crowd_does_not_know_stands_beside_films() -> None:
    scores = {f"film{n}": 8.0 - n for n in range(8)}
    found = table("ease", scores) + table("retrieve", {"dish2": 0.9, "dish1": 0.8, "film0": 0.7})
    ranked = films(RANKER.rank(found, CONTEXT, 20))
    assert ranked["dish2"].contributions["parity"] == pytest.approx(0.75 * ranked["film0"].contributions["ease"])
    assert ranked["dish1"].contributions["parity"] == pytest.approx(0.75 * ranked["film1"].contributions["ease"])
    assert ranked["dish2"].score > ranked["film3"].score
    assert "parity" not in ranked["film0"].contributions


def test_films_alone_need_no_parity() -> None:
    ranked = RANKER.rank(table("ease", {"film0": 2.0, "film1": 1.0}) + table("retrieve", {"film5": 1.0}), CONTEXT, 9)
    assert all("parity" not in one.contributions for one in ranked)


def test_a_source_that_speaks_of_all_items_does_not_take_parity_away() -> None:
    scores = {f"film{n}": 8.0 - n for n in range(8)}
    dishes = {f"dish{n}": 1e-6 for n in range(6)}
    found = table("ease", scores) + table("retrieve", {"dish2": 0.9, "film0": 0.7})
    for source in ("transformer", "feature_regression", "content_knn"):
        ranked = films(RANKER.rank(found + table(source, scores | dishes), CONTEXT, 20))
        assert ranked["dish2"].contributions["parity"] > 1
        assert ranked["dish2"].score > ranked["film3"].score


def test_the_scene_turns_the_order_of_domains() -> None:
    found = table("ease", {f"film{n}": 8.0 - n for n in range(8)}) + table("graph", {f"song{n}": 6.0 - n for n in range(6)})
    found = found + table("graph", {"dish0": 9.0})
    assert ids(RANKER.rank(found, IN_COMMUTE, 3))[0].startswith("song")
    assert ids(RANKER.rank(found, CONTEXT, 20)).index("dish0") < ids(RANKER.rank(found, IN_COMMUTE, 20)).index("dish0")
    ranked = films(RANKER.rank(found, IN_COMMUTE, 20))
    assert ranked["song1"].contributions["scene_domain"] == pytest.approx(1.5 * np.log(1.8))
    assert ranked["film1"].contributions["scene_domain"] == pytest.approx(1.5 * np.log(0.3))


def test_what_the_scene_prefers_bans_and_finds_too_long() -> None:
    found = table("retrieve", dict.fromkeys(("song0", "song1", "film0", "film1"), 1.0))
    ranked = films(RANKER.rank(found, IN_COMMUTE, 9))
    assert ranked["song0"].contributions["scene_prefer"] == 0.5
    assert "scene_prefer" not in ranked["song1"].contributions
    assert ranked["film0"].contributions["scene_ban"] == -3.0
    assert ranked["film1"].contributions["scene_duration"] == pytest.approx(-1.5 * np.log2(100 / 60))
    assert "scene_duration" not in ranked["song0"].contributions


def test_an_unsure_scene_says_less() -> None:
    found = table("retrieve", {"song0": 1.0, "film1": 0.5})
    sure, unsure = (
        films(RANKER.rank(found, replace(CONTEXT, scene=SceneReading("commute", p, {})), 9))["film1"].contributions["scene_domain"]
        for p in (1.0, 0.4)
    )
    assert sure < unsure < 0
    assert unsure == pytest.approx(1.5 * np.log(0.4 * 0.3 + 0.6))


def test_a_scene_that_is_not_in_the_pack_is_named_as_missing() -> None:
    with pytest.raises(NotFound):
        RANKER.rank(table("ease", {"film0": 1.0}), replace(CONTEXT, scene=SceneReading("picnic", 1.0, {})), 1)


def test_likes_and_dislikes_by_strength() -> None:
    profile = Profile(
        UserId("me"),
        likes=(Taste("genre", "CRIME", 0.5), Taste("domain", "music")),
        dislikes=(Taste("genre", "horror"), Taste("item", "film3")),
    )
    found = table("retrieve", dict.fromkeys(("film0", "film1", "film3", "song0"), 1.0))
    ranked = films(RANKER.rank(found, replace(CONTEXT, profile=profile), 9))
    assert ranked["film1"].contributions["likes"] == 0.5
    assert ranked["song0"].contributions["likes"] == 1.0
    assert ranked["film0"].contributions["dislikes"] == -2.0
    assert ranked["film3"].contributions["dislikes"] == -2.0


def test_wishes_lift_and_lower() -> None:
    found = table("retrieve", {"film1": 1.0, "song0": 0.5, "dish0": 0.2})
    wishes = {"mood": {"calm": 1.0}, "domain": {"recipes": -1.0}, "genre": {"unheard of": 1.0}}
    ranked = films(RANKER.rank(found, CONTEXT, 9, wishes=wishes))
    assert ranked["song0"].contributions["wishes"] == 1.5
    assert ranked["dish0"].contributions["wishes"] == -1.5
    assert "wishes" not in ranked["film1"].contributions


@pytest.mark.parametrize(
    ("attribute", "value", "first", "last"),
    [
        ("year", "recent", "film3", "film0"),
        ("year", "old", "film0", "film3"),
        ("duration", "short", "film3", "film0"),
        ("duration", "long", "film0", "film3"),
        ("price", "cheap", "film3", "film0"),
        ("price", "expensive", "film0", "film3"),
    ],
)
def test_wishes_compare_items_of_one_kind(attribute: str, value: str, first: str, last: str) -> None:
    films_ = [
        replace(item(f"film{n}", "movies", minutes=100.0 - 10 * n), year=1950 + 10 * n, price_cents=1000 - 100 * n, currency="USD")
        for n in range(4)
    ]
    songs = [replace(item(f"song{n}", "music", minutes=3.0), year=2020, price_cents=99, currency="USD") for n in range(3)]
    catalogue = Catalogue.from_items([*films_, *songs, item("bare", "movies")])
    ranker = FusionRanker(catalogue, ScenePack((COMMUTE,), ""), CALIBRATION)
    context = replace(CONTEXT, allowed=np.ones(catalogue.n, dtype=bool))
    found = table("retrieve", dict.fromkeys(("film0", "film1", "film2", "film3", "bare", "song0"), 1.0))
    parts = {one.item_id: one.contributions.get("wishes", 0.0) for one in ranker.rank(found, context, 9, wishes={attribute: {value: 1.0}})}
    assert parts[ItemId(first)] > parts.get(ItemId(last), 0.0) == 0.0
    assert 0.0 < parts[ItemId(first)] <= 1.5
    assert parts[ItemId("bare")] == parts[ItemId("song0")] == 0.0, "unknown, and no different from its kind"


def test_a_book_is_read_in_parts_and_so_fits_a_short_scene() -> None:
    items = [replace(item, duration_min=400.0) for item in CATALOGUE.items if item.domain == "music"]
    catalogue = Catalogue.from_items(items)
    found = Candidates.of("retrieve", [(items[0].item_id, 1.0)])
    context = replace(IN_COMMUTE, allowed=np.ones(catalogue.n, dtype=bool))
    whole, in_parts = (
        FusionRanker(catalogue, ScenePack((COMMUTE,), "", domains), CALIBRATION).rank(found, context, 1)[0]
        for domains in (frozenset[str](), frozenset({"music"}))
    )
    assert whole.contributions["scene_duration"] < 0
    assert "scene_duration" not in in_parts.contributions


@pytest.mark.parametrize("seed", [0, 3])
def test_rows_are_ranked_as_the_candidates_of_a_turn_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    users, rows = np.repeat(np.arange(30), 6), np.concatenate([rng.permutation(CATALOGUE.n)[:6] for _ in range(30)])
    worth = Worth({"rating": 5.0})
    data = from_columns(users, rows, np.arange(180.0), np.ones(180, np.float32), shape=(30, CATALOGUE.n))
    collaborative = Collaborative.fit(data, CATALOGUE, worth)
    history = tuple(
        Event(UserId("me"), CATALOGUE.items[row].item_id, "rating", value, 0.0)
        for row, value in zip((3, 9, 1), (5.0, 3.0, 1.0), strict=True)
    )
    ranker, context = replace(RANKER, calibration=Calibration(novelty=0.5)), replace(CONTEXT, history=history, seed=seed)
    ranked = ranker.rank(collaborative.candidates(history, 4, allowed=context.allowed), context, 99)
    known, weights, _ = collaborative.fold(history, [])
    found, log_odds = rank_rows(collaborative, ranker.calibration, known, weights, k=4, seed=seed)
    assert [CATALOGUE.items[row].item_id for row in found] == ids(ranked)
    assert log_odds == pytest.approx([sum(one.contributions.values()) for one in ranked])


@given(st.lists(st.floats(min_value=1e-3, max_value=1e3), min_size=3, max_size=8), st.floats(min_value=1.0, max_value=50.0))
def test_a_higher_score_of_a_source_never_lowers_an_item(scores: list[float], factor: float) -> None:
    names = [f"film{n}" for n in range(len(scores))]
    low = dict(zip(names, sorted(scores), strict=True))
    high = low | {"film0": min(low["film0"] * factor, max(scores))}
    first, second = (films(RANKER.rank(table("ease", one), CONTEXT, 9))["film0"].contributions.get("ease", 0.0) for one in (low, high))
    assert second >= first - 1e-9
