"""The page as a server sends it: files, headers, and who asks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from serving import Ask, asker

from scenewise import Agent
from scenewise.service.api.app import create_app
from scenewise.service.api.keys import KeyFile
from scenewise.service.api.page import WEB


@pytest.fixture
def ask(small_agent: Agent) -> Ask:
    """Ask a server without keys."""
    return asker(create_app(small_agent))


def policy_of(value: str) -> dict[str, list[str]]:
    """A content security policy by directive."""
    return {name: sources for name, *sources in (part.split() for part in value.split(";"))}


def test_every_answer_says_how_a_browser_may_use_it(ask: Ask) -> None:
    for path in ("/", "/web/main.js", "/v1/scenes", "/nowhere"):
        headers = ask("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        policy = policy_of(headers["content-security-policy"])
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
        assert "unsafe" not in headers["content-security-policy"]


def test_the_files_of_the_page_come_with_their_kind_and_a_tag(ask: Ask) -> None:
    page = ask("GET", "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    named = re.findall(r'(?:href|src)="(/web/[^"]+)"', page.text)
    assert {"/web/style.css", "/web/main.js", "/web/icon.svg"} == set(named)
    for path in WEB.iterdir():
        sent = ask("GET", f"/web/{path.name}")
        assert (sent.status_code, sent.content) == (200, path.read_bytes())
        again = ask("GET", f"/web/{path.name}", headers={"if-none-match": sent.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert ask("GET", "/web/main.js").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("name", ["nowhere.js", "..%2fapi%2fpage.py", "%2e%2e/api/page.py", "../pyproject.toml", "", "main.js/x", "%00"])
def test_no_other_file_can_be_had(ask: Ask, name: str) -> None:
    assert ask("GET", f"/web/{name}").status_code == 404


def test_nothing_of_the_page_is_inline_or_from_elsewhere() -> None:
    html = (WEB / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)|https?://", html)
    for path in WEB.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), path.name
        assert re.findall(r"https?://[^\s\"'`/]+", text) in ([], ["http://www.w3.org"]), path.name
        assert all(name.startswith("./") for name in re.findall(r'from "([^"]+)"', text)), path.name
        assert len(text.splitlines()) <= 300, path.name


def test_who_asks(small_agent: Agent, ask: Ask, tmp_path: Path) -> None:
    free = ask("GET", "/v1/me").json()
    assert free == {"user_id": None, "scopes": ["admin", "chat", "copy", "write"], "keys": False, "llm": None}
    keys = KeyFile(tmp_path / "keys.json")
    token = keys.add("page", ["chat"], user_id="ann", expires_s=None, now_s=0.0)[1]
    guarded = asker(create_app(small_agent, keys=keys))
    assert guarded("GET", "/").status_code == 200
    assert guarded("GET", "/v1/me").status_code == 401
    bound = guarded("GET", "/v1/me", headers={"authorization": f"Bearer {token}"}).json()
    assert bound == {"user_id": "ann", "scopes": ["chat"], "keys": True, "llm": None}


def test_without_keys_the_page_too_is_for_local_names_only(ask: Ask) -> None:
    assert ask("GET", "/", headers={"host": "evil.example"}).status_code == 403
