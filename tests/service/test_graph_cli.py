"""`scenewise graph`, as a person and as a program call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from scenewise.store.store import Store
from scenewise.store.types import Edge, Event, Item, ItemId, UserId

Run = Callable[..., Result]
Read = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A few films and a book, one fact of which was closed in 2020."""
    path = tmp_path / "store"
    with Store.open(path, create=True) as opened:
        films = {"heat": "Heat", "insider": "The Insider", "mohicans": "The Last of the Mohicans"}
        opened.items.upsert(
            [
                *(
                    Item(ItemId(name), "movies", title, attributes={"genre": ("Romance",)} if name == "mohicans" else {})
                    for name, title in films.items()
                ),
                Item(ItemId("emma"), "books", "Emma [red]", attributes={"genre": ("romance",)}),
            ]
        )
        opened.edges.add([Edge(f"item:{name}", "directed_by", "person:Michael Mann", "test") for name in films])
        opened.edges.add([Edge("item:heat", "about", "topic:sailing", "rumour", valid_from_s=1.5e9, valid_to_s=1.58e9)])
        opened.events.add([Event(UserId("u"), ItemId("heat"), "like", None, 1.0)])
    return path


def test_ask(run: Run, read: Read, store: Path) -> None:
    found = read("graph", "ask", "films by the director of Heat that fit a date night", "--store", store)
    assert [item["item_id"] for item in found["items"]] == ["mohicans"]
    assert found["items"][0]["nodes"] == ["item:heat", "person:michael mann", "item:mohicans"]
    assert found["understood"].startswith("movies; Heat - directed by")
    shown = run("graph", "ask", "films by the director of Heat", "--store", store, "--user", "u").stdout
    assert "Heat - directed by - Michael Mann - directed by - The Insider" in shown


def test_a_question_that_cannot_be_read_is_refused(run: Run, read: Read, store: Path) -> None:
    refused = read("graph", "ask", "what is love", "--store", store, code=2)
    assert "cannot be read" in refused["error"]
    assert "Traceback" not in run("graph", "ask", "", "--store", store).output


@pytest.mark.parametrize("thing", ["heat", "Heat", "item:heat", "the heat"])
def test_show_names_relation_and_source(read: Read, store: Path, thing: str) -> None:
    found = read("graph", "show", thing, "--store", store)
    assert found["node"] == "item:heat"
    told = {(fact["relation"], fact["name"], fact["source"]) for fact in found["facts"]}
    assert told == {("directed_by", "Michael Mann", "test"), ("in_domain", "movies", "catalogue")}


def test_show_as_of_a_date_knows_what_held_then(read: Read, store: Path) -> None:
    then = read("graph", "show", "heat", "--store", store, "--as-of", "2019-01-01")
    assert "sailing" in {fact["name"] for fact in then["facts"]}
    assert "sailing" not in {fact["name"] for fact in read("graph", "show", "heat", "--store", store, "--as-of", "2021-01-01")["facts"]}
    assert "error" in read("graph", "show", "heat", "--store", store, "--as-of", "yesterday", code=2)


def test_show_draws_a_page(run: Run, store: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out.html"
    result = run("graph", "show", "emma", "--store", store, "--html", out)
    assert "Emma [red]" in result.stdout
    assert "<svg" in out.read_text(encoding="utf-8")


def test_path_from_items_a_user_and_a_scene(read: Read, run: Run, store: Path) -> None:
    ways = read("graph", "path", "mohicans", "--user", "u", "--scene", "date night", "--store", store)
    assert {way["nodes"][0] for way in ways} == {"item:heat", "scene:date night"}
    assert "directed by Michael Mann, like Heat" in run("graph", "path", "The Insider", "--from", "Heat", "--store", store).stdout
    assert "error" in read("graph", "path", "mohicans", "--store", store, code=2)
    assert "error" in read("graph", "path", "mohicans", "--scene", "moon landing", "--store", store, code=3)


def test_bridge_crosses_domains(read: Read, run: Run, store: Path) -> None:
    (row,) = read("graph", "bridge", "mohicans", "--store", store)
    assert (row["item_id"], row["sentence"]) == ("emma", "romance, like The Last of the Mohicans")
    assert "no item of another kind" in run("graph", "bridge", "heat", "--to", "books", "-k", "1", "--store", store).stdout
    assert "error" in read("graph", "bridge", "heat", "--to", "shoes", "--store", store, code=2)


def test_stats_count(read: Read, run: Run, store: Path) -> None:
    report = read("graph", "stats", "--store", store)
    assert report["kinds"]["item"] == 4
    assert report["relations"]["directed_by"] == 3
    assert report["sources"]["test"] == 3
    assert sum(report["relations"].values()) == report["facts"]
    assert "nodes" in run("graph", "stats", "--store", store).stdout


@pytest.mark.parametrize(("name", "files"), [("g.graphml", 1), ("g.jsonld", 1), ("g.parquet", 2)])
def test_export(read: Read, store: Path, tmp_path: Path, name: str, files: int) -> None:
    report = read("graph", "export", tmp_path / name, "--store", store)
    assert len(report["files"]) == files
    assert all(Path(path).stat().st_size for path in report["files"])


def test_errors_have_their_codes(read: Read, store: Path, tmp_path: Path) -> None:
    assert "error" in read("graph", "export", tmp_path / "g.doc", "--store", store, code=2)
    assert "error" in read("graph", "show", "no such thing anywhere", "--store", store, code=3)
    assert json.loads(json.dumps(read("graph", "stats", "--store", tmp_path / "none", code=3)))["exit_code"] == 3
