"""A training that is killed at any point: the version that was there serves, and the next training cleans up and goes on."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from worlds import build_crowd_store

from scenewise import Store
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.ranking.artefacts import Artefact, versions
from scenewise.tools.ranking.trained import Trained
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.training.train import CHECKPOINTS, Order, train_store

ORDER = Order(epochs=2)

# Every rename and every flush to the disk is a point at which the training may die; it says how many there were when it lives.
TRAIN = """
import os, signal, sys
from scenewise import Store
from scenewise.tools.retrieval.encoders import default_encoders
from scenewise.tools.training.train import Order, train_store
points = 0
def dying(call):
    def step(*arguments, **options):
        global points
        points += 1
        if points == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return step
for name in ("fsync", "replace", "rename"):
    setattr(os, name, dying(getattr(os, name)))
with Store.open(sys.argv[1], read_only=True) as store:
    train_store(store, default_encoders(), Order(epochs=2))
print(points)
"""


def train_in_another_process(store: Path, die_at: int) -> subprocess.CompletedProcess[str]:
    """Train, and die at a point (0: at none)."""
    return subprocess.run([sys.executable, "-c", TRAIN, str(store), str(die_at)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory, encoders: Encoders) -> tuple[Path, int]:
    """A store with one version, and how many points its training has."""
    path = tmp_path_factory.mktemp("killed") / "store"
    build_crowd_store(path)
    train_in_another_process(path, 0)  # the features are in the cache from here on
    return path, int(train_in_another_process(path, 0).stdout)


@pytest.mark.slow
@pytest.mark.parametrize("from_end", [*range(8), 12, 20, 26])
def test_a_training_that_is_killed_leaves_a_version_that_serves(
    crowd: tuple[Path, int], tmp_path: Path, encoders: Encoders, from_end: int
) -> None:
    whole, points = crowd
    path = Path(shutil.copytree(whole, tmp_path / "store"))
    before = versions(path / "models")[0].name
    killed = train_in_another_process(path, points - from_end)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    with Store.open(path, read_only=True) as store:
        trained = Trained.load(store, Catalogue.from_store(store), lambda artefact, rows: pytest.fail("no item is new"))
        assert trained is not None
        if from_end > 0:  # the last point is the flush after the switch
            assert trained.version == before
        again = train_store(store, encoders, ORDER)
    left = {one.name for one in (path / "models").iterdir()}
    assert left == {again.version, versions(path / "models")[1].name, "current", "lock"}
    assert CHECKPOINTS not in left
    assert again.files == Artefact.read(versions(whole / "models")[0]).manifest.files  # the same as if nothing had happened
