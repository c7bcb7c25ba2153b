"""The list: relevance, diversity, calibration, what is owed, and chance with its propensities."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.ranking.model import RankedItem
from scenewise.tools.ranking.slate.calibrated import Taste
from scenewise.tools.ranking.slate.choose import Chosen, Exploration, choose_slate

CATALOGUE = Catalogue.from_items(
    [
        *(Item(ItemId(f"crime{n}"), "movies", "", attributes={"genre": ("Crime",)}) for n in range(4)),
        *(Item(ItemId(f"love{n}"), "movies", "", attributes={"genre": ("Romance",)}) for n in range(3)),
        *(Item(ItemId(f"song{n}"), "music", "", attributes={"mood": ("calm",)}) for n in range(2)),
        Item(ItemId("dish"), "recipes", ""),
    ]
)
FIFTY_FIFTY = Taste({("movies", "crime"): 0.5, ("movies", "romance"): 0.5}, events=1e9)


def ranked(*names: str) -> list[RankedItem]:
    return [RankedItem(ItemId(name), 0.9 - 0.1 * place, {}) for place, name in enumerate(names)]


def ids(chosen: tuple[Chosen, ...]) -> list[str]:
    return [one.item.item_id for one in chosen]


def test_relevance_alone_keeps_the_order() -> None:
    names = ["crime0", "crime1", "crime2", "love0"]
    got = choose_slate(ranked(*names), 4, catalogue=CATALOGUE, relevance_share=1.0)
    assert ids(got) == names
    assert [one.propensity for one in got] == [1.0] * 4


def test_diversity_brings_another_genre_forward() -> None:
    got = choose_slate(ranked("crime0", "crime1", "love0"), 2, catalogue=CATALOGUE, relevance_share=0.4)
    assert ids(got) == ["crime0", "love0"]


def test_by_hand() -> None:
    # log-odds of .9, .8, .7 scale to 1, .41, 0; crime1 is like crime0 (1 + 1) / 2, the song 0
    # .7 * .41 - .3 * 1 = -.01 for crime1, .7 * 0 - 0 = 0 for the song
    got = choose_slate(ranked("crime0", "crime1", "song0"), 2, catalogue=CATALOGUE, relevance_share=0.7)
    assert ids(got) == ["crime0", "song0"]


def test_vectors_tell_items_of_one_genre_apart() -> None:
    near, far = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)
    vectors = {ItemId("crime0"): near, ItemId("crime1"): near, ItemId("crime2"): far}
    got = choose_slate(ranked("crime0", "crime1", "crime2"), 2, catalogue=CATALOGUE, relevance_share=0.2, vectors=vectors)
    assert ids(got) == ["crime0", "crime2"]


def test_asked_domains_get_a_place() -> None:
    some = ranked("crime0", "crime1", "love0", "love1", "crime2", "song1", "song0", "dish")
    asked = frozenset({"music", "recipes", "books"})
    got = ids(choose_slate(some, 3, catalogue=CATALOGUE, relevance_share=1.0, ensure_domains=asked))
    assert got == ["crime0", "song1", "dish"]


def test_more_asked_domains_than_places() -> None:
    some = ranked("crime0", "song0", "dish")
    asked = frozenset({"music", "recipes", "movies"})
    assert ids(choose_slate(some, 2, catalogue=CATALOGUE, relevance_share=1.0, ensure_domains=asked)) == ["crime0", "song0"]


@given(
    st.lists(st.sampled_from([one.item_id for one in CATALOGUE.items]), unique=True, max_size=10),
    st.integers(min_value=0, max_value=12),
    st.floats(min_value=0, max_value=1),
    st.frozensets(st.sampled_from(["movies", "music", "recipes", "apps"])),
    st.floats(min_value=0, max_value=2),
    st.sampled_from([0.0, 1e-9, 0.05, 10.0]),
)
def test_each_item_once_and_each_asked_domain_where_there_is_room(
    names: list[str], k: int, share: float, asked: frozenset[str], calibration: float, temperature: float
) -> None:
    got = choose_slate(
        ranked(*names),
        k,
        catalogue=CATALOGUE,
        relevance_share=share,
        ensure_domains=asked,
        taste=FIFTY_FIFTY,
        calibration=calibration,
        exploration=Exploration(temperature, np.random.default_rng(0)),
    )
    assert len(got) == len({*ids(got)}) == min(k, len(names))
    assert {*ids(got)} <= {*names}
    assert all(0.0 < one.propensity <= 1.0 for one in got)
    domain = {one.item_id: one.domain for one in CATALOGUE.items}
    owed = {domain[ItemId(name)] for name in names} & asked
    assert len({domain[ItemId(name)] for name in ids(got)} & owed) >= min(len(owed), len(got))


def test_calibration_mixes_the_list_as_the_taste_is() -> None:
    some = ranked("crime0", "crime1", "crime2", "crime3", "love0", "love1")
    plain = ids(choose_slate(some, 4, catalogue=CATALOGUE, relevance_share=1.0))
    mixed = ids(choose_slate(some, 4, catalogue=CATALOGUE, relevance_share=1.0, taste=FIFTY_FIFTY, calibration=5.0))
    assert plain == ["crime0", "crime1", "crime2", "crime3"]
    assert sorted(mixed) == ["crime0", "crime1", "love0", "love1"]
    assert mixed[0] == "crime0"


def test_the_less_history_the_less_calibration() -> None:
    some = ranked("crime0", "crime1", "crime2", "crime3", "love0", "love1")
    hardly = Taste(FIFTY_FIFTY.shares, events=0.1)
    assert ids(choose_slate(some, 4, catalogue=CATALOGUE, relevance_share=1.0, taste=hardly, calibration=1.0)) == ids(
        choose_slate(some, 4, catalogue=CATALOGUE, relevance_share=1.0)
    )


def test_calibration_says_nothing_of_domains_without_history() -> None:
    some = ranked("song0", "crime0", "song1", "love0", "dish")
    got = ids(choose_slate(some, 5, catalogue=CATALOGUE, relevance_share=1.0, taste=FIFTY_FIFTY, calibration=5.0))
    assert got == ["song0", "crime0", "song1", "love0", "dish"]


def test_propensities_are_the_frequencies_of_lists() -> None:
    """Each list of two of four comes as often as the product of its propensities says, with diversity and an owed domain in play."""
    pool = ranked("crime0", "crime1", "love0", "song0")
    n = 5_000
    seen: Counter[tuple[str, ...]] = Counter()
    told: dict[tuple[str, ...], float] = {}
    rng = np.random.default_rng(3)
    for _ in range(n):
        got = choose_slate(
            pool,
            2,
            catalogue=CATALOGUE,
            relevance_share=0.7,
            ensure_domains=frozenset({"music"}),
            taste=FIFTY_FIFTY,
            calibration=0.2,
            exploration=Exploration(0.3, rng),
        )
        seen[tuple(ids(got))] += 1
        told[tuple(ids(got))] = got[0].propensity * got[1].propensity
    assert all("song0" in names for names in seen)
    assert sum(told.values()) == pytest.approx(1.0)
    for names, p in told.items():
        assert seen[names] / n == pytest.approx(p, abs=4.5 * np.sqrt(p * (1 - p) / n))


def test_first_places_are_a_softmax_by_hand() -> None:
    # log-odds 2.197, 1.386, .847 scale to 1, .399, 0; at temperature .5 the odds are e^2, e^.798, 1 over 10.61
    logged = {}
    for seed in range(60):
        got = choose_slate(
            ranked("crime0", "crime1", "love0"),
            1,
            catalogue=CATALOGUE,
            relevance_share=1.0,
            exploration=Exploration(0.5, np.random.default_rng(seed)),
        )
        logged[got[0].item.item_id] = got[0].propensity
    assert logged == {
        "crime0": pytest.approx(0.6965, abs=1e-3),
        "crime1": pytest.approx(0.2093, abs=1e-3),
        "love0": pytest.approx(0.0943, abs=1e-3),
    }


def test_inverse_propensity_scoring_recovers_another_policy() -> None:
    """From lists drawn at one temperature, IPS estimates what the best list alone would earn: clicks by hand, position-independent."""
    pool, n = ranked("crime0", "love0", "song0", "dish"), 8_000
    worth = {"crime0": 1.0, "love0": 0.5, "song0": 0.25, "dish": 0.0}
    best = ids(choose_slate(pool, 2, catalogue=CATALOGUE, relevance_share=1.0))
    rng, estimates = np.random.default_rng(5), []
    for _ in range(n):
        got = choose_slate(pool, 2, catalogue=CATALOGUE, relevance_share=1.0, exploration=Exploration(0.5, rng))
        hit = ids(got) == best
        estimates.append(sum(worth[name] for name in ids(got)) / np.prod([one.propensity for one in got]) if hit else 0.0)
    assert np.mean(estimates) == pytest.approx(1.5, abs=4.5 * np.std(estimates) / np.sqrt(n))


def test_the_colder_the_closer_to_the_best_list() -> None:
    pool, best = ranked("crime0", "love0", "song0", "dish", "crime1", "love1"), 0
    shares = []
    for temperature in (0.01, 0.2, 5.0):
        rng = np.random.default_rng(0)
        lists = [
            ids(choose_slate(pool, 3, catalogue=CATALOGUE, relevance_share=1.0, exploration=Exploration(temperature, rng)))
            for _ in range(300)
        ]
        shares.append(np.mean([one[0] == "crime0" for one in lists]))
        best += lists[0] == ["crime0", "love0", "song0"]
    assert shares[0] == 1.0
    assert all(a > b for a, b in pairwise(shares))
    assert best >= 1


def test_wrong_arguments() -> None:
    with pytest.raises(InputError, match="relevance_share"):
        choose_slate([], 1, catalogue=CATALOGUE, relevance_share=1.5)
    with pytest.raises(InputError, match="catalogue"):
        choose_slate(ranked("nowhere"), 1, catalogue=CATALOGUE)
