"""The server under load: many conversations at once, more than it bears, lists without chat; with an LLM that takes a set time.

The LLM is scripted, so that what is measured is our own part: an OpenAI-compatible server that answers every call after `llm_ms` with the
plan "like()" or the first fact it was given. Users, the scripted LLM and the clients share this machine with the server.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from scenewise.eval.served import Served, serving
from scenewise.eval.turns import Case, generate_cases

Progress = Callable[[int, int | None], None]
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for: `conversations` at once, each waiting `think_s` seconds on average before its next message, for `seconds`; then
    messages at `times` what the server bears, and lists without chat over `connections`, each for `short_s`."""

    conversations: int = 64
    seconds: float = 300.0
    think_s: float = 12.0
    llm_ms: float = 300.0
    times: float = 3.0
    connections: int = 16
    short_s: float = 30.0
    seed: int = 0


@dataclass
class Seen:
    """What clients saw: statuses ("error" where no answer came), and of answered turns their own part and their whole, in ms."""

    statuses: Counter[str] = field(default_factory=Counter)
    own_ms: list[float] = field(default_factory=list)
    whole_ms: list[float] = field(default_factory=list)

    def told(self, seconds: float) -> dict[str, Any]:
        """In figures; `seconds` is how long it went on."""
        answered = self.statuses["200"]
        return {
            "answered": answered,
            "per_s": round(answered / seconds, 2),
            "statuses": dict(sorted(self.statuses.items())),
            **{name: _quantiles(ms) for name, ms in (("own_ms", self.own_ms), ("whole_ms", self.whole_ms)) if ms},
        }


def run(store: Path, load: Load, *, progress: Progress = lambda done, total: None) -> dict[str, Any]:
    """Serve the store, put the load on it and report. The store is written to: it should be a copy. StoreError where no server starts."""
    return asyncio.run(_run(store, load, progress))


async def _run(store: Path, load: Load, progress: Progress) -> dict[str, Any]:
    async with scripted_llm(load.llm_ms) as url:
        async with serving(store, llm_url=url) as first:
            cold_s = first.ready_s
        async with serving(store, llm_url=url) as served:
            progress(1, 4)
            talked = await _conversations(served, load)
            progress(2, 4)
            over = await _overload(served, load)
            progress(3, 4)
            lists = await _lists(served, load)
            progress(4, 4)
    return {
        "protocol": f"`scenewise serve` with an LLM that takes {load.llm_ms:.0f} ms a call; own_ms is the client's wall time less that of "
        f"the turn's LLM rounds. Clients and the scripted LLM run on the same cores. Messages are those of `eval turns`; a person "
        f"takes {load.think_s:g} s on average before the next",
        "seed": load.seed,
        "start": {"first_s": round(cold_s, 2), "again_s": round(served.ready_s, 2)},
        "conversations": {"at_once": load.conversations, "seconds": load.seconds, "think_s": load.think_s, **talked},
        "overload": over,
        "recommend": {"connections": load.connections, **lists},
    }


async def _conversations(served: Served, load: Load) -> dict[str, Any]:
    """People who read before they write: memory is looked at once all have begun, and at the end."""
    seen, end_s = Seen(), time.perf_counter() + load.seconds
    people = [_person(served, load, number, seen, end_s) for number in range(load.conversations)]
    growth = asyncio.create_task(_growth(served, load.seconds))
    await asyncio.gather(*people)
    begun_mb, ended_mb = await growth
    rss = {"rss_mb": [round(begun_mb), round(ended_mb)], "rss_growth": round(ended_mb / begun_mb - 1, 4)}
    return seen.told(load.seconds) | rss


async def _growth(served: Served, seconds: float) -> tuple[float, float]:
    await asyncio.sleep(seconds / 3)
    begun = served.rss_mb()
    await asyncio.sleep(seconds * 0.6)
    return begun, served.rss_mb()


async def _person(served: Served, load: Load, number: int, seen: Seen, end_s: float) -> None:
    rng = random.Random(load.seed * 10_000 + number)
    cases = generate_cases(1_000, [f"user-{number}"], seed=load.seed * 10_000 + number, now=datetime(2026, 5, 1, 20, 30))
    await asyncio.sleep(rng.uniform(0, min(load.think_s, load.seconds / 4)))
    talk = 0
    for case in cases:
        if time.perf_counter() >= end_s:
            return
        talk += case.first
        await _say(served, case, f"talk-{load.seed}-{number}-{talk}", load.llm_ms, seen)
        await asyncio.sleep(min(rng.expovariate(1 / load.think_s) if load.think_s else 0.0, 5 * load.think_s))


