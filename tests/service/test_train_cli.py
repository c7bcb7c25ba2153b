"""`scenewise train` as a person or a timer calls it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from scenewise.service.train_cli import read_since
from scenewise.store.errors import InputError
from scenewise.store.lock import WriterLock
from scenewise.store.store import Store
from scenewise.store.types import Event, ItemId, UserId
from scenewise.tools.features import encode_items
from scenewise.tools.retrieval.encoders import Encoders

Run = Callable[..., Result]
Read = Callable[..., Any]


@pytest.fixture(autouse=True, scope="module")
def encoded(small_store: Path, encoders: Encoders) -> None:
    """Encode the items once: copies of the store have the cache."""
    with Store.open(small_store, read_only=True) as store:
        encode_items(list(store.items.all()), encoders, cache=store.cache / "features")


def test_training_says_what_it_made_and_the_next_turn_has_it(read: Read, run: Run, own_store: Path) -> None:
    said = read("train", "--store", own_store)
    assert said["n_users"] == 8
    assert "files" not in said
    assert any("fewer than 50 users" in note for note in said["notes"])
    turn = read("recommend", "--store", own_store, "--user", "eve")
    assert turn["artefact"] == said["version"]
    shown = run("train", "--store", own_store, "--only", "sources")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("version ")
    assert said["version"] not in shown.stdout


def test_nothing_new_is_no_error(read: Read, own_store: Path) -> None:
    first = read("train", "--store", own_store, "--since", "last")
    assert "there is no version to go on from: all parts were trained" in first["notes"]
    again = read("train", "--store", own_store, "--since", "last")
    assert (again["version"], again["notes"]) == (first["version"], ["no events have come since: the version stays as it is"])
    assert read("train", "--store", own_store, "--since", "2031-01-01")["version"] == first["version"]
    with Store.open(own_store) as store:
        store.events.add([Event(UserId("eve"), ItemId("film-alien"), "rating", 5.0, 1_900_000_000.0)])
    assert read("train", "--store", own_store, "--since", "2029-01-01")["started_from"] == first["version"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--since", "yesterday"), 2, "--since is read as"),
        (("--store", "nowhere"), 3, "no store at"),
        (("--only", "everything"), 2, "everything"),
        (("--epochs", "0"), 2, "--epochs"),
        (("--seed", "-1"), 2, "--seed"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(run: Run, own_store: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    result = run("train", *(() if "--store" in arguments else ("--store", own_store)), *arguments)
    assert result.exit_code == code
    assert words in result.output
    assert not (own_store / "models").exists()


def test_who_trains_already_is_named(run: Run, own_store: Path) -> None:
    (own_store / "models").mkdir()
    lock = WriterLock.take(own_store / "models" / "lock", purpose="train", now_s=time.time())
    result = run("train", "--store", own_store)
    lock.release()
    assert result.exit_code == 5
    assert "(train)" in result.output


def test_a_writer_of_the_store_is_not_in_the_way(read: Read, own_store: Path) -> None:
    with Store.open(own_store) as writer:
        said = read("train", "--store", own_store)
        writer.events.add([Event(UserId("eve"), ItemId("film-alien"), "rating", 5.0, 1_900_000_000.0)])
        assert read("train", "--store", own_store, "--since", "last")["n_events"] == said["n_events"] + 1


def test_ray_that_is_not_installed_is_named_with_its_extra(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from worlds import build_crowd_store

    build_crowd_store(tmp_path / "store")
    monkeypatch.setitem(sys.modules, "ray", None)
    result = run("train", "--store", tmp_path / "store", "--engine", "ray")
    assert result.exit_code == 2
    assert "install the extra `distributed`" in result.output


@pytest.mark.slow
def test_ctrl_c_leaves_the_version_that_was_there(read: Read, tmp_path: Path) -> None:
    from worlds import build_crowd_store

    path = tmp_path / "store"
    build_crowd_store(path)
    first = read("train", "--store", path, "--epochs", "1")["version"]
    command = [sys.executable, "-m", "scenewise", "train", "--store", str(path), "--epochs", "2000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "ranker" in line:
            break
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "stopped" in rest
    assert "Traceback" not in rest
    assert (path / "models" / "current").read_text() == first
    assert [one.name for one in (path / "models").iterdir() if one.name.startswith(".part")] == []


def test_the_doctor_finds_damaged_models(read: Read, own_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def examine() -> tuple[bool, str]:
        found = read("doctor", code=1)  # this home has no vLLM
        return next((one["ok"], one["message"]) for one in found if one["name"] == "trained models")

    monkeypatch.setenv("SCENEWISE_STORE", str(own_store))
    assert examine() == (True, "none: models are fitted at each start; `scenewise train` makes better ones")
    first, second = read("train")["version"], read("train")["version"]
    assert examine() == (True, f"version {second} serves")
    (own_store / "models" / second / "fusion.json").unlink()
    ok, message = examine()
    assert not ok
    assert message == f"trained models {second}: a file is missing; run `scenewise train` again; version {first} serves"


def test_times_are_utc_unless_they_say_otherwise() -> None:
    assert read_since("1970-01-02") == read_since("1970-01-02T01:00+01:00") == 86_400
    with pytest.raises(InputError):
        read_since("")
