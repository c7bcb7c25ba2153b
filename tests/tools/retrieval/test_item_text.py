from __future__ import annotations

from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.retrieval.item_text import embedding_text, hash_text, metadata_of, where_of

FARGO = Item(
    ItemId("m1"),
    "movies",
    "Fargo",
    "A salesman's scheme goes wrong.",
    {"mood": ("dark",), "genre": ("Crime", "Thriller"), "creator": ("Joel Coen", "Ethan Coen"), "topic": ("snow",), "level": ("x",)},
    year=1996,
)


def test_text_has_a_fixed_order_whatever_the_order_of_attributes() -> None:
    expected = (
        "Fargo (movies, 1996). By Joel Coen, Ethan Coen. genre: Crime, Thriller. mood: dark. topic: snow. A salesman's scheme goes wrong."
    )
    assert embedding_text(FARGO) == expected
    assert embedding_text(Item(ItemId("b"), "books", "Emma")) == "Emma (books)."


def test_the_hash_changes_with_the_text_only() -> None:
    assert hash_text("a") == hash_text("a")
    assert hash_text("a") != hash_text("b")
    assert len(hash_text("\ud800")) == 32


def test_unknown_numbers_pass_every_limit_and_empty_lists_are_left_out() -> None:
    fields = metadata_of(Item(ItemId("b"), "books", "Emma"), "h")
    assert (fields["year_low"], fields["year_high"]) == (-1, 1_000_000)
    assert (fields["duration_min"], fields["price_cents"]) == (-1, -1)
    assert fields["genre"] is None
    assert metadata_of(FARGO, "h")["genre"] == ["crime", "thriller"]


def test_constraints_become_one_filter() -> None:
    assert where_of(Constraints(available_only=False)) is None
    assert where_of(Constraints()) == {"available": True}
    where = where_of(
        Constraints(
            domains=frozenset({"movies"}),
            ban={"genre": frozenset({"war"}), "creator": frozenset({"x"})},
            require={"mood": frozenset({"dark", "calm"})},
            min_year=1990,
            available_only=False,
        )
    )
    assert where == {
        "$and": [
            {"domain": {"$in": ["movies"]}},
            {"year_high": {"$gte": 1990}},
            {"genre": {"$not_contains": "war"}},
            {"$or": [{"mood": {"$contains": "calm"}}, {"mood": {"$contains": "dark"}}]},
        ]
    }
