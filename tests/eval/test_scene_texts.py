from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from scenewise.eval.scene_texts import Labelled, auroc, expected_calibration_error, measure, read_labelled
from scenewise.store.errors import InputError, NotFound


def test_a_json_object_is_read_by_parts(tmp_path: Path) -> None:
    path = tmp_path / "all.json.gz"
    parts = {"train": [["a", "x"]], "oos_train": [["b", "oos"]], "val": [["c", "y"]], "oos_val": [["d", "OOS"]]}
    path.write_bytes(gzip.compress(json.dumps(parts).encode()))
    assert read_labelled(str(path), training=True) == Labelled(("a", "b"), ("x", None))
    assert read_labelled(str(path), training=False) == Labelled(("c", "d"), ("y", None))
    assert read_labelled(f"{path}:val+oos_train", training=True) == Labelled(("c", "b"), ("y", None))
    with pytest.raises(InputError, match="no part 'tset' in the file: it has train, oos_train, val, oos_val"):
        read_labelled(f"{path}:tset", training=True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"text": "a", "label": "x"}\n["b", "none"]\n'),
        ("a.json", '[{"utterance": "a", "intent": "x"}, ["b", "oos"]]'),
        ("a.csv", "text,category\na,x\nb,oos\n"),
        ("a.tsv", "text\tlabel\na\tx\nb\toos\n"),
    ],
)
def test_formats(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_labelled(str(tmp_path / name), training=True) == Labelled(("a", "b"), ("x", None))


def test_a_folder_of_lines(tmp_path: Path) -> None:
    (tmp_path / "seq.in").write_text("a\nb\n", encoding="utf-8")
    (tmp_path / "label").write_text("x\ny\n", encoding="utf-8")
    assert read_labelled(str(tmp_path), training=True) == Labelled(("a", "b"), ("x", "y"))
    (tmp_path / "label").write_text("x\n", encoding="utf-8")
    with pytest.raises(InputError, match="differ in their number of lines"):
        read_labelled(str(tmp_path), training=True)
    (tmp_path / "label").unlink()
    with pytest.raises(InputError, match=r"no files seq\.in and label"):
        read_labelled(str(tmp_path), training=True)


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("a.json", b"[", "cannot be read"),
        ("a.json", b"\xff\xfe", "cannot be read"),
        ("a.json.gz", b"\x1f\x8bbroken", "cannot be read"),
        ("a.json", b"[]", "no texts with labels"),
        ("a.json", b'[["a"]]', "a row of the file is no text and label"),
        ("a.json", b'[["a", 3]]', "a row of the file is no text and label"),
        ("a.csv", b"words,kind\na,x\n", "a row of the file is no text and label"),
    ],
)
def test_files_that_cannot_be_taken(tmp_path: Path, name: str, raw: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(InputError, match=message):
        read_labelled(str(tmp_path / name), training=True)
    with pytest.raises(NotFound, match="no file gone"):
        read_labelled(str(tmp_path / "gone"), training=True)


def test_samples_have_as_many_of_each_label() -> None:
    rows = Labelled(tuple("abcdefg"), ("x", "x", "x", "y", "y", "z", None))
    drawn = rows.sample(2, seed=1)
    assert sorted(label or "" for label in drawn.labels) == ["x", "x", "y", "y", "z"]
    assert rows.sample(2, seed=1) == drawn


def test_measures_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.5, 0.5]])
    none = np.array([-9.0, -9.0, -9.0, 9.0])
    result = measure(["x", "y"], ["x", "y", "y", None], p, none)
    assert result["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert result["macro_f1"] == pytest.approx(2 / 3, abs=1e-4)  # both labels: one hit, one miss
    assert result["joint_accuracy"] == 0.75
    assert (result["oos_recall"], result["oos_precision"], result["oos_auroc"]) == (1.0, 1.0, 1.0)
    # three bins of one case each: |0.9 - 1|, |0.8 - 1|, |0.7 - 0|
    assert result["ece"] == pytest.approx(1.0 / 3, abs=1e-4)


def test_an_unknown_label_is_never_right() -> None:
    assert measure(["x"], ["new"], np.ones((1, 1)), np.array([-9.0]))["accuracy"] == 0.0


def test_calibration_and_ranking_by_hand() -> None:
    assert expected_calibration_error(np.full(4, 0.75), np.array([True, True, True, False])) == 0.0
    assert auroc(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, True, False, True])) == pytest.approx(3.5 / 4)
