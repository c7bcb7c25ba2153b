"""A tiny model that every test of the training may read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_llama import build_tiny_llama


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny llama model."""
    return build_tiny_llama(tmp_path_factory.mktemp("tiny"))
