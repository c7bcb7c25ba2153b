"""`scenewise train planner` and its like, as a person calls them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_llama import build_tiny_llama, write_rows

Read = Callable[..., Any]


def test_the_language_trainings_say_what_is_wrong_with_their_files(read: Read, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", 6)
    options = ("--out", tmp_path / "adapter", "--base", tmp_path)
    assert (
        "none.jsonl does not exist" in read("train", "planner", "--data", tmp_path / "none.jsonl", "--dev", rows, *options, code=2)["error"]
    )
    assert "no rows to learn from" in read("train", "writer", "--data", rows, "--dev", rows, *options, code=2)["error"]
    assert "scenewise llm fetch" in read("train", "planner", "--data", rows, "--dev", rows, *options, code=2)["error"]
    assert not (tmp_path / "adapter").exists()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["planner", "language"])
def test_a_language_training_from_the_command_line(read: Read, tmp_path: Path, command: str) -> None:
    base = build_tiny_llama(tmp_path / "tiny")
    rows, dev = write_rows(tmp_path / "rows.jsonl", 12), write_rows(tmp_path / "dev.jsonl", 6)
    more = write_rows(tmp_path / "more.jsonl", 3, task="write")
    files = ("--data", rows, "--data", more, "--dev", dev)
    said = read("train", command, *files, "--out", tmp_path / "adapter", "--base", base, "--layers", 2, "--epochs", 1, "--rank", 2)
    assert said["n_rows"] == {"planner": 12, "language": 15}[command]
    assert said["served"]["loss"] > 0
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
