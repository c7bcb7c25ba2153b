"""Where a negation ends."""

from __future__ import annotations

import pytest

from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.concepts import constraints_from_text
from scenewise.tools.catalogue.mentions import Concepts

CATALOGUE = Catalogue.from_items(
    [
        Item(ItemId("a"), "movies", "A", attributes={"genre": ("Horror",)}),
        Item(ItemId("b"), "movies", "B", attributes={"genre": ("War",)}),
        Item(ItemId("c"), "books", "C", attributes={"genre": ("comedy",)}),
    ]
)


@pytest.mark.parametrize(
    ("text", "banned", "added", "excluded"),
    [
        ("nothing violent, and something to read as well", {"horror", "war"}, {"books"}, set()),
        ("no horror, and a book as well", {"horror"}, {"books"}, set()),
        ("no horror or a war film", {"horror", "war"}, set(), set()),
        ("no horror and no books", {"horror"}, set(), {"books"}),
    ],
)
def test_a_new_wish_ends_the_negation(text: str, banned: set[str], added: set[str], excluded: set[str]) -> None:
    reading = constraints_from_text(text, CATALOGUE, Concepts.load())
    assert reading.constraints.ban.get("genre", frozenset()) == banned
    assert reading.domains_added == added
    assert reading.constraints.exclude_domains == excluded
