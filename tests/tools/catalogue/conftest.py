from __future__ import annotations

import pytest

from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.concepts import Concepts


def make_item(item_id: str, domain: str, title: str, **fields: object) -> Item:
    known = {"year", "duration_min", "price_cents", "available", "text"}
    attributes = {name: tuple(values) for name, values in fields.items() if name not in known}  # type: ignore[arg-type]
    return Item(ItemId(item_id), domain, title, attributes=attributes, **{k: v for k, v in fields.items() if k in known})  # type: ignore[arg-type]


ITEMS = [
    make_item(
        "m1", "movies", "Fargo", year=1996, duration_min=98, genre=["Crime", "Drama", "Thriller"], creator=["Joel Coen"], mood=["dark"]
    ),
    make_item("m2", "movies", "Toy Story", year=1995, duration_min=81, genre=["Animation", "Children's", "Comedy"], mood=["funny"]),
    make_item(
        "m3", "movies", "Godfather, The (1972)", year=1972, duration_min=175, genre=["Crime", "Drama"], creator=["Francis Ford Coppola"]
    ),
    make_item("m4", "movies", "Alien", year=1979, genre=["Horror", "Sci-Fi"], mood=["scary"]),
    make_item("m5", "movies", "War and Peace", year=1956, duration_min=208, genre=["War", "Romance"], mood=["romantic"]),
    make_item("b1", "books", "Emma", year=1815, genre=["Romance", "Comedy"], creator=["Jane Austen"], price_cents=900),
    make_item("a1", "music", "Blue Train", year=1957, duration_min=43, genre=["Jazz"], creator=["John Coltrane"], mood=["calm"]),
    make_item("r1", "recipes", "Lentil Soup", duration_min=35, topic=["lentils", "quick"], diet=["vegetarian", "gluten-free"]),
    make_item("r2", "recipes", "Beef Stew", duration_min=180, topic=["beef"]),
    make_item("w1", "workouts", "Old Favourites", duration_min=20, level=["Beginner"], available=False),
]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.from_items(ITEMS)


@pytest.fixture(scope="session")
def concepts() -> Concepts:
    return Concepts.load()
