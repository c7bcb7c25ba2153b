"""`scenewise serve`: what it refuses, and the real process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import wait_until

from scenewise import Agent
from scenewise.service.serve_cli import beside, bound, is_loopback


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def test_beyond_this_machine_only_with_keys(run: Callable[..., Any], own_store: Path, tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "10.0.0.1"):
        refused = run("serve", "--host", host, "--port", 0, "--store", own_store)
        assert refused.exit_code == 4
        assert "scenewise keys add" in refused.output
    assert run("serve", "--keys", tmp_path / "nowhere.json", "--store", own_store).exit_code == 2


def test_a_port_that_is_taken(run: Callable[..., Any], own_store: Path) -> None:
    with bound("127.0.0.1", 0) as listener:
        taken = run("serve", "--port", listener.getsockname()[1], "--store", own_store)
    assert taken.exit_code == 5
    assert "--port" in taken.output


def test_an_agent_is_served_beside_what_else_runs(small_agent: Agent) -> None:
    with bound("127.0.0.1", 0) as taken, beside(small_agent, port=taken.getsockname()[1]) as address:
        assert httpx.get(f"{address}v1/me").json()["llm"] is None
        assert "<title>Scenewise</title>" in httpx.get(address).text
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_process_serves_and_ends_when_it_is_told(own_store: Path, tmp_path: Path) -> None:
    environment = os.environ | {"SCENEWISE_STORE": str(own_store), "SCENEWISE_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "scenewise", "serve", "--port", "0", "--no-llm"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    said: list[str] = []
    assert process.stderr is not None
    reader = threading.Thread(target=lambda lines: said.extend(lines), args=(process.stderr,), daemon=True)
    reader.start()
    try:
        wait_until(lambda: process.poll() is not None or any("listens at" in line for line in said), 150)
        found = re.search(r"http://127\.0\.0\.1:\d+", "".join(said))
        assert found is not None, said
        with httpx.Client(base_url=found[0], timeout=30) as client:
            wait_until(lambda: client.get("/ready").status_code == 200, 60)
            answer = client.post("/v1/chat/completions", json={"model": "scenewise", "messages": [{"role": "user", "content": "a film"}]})
            assert answer.json()["scenewise"]["items"]
            assert client.post("/v1/recommend", json={"user_id": "ann"}).json()["items"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        reader.join(5)
        assert not any("Traceback" in line or "a film" in line for line in said), said
        assert any('"route": "/v1/recommend", "status": 200' in line for line in said)
    finally:
        process.kill()
        process.wait()
        process.stdout.close() if process.stdout else None
        process.stderr.close()
