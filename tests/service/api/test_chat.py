"""OpenAI's chat API: in this process, and from OpenAI's and LangChain's own clients over loopback."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_openai import ChatOpenAI
from openai import NotFoundError, OpenAI, UnprocessableEntityError
from serving import Ask, asker, listening, wait_until

from scenewise import Agent, ScriptedModel, Settings, Step
from scenewise.service.api.app import create_app
from scenewise.service.api.limits import Limits
from scenewise.store.types import UserId
from scenewise.tools.retrieval.encoders import Encoders

FIRST = {"role": "user", "content": "a funny film for tonight"}
META = {"user_id": "dan", "device": "tv", "place": "home", "available_min": "120"}


def body(*messages: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """A request."""
    return {"model": "scenewise", "messages": list(messages), "metadata": META} | rest


def events(text: str) -> list[Any]:
    """The data of a stream's events; the last one must end it."""
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line and not line.startswith(":")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


@pytest.fixture(scope="module")
def address(small_agent: Agent) -> Iterator[str]:
    """A server on loopback."""
    with listening(create_app(small_agent)) as found:
        yield found


@pytest.fixture
def slow_agent(own_store: Path, encoders: Encoders) -> Iterator[Agent]:
    """An agent whose LLM takes its time."""
    model = ScriptedModel(delay_s=2.0)
    with Agent.open(own_store, settings=Settings(), model=model, encoders=encoders) as agent:
        yield agent


def test_an_answer_has_openais_shape_and_the_turn(ask: Ask, small_agent: Agent) -> None:
    response = ask("POST", "/v1/chat/completions", json=body(FIRST))
    answer = response.json()
    assert response.status_code == 200, response.text
    assert (answer["object"], answer["model"]) == ("chat.completion", "scenewise")
    (choice,) = answer["choices"]
    assert (choice["finish_reason"], choice["message"]["role"]) == ("stop", "assistant")
    turn = answer["scenewise"]
    assert choice["message"]["content"] == turn["reply"]
    assert turn["user_id"] == "dan"
    assert len(turn["items"]) == 5
    assert {"device", "place"} <= {name for name, _, _ in turn["signals"]}
    assert small_agent.store.turns.get(turn["turn_id"])["message"] == FIRST["content"]


def test_a_resent_history_is_not_heard_twice(ask: Ask, small_agent: Agent) -> None:
    opener = {"role": "user", "content": "a film, no horror please"}
    first = ask("POST", "/v1/chat/completions", json=body(opener)).json()
    told = [opener, {"role": "assistant", "content": first["choices"][0]["message"]["content"]}]
    why = {"role": "user", "content": "why the second one?"}
    second = ask("POST", "/v1/chat/completions", json=body(*told, why)).json()
    assert second["scenewise"]["intent"] == "explain"
    assert [item["item_id"] for item in second["scenewise"]["items"]] == [first["scenewise"]["items"][1]["item_id"]]
    told += [why, {"role": "assistant", "content": second["choices"][0]["message"]["content"]}]
    third = ask("POST", "/v1/chat/completions", json=body(*told, {"role": "user", "content": "something else"})).json()
    conversation = first["scenewise"]["conversation_id"]
    assert third["scenewise"]["conversation_id"] == second["scenewise"]["conversation_id"] == conversation
    kept = small_agent.store.turns.of_conversation(conversation)
    assert [turn["message"] for turn in kept] == [opener["content"], why["content"], "something else"]
    assert ask("POST", "/v1/chat/completions", json=body(opener)).json()["scenewise"]["conversation_id"] != conversation


def test_metadata_headers_and_user_say_the_same(ask: Ask) -> None:
    moment = json.dumps({"device": "phone", "place": "train"})
    headers = {"x-scenewise-moment": moment, "x-scenewise-user": "dan", "x-scenewise-conversation": "mine"}
    told = ask("POST", "/v1/chat/completions", json={"model": "scenewise", "messages": [FIRST]}, headers=headers).json()["scenewise"]
    assert (told["user_id"], told["conversation_id"]) == ("dan", "mine")
    assert ("device", "phone") in {(name, value) for name, value, _ in told["signals"]}
    named = ask("POST", "/v1/chat/completions", json={"model": "scenewise", "messages": [FIRST], "user": "dan"}).json()["scenewise"]
    assert named["user_id"] == "dan"
    for wrong in ("[]", "{", '{"device": 1}', "[" * 10_000):
        request = {"model": "scenewise", "messages": [FIRST]}
        refused = ask("POST", "/v1/chat/completions", json=request, headers={"x-scenewise-moment": wrong})
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_input"), wrong
    assert ask("POST", "/v1/chat/completions", json=body(FIRST, user="other")).status_code == 400


