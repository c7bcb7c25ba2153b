"""Taste and the mix of a list, against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.types import Item, ItemId
from scenewise.tools.ranking.slate.calibrated import ListMix, Taste, kinds_of, taste_of


def item(name: str, domain: str = "movies", *genres: str) -> Item:
    return Item(ItemId(name), domain, "", attributes={"genre": genres} if genres else {})


CRIME, LOVE, BOTH = item("a", "movies", "Crime"), item("b", "movies", "Romance"), item("c", "movies", "crime", "Crime", "Romance")
SONG, DISH = item("d", "music", "Jazz"), item("e", "recipes")


def test_kinds_are_domains_with_genres() -> None:
    assert kinds_of(BOTH) == (("movies", "crime"), ("movies", "romance"))
    assert kinds_of(DISH) == (("recipes", ""),)


def test_taste_by_hand() -> None:
    # 1 for crime and .5 + .5 of the worth .6 of the second: .3 each
    taste = taste_of([(CRIME, 1.0), (BOTH, 0.6), (SONG, 0.4)])
    assert dict(taste.shares) == {
        ("movies", "crime"): pytest.approx(0.65),
        ("movies", "romance"): pytest.approx(0.15),
        ("music", "jazz"): pytest.approx(0.2),
    }
    assert taste.events == pytest.approx(2.0)
    assert taste.certainty == pytest.approx(2.0 / 12.0)


def test_the_scene_weighs_domains_and_the_request_rules_them_out() -> None:
    history = [(CRIME, 1.0), (SONG, 1.0), (DISH, 1.0)]
    weighed = taste_of(history, domain_weights={"movies": 0.5, "recipes": 0.0})
    assert dict(weighed.shares) == {("movies", "crime"): pytest.approx(1 / 3), ("music", "jazz"): pytest.approx(2 / 3)}
    assert dict(taste_of(history, only=frozenset({"music"})).shares) == {("music", "jazz"): 1.0}
    assert taste_of(history, only=frozenset({"apps"})) == Taste({})
    assert taste_of([]).certainty == 0.0


def test_divergence_by_hand() -> None:
    taste = Taste({("movies", "crime"): 0.75, ("movies", "romance"): 0.25}, 10.0)
    mix = ListMix([CRIME, LOVE, SONG], taste)
    assert mix.divergence() == pytest.approx(math.log(100.0))  # an empty list: only alpha of the taste is left
    mix.add(0)
    # q = (1, 0), smoothed (.9975, .0025): .75 ln(.75 / .9975) + .25 ln(.25 / .0025)
    assert mix.divergence() == pytest.approx(0.75 * math.log(0.75 / 0.9975) + 0.25 * math.log(100.0))
    crime, romance, song = mix.costs()
    # another crime film leaves q as it is; a romance makes it (.5, .5), smoothed (.5025, .4975), which is best
    with_romance = 0.75 * math.log(0.75 / 0.5025) + 0.25 * math.log(0.25 / 0.4975)
    assert (romance, song) == (0.0, 0.0)
    assert crime == pytest.approx(mix.divergence() - with_romance)


def test_genres_that_the_user_does_not_know_count_against() -> None:
    mix = ListMix([CRIME, item("w", "movies", "War"), DISH], Taste({("movies", "crime"): 1.0}, 5.0))
    assert mix.costs().tolist() == [0.0, pytest.approx(math.log(100.0)), 0.0]


@given(
    st.lists(st.sampled_from([CRIME, LOVE, BOTH, SONG, DISH]), min_size=1, max_size=8), st.lists(st.floats(0.01, 1), min_size=3, max_size=3)
)
def test_costs_are_never_negative_and_divergence_neither(items: list[Item], worths: list[float]) -> None:
    mix = ListMix(items, taste_of(zip([CRIME, BOTH, SONG], worths, strict=True)))
    for place in range(len(items)):
        costs = mix.costs()
        assert (costs >= 0.0).all()
        assert np.isfinite(costs).all()
        mix.add(place)
        assert mix.divergence() >= -1e-12
