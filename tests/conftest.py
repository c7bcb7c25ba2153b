"""What all tests share: no network beyond this machine, no settings of the person who runs them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

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
