"""An agent of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scenewise import Agent, Settings
from scenewise.tools.retrieval.encoders import Encoders


@pytest.fixture
def own_agent(own_store: Path, encoders: Encoders) -> Iterator[Agent]:
    """An agent without an LLM whose store the test may change."""
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders, clock=lambda: 1_760_000_000.0) as agent:
        yield agent
