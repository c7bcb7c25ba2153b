"""The mean of adapters: of one shape, with their cards, read as any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tiny_llama import write_rows

from scenewise.store.errors import InputError
from scenewise.tools.training.language.adapter import CARD, CONFIG, average_adapters, merge_adapter, read_weights
from scenewise.tools.training.language.config import LanguageConfig
from scenewise.tools.training.language.train import train_language

SETTINGS = LanguageConfig(layers=2, rank=4, alpha=8, lr=3e-3, tokens=200, epochs=2, keep_every=5, looks=1, device="cpu")


@pytest.fixture(scope="module")
def two(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An adapter, and one that was begun with it."""
    folder = tmp_path_factory.mktemp("two")
    rows, dev = write_rows(folder / "rows", 24), write_rows(folder / "dev", 6, first=24)
    first, second = folder / "first", folder / "second"
    train_language(tiny, [rows], [dev], first, SETTINGS, command="first command")
    train_language(tiny, [rows], [dev], second, SETTINGS, command="second command", start=first)
    return first, second


def test_the_mean_of_two(two: tuple[Path, Path], tiny: Path, tmp_path: Path) -> None:
    average_adapters(two, tmp_path / "mean", "scenewise train average first second --out mean")
    first, second, mean = (read_weights(folder) for folder in (*two, tmp_path / "mean"))
    assert mean.keys() == first.keys()
    assert any(not torch.equal(first[name], second[name]) for name in first)
    for name, one in mean.items():
        assert one.dtype == torch.float16
        torch.testing.assert_close(one, ((first[name].float() + second[name].float()) / 2).half())
    card = (tmp_path / "mean" / CARD).read_text()
    assert all(said in card for said in ("train average first second", "first command", "second command"))
    merge_adapter(tiny, tmp_path / "mean", tmp_path / "merged")
    assert (tmp_path / "merged" / "model.safetensors").is_file()


def test_what_has_no_mean(two: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = two
    with pytest.raises(InputError, match="two adapters or more"):
        average_adapters([first], tmp_path / "mean", "")
    with pytest.raises(InputError, match="no whole adapter"):
        average_adapters([first, tmp_path / "nowhere"], tmp_path / "mean", "")
    other = tmp_path / "other"
    other.mkdir()
    for file in second.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    (other / CONFIG).write_text(json.dumps(json.loads((other / CONFIG).read_text()) | {"r": 8}))
    with pytest.raises(InputError, match="same layers and rank"):
        average_adapters([first, other], tmp_path / "mean", "")
