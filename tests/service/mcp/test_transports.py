"""Over HTTP and stdio, from the official client: keys, users, origins, the real process."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from serving import asker, listening
from starlette.types import ASGIApp

from scenewise import Agent
from scenewise.service.api.keys import KeyFile
from scenewise.service.mcp.http import create_http_app

HELLO = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


def spoken(address: str, what: Callable[[Client], Awaitable[Any]], *, mode: str = "auto", **headers: str) -> Any:
    """What the client gets over HTTP."""

    async def run() -> Any:
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as client,
        ):
            return await what(client)

    return asyncio.run(run())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_official_client_over_http(small_agent: Agent, mode: str) -> None:
    async def work(client: Client) -> tuple[Any, ...]:
        tools = await client.list_tools()
        turn = await client.call_tool("recommend", {"scene": "date night", "k": 2})
        scenes = await client.read_resource("scenewise://scenes")
        return tools.tools, turn.structured_content, scenes.contents

    with listening(create_http_app(small_agent)) as address:
        tools, turn, scenes = spoken(address, work, mode=mode, **{"X-Scenewise-User": "eve"})
    assert {"recommend", "query_graph"} <= {tool.name for tool in tools}
    assert (turn["user_id"], len(turn["items"])) == ("eve", 2)
    assert scenes


def test_over_http_it_counts_and_writes_a_line_a_request(small_agent: Agent, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    chat, admin = (keys.add("test", [scope], user_id=None, expires_s=None, now_s=0.0)[1] for scope in ("chat", "admin"))
    with listening(create_http_app(small_agent, keys=keys)) as address, caplog.at_level("INFO", logger="scenewise.api.access"):
        spoken(address, lambda client: client.call_tool("recommend", {"k": 1, "text": "gulls"}), Authorization=f"Bearer {chat}")
        refused = httpx2.get(f"{address}/metrics", headers={"Authorization": f"Bearer {chat}"})
        told = httpx2.get(f"{address}/metrics", headers={"Authorization": f"Bearer {admin}"}).text
    assert refused.status_code == 403
    assert 'scenewise_turns_total{outcome="whole"} 1' in told
    assert 'scenewise_requests_total{method="POST",route="/mcp",status="200"}' in told
    lines = [record.message for record in caplog.records if record.name == "scenewise.api.access"]
    assert any('"route": "/mcp"' in line for line in lines)
    assert "gulls" not in "".join(lines)


def test_over_http_a_key_says_for_whom_and_what_for(small_agent: Agent, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    ann, free = (keys.add("test", ["chat"], user_id=user, expires_s=None, now_s=0.0)[1] for user in ("ann", None))

    def recommended(**headers: str) -> Any:
        return spoken(address, lambda client: client.call_tool("recommend", {"k": 1}), **headers)

    with listening(create_http_app(small_agent, keys=keys)) as address:
        assert recommended(Authorization=f"Bearer {ann}").structured_content["user_id"] == "ann"
        assert recommended(Authorization=f"Bearer {free}").structured_content["user_id"] is None
        named = {"Authorization": f"Bearer {free}", "X-Scenewise-User": "eve"}
        assert recommended(**named).structured_content["user_id"] == "eve"
        other = recommended(**named | {"Authorization": f"Bearer {ann}"})
        assert other.is_error
        assert "bound to another user" in other.content[0].text
        copy = spoken(address, lambda client: client.call_tool("write_copy", {"item_ids": ["film-fargo"]}), Authorization=f"Bearer {ann}")
        assert copy.is_error
        assert "scope copy" in copy.content[0].text


def test_over_http_a_key_has_so_many_tokens_a_day(small_agent: Agent, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    key, token = keys.add("test", ["chat"], user_id=None, expires_s=None, now_s=0.0, tokens_per_day=100)
    keys.spend(key.key_id, 100, time.time())

    async def work(client: Client) -> tuple[Any, ...]:
        calls = (("converse", {"message": "a film"}), ("recommend", {"use_llm": True}), ("recommend", {}))
        return tuple([await client.call_tool(name, arguments) for name, arguments in calls])

    with listening(create_http_app(small_agent, keys=keys)) as address:
        *refused, listed = spoken(address, work, Authorization=f"Bearer {token}")
    assert ["spent its tokens" in result.content[0].text for result in refused] == [True, True]
    assert listed.structured_content["items"]  # no LLM, no tokens


def test_without_a_key_only_this_machine_and_no_other_site(small_agent: Agent, tmp_path: Path) -> None:
    def status(app: ASGIApp, **headers: str) -> int:
        return asker(app)("POST", "/mcp", json=HELLO, headers=ACCEPT | headers).status_code

    open_, keyed = create_http_app(small_agent), create_http_app(small_agent, keys=KeyFile(tmp_path / "none.json"))
    assert status(open_, host="evil.example") == 403
    for app in (open_, keyed):
        for origin in ("http://evil.example", "null", "http://127.0.0.1.evil.example", "http://127.0.0.1:9"):
            refused = asker(app)("POST", "/mcp", json=HELLO, headers=ACCEPT | {"host": "127.0.0.1:8081", "origin": origin})
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "unknown_origin")
    assert status(keyed) == 401
    assert status(keyed, authorization="Bearer sw-00000000-wrong") == 401
    assert asker(open_)("GET", "/v1/models").status_code == 404
    with listening(open_) as address:
        same = httpx2.post(f"{address}/mcp", json=HELLO, headers=ACCEPT | {"origin": address})
        assert same.status_code not in (401, 403)
        assert httpx2.post(f"{address}/mcp", content=b"x" * 5_000_000, headers=ACCEPT).status_code == 413
        assert httpx2.post(f"{address}/mcp", content=b"[" * 100_000, headers=ACCEPT).status_code == 400


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_official_client_over_stdio(own_store: Path, tmp_path: Path) -> None:
    environment = os.environ | {"SCENEWISE_STORE": str(own_store), "SCENEWISE_HOME": str(tmp_path / "home")}
    command = StdioServerParameters(command=sys.executable, args=["-m", "scenewise", "mcp", "--no-llm", "--user", "ann"], env=environment)

    async def run() -> tuple[Any, ...]:
        with (tmp_path / "stderr").open("w") as said:
            async with Client(stdio_client(command, errlog=said), read_timeout_seconds=200) as client:
                turn = await client.call_tool("recommend", {"k": 2})
                item = await client.read_resource("scenewise://items/film-alien")
                return turn.structured_content, item.contents

    turn, item = asyncio.run(run())
    assert (turn["user_id"], len(turn["items"])) == ("ann", 2)
    assert item
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def test_what_the_command_refuses(run: Callable[..., Any], own_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beyond = run("mcp", "--http", "--host", "0.0.0.0", "--port", 0, "--store", own_store)
    assert beyond.exit_code == 4
    assert "scenewise keys add" in beyond.output
    assert run("mcp", "--http", "--user", "ann", "--store", own_store).exit_code == 2
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    missing = run("mcp", "--store", own_store)
    assert missing.exit_code == 2
    assert "scenewise[mcp]" in missing.output
