from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.retrieval.index import IndexReport, VectorIndex
from scenewise.tools.retrieval.item_text import embedding_text, where_of

ITEMS = [
    Item(ItemId("a"), "movies", "snow crime", attributes={"genre": ("Crime",)}, year=1996, duration_min=98),
    Item(ItemId("b"), "movies", "snow toys", attributes={"genre": ("Comedy", "Crime")}, year=1980),
    Item(ItemId("c"), "books", "snow letters", price_cents=500),
    Item(ItemId("d"), "books", "desert spice", available=False),
]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[VectorIndex]:
    index = VectorIndex(tmp_path / "cache" / "chroma")
    yield index
    index.close()


@pytest.fixture
def encoder(make_encoder: Callable[[str], Any]) -> Any:
    return make_encoder("words")


def found(index: VectorIndex, encoder: Any, text: str, constraints: Constraints, k: int = 9) -> list[str]:
    return [item_id for item_id, _ in index.query("words", encoder.encode([text])[0], k, where=where_of(constraints))]


def test_nothing_is_found_before_a_build(index: VectorIndex, encoder: Any) -> None:
    assert index.stale("words", 0)
    assert index.query("words", encoder.encode(["snow"])[0], 3) == []
    ids, vectors = index.vectors("words")
    assert (ids, vectors.shape) == ([], (0, 0))


def test_a_build_encodes_all_and_a_second_one_only_what_changed(index: VectorIndex, encoder: Any) -> None:
    steps: list[tuple[int, int]] = []
    assert index.build(ITEMS, encoder, revision=3, progress=lambda done, total: steps.append((done, total))) == IndexReport(4, 0, 0, 4)
    assert steps == [(4, 4)]
    assert not index.stale("words", 3)
    assert index.stale("words", 4)
    assert encoder.seen == 4
    changed = [ITEMS[0], replace(ITEMS[1], price_cents=100), replace(ITEMS[2], title="new letters")]
    assert index.build(changed, encoder, revision=4) == IndexReport(1, 1, 1, 3)
    assert encoder.seen == 5
    assert index.build(changed, encoder, revision=4) == IndexReport(0, 0, 0, 3)


def test_vectors_come_back_as_they_were_encoded(index: VectorIndex, encoder: Any) -> None:
    index.build(ITEMS, encoder, revision=1)
    ids, vectors = index.vectors("words")
    assert vectors.dtype == np.float32
    by_id = dict(zip(ids, vectors, strict=True))
    for item in ITEMS:
        np.testing.assert_allclose(by_id[item.item_id], encoder.encode([embedding_text(item)])[0], atol=1e-6)


def test_scores_are_cosines_and_the_nearest_is_first(index: VectorIndex, encoder: Any) -> None:
    index.build(ITEMS, encoder, revision=1)
    ((item_id, score),) = index.query("words", encoder.encode([embedding_text(ITEMS[3])])[0], 1)
    assert item_id == "d"
    assert score == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        (Constraints(), {"a", "b", "c"}),
        (Constraints(available_only=False), {"a", "b", "c", "d"}),
        (Constraints(domains=frozenset({"books"})), {"c"}),
        (Constraints(exclude_domains=frozenset({"movies"})), {"c"}),
        (Constraints(min_year=1990), {"a", "c"}),
        (Constraints(max_year=1990), {"b", "c"}),
        (Constraints(max_duration_min=60), {"b", "c"}),
        (Constraints(max_price_cents=400), {"a", "b"}),
        (Constraints(ban={"genre": frozenset({"comedy"})}), {"a", "c"}),
        (Constraints(require={"genre": frozenset({"comedy", "war"})}), {"b"}),
        (Constraints(domains=frozenset({"podcasts"})), set()),
    ],
)
def test_filters_are_pushed_down(index: VectorIndex, encoder: Any, constraints: Constraints, expected: set[str]) -> None:
    index.build(ITEMS, encoder, revision=1)
    assert set(found(index, encoder, "snow", constraints)) == expected


def test_changed_fields_are_filtered_by_their_new_values(index: VectorIndex, encoder: Any) -> None:
    index.build(ITEMS, encoder, revision=1)
    index.build([replace(ITEMS[0], available=False), *ITEMS[1:3], replace(ITEMS[3], available=True)], encoder, revision=2)
    assert set(found(index, encoder, "snow", Constraints())) == {"b", "c", "d"}


def test_an_index_is_kept_on_disk(tmp_path: Path, encoder: Any) -> None:
    first = VectorIndex(tmp_path / "chroma")
    first.build(ITEMS, encoder, revision=7)
    first.close()
    second = VectorIndex(tmp_path / "chroma")
    assert not second.stale("words", 7)
    assert second.query("words", encoder.encode([embedding_text(ITEMS[0])])[0], 1)[0][0] == "a"
    second.close()
