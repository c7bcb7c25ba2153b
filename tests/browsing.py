"""A browser for tests: Debian's Chromium under Playwright, what axe finds on a page, and a wire that breaks where it is told to."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import resources, util
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from scenewise import ScriptedModel
from scenewise.agent.model import Call

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PHONE, DESK = {"width": 360, "height": 780}, {"width": 1280, "height": 900}


def chromium_path() -> str:
    """Where Chromium is; the test is skipped, and says why, where there is none or no Playwright."""
    if util.find_spec("playwright") is None:
        pytest.skip("no Playwright here: `make test` installs it (service/locks/browser.txt)")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium (`make test` does it as root where apt is)")
    return found


def script() -> ScriptedModel:
    """An LLM that calls one tool and leaves the words to the templates, after a moment."""
    return ScriptedModel(plans=((Call("retrieve", {"query": "a funny film"}),),), delay_s=0.15)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, as long as the block."""
    path = chromium_path()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, address: str, **context: Any) -> Iterator[Page]:
    """A page of its own at an address. Errors of its scripts and what its policy has blocked fail the test."""
    settings = {"viewport": DESK, "reduced_motion": "reduce", "locale": "en-GB", **context}
    kept: BrowserContext = browser.new_context(**settings)
    kept.set_default_timeout(60_000)
    page, wrong = kept.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None)
    page.on("dialog", lambda dialog: wrong.append(f"a dialog: {dialog.message}"))
    try:
        page.goto(address)
        yield page
        assert wrong == []
    except Exception as error:
        error.add_note(f"errors of the page: {wrong}\nthe page: {page.locator('body').inner_text()[:1500]}")
        raise
    finally:
        kept.close()


def axe_finds(page: Page) -> list[str]:
    """What axe calls serious or critical on the page as it is now, as "rule: element". The page must be open with `bypass_csp`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    found = [one for one in result["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


class Wire:
    """A TCP connection to a server that can be cut. `cut_at` is the part of an answer at which the client is cut off, once; with
    `deaf` the server does not learn of it and finishes. `down` refuses everybody."""

    def __init__(self, address: str) -> None:
        self.cut_at: bytes | None = None
        self.deaf = self.down = False
        self.cuts = 0
        self._open: list[socket.socket] = []
        self._server = (urlsplit(address).hostname, urlsplit(address).port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Listen no more, and let go of everybody."""
        self._listener.close()
        for connection in self._open:
            _end(connection)

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.down:
                    client.close()
                    continue
                server = socket.create_connection(self._server)
                self._open += [client, server]
                threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                server.sendall(data)
        if not self.deaf:
            _end(server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if self.cut_at is not None and self.cut_at in data:
                    self.cut_at = None
                    self.cuts += 1
                    _end(client)
                    if not self.deaf:
                        _end(server)
                    continue
                with suppress(OSError):
                    client.sendall(data)
        _end(client)
        _end(server)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
