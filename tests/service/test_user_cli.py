"""`scenewise user`: what it shows, changes, hands out and forgets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from scenewise import Event, Item, ItemId, Store, UserId

Run = Callable[..., Result]
ANN = UserId("ann-52d8")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "shop", create=True) as store:
        store.items.upsert([Item(ItemId("a"), "movies", "Alpha", attributes={"genre": ("Drama",)})])
        store.users.upsert(ANN, {"city": "Köln"})
        store.events.add([Event(ANN, ItemId("a"), "play", None, 1.0)])
    return tmp_path / "shop"


def test_a_profile_is_edited_locked_and_shown(run: Run, shop: Path) -> None:
    where = ("--store", str(shop))
    assert run("user", "dislike", ANN, "genre", "drama", *where).exit_code == 0
    assert run("user", "like", ANN, "item", "Alpha", *where).exit_code == 0
    locked = run("user", "lock", ANN, "genre", "Drama", "--json", *where)
    assert [taste["locked"] for taste in json.loads(locked.stdout)["dislikes"]] == [True]
    refused = run("user", "like", ANN, "genre", "Drama", *where)
    assert refused.exit_code == 4
    assert "locked" in refused.stderr
    shown = run("user", "show", ANN, *where).stdout
    assert "Köln" in shown
    assert "dislikes genre Drama locked" in shown
    assert "likes item Alpha" in shown
    assert run("user", "lock", ANN, "genre", "Drama", "--off", *where).exit_code == 0
    assert json.loads(run("user", "remove", ANN, "genre", "Drama", "--json", *where).stdout)["dislikes"] == []
    assert run("user", "lock", ANN, "genre", "Drama", *where).exit_code == 3
    assert run("user", "like", ANN, "genre", "no such thing", *where).exit_code != 0


def test_an_identity_is_linked_and_parted(run: Run, shop: Path) -> None:
    where = ("--store", str(shop))
    assert run("user", "link", ANN, "music", "42", *where).exit_code == 0
    assert json.loads(run("user", "show", "music:42", "--json", *where).stdout)["user_id"] == ANN
    assert run("user", "unlink", "music", "42", *where).exit_code == 0
    assert run("user", "unlink", "music", "42", *where).exit_code == 3
    assert run("user", "show", "music:42", *where).exit_code == 3


def test_a_user_is_handed_out_and_forgotten(run: Run, shop: Path, tmp_path: Path) -> None:
    where, out = ("--store", str(shop)), tmp_path / "ann.json"
    assert run("user", "export", ANN, "--out", str(out), *where).exit_code == 0
    assert json.loads(out.read_text(encoding="utf-8"))["events"] == [
        {"item_id": "a", "kind": "play", "value": None, "time_s": 1.0, "moment": None}
    ]
    assert run("user", "forget", ANN, *where, said="n\n").exit_code == 1
    assert run("user", "forget", ANN, *where, said="y\n").exit_code == 0
    assert run("user", "forget", ANN, "--yes", *where).exit_code == 3
    assert all(ANN.encode() not in file.read_bytes() for file in shop.rglob("*") if file.is_file())
