from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("something by jane austen", [("creator", "jane austen")]),
        ("war comedies and sci-fi", [("genre", "war"), ("genre", "comedy"), ("genre", "sci-fi")]),
        ("Joel Coen's crime films", [("creator", "joel coen"), ("genre", "crime")]),
        ("Joel Coen, war", [("creator", "joel coen"), ("genre", "war")]),
        ("a warm day", []),
        ("", []),
    ],
)
def test_find_values(catalogue: Catalogue, text: str, expected: list[tuple[str, str]]) -> None:
    assert [(mention.attribute, mention.value) for mention in catalogue.find_values(text)] == expected


def test_longer_names_win_and_one_place_can_name_two_attributes() -> None:
    catalogue = Catalogue.from_items(
        [Item(ItemId("a"), "books", "T", attributes={"genre": ("Science Fiction", "Fiction"), "topic": ("Fiction",), "creator": ("余华",)})]
    )
    assert [(m.attribute, m.value) for m in catalogue.find_values("science fiction")] == [("genre", "science fiction")]
    assert [(m.attribute, m.value) for m in catalogue.find_values("fiction")] == [("genre", "fiction"), ("topic", "fiction")]
    assert [(m.attribute, m.value) for m in catalogue.find_values("我喜欢余华的书")] == [("creator", "余华")]


@given(st.text(max_size=60))
def test_mentions_lie_in_the_text_and_do_not_cross(text: str) -> None:
    catalogue = Catalogue.from_items([Item(ItemId("a"), "books", "T", attributes={"genre": ("Science Fiction", "war", "ab")})])
    spans = sorted({(m.start, m.end) for m in catalogue.find_values(f"war {text} science fiction")})
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert spans[0] == (0, 3)


def test_nearest_values(catalogue: Catalogue) -> None:
    assert catalogue.values.nearest("genre", "horor")[0] == "Horror"
    assert catalogue.values.nearest("nothing", "horror") == []
