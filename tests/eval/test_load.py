"""The measure of load counts what was answered, refused and lost; its LLM takes its time; its parts add up on a real server."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from scenewise.agent.model import VllmModel
from scenewise.eval.load import Load, run, scripted_llm

pytest.importorskip("fastapi", reason="the server's packages are not installed")


def test_the_scripted_llm_plans_and_writes_after_its_time() -> None:
    async def ask() -> tuple[str, str, float]:
        async with scripted_llm(80) as url, httpx.AsyncClient(base_url=url) as client:
            assert (await client.get("/models")).json()["data"][0]["id"] == "scenewise-scripted"
            model = VllmModel(url, "scenewise-scripted")
            begun = time.perf_counter()
            messages = [{"role": "user", "content": "a 1994 film | comedy"}]
            plan = await model.complete(messages, pattern=r"(none|like\(\))", max_tokens=9, timeout_s=5)  # type: ignore[arg-type]
            took_s = time.perf_counter() - begun
            answer = await client.post("/chat/completions", json={"messages": messages})
            await model.close()
            return plan.text, answer.json()["choices"][0]["message"]["content"], took_s

    plan, text, took_s = asyncio.run(ask())
    assert (plan, text) == ("like()", "A 1994 film.")
    assert took_s >= 0.08


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_short_load_on_a_real_server(own_store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCENEWISE_HOME", str(tmp_path / "home"))
    load = Load(conversations=3, seconds=6, think_s=0.5, llm_ms=50, connections=2, short_s=3)
    result = run(own_store, load)
    talked, over, lists = result["conversations"], result["overload"], result["recommend"]
    assert set(talked["statuses"]) == {"200"}
    assert talked["answered"] >= 3
    assert 0 < talked["own_ms"]["p50"] < talked["whole_ms"]["p50"]
    assert sum(over["statuses"].values()) == over["answered"] + over["refused"] + over["neither"]
    assert over["neither"] == 0
    assert lists["answered"] > 0
    assert lists["answered"] / 3 == pytest.approx(lists["per_s"], abs=0.01)
    assert result["start"]["again_s"] > 0
