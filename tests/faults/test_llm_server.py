"""Whatever the LLM server does, the turn is answered in time, says why it is degraded, and its list is as good as without an LLM."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from scenewise import Agent, Turn
from scenewise.agent.model import VllmModel

MESSAGE = "a film about space"
GRACE_S = 2.0  # for the tools and a busy machine

Reply = Callable[[Any, dict[str, Any]], None]


def send(body: bytes, *, status: int = 200, kind: str = "application/json", **headers: str) -> Reply:
    """Answer with these bytes."""

    def reply(handler: Any, asked: dict[str, Any]) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body))}.items() | headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def say(value: object) -> Reply:
    """Answer with this JSON."""
    return send(json.dumps(value).encode())


def completion(message: object, finish: str = "stop", **rest: object) -> dict[str, object]:
    """A chat completion with one choice."""
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "test", "choices": [choice], **rest}


def calling(*calls: tuple[object, object], content: object = None, finish: str = "tool_calls") -> dict[str, object]:
    """A completion with tool calls of (name, arguments as the server wrote them)."""
    made = [{"id": f"c{i}", "type": "function", "function": {"name": n, "arguments": a}} for i, (n, a) in enumerate(calls)]
    return completion({"role": "assistant", "content": content, "tool_calls": made}, finish)


def words(content: object) -> dict[str, object]:
    """A completion of text alone."""
    return completion({"role": "assistant", "content": content})


def hang(handler: Any, asked: dict[str, Any]) -> None:
    """Take the request and say nothing."""
    handler.world.over.wait(30)


def drip(handler: Any, asked: dict[str, Any]) -> None:
    """Send a blank now and then, so that no read ever times out."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.world.over.wait(0.05):
        handler.wfile.write(b" ")


def half(handler: Any, asked: dict[str, Any]) -> None:
    """Promise more than is sent, and close."""
    body = json.dumps(words("A comedy.")).encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])


def no_http(handler: Any, asked: dict[str, Any]) -> None:
    """Speak something else."""
    handler.wfile.write(b"\x00\x01\x02 SSH-2.0 hello\r\n\r\n")


def bad_chunks(handler: Any, asked: dict[str, Any]) -> None:
    """Break the chunked encoding."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"zz\r\nnot a chunk\r\n")


def turn_of(agent: Agent, message: str = MESSAGE) -> Turn:
    """Hold a turn and check what holds for every one."""
    begun = time.monotonic()
    turn = agent.turn(message, "dan")
    waited = time.monotonic() - begun
    deadline_s = agent.settings.deadline_s
    assert waited < deadline_s + GRACE_S
    assert turn.timings_ms["plan"] + turn.timings_ms["compose"] < 1000 * (deadline_s + 0.5)
    assert turn.llm_rounds <= 2
    assert len(turn.items) == 5
    assert agent.store.items.known([item.item_id for item in turn.items]) == {item.item_id for item in turn.items}
    for item in turn.items:
        assert item.copy
        assert all(row in dict(item.evidence) for _, rows in item.claims for row in rows)
        assert not (item.copy_source == "model" and item.refused)
    assert turn.reply.split("\n")[1:] == [f"{place}. {item.title}: {item.copy}" for place, item in enumerate(turn.items, 1)]
    return turn


UNUSABLE: dict[str, tuple[Reply, str]] = {
    "hangs": (hang, "too slow"),
    "drips": (drip, "too slow"),
    "half an answer": (half, "unreachable"),
    "no HTTP": (no_http, "unreachable"),
    "broken chunks": (bad_chunks, "unreachable"),
    "wrong encoding": (send(b"not gzip", Content_Encoding="gzip"), "unreachable"),
    "500": (send(b'{"error": {"message": "CUDA out of memory"}}', status=500), "status 500"),
    "500 HTML": (send(b"<html>oops</html>", status=500, kind="text/html"), "status 500"),
    "503": (send(b"", status=503), "status 503"),
    "429": (send(b'{"error": "slow down"}', status=429, Retry_After="30"), "status 429"),
    "404": (send(b'{"detail": "Not Found"}', status=404), "status 404"),
    "401": (send(b'{"error": null}', status=401), "status 401"),
    "400": (send(b"[1, 2]", status=400), "status 400"),
    "204": (send(b"", status=204), "unreadable answer"),
    "redirects": (send(b"", status=307, Location="/v1/chat/completions"), "unreachable"),
    "empty body": (send(b""), "unreadable answer"),
    "HTML": (send(b"<html>Welcome to nginx</html>", kind="text/html"), "unreadable answer"),
    "text": (send(b"hello", kind="text/plain"), "unreadable answer"),
    "no JSON": (send(b'{"choices": ['), "unreadable answer"),
    "no Unicode": (send(b'{"choices": "\xff\xfe"}'), "unreadable answer"),
    "null": (say(None), "unreadable answer"),
    "number": (say(42), "unreadable answer"),
    "string": (say("hello"), "unreadable answer"),
    "list": (say([]), "unreadable answer"),
    "no choices": (say({}), "unreadable answer"),
    "null choices": (say({"choices": None}), "unreadable answer"),
    "empty choices": (say({"choices": []}), "unreadable answer"),
    "choices of null": (say({"choices": [None]}), "unreadable answer"),
    "choices a string": (say({"choices": "none"}), "unreadable answer"),
    "null message": (say(completion(None)), "unreadable answer"),
    "error in a 200": (say({"error": {"message": "engine died", "code": 500}}), "unreadable answer"),
    "deep JSON": (send(b"[" * 200_000), "unreadable answer"),
    "usage a string": (say(words("A comedy.") | {"usage": "many"}), "unreadable answer"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_answer_degrades_the_turn(llm_agent: Agent, broken_server: Any, name: str) -> None:
    broken_server.behaviour, reason = UNUSABLE[name]
    turn = turn_of(llm_agent)
    assert turn.degraded == (f"planning: {reason}", f"writing: {reason}")
    assert turn.llm_rounds == 2
    assert all(item.copy_source == "template" for item in turn.items)
    assert all(call.asked_by == "policy" for call in turn.plan)


def test_a_server_that_refuses_connections(llm_agent: Agent) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    before = llm_agent.model
    llm_agent.model = VllmModel(f"http://127.0.0.1:{port}/v1", "test")
    try:
        turn = turn_of(llm_agent)
    finally:
        llm_agent.model = before
    assert turn.degraded == ("planning: unreachable", "writing: unreachable")
