from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from scenewise.store.errors import InputError
from scenewise.store.store import Store
from scenewise.store.types import Item, ItemId, Moment, Profile, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.context import TurnContext
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.retrieval.retriever import Retriever
from scenewise.tools.retrieval.tool import make_tool
from scenewise.tools.scene.reading import SceneReading

ITEMS = [
    Item(ItemId("a"), "movies", "Winter crime", "A murder in the snow.", {"genre": ("Crime",)}, year=1996),
    Item(ItemId("b"), "movies", "Snow toys", "Toys play in the snow.", {"genre": ("Comedy",)}, year=1980),
    Item(ItemId("c"), "books", "Letters", "Letters from a snow country.", {"genre": ("Drama",)}),
    Item(ItemId("d"), "books", "Spice", "Sand and worms.", {"genre": ("Sci-Fi",)}),
    Item(ItemId("e"), "books", "三体", "外星文明入侵地球。", {"genre": ("科幻",)}),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True) as store:
        store.items.upsert(ITEMS)
        yield store


@pytest.fixture
def retriever(store: Store, make_encoder: Callable[[str], Any]) -> Iterator[Retriever]:
    retriever = Retriever(store, Catalogue.from_store(store), Encoders(make_encoder("english"), make_encoder("multilingual")))
    retriever.reindex()
    yield retriever
    retriever.close()


def everything(retriever: Retriever) -> Any:
    return retriever.catalogue.allowed(Constraints())


def test_items_with_the_words_come_first(retriever: Retriever) -> None:
    found = retriever.retrieve("toys in the snow", 3, allowed=everything(retriever))
    assert found.rows[0].item_id == "b"
    assert found.rows[0].reason == "close in words and meaning"
    assert found.rows[0].score == pytest.approx(2 / 61)
    assert {row.source for row in found} == {"retrieve"}
    assert len(found) == 3


def test_chinese_is_searched_with_the_multilingual_encoder(retriever: Retriever) -> None:
    found = retriever.retrieve("外星文明", 1, allowed=everything(retriever))
    assert [row.item_id for row in found] == ["e"]
    assert retriever.encoders.multilingual.seen > len(ITEMS)  # type: ignore[attr-defined]


@pytest.mark.parametrize("exact_below", [0, 2_000])
def test_only_allowed_items_are_found_by_either_path(store: Store, make_encoder: Callable[[str], Any], exact_below: int) -> None:
    encoders = Encoders(make_encoder("english"), make_encoder("multilingual"))
    retriever = Retriever(store, Catalogue.from_store(store), encoders, exact_below=exact_below)
    retriever.reindex()
    constraints = Constraints(ban={"genre": frozenset({"comedy"})}, min_year=1990)
    allowed = retriever.catalogue.allowed(constraints) & ~retriever.catalogue.columns.having("genre", ["drama"])
    found = retriever.retrieve("toys in the snow", 10, allowed=allowed, constraints=constraints)
    assert {row.item_id for row in found} == {"a", "d", "e"}
    assert found.rows[0].item_id == "a"
    retriever.close()


@pytest.mark.parametrize("exact_below", [0, 2_000])
def test_a_narrow_mask_is_filled_by_asking_for_more(store: Store, make_encoder: Callable[[str], Any], exact_below: int) -> None:
    store.items.upsert(Item(ItemId(f"x{n:03}"), "movies", "Snow snow snow") for n in range(120))
    encoders = Encoders(make_encoder("english"), make_encoder("multilingual"))
    retriever = Retriever(store, Catalogue.from_store(store), encoders, exact_below=exact_below, depth=2)
    retriever.reindex()
    allowed = retriever.catalogue.columns.in_domains({"books"})
    found = retriever.retrieve("snow", 1, allowed=allowed)
    assert [row.item_id for row in found] == ["c"]
    retriever.close()


