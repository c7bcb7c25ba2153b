"""The command line in this process, and a stand-in environment whose "vLLM" is a small real server."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scenewise import Agent, Settings
from scenewise.service import llm
from scenewise.service.cli import app
from scenewise.service.convert import STAMP, digest
from scenewise.tools.retrieval.encoders import Encoders

Run = Callable[..., Result]

SERVER = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = {"/health": b"", "/metrics": METRICS}.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")
    def log_message(self, *args): pass
METRICS = b'''# HELP vllm:num_requests_waiting Waiting.
vllm:num_requests_waiting{engine="0"} 2.0
vllm:num_requests_waiting{engine="1"} 1.0
vllm:prefix_cache_queries_total{engine="0"} 200.0
vllm:prefix_cache_hits_total{engine="0"} 150.0
vllm:time_to_first_token_seconds_sum{engine="0"} 3.0
vllm:time_to_first_token_seconds_count{engine="0"} 6.0
vllm:odd
python_gc_objects_collected_total 7.0
'''
http.server.HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Page).serve_forever()
"""


@pytest.fixture
def own_agent(own_store: Path, encoders: Encoders) -> Iterator[Agent]:
    """An agent without an LLM whose store the test may change."""
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders, clock=lambda: 1_760_000_000.0) as agent:
        yield agent


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as the command line would; wide enough that no line is folded."""
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments: object, said: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=said)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def read(run: Run) -> Callable[..., Any]:
    """Run a command with --json and return its document."""

    def invoke(*arguments: object, code: int = 0) -> Any:
        result = run(*arguments, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return invoke


@pytest.fixture
def vllm_home(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Make a home whose vLLM environment runs the given program; whatever runs in it is stopped at the end."""
    homes: list[Path] = []

    def make(program: str = SERVER, *, name: str = "home") -> Path:
        home = tmp_path / name
        python = home / "vllm-env" / "bin" / "python"
        python.parent.mkdir(parents=True)
        script = python.with_name("program.py")
        script.write_text(program)
        # By way of sh: a "#!" line takes no path with a blank in it, and the checkout's may have one.
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -SE "{script}" "$@"\n')
        python.chmod(0o755)
        (home / "vllm-env" / "lock.sha256").write_text("")
        model = llm.installed(home).model
        model.mkdir(parents=True)
        (model / "model.safetensors").write_bytes(b"")
        (model / STAMP).write_text(digest(llm.ADAPTER))
        homes.append(home)
        return home

    yield make
    for home in homes:
        llm.stop(home)
