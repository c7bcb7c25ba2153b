"""Foods and other words that only the words of items name."""

from __future__ import annotations

import pytest

from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.concepts import Concepts, constraints_from_text
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.catalogue.tool import banned_by


def make_item(item_id: str, domain: str, title: str, text: str, year: int | None = None, **values: list[str]) -> Item:
    return Item(ItemId(item_id), domain, title, text=text, year=year, attributes={name: tuple(of) for name, of in values.items()})


DISHES = Catalogue.from_items(
    [
        make_item(
            "lasagne",
            "recipes",
            "Lasagne",
            cuisine=["Italian"],
            topic=["beef"],
            text="Egg pasta with a meat sauce, white sauce and Parmesan.",
        ),
        make_item(
            "hummus", "recipes", "Hummus", diet=["vegan", "gluten-free"], text="Chickpeas blended to a smooth cream; with warm bread."
        ),
        make_item("curry", "recipes", "Green Curry", topic=["spicy"], text="Chicken in coconut milk with fish sauce and coriander."),
        make_item("pad-thai", "recipes", "Pad Thai", topic=["peanuts"], text="Rice noodles with prawns, egg and peanuts."),
        make_item("carbonara", "recipes", "Carbonara", text="Spaghetti with guanciale and egg yolks, without cream."),
        make_item("ramen", "recipes", "Ramen", text="Noodles in a broth of pork bones. \u914d\u9999\u83dc\u3002"),
        make_item("salad", "recipes", "Salad", text="Leaves, oil and lemon."),
        make_item("milk", "movies", "Milk", year=2008, text="A politician in San Francisco. No vampires."),
        make_item("buffy", "movies", "Night Hunters", year=1999, text="A girl hunts vampires at school."),
    ]
)
FOODS = {str(item.item_id) for item in DISHES.items if item.domain == "recipes"}


@pytest.fixture(scope="module")
def concepts() -> Concepts:
    return Concepts.load()


def left(constraints: Constraints) -> set[str]:
    return {str(item.item_id) for item, passes in zip(DISHES.items, DISHES.allowed(constraints), strict=True) if passes}


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("no dairy", {"lasagne"}),
        ("something dairy-free", {"lasagne"}),
        ("dinner, I'm lactose intolerant", {"lasagne"}),
        ("I'm allergic to nuts", {"pad-thai"}),
        ("a nut allergy", {"pad-thai"}),
        ("without coriander", {"curry", "ramen"}),
        ("no eggs please", {"lasagne", "pad-thai", "carbonara"}),
        ("I don't eat pork", {"carbonara", "ramen"}),
        ("no seafood", {"curry", "pad-thai"}),
        ("no gluten", {"lasagne", "carbonara", "ramen", "pad-thai"}),
        ("no mushrooms", set()),
        ("vegan", {"lasagne", "curry", "pad-thai", "carbonara", "ramen"}),
        ("vegetarian", {"lasagne", "curry", "pad-thai", "carbonara", "ramen"}),
        ("\u4e0d\u8981\u9999\u83dc", {"curry", "ramen"}),
        ("\u6211\u5bf9\u82b1\u751f\u8fc7\u654f", {"pad-thai"}),
        ("\u4e0d\u5403\u732a\u8089", {"carbonara", "ramen"}),
        ("a fish dish", set()),
        ("with coriander", set()),
    ],
)
def test_no_dish_names_what_is_refused(concepts: Concepts, text: str, out: set[str]) -> None:
    constraints = constraints_from_text(text, DISHES, concepts).constraints
    assert FOODS - left(Constraints(ban=constraints.ban)) == out
    assert {"milk", "buffy"} <= left(Constraints(ban=constraints.ban)), "what is said of a film is nothing to eat"


def test_a_word_that_the_vocabulary_lacks_is_looked_for_in_what_items_say(concepts: Concepts) -> None:
    assert {str(item.item_id) for item in DISHES.items} - left(banned_by("vampires", DISHES, concepts)) == {"buffy"}
    assert banned_by("zeppelins", DISHES, concepts) == Constraints()


def test_conditions_are_named_by_a_few_of_their_foods(concepts: Concepts) -> None:
    (name,) = DISHES.describe(constraints_from_text("vegan", DISHES, concepts).constraints)[:1]
    assert name.startswith("no ingredient ")
    assert len(name) < 120
