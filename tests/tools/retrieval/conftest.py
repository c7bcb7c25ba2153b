from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray


class WordEncoder:
    """A real, if crude, encoder: a bag of hashed words, so that its order can be worked out by hand. It counts the texts it was given."""

    def __init__(self, name: str, dim: int = 256) -> None:
        self.name = name
        self.dim = dim
        self.seen = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen += len(texts)
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[crc32(word.encode()) % self.dim] += 1.0
        unit: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
        return unit


@pytest.fixture
def make_encoder() -> Callable[[str], WordEncoder]:
    return WordEncoder
