"""`scenewise graph build`, `merges` and `unmerge` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scenewise.service.cli import app
from scenewise.store import Item, ItemId, Store
from scenewise.store.readings import Merge

run = CliRunner()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "store", create=True) as store:
        store.items.upsert(
            [
                Item(ItemId("a"), "products", "Bag", text="This sturdy red backpack of waxed canvas is made for camping and long walks."),
                Item(ItemId("b"), "products", "Nothing"),
            ]
        )
        store.merges.add([Merge("use:campings", "use:camping", 0.95, "embedding", 1.0)])
    return tmp_path / "store"


def told(*words: str) -> object:
    result = run.invoke(app, [*words, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_dry_run_writes_nothing(path: Path) -> None:
    data = told("graph", "build", "--store", str(path), "--dry-run")
    assert isinstance(data, dict)
    assert (data["to_read"], data["read"], data["dry_run"]) == (1, 0, True)
    with Store.open(path, read_only=True) as store:
        assert store.edges.count() == 0


@pytest.mark.slow
def test_a_build_reads_each_text_once(path: Path) -> None:
    first, second = (told("graph", "build", "--store", str(path)) for _ in range(2))
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert (first["read"], second["to_read"]) == (1, 0)
    with Store.open(path, read_only=True) as store:
        assert {edge.object for edge in store.edges.of("item:a")} >= {"color:red", "use:camping"}


def test_a_merge_is_listed_and_undone(path: Path) -> None:
    listed = told("graph", "merges", "--store", str(path))
    assert isinstance(listed, list)
    assert [one["node"] for one in listed] == ["use:campings"]
    told("graph", "unmerge", "use:campings", "--store", str(path))
    assert told("graph", "merges", "--store", str(path)) == []
    assert run.invoke(app, ["graph", "unmerge", "use:campings", "--store", str(path)]).exit_code == 3
    assert run.invoke(app, ["graph", "unmerge", "campings", "--store", str(path)]).exit_code == 2


def test_an_llm_that_is_missing_and_a_wrong_schema_are_said(path: Path) -> None:
    result = run.invoke(app, ["graph", "build", "--store", str(path), "--reading", "write"])
    assert result.exit_code == 6
    (path / "graph.toml").write_text('version = 1\n[types]\na = "a"\n')
    assert run.invoke(app, ["graph", "build", "--store", str(path), "--dry-run"]).exit_code == 2