@pytest.mark.parametrize(
    ("change", "status"),
    [
        *(({"messages": []}, 422), ({"messages": [{"role": "boss", "content": "x"}]}, 422), ({"n": 2}, 422), ({"model": "gpt-4o"}, 404)),
        *(({"messages": [{"role": "assistant", "content": "x"}]}, 400), ({"messages": [{"role": "user", "content": "x" * 9_000}]}, 400)),
        *(({"metadata": {"k": "1000000000"}}, 422), ({"metadata": {"scene": "nowhere"}}, 404), ({"metadata": {"place": "1,2,3"}}, 422)),
    ],
)
def test_a_wrong_request_has_its_status_also_as_a_stream(ask: Ask, change: dict[str, Any], status: int) -> None:
    for stream in (False, True):
        response = ask("POST", "/v1/chat/completions", json=body(FIRST) | change | {"stream": stream})
        assert response.status_code == status, response.text
        assert set(response.json()["error"]) == {"message", "type", "code", "param"}


def test_a_stream_says_the_same_as_the_whole(ask: Ask) -> None:
    request = body(FIRST, stream=True, stream_options={"include_usage": True})
    response = ask("POST", "/v1/chat/completions", json=request)
    assert response.headers["content-type"].startswith("text/event-stream")
    *chunks, usage = events(response.text)
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert all(chunk["usage"] is None for chunk in chunks)
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 0)
    steps = [chunk["scenewise"]["step"]["name"] for chunk in chunks if "step" in chunk.get("scenewise", {})]
    assert steps == ["perceive", "plan", "act", "rank", "compose", "verify", "remember"]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"][0]["finish_reason"]] == ["stop"]
    turn = chunks[-1]["scenewise"]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == turn["reply"]
    assert turn["items"]
    assert turn["conversation_id"] == chunks[0]["scenewise"]["conversation_id"]
    assert "usage" not in events(ask("POST", "/v1/chat/completions", json=body(FIRST, stream=True)).text)[0]


def test_a_request_that_is_sent_again_is_answered_as_the_first_time(ask: Ask, small_agent: Agent) -> None:
    once = {"Idempotency-Key": "one-try"}
    sent = [body(FIRST, stream=stream) for stream in (False, True, False)]
    first, streamed, whole = (ask("POST", "/v1/chat/completions", json=one, headers=once) for one in sent)
    record = first.json()["scenewise"]
    assert whole.json()["scenewise"] | {"timings_ms": {}} == record | {"timings_ms": {}}
    assert whole.json()["choices"] == first.json()["choices"]
    told = events(streamed.text)
    assert told[-1]["scenewise"]["turn_id"] == record["turn_id"]
    assert "".join(one["choices"][0]["delta"].get("content", "") for one in told) == record["reply"]
    assert len(small_agent.store.turns.of_conversation(record["conversation_id"])) == 1
    other = ask("POST", "/v1/chat/completions", json=body({"role": "user", "content": "a sad film"}), headers=once)
    assert other.json()["scenewise"]["turn_id"] != record["turn_id"]


def test_a_failure_within_a_stream_is_said_in_it_and_in_the_log(
    small_agent: Agent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object, **__: object) -> AsyncIterator[Step]:
        yield Step("perceive", 1.0)
        raise RuntimeError("secret path")

    monkeypatch.setattr(small_agent, "astream", fail)
    response = asker(create_app(small_agent))("POST", "/v1/chat/completions", json=body(FIRST, stream=True))
    last = response.text.strip().split("\n\n")[-1]
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "internal_error"
    assert "secret" not in response.text
    assert "secret path" in caplog.text


