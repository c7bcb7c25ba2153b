"""An LLM server on loopback that misbehaves as told, and an agent that talks to it."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scenewise import Agent, Settings
from scenewise.tools.retrieval.encoders import Encoders

DEADLINE_S = 2.0

Behaviour = Callable[["Handler", dict[str, Any]], None]
"""What the server does with a request: it gets the handler, to write to, and the request's JSON."""


@dataclass
class BrokenServer:
    """The server's address, what it does, and the requests it got. `over` ends behaviours that wait."""

    url: str = ""
    behaviour: Behaviour | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the server's behaviour."""

    protocol_version = "HTTP/1.1"
    world: BrokenServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.world.asked.append(body)
        self.close_connection = True
        assert self.world.behaviour is not None
        try:
            self.world.behaviour(self, body)
        except (BrokenPipeError, ConnectionResetError):
            return  # the agent has left, as it should

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def broken_server() -> Iterator[BrokenServer]:
    """A server for all tests; each sets its behaviour."""
    world = BrokenServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OurHandler", (Handler,), {"world": world}))
    server.daemon_threads = True
    world.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield world
    world.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def llm_agent(
    small_store: Path, encoders: Encoders, broken_server: BrokenServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Agent]:
    """An agent on the small world whose LLM is the broken server."""
    path = tmp_path_factory.mktemp("faults") / "store"
    shutil.copytree(small_store, path)
    settings = Settings(llm_url=broken_server.url, llm_model="test", deadline_s=DEADLINE_S)
    with Agent.open(path, settings=settings, encoders=encoders) as agent:
        broken_server.behaviour = lambda handler, asked: handler.send_error(503)
        agent.turn("a film", "dan")  # the client's libraries are imported once, which is no part of what is measured
        yield agent
