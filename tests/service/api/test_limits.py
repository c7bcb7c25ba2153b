"""Slow bodies, the queue of turns, and answers that are remembered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from serving import asker

from scenewise import Agent, ScriptedModel, Settings
from scenewise.service.api.app import create_app
from scenewise.service.api.errors import Refused
from scenewise.service.api.keys import KeyFile
from scenewise.service.api.limits import Gate, Limits, Rate
from scenewise.store.errors import Busy
from scenewise.tools.retrieval.encoders import Encoders


def test_a_rate_fills_evenly() -> None:
    now_s = 0.0
    rate = Rate(60, clock=lambda: now_s)
    for _ in range(60):
        rate.take("a")
    with pytest.raises(Refused) as refused:
        rate.take("a")
    assert (refused.value.status_code, refused.value.headers) == (429, {"Retry-After": "1"})
    rate.take("b")
    now_s = 1.0
    rate.take("a")
    with pytest.raises(Refused):
        rate.take("a")


def test_the_gate_lets_turns_in_one_after_the_other() -> None:
    async def scenario() -> None:
        gate = Gate(Limits(running=1, waiting=1, wait_s=0.05))
        first = await gate.enter()
        waiting = asyncio.ensure_future(gate.enter())
        await asyncio.sleep(0)
        assert (gate.running, gate.waiting) == (1, 1)
        with pytest.raises(Busy, match="too many"):
            await gate.enter()
        first.release()
        first.release()
        second = await waiting
        assert (gate.running, gate.waiting) == (1, 0)
        with pytest.raises(Busy, match="too long"):
            await gate.enter()
        waiting = asyncio.ensure_future(gate.enter())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert gate.waiting == 0
        second.release()
        with await gate.enter():
            assert gate.running == 1
        assert gate.running == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(("limits", "status"), [(Limits(body_s=0.1), 408), (Limits(body_bytes=10), 413)])
def test_a_body_that_trickles_or_does_not_end_is_refused(small_agent: Agent, limits: Limits, status: int) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(100):
            await asyncio.sleep(0.02)
            yield b" "

    async def send(path: str, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(create_app(small_agent, limits=limits))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.post(path, content=trickle(), headers={"content-type": "application/json"} | headers)

    for path, headers in (("/v1/recommend", {}), ("/v1/events", {}), ("/v1/events", {"idempotency-key": "k"})):
        response = asyncio.run(send(path, headers))
        assert response.status_code == status
        assert set(response.json()["error"]) == {"message", "type", "code", "param"}


def test_a_key_has_so_many_tokens_a_day(own_store: Path, encoders: Encoders, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    token = keys.add("x", ["chat", "copy"], user_id=None, expires_s=None, now_s=0.0, tokens_per_day=100)[1]
    model = ScriptedModel(tokens=(20, 3))
    with Agent.open(own_store, settings=Settings(planning="tools"), model=model, encoders=encoders) as agent:
        ask = asker(create_app(agent, keys=keys), authorization=f"Bearer {token}")
        chat = {"model": "scenewise", "messages": [{"role": "user", "content": "a funny film for tonight"}], "metadata": {"k": "3"}}
        first = ask("POST", "/v1/chat/completions", json=chat)
        record = first.json()["scenewise"]
        assert first.json()["usage"] == {"prompt_tokens": 80, "completion_tokens": 12, "total_tokens": 92}  # a plan and three texts
        assert (record["prompt_tokens"], record["completion_tokens"]) == (80, 12)
        streamed = ask("POST", "/v1/chat/completions", json=chat | {"stream": True, "stream_options": {"include_usage": True}})
        assert '"total_tokens": 92' in streamed.text
        copy = {"item_ids": ["film-fargo"]}
        for path, body in (("/v1/chat/completions", chat), ("/v1/copy", copy), ("/v1/recommend", {"use_llm": True})):
            refused = ask("POST", path, json=body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "tokens_spent")
            assert 1 <= int(refused.headers["retry-after"]) <= 86_400
        assert ask("POST", "/v1/recommend", json={"k": 2}).status_code == 200
    assert keys.spent(keys.all()[0].key_id, time.time()) == 184


def test_an_answer_that_is_given_again_costs_nothing(own_store: Path, encoders: Encoders, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    key, token = keys.add("x", ["chat"], user_id=None, expires_s=None, now_s=0.0, tokens_per_day=1000)
    with Agent.open(own_store, settings=Settings(planning="tools"), model=ScriptedModel(tokens=(20, 3)), encoders=encoders) as agent:
        ask = asker(create_app(agent, keys=keys), **{"authorization": f"Bearer {token}", "idempotency-key": "once"})
        chat = {"model": "scenewise", "messages": [{"role": "user", "content": "a funny film for tonight"}], "metadata": {"k": "3"}}
        for stream in (False, False, True):
            assert ask("POST", "/v1/chat/completions", json=chat | {"stream": stream}).status_code == 200
    assert keys.spent(key.key_id, time.time()) == 92
