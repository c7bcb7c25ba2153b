"""A server for tests: called over ASGI in this process, or listening on loopback in a thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from scenewise.service.serve_cli import bound

Ask = Callable[..., httpx.Response]


def asker(app: FastAPI, **headers: str) -> Ask:
    """A function that asks the app: ask("GET", "/health", ...)."""

    def ask(method: str, path: str, **rest: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **rest | {"headers": headers | rest.get("headers", {})})

        return asyncio.run(once())

    return ask


@contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """Serve the app on loopback; yields its address."""
    listener = bound("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def wait_until(done: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait for something to become true."""
    end_s = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < end_s, "it did not come true in time"
        time.sleep(0.01)
