"""The Transformer's fit as a Ray Train job, on a cluster of this machine alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from worlds import build_crowd_store

from scenewise.tools.collaborative.interactions import from_columns
from scenewise.tools.ranking.artefacts import Artefact, versions
from scenewise.tools.training.ray_engine import read_events, write_events


@pytest.mark.parametrize("scenes", [None, [2, -1, 0]])
def test_events_travel_as_parquet(tmp_path: Path, scenes: list[int] | None) -> None:
    users, rows = np.asarray([0, 2, 2]), np.asarray([3, 1, 0], dtype=np.int32)
    times_s, worth = np.asarray([5.0, 1.5, 1.5]), np.asarray([1, 0.3, 0.6], dtype=np.float32)
    codes = None if scenes is None else np.asarray(scenes, dtype=np.int16)
    told = from_columns(users, rows, times_s, worth, shape=(4, 5), scenes=codes)
    write_events(tmp_path / "events.parquet", told)
    read = read_events(tmp_path / "events.parquet", shape=(4, 5))
    assert (read.matrix != told.matrix).nnz == 0
    for name in ("rows", "times_s", "starts"):
        assert getattr(read.sequences, name).tolist() == getattr(told.sequences, name).tolist()
    assert read.worth.tolist() == told.worth.tolist()
    assert (None if read.sequences.scenes is None else read.sequences.scenes.tolist()) == scenes


def train(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Train as a person would, in another process: Ray starts and stops its own there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    command = [sys.executable, "-m", "scenewise", "train", "--store", str(store), "--engine", "ray", *arguments, "--json"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_workers_make_what_one_process_makes(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    store = tmp_path / "store"
    build_crowd_store(store, users=1200)  # two batches an epoch and more: every worker needs one
    result = train(store, "--workers", "2", "--epochs", "2")
    assert result.returncode == 0, result.stderr[-2000:]
    said = json.loads(result.stdout)
    assert said["measures"]["transformer"]["NDCG@10"] > 0
    artefact = Artefact.read(versions(store / "models")[0])
    assert {"transformer.safetensors", "features.npz", "fusion.json"} < {*artefact.manifest.files}
    assert {path.name for path in (store / "models").iterdir()} == {said["version"], "current", "lock"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_minutes_do_not_go_with_workers(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    build_crowd_store(tmp_path / "store")
    result = train(tmp_path / "store", "--minutes", "1")
    assert result.returncode == 2
    assert "give --epochs in place of --minutes" in result.stdout