async def _say(served: Served, case: Case, conversation: str, llm_ms: float, seen: Seen) -> None:
    moment = {"device": case.moment.device, "place": case.moment.place.type if case.moment.place else None}
    metadata = {name: value for name, value in moment.items() if value} | {"conversation_id": conversation}
    if case.user_id:
        metadata["user_id"] = case.user_id
    body = {"model": "scenewise", "messages": [{"role": "user", "content": case.message or "hi"}], "metadata": metadata}
    answer = await _post(served, "/v1/chat/completions", body, seen)
    if answer is not None:
        seen.own_ms.append(seen.whole_ms[-1] - llm_ms * answer["scenewise"]["llm_rounds"])


async def _post(served: Served, path: str, body: dict[str, Any], seen: Seen) -> dict[str, Any] | None:
    begun = time.perf_counter()
    try:
        answer = await served.client.post(path, json=body)
    except httpx.HTTPError as error:
        seen.statuses[f"error: {type(error).__name__}"] += 1
        return None
    seen.statuses[str(answer.status_code)] += 1
    if answer.status_code != 200:
        return None
    seen.whole_ms.append(1_000 * (time.perf_counter() - begun))
    found: dict[str, Any] = answer.json()
    return found


async def _overload(served: Served, load: Load) -> dict[str, Any]:
    """What it bears is told by clients that wait for each answer; then messages come at `times` that rate, answered or not."""
    bears, cases = Seen(), generate_cases(2_000, [f"user-{n}" for n in range(200)], seed=load.seed + 1, now=datetime(2026, 5, 2, 20, 30))
    numbers = iter(range(10**9))

    async def one(seen: Seen) -> None:
        number = next(numbers)
        await _say(served, cases[number % len(cases)], f"over-{load.seed}-{number}", load.llm_ms, seen)

    await _closed(lambda: one(bears), load.connections, load.short_s)
    rate = load.times * bears.statuses["200"] / load.short_s
    flood, begun = Seen(), time.perf_counter()
    sent: list[asyncio.Task[None]] = []
    while (now := time.perf_counter() - begun) < load.short_s and rate:
        while len(sent) < now * rate:
            sent.append(asyncio.create_task(one(flood)))
        await asyncio.sleep(0.005)
    in_time = flood.statuses["200"]
    await asyncio.gather(*sent)
    refused = flood.statuses["429"] + flood.statuses["503"]
    told = flood.told(time.perf_counter() - begun)
    return {
        "bears_per_s": round(bears.statuses["200"] / load.short_s, 2),
        "sent_per_s": round(rate, 2),
        "goodput": round(in_time / max(1, bears.statuses["200"]), 3),
        "refused": refused,
        "neither": sum(flood.statuses.values()) - flood.statuses["200"] - refused,
        **told,
    }


async def _lists(served: Served, load: Load) -> dict[str, Any]:
    seen, rng = Seen(), random.Random(load.seed)
    scenes = (None, "commute", "workout", "family evening", "focus at work")

    async def one() -> None:
        body = {"user_id": f"user-{rng.randrange(200)}", "scene": rng.choice(scenes), "k": 5}
        await _post(served, "/v1/recommend", body, seen)

    await _closed(one, load.connections, load.short_s)
    return seen.told(load.short_s)


async def _closed(one: Callable[[], Awaitable[None]], connections: int, seconds: float) -> None:
    end_s = time.perf_counter() + seconds

    async def client() -> None:
        while time.perf_counter() < end_s:
            await one()

    await asyncio.gather(*(client() for _ in range(connections)))


def _quantiles(ms: Sequence[float]) -> dict[str, float]:
    p50, p95, p99 = np.percentile(ms, (50, 95, 99))
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1), "p99": round(float(p99), 1), "max": round(float(max(ms)), 1)}


@asynccontextmanager
async def scripted_llm(delay_ms: float) -> AsyncIterator[str]:
    """An OpenAI-compatible server on a free port of this machine; gives its base URL."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = _LENGTH.search(head)
                asked = json.loads(await reader.readexactly(int(length[1]))) if length else {}
                body = json.dumps(_said(asked) if asked else {"object": "list", "data": [{"id": "scenewise-scripted"}]}).encode()
                await asyncio.sleep(delay_ms / 1_000 if asked else 0)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


def _said(asked: dict[str, Any]) -> dict[str, Any]:
    """A plan where one is asked for, else the first fact as a sentence."""
    text = str(asked["messages"][-1]["content"])
    plans = "like\\(" in str(asked.get("structured_outputs", {}).get("regex"))
    said = "like()" if plans else f"{text.split('|')[0].strip().capitalize()}."
    message = {"role": "assistant", "content": said}
    usage = {"prompt_tokens": len(text) // 4, "completion_tokens": len(said) // 4 + 1, "total_tokens": (len(text) + len(said)) // 4 + 1}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "s", "object": "chat.completion", "created": 1, "model": "scenewise-scripted", "choices": [choice], "usage": usage}
