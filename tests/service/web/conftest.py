"""A browser and a server that all tests of the page share; the LLM is scripted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import chromium, opened, script
from serving import listening

from scenewise import Agent, Settings
from scenewise.service.api.app import create_app
from scenewise.tools.retrieval.encoders import Encoders

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of a module."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def page_agent(small_store: Path, tmp_path_factory: pytest.TempPathFactory, encoders: Encoders) -> Iterator[Agent]:
    """An agent with a scripted LLM on a copy of the small world."""
    path = tmp_path_factory.mktemp("page") / "store"
    shutil.copytree(small_store, path)
    with Agent.open(path, settings=Settings(), model=script(), encoders=encoders) as agent:
        yield agent


@pytest.fixture(scope="module")
def address(page_agent: Agent) -> Iterator[str]:
    """The server."""
    with listening(create_app(page_agent)) as found:
        yield found


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page on a desk, as somebody sees it who was never here."""
    with opened(browser, address) as found:
        yield found
