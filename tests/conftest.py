"""What all tests share: no network beyond this machine, no settings of the person who runs them."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenewise import Agent, Settings
from scenewise.tools.retrieval.encoders import Encoders, default_encoders
from scenewise.tools.scene.pack import default_pack
from scenewise.tools.scene.recogniser import SceneRecogniser

sys.path.insert(0, str(Path(__file__).resolve().parent))
from worlds import build_small_store

NOW_S = 1_760_000_000.0

_connect = socket.socket.connect


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections that leave the machine."""

    def connect(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and host not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"tests may not connect to {host}")
        _connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for every test; the checkout's is named by `set_up_home` where a test needs it."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith("SCENEWISE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SCENEWISE_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def encoders() -> Encoders:
    """The encoders, loaded once for all tests."""
    return default_encoders()


@pytest.fixture(scope="session")
def learned_scenes(tmp_path_factory: pytest.TempPathFactory, encoders: Encoders) -> Path:
    """A folder with the classifier of the pack that ships, trained once for all tests."""
    folder = tmp_path_factory.mktemp("scenes")
    SceneRecogniser(default_pack(), encoders, folder=folder).train(tune=False)
    return folder


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory, encoders: Encoders, learned_scenes: Path) -> Path:
    """A store of the small world with its caches; tests that write take a copy (`own_store`)."""
    path = tmp_path_factory.mktemp("world") / "store"
    build_small_store(path)
    Agent.open(path, settings=Settings(llm_off=True), encoders=encoders).close()
    shutil.copytree(learned_scenes, SceneRecogniser.folder_of(path), dirs_exist_ok=True)
    return path


@pytest.fixture(scope="session")
def small_agent(small_store: Path, tmp_path_factory: pytest.TempPathFactory, encoders: Encoders) -> Iterator[Agent]:
    """An agent without an LLM on a copy of the small world, shared by all tests that only talk."""
    path = tmp_path_factory.mktemp("shared") / "store"
    shutil.copytree(small_store, path)
    with Agent.open(path, settings=Settings(llm_off=True), encoders=encoders, clock=lambda: NOW_S) as agent:
        yield agent


@pytest.fixture
def own_store(small_store: Path, tmp_path: Path) -> Path:
    """A copy of the small world, with its caches, that the test may change."""
    path = tmp_path / "store"
    shutil.copytree(small_store, path)
    return path


@pytest.fixture
def set_up_home() -> Path:
    """What `make test` fetched: the vLLM environment, the model, the demo store."""
    home = Path(__file__).resolve().parent.parent / ".scenewise"
    if not (home / "demo" / "store.sqlite").is_file() or not (home / "models").is_dir():
        pytest.fail("not set up: run the tests with `make test`, which fetches the model and builds the demo store")
    return home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count the attack and fault suites as slow: they are broad, and the fast suite must be short."""
    for item in items:
        if item.path.parent.name in ("attacks", "faults"):
            item.add_marker(pytest.mark.slow)