def test_words_are_searched_for_once_and_anew_where_items_changed(
    store: Store, retriever: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []
    search = store.items.search_text
    monkeypatch.setattr(store.items, "search_text", lambda query, k: asked.append((query, k)) or search(query, k))
    first = retriever.retrieve("snow", 3, allowed=everything(retriever))
    books = np.array([item.domain == "books" for item in retriever.catalogue.items])
    assert [row.item_id for row in retriever.retrieve("snow", 1, allowed=books)] == ["c"]
    assert retriever.retrieve("snow", 3, allowed=everything(retriever)) == first
    assert len(asked) == 1
    store.items.upsert([Item(ItemId("f"), "books", "Snow", "Snow.")])
    after = Retriever(store, Catalogue.from_store(store), retriever.encoders)
    assert "f" in {row.item_id for row in after.retrieve("snow", 5, allowed=everything(after))}
    assert len(asked) == 2


def test_empty_requests_find_nothing(retriever: Retriever) -> None:
    allowed = everything(retriever)
    assert len(retriever.retrieve("   ", 5, allowed=allowed)) == 0
    assert len(retriever.retrieve("snow", 0, allowed=allowed)) == 0
    assert len(retriever.retrieve("snow", 5, allowed=np.zeros_like(allowed))) == 0
    with pytest.raises(InputError):
        retriever.retrieve("snow", 5, allowed=allowed[:2])


def test_words_of_every_request_do_not_search(retriever: Retriever) -> None:
    assert retriever._search_words("please recommend me something for tonight", 9, everything(retriever)) == []


def test_similar_leaves_out_what_was_named(retriever: Retriever) -> None:
    found = retriever.similar([ItemId("a"), ItemId("nobody")], 2, allowed=everything(retriever))
    matrix = retriever.vectors()
    others = sorted((1, 2, 3, 4), key=lambda row: -float(matrix[row] @ matrix[0]))
    assert [row.item_id for row in found] == [ITEMS[row].item_id for row in others[:2]]
    assert len(retriever.similar([], 2, allowed=everything(retriever))) == 0


def test_vectors_are_aligned_to_the_rows(retriever: Retriever) -> None:
    matrix = retriever.vectors()
    assert matrix.shape == (5, 256)
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(matrix, axis=1), 1.0, atol=1e-5)
    assert not matrix.flags.writeable


def test_the_index_is_stale_after_a_change_of_items_only(store: Store, retriever: Retriever) -> None:
    assert not retriever.stale()
    store.items.upsert([replace(ITEMS[0], title="Summer crime")])
    assert retriever.stale()
    fresh = Retriever(store, Catalogue.from_store(store), retriever.encoders)
    assert fresh.reindex().n_encoded == 1
    assert not fresh.stale()


def test_without_an_index_words_still_find(store: Store, make_encoder: Callable[[str], Any]) -> None:
    retriever = Retriever(store, Catalogue.from_store(store), Encoders(make_encoder("english"), make_encoder("multilingual")))
    assert retriever.stale()
    found = retriever.retrieve("toys", 5, allowed=everything(retriever))
    assert [(row.item_id, row.reason) for row in found] == [("b", "has its words")]
    assert len(retriever.similar([ItemId("a")], 2, allowed=everything(retriever))) == 0
    assert retriever.vectors().shape == (5, 1)
    retriever.close()


def test_the_tool_keeps_to_the_domain_and_the_mask(retriever: Retriever) -> None:
    tool = make_tool(retriever)
    schema = tool.tool_call_schema.model_json_schema()["properties"]
    assert set(schema) == {"query", "domain", "k"}
    assert schema["domain"]["anyOf"][0]["enum"] == ["books", "movies"]
    assert (schema["query"]["maxLength"], schema["k"]["maximum"]) == (120, 50)
    constraints = Constraints(ban={"genre": frozenset({"sci-fi"})})
    context = TurnContext(
        user_id=UserId("u"),
        message="",
        moment=Moment(),
        scene=SceneReading(None, 1.0, {"none": 1.0}),
        profile=Profile(UserId("u")),
        history=(),
        constraints=constraints,
        allowed=retriever.catalogue.allowed(constraints),
        now_s=0.0,
    )

    def call(**arguments: object) -> Any:
        return tool.invoke({"name": "retrieve", "args": {**arguments, "context": context}, "id": "1", "type": "tool_call"})

    message = call(query="snow", domain="books", k=5)
    assert {row.item_id for row in message.artifact} == {"c", "e"}
    assert message.content == "2 items fit."
    with pytest.raises(ValidationError):
        call(query="snow", domain="films")
    with pytest.raises(ValidationError):
        call(query="snow", k=51)


@pytest.mark.slow
def test_real_encoders_find_by_meaning(store: Store) -> None:
    from scenewise.tools.retrieval.encoders import default_encoders

    retriever = Retriever(store, Catalogue.from_store(store), default_encoders())
    retriever.reindex()
    allowed = everything(retriever)
    assert retriever.retrieve("a whodunit with a killing", 1, allowed=allowed).rows[0].item_id == "a"
    assert retriever.retrieve("外星人入侵", 1, allowed=allowed).rows[0].item_id == "e"
    retriever.close()
