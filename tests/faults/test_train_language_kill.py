"""A training of the language model that is killed ends, when it is started again, as if nothing had happened."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_llama import build_tiny_llama, write_rows

# Each checkpoint is put in its place by os.replace: it dies before the third, or (0) at none.
TRAIN = """
import os, signal, sys
from pathlib import Path
from scenewise.tools.training.language.config import LanguageConfig
from scenewise.tools.training.language.train import train_language
folder, die_at, points, replace = Path(sys.argv[1]), int(sys.argv[2]), 0, os.replace
def dying(*paths):
    global points
    points += 1
    if points == die_at:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)
os.replace = dying
config = LanguageConfig(layers=2, rank=2, alpha=4, lr=1e-2, tokens=200, epochs=3, keep_every=4, looks=2, device="cpu")
train_language(folder / "base", [folder / "rows"], [folder / "dev"], folder / sys.argv[3], config)
"""


@pytest.mark.timeout(300)
def test_a_killed_training_goes_on(tmp_path: Path) -> None:
    build_tiny_llama(tmp_path / "base")
    write_rows(tmp_path / "rows", 48)
    write_rows(tmp_path / "dev", 6)

    def train(name: str, die_at: int) -> int:
        command = [sys.executable, "-c", TRAIN, str(tmp_path), str(die_at), name]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert train("killed", 3) == -signal.SIGKILL
    assert not (tmp_path / "killed").exists()
    assert (tmp_path / "killed.training" / "checkpoint.safetensors").is_file()
    assert train("killed", 0) == train("whole", 0) == 0
    assert {one.name for one in tmp_path.iterdir()} == {"base", "rows", "dev", "killed", "whole"}
    weights = "adapter_model.safetensors"
    assert (tmp_path / "killed" / weights).read_bytes() == (tmp_path / "whole" / weights).read_bytes()
