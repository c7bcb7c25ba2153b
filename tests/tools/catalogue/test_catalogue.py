from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.constraints import Constraints

NAMES = ["drama", "comedy", "crime", "horror"]


def passing(catalogue: Catalogue, constraints: Constraints) -> list[str]:
    return [item.item_id for item, ok in zip(catalogue.items, catalogue.allowed(constraints), strict=True) if ok]


def one(**values: str) -> Mapping[str, frozenset[str]]:
    return {name: frozenset({value}) for name, value in values.items()}


def test_rows_follow_the_order_of_the_ids(catalogue: Catalogue) -> None:
    assert [item.item_id for item in catalogue.items] == ["a1", "b1", "m1", "m2", "m3", "m4", "m5", "r1", "r2", "w1"]
    assert catalogue.row(ItemId("m1")) == 2
    assert catalogue.row(ItemId("nobody")) is None
    rows = catalogue.rows([ItemId("m2"), ItemId("nobody"), ItemId("a1")])
    assert rows.tolist() == [3, 0]
    assert rows.dtype == np.int32


def test_vocabulary_counts_casefolded_values_and_shows_them_as_written(catalogue: Catalogue) -> None:
    assert catalogue.vocabulary["genre"]["romance"] == 2
    assert list(catalogue.vocabulary["genre"].values()) == [2, 2, 2, 2, *[1] * (len(catalogue.vocabulary["genre"]) - 4)]
    assert catalogue.shown("genre", "SCI-FI") == "Sci-Fi"
    assert catalogue.shown("genre", "polka") == "polka"
    assert catalogue.domains == ("books", "movies", "music", "recipes", "workouts")


def test_two_items_of_one_id_are_refused() -> None:
    with pytest.raises(InputError):
        Catalogue.from_items([Item(ItemId("x"), "books", "A"), Item(ItemId("x"), "books", "B")])


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        (Constraints(), ["a1", "b1", "m1", "m2", "m3", "m4", "m5", "r1", "r2"]),
        (Constraints(available_only=False, domains=frozenset({"workouts"})), ["w1"]),
        (Constraints(domains=frozenset({"podcasts"})), []),
        (Constraints(exclude_domains=frozenset({"movies", "recipes"})), ["a1", "b1"]),
        (Constraints(require=one(genre="crime")), ["m1", "m3"]),
        (Constraints(require={"genre": frozenset({"crime", "jazz"}), "mood": frozenset({"dark", "calm"})}), ["a1", "m1"]),
        (Constraints(domains=frozenset({"movies"}), ban=one(genre="crime")), ["m2", "m4", "m5"]),
        (Constraints(domains=frozenset({"movies"}), min_year=1979), ["m1", "m2", "m4"]),
        (Constraints(max_year=1957), ["a1", "b1", "m5", "r1", "r2"]),  # no year known: passes
        (Constraints(domains=frozenset({"movies"}), max_duration_min=98), ["m1", "m2", "m4"]),
        (Constraints(domains=frozenset({"books"}), max_price_cents=899), []),
        (Constraints(domains=frozenset({"music"}), ban_items=frozenset({ItemId("a1"), ItemId("nobody")})), []),
        (Constraints(require=one(polka="yes")), []),
        (Constraints(domains=frozenset({"music"}), ban=one(polka="yes")), ["a1"]),
    ],
)
def test_allowed(catalogue: Catalogue, constraints: Constraints, expected: list[str]) -> None:
    assert passing(catalogue, constraints) == expected


def test_relaxations_name_the_condition_to_drop_best_first(catalogue: Catalogue) -> None:
    constraints = Constraints(domains=frozenset({"movies"}), require=one(genre="crime"), max_year=1950)
    assert catalogue.relaxations(constraints) == [("until 1950", 2)]
    both = Constraints(domains=frozenset({"movies"}), require=one(genre="jazz"))
    assert catalogue.relaxations(both) == [("genre Jazz", 5), ("only movies", 1)]


