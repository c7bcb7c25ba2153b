"""Slow bodies, the queue of turns, and answers that are remembered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from scenewise import Agent
from scenewise.service.api.app import create_app
from scenewise.service.api.errors import Refused
from scenewise.service.api.limits import Gate, Limits, Rate
from scenewise.store.errors import Busy


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