def test_what_front_ends_ask_on_the_side_starts_no_turn(ask: Ask, small_agent: Agent) -> None:
    prompt = '### Task:\nGenerate a title.\nJSON format: {"title": ""}\n<chat_history>\nUSER: jazz for rain\n</chat_history>'
    request = body({"role": "user", "content": prompt}) | {"metadata": {"user_id": "front-end"}}
    answer = ask("POST", "/v1/chat/completions", json=request).json()
    assert (answer["scenewise"], json.loads(answer["choices"][0]["message"]["content"])) == (None, {"title": "jazz for rain"})
    streamed = events(ask("POST", "/v1/chat/completions", json=request | {"stream": True}).text)
    assert json.loads(streamed[0]["choices"][0]["delta"]["content"]) == {"title": "jazz for rain"}
    assert not small_agent.store.turns.conversations(UserId("front-end"))


def test_openais_client_holds_a_conversation(address: str) -> None:
    with OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        hold_conversation(client)


def hold_conversation(client: OpenAI) -> None:
    """Two turns, the second as a stream, and two requests that are wrong."""
    assert [model.id for model in client.models.list()] == ["scenewise"]
    messages: list[Any] = [FIRST]
    first = client.chat.completions.create(model="scenewise", messages=messages, metadata=META)
    record: Any = first.model_extra["scenewise"] if first.model_extra else None
    messages += [{"role": "assistant", "content": first.choices[0].message.content}, {"role": "user", "content": "why the first one?"}]
    stream = client.chat.completions.create(
        model="scenewise", messages=messages, metadata=META, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert record["items"][0]["title"] in text
    assert chunks[-1].usage is not None
    last: Any = chunks[-2].model_extra
    assert last["scenewise"]["conversation_id"] == record["conversation_id"]
    with pytest.raises(NotFoundError, match="no such model"):
        client.chat.completions.create(model="gpt-4o", messages=messages)
    with pytest.raises(UnprocessableEntityError, match="messages"):
        client.chat.completions.create(model="scenewise", messages=[])


@pytest.mark.slow
def test_the_python_of_the_page_on_the_server_runs(address: str) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "server.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    code = block.replace("http://127.0.0.1:8080", address).replace("2026-05-01", "2025-10-09")  # the day of the agent's clock
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].startswith("['")


def test_langchains_client_holds_a_conversation(address: str) -> None:
    model = ChatOpenAI(base_url=f"{address}/v1", api_key="none", model="scenewise", max_retries=0, extra_body={"metadata": META})
    messages: list[Any] = [HumanMessage("a space film")]
    answer = model.invoke(messages)
    assert isinstance(answer, AIMessage)
    title = str(answer.content).splitlines()[1]
    messages += [answer, HumanMessage("why the first one?")]
    streamed = "".join(str(chunk.content) for chunk in model.stream(messages))
    assert any(word in streamed for word in title.split() if len(word) > 3)


@pytest.mark.slow
def test_a_client_that_goes_ends_its_turn(slow_agent: Agent) -> None:
    with listening(create_app(slow_agent)) as address, httpx.Client(base_url=address) as client:
        for stream in (True, False):
            request = body(FIRST, stream=stream) | {"metadata": {"user_id": "dan", "conversation_id": f"left-{stream}"}}
            with pytest.raises(httpx.ReadTimeout), client.stream("POST", "/v1/chat/completions", json=request, timeout=1.5) as response:
                list(response.iter_lines())
            wait_until(lambda: 'scenewise_turns_now{state="running"} 0' in client.get("/metrics").text, 10)
        time.sleep(3.5)  # by then the LLM would have answered both
        assert slow_agent.store.turns.conversations(UserId("dan")) == []


@pytest.mark.slow
def test_a_waiting_stream_is_kept_alive(slow_agent: Agent) -> None:
    app = create_app(slow_agent, limits=Limits(keep_alive_s=0.2))
    response = asker(app)("POST", "/v1/chat/completions", json=body(FIRST, stream=True))
    assert response.text.count(": keep-alive\n\n") >= 5
    assert events(response.text)[-1]["scenewise"]["items"]


@pytest.mark.slow
def test_more_turns_than_may_wait_are_told_to_come_back(slow_agent: Agent) -> None:
    app = create_app(slow_agent, limits=Limits(running=1, waiting=1, wait_s=60))

    async def crowd() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", timeout=60) as client:
            return await asyncio.gather(
                *(client.post("/v1/chat/completions", json=body(FIRST, stream=stream)) for stream in (False, True) * 3)
            )

    answers = asyncio.run(crowd())
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503, 503, 503, 503]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert all(int(answer.headers["retry-after"]) >= 1 and answer.json()["error"]["code"] == "busy" for answer in refused)
