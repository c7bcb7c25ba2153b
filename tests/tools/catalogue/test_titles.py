from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.titles import plain_title

TITLES = {
    "g1": ("Godfather, The", 1972),
    "g2": ("Godfather: Part II, The", 1974),
    "t1": ("Toy Story", 1995),
    "t2": ("Toy Story 2", 1999),
    "s1": ("Sabrina", 1954),
    "s2": ("Sabrina", 1995),
    "c1": ("City of Lost Children, The (Cité des enfants perdus, La)", 1995),
    "w1": ("Star Wars: Episode IV - A New Hope", 1977),
    "h1": ("Heat", 1995),
    "m1": ("Scary Movie", 2000),
    "z1": ("三体", 2008),
}


@pytest.fixture(scope="module")
def titles() -> Catalogue:
    return Catalogue.from_items(Item(ItemId(i), "movies", title, year=year) for i, (title, year) in TITLES.items())


@pytest.mark.parametrize(
    ("name", "first", "score"),
    [
        ("the godfather", "g1", 1.0),
        ("Godfather (1972)", "g1", 1.0),
        ("The Godfather Part 2", "g2", 1.0),
        ("TOY STORY", "t1", 1.0),
        ("Sabrina (1995)", "s2", 1.0),
        ("Sabrina (1954)", "s1", 1.0),
        ("star wars", "w1", 0.95),
        ("Cite des enfants perdus", "c1", 0.95),
        ("三体", "z1", 1.0),
    ],
)
def test_look_up_finds_titles_as_people_write_them(titles: Catalogue, name: str, first: str, score: float) -> None:
    found = titles.look_up(name)
    assert found[0] == (first, pytest.approx(score))


def test_look_up_forgives_a_slip_but_not_another_number(titles: Catalogue) -> None:
    assert titles.look_up("Toi Story")[0][0] == "t1"
    assert titles.look_up("Toi Story")[0][1] < 1
    assert titles.look_up("Toy Story 3") == []


@pytest.mark.parametrize("name", ["", "  ", "!!!", "Completely Unknown Film", "x"])
def test_look_up_of_an_unknown_title_is_empty(titles: Catalogue, name: str) -> None:
    assert titles.look_up(name) == []


def test_look_up_gives_at_most_k(titles: Catalogue) -> None:
    assert len(titles.look_up("Sabrina", 1)) == 1
    assert titles.look_up("Sabrina", 0) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("something like Toy Story 2 please", [["t2"]]),
        ("I loved Toy Story and Heat", [["t1"], ["h1"]]),
        ("loved toy story", [["t1"]]),
        ("I want a scary movie", []),
        ("the heat is killing me", []),
        ('more like "Heat"', [["h1"]]),
        ("how long is Heat?", [["h1"]]),
        ("ok, tell me about Heat", [["h1"]]),
        ("who made toy story", [["t1"]]),
        ("is Heat any good", [["h1"]]),
        ("how long is the heat wave", []),
        ("a film about Heat", []),
        ("我喜欢《三体》", [["z1"]]),
        ("三体星系", []),
        ("Sabrina, after Sabrina", [["s1", "s2"]]),
    ],
)
def test_find_titles(titles: Catalogue, text: str, expected: list[list[str]]) -> None:
    found = titles.find_titles(text)
    assert [[titles.items[row].item_id for row in match.rows] for match in found] == expected


@given(st.text(max_size=30))
def test_every_title_finds_itself(title: str) -> None:
    catalogue = Catalogue.from_items([Item(ItemId("a"), "books", title)])
    expected = [("a", 1.0)] if plain_title(title) else []
    assert catalogue.look_up(title) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I'd like something wild for tonight", False),
        ("we would love something wild", False),
        ("I'd like to show me around", False),
        ("something like Something Wild", True),
        ("I loved Something Wild", True),
        ('what about "something wild"', True),
    ],
)
def test_a_wish_for_something_is_no_title(text: str, found: bool) -> None:
    catalogue = Catalogue.from_items([Item(ItemId("w"), "movies", "Something Wild"), Item(ItemId("s"), "movies", "Show Me")])
    assert bool(catalogue.find_titles(text)) is found
