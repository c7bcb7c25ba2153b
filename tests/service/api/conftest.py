"""Servers on the small world."""

from __future__ import annotations

import pytest
from serving import Ask, asker

from scenewise import Agent
from scenewise.service.api.app import create_app


@pytest.fixture
def ask(small_agent: Agent) -> Ask:
    """Ask a server without keys on the shared agent, for tests that only talk."""
    return asker(create_app(small_agent))
