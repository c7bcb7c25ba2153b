"""Servers on the small world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Ask, asker

from scenewise import Agent, Settings
from scenewise.service.api.app import create_app
from scenewise.tools.retrieval.encoders import Encoders

NOW_S = 1_760_000_000.0


@pytest.fixture
def ask(small_agent: Agent) -> Ask:
    """Ask a server without keys on the shared agent, for tests that only talk."""
    return asker(create_app(small_agent))


@pytest.fixture
def own_agent(own_store: Path, encoders: Encoders) -> Iterator[Agent]:
    """An agent without an LLM whose store the test may change."""
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders, clock=lambda: NOW_S) as agent:
        yield agent
