"""Heads are learned once and kept; what does not fit is learned anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from scenewise.tools.graph.extraction import keeping
from scenewise.tools.graph.extraction.heads import Examples, SpanHead
from scenewise.tools.graph.extraction.spans import candidates
from scenewise.tools.retrieval.encoders import Encoders, TextEncoder

FEW = Examples(
    ("A [color:red] hat of [material:wool] for the beach.", "This [color:blue] cup is made of [material:clay]."),
    {"color": frozenset({"red"})},
)
OTHER = Examples((FEW.texts[0],), FEW.names)
SPANS = candidates("A blue hat made of wool.")


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> list[Examples]:
    """What was learned, in order, from the examples FEW."""
    seen: list[Examples] = []
    train = SpanHead.train

    def count(encoder: TextEncoder, examples: Examples) -> SpanHead:
        seen.append(examples)
        return train(encoder, examples)

    monkeypatch.setattr(SpanHead, "train", count)
    monkeypatch.setattr(keeping, "load_examples", lambda: {"products": FEW})
    return seen


def test_a_kept_head_says_the_same_and_is_not_learned_again(tmp_path: Path, encoders: Encoders, learned: list[Examples]) -> None:
    first, second = (keeping.kept_head("products", encoders.english, tmp_path / "new" / "graph") for _ in range(2))
    assert len(learned) == 1
    assert first.kinds == second.kinds
    np.testing.assert_array_equal(first.log_p(SPANS), second.log_p(SPANS))
    assert [path.name for path in (tmp_path / "new" / "graph").iterdir()] == ["products.safetensors"]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _garbage(path: Path) -> None:
    path.write_bytes(b"\xff" * 64)


def _other_key(path: Path) -> None:
    save_file(load_file(path), path, {"key": "another"})


@pytest.mark.parametrize("damage", [_cut, _garbage, _other_key])
def test_a_damaged_or_foreign_file_is_learned_anew(
    tmp_path: Path, encoders: Encoders, learned: list[Examples], damage: Callable[[Path], None]
) -> None:
    keeping.kept_head("products", encoders.english, tmp_path)
    damage(tmp_path / "products.safetensors")
    for _ in range(2):
        head = keeping.kept_head("products", encoders.english, tmp_path)
    assert len(learned) == 2
    assert head.kinds == ("none", "color", "material")


def test_other_examples_are_learned_anew(
    tmp_path: Path, encoders: Encoders, learned: list[Examples], monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.kept_head("products", encoders.english, tmp_path)
    monkeypatch.setattr(keeping, "load_examples", lambda: {"products": OTHER})
    keeping.kept_head("products", encoders.english, tmp_path)
    assert learned == [FEW, OTHER]


def test_a_folder_that_cannot_be_made_does_not_stop_the_reading(tmp_path: Path, encoders: Encoders, learned: list[Examples]) -> None:
    (tmp_path / "file").write_text("")
    head = keeping.kept_head("products", encoders.english, tmp_path / "file" / "graph")
    assert head.log_p(SPANS).shape == (len(SPANS), 3)
    assert len(learned) == 1