def test_relaxations_are_empty_where_something_passes_or_no_single_condition_is_to_blame(catalogue: Catalogue) -> None:
    assert catalogue.relaxations(Constraints()) == []
    assert catalogue.relaxations(Constraints(require=one(genre="jazz", mood="dark", diet="vegetarian"))) == []
    assert Catalogue.from_items([]).relaxations(Constraints(min_year=2000)) == []


def test_describe_names_every_condition_but_the_usual(catalogue: Catalogue) -> None:
    constraints = Constraints(
        domains=frozenset({"music", "movies"}),
        ban={"genre": frozenset({"sci-fi", "war"})},
        ban_items=frozenset({ItemId("m1")}),
        min_year=1990,
        max_duration_min=90,
        max_price_cents=1250,
    )
    assert catalogue.describe(constraints) == [
        "only movies or music",
        "no genre Sci-Fi or War",
        "from 1990 on",
        "at most 90 min",
        "price at most 12.50",
        "without one named item",
    ]
    assert catalogue.describe(Constraints()) == []


items = st.builds(
    lambda number, domain, genres, year, minutes: Item(
        ItemId(f"i{number}"), domain, f"Title {number}", attributes={"genre": tuple(genres)}, year=year, duration_min=minutes
    ),
    st.integers(0, 10_000),
    st.sampled_from(["movies", "books"]),
    st.lists(st.sampled_from(["Drama", "Comedy", "Crime", "HORROR"]), unique=True),
    st.none() | st.integers(1950, 1960),
    st.none() | st.floats(1, 5),
)
constraints_ = st.builds(
    Constraints,
    domains=st.frozensets(st.sampled_from(["movies", "books"])),
    require=st.dictionaries(st.just("genre"), st.frozensets(st.sampled_from(NAMES))),
    ban=st.dictionaries(st.just("genre"), st.frozensets(st.sampled_from(NAMES))),
    min_year=st.none() | st.integers(1950, 1960),
    max_year=st.none() | st.integers(1950, 1960),
    max_duration_min=st.none() | st.floats(1, 5),
)


def passes(item: Item, c: Constraints) -> bool:
    """The rules of Constraints, item by item."""
    genres = {value.casefold() for value in item.attributes["genre"]}
    return (
        (not c.domains or item.domain in c.domains)
        and all(not values or bool(genres & values) for values in c.require.values())
        and not any(genres & values for values in c.ban.values())
        and (item.year is None or c.min_year is None or item.year >= c.min_year)
        and (item.year is None or c.max_year is None or item.year <= c.max_year)
        and (item.duration_min is None or c.max_duration_min is None or item.duration_min <= c.max_duration_min)
    )


@given(st.lists(items, max_size=8, unique_by=lambda item: item.item_id), constraints_)
def test_columns_say_the_same_as_the_rules_item_by_item(some: list[Item], c: Constraints) -> None:
    catalogue = Catalogue.from_items(some)
    expected = [passes(item, c) for item in catalogue.items]
    assert catalogue.allowed(c).tolist() == expected
    relaxed = catalogue.relaxations(c)
    assert not (any(expected) and relaxed)
    assert all(0 < n <= catalogue.n for _, n in relaxed)


def test_twenty_thousand_items_are_filtered_in_two_milliseconds() -> None:
    genres = ("Crime", "Comedy", "War", "Drama")
    many = Catalogue.from_items(
        Item(ItemId(f"i{n}"), "movies", f"T{n}", attributes={"genre": (genres[n % 4],)}, year=1900 + n % 100) for n in range(20_000)
    )
    constraints = Constraints(
        domains=frozenset({"movies"}), ban=one(genre="war"), require=one(genre="crime"), min_year=1950, max_duration_min=90
    )
    times = []
    for _ in range(20):
        begun = perf_counter()
        mask = many.allowed(constraints)
        times.append(perf_counter() - begun)
    assert mask.sum() == sum(1 for n in range(20_000) if n % 4 == 0 and n % 100 >= 50)
    assert min(times) < 0.002
