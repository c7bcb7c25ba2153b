"""`scenewise item`: what it writes, shows and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result
from worlds import write_jsonl

from scenewise import Edge, InputError, Item, ItemId, Store
from scenewise.store.item_json import item_json, read_items

Run = Callable[..., Result]
BEES = {"item_id": "bees", "domain": "movies", "title": "Bees", "attributes": {"genre": ["Drama", "爱情"]}, "year": 2020}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "shop", create=True) as store:
        store.items.upsert([Item(ItemId("a"), "movies", "Alpha")])
        store.edges.add([Edge("item:a", "by", "creator:x", "list", confidence=0.5)])
    return tmp_path / "shop"


def test_put_show_delete(run: Run, shop: Path, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "items.jsonl", [BEES, {"item_id": "a", "domain": "movies", "title": "Alpha"}])
    done = run("item", "put", str(file), "--store", str(shop), "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"written": 1, "unchanged": 1})
    shown = json.loads(run("item", "show", "bees", "--store", str(shop), "--json").stdout)
    assert shown.pop("facts") == shown.pop("past_facts") == []
    assert read_items(json.dumps(shown).encode()) == read_items(json.dumps(BEES).encode())
    assert "爱情" in run("item", "show", "bees", "--store", str(shop)).stdout
    assert "by creator:x" in run("item", "show", "a", "--store", str(shop)).stdout
    gone = run("item", "delete", "a", "bees", "--store", str(shop), "--json")
    assert (gone.exit_code, json.loads(gone.stdout)) == (0, {"deleted": 2})
    assert run("item", "show", "bees", "--store", str(shop)).exit_code == 3


def test_put_reads_standard_input_one_item_or_a_list(run: Run, shop: Path) -> None:
    for text in (json.dumps(BEES, indent=1), json.dumps([BEES, {**BEES, "item_id": "more"}])):
        done = run("item", "put", "-", "--store", shop, "--json", said=text)
        assert json.loads(done.stdout)["written"] == 1


def test_what_it_was_can_be_shown(run: Run, shop: Path) -> None:
    assert run("item", "show", "a", "--as-of", "2001-01-01", "--store", str(shop)).exit_code == 3
    assert run("item", "show", "a", "--as-of", "soon", "--store", str(shop)).exit_code == 2
    assert run("item", "delete", "a", "--store", str(shop)).exit_code == 0
    with Store.open(shop, read_only=True) as store:
        ended = store.edges.of("item:a")
    assert [edge.valid_to_s is not None for edge in ended] == [True]
    assert run("item", "delete", "a", "--forget", "--store", str(shop)).exit_code == 0
    with Store.open(shop, read_only=True) as store:
        assert store.edges.of("item:a") == []


def test_delete_is_all_or_nothing(run: Run, shop: Path) -> None:
    refused = run("item", "delete", "a", "none", "--store", str(shop))
    assert refused.exit_code == 3
    with Store.open(shop, read_only=True) as store:
        assert store.items.count() == 1


def test_it_works_while_another_process_has_the_store(run: Run, shop: Path, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "items.jsonl", [BEES])
    with Store.open(shop) as store:
        assert run("item", "put", str(file), "--store", str(shop)).exit_code == 0
        assert store.items.get(ItemId("bees")).year == 2020
        assert run("item", "delete", "a", "--store", str(shop)).exit_code == 0
        assert store.items.ids() == ["bees"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "no item here"),
        (b"{", "line 1 is no JSON"),
        (b'{"item_id": "a", "domain": "d", "title": "t"}\n{', "line 2 is no JSON"),
        (b"[1]", "item 1 is no JSON object"),
        (b'{"item_id": "a", "domain": "d"}', "the item: title: field required"),
        (b'{"item_id": 3, "domain": "d", "title": "t"}', "the item: item_id: input should be a valid string"),
        (b'{"item_id": " ", "domain": "d", "title": "t"}', "the item: item_id: string should have at least 1 character"),
        (b'{"item_id": "a", "domain": "d", "title": "t", "price": 3}', "no such field"),
        (b'{"item_id": "a", "domain": "d", "title": "t", "price_cents": 1.5}', "price_cents"),
        (b'{"item_id": "a", "domain": "d", "title": "t", "duration_min": NaN}', "no JSON"),
        (b'{"item_id": "a", "domain": "d", "title": "t", "attributes": {"genre": "Drama"}}', "attributes: input should be a valid list"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_what_is_no_item_is_refused_with_its_place(text: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_items(text)


def test_bad_items_change_nothing_and_are_not_repeated(run: Run, shop: Path, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "items.jsonl", [BEES, {**BEES, "item_id": "b", "secret field": 1}])
    refused = run("item", "put", str(file), "--store", str(shop))
    assert refused.exit_code == 2
    assert "secret" not in refused.output
    with Store.open(shop, read_only=True) as store:
        assert store.items.ids() == ["a"]
    assert run("item", "put", str(tmp_path / "none"), "--store", str(shop)).exit_code == 3
    assert run("item", "put", str(file), "--store", str(tmp_path / "none")).exit_code == 2


def test_an_item_reads_as_it_is_written() -> None:
    item = Item(ItemId("a"), "d", "t", "x", {"genre": ("Drama",)}, 1999, 12.5, 300, "EUR", False, ("http://x/y.png",))
    written: dict[str, Any] = item_json(item)
    assert read_items(json.dumps(written).encode()) == [item]
