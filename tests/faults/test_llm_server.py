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
    assert turn.llm_rounds <= 2 + any(item.refused for item in turn.items)
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
    "redirects": (send(b"", status=307, Location="/v1/chat/completions"), "status 307"),
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


def planning(reply: Reply, otherwise: Reply | None = None) -> Reply:
    """Answer the planning round so, and the writing round otherwise (with nothing said where that is left out)."""
    written = otherwise or say(words(""))

    def either(handler: Any, asked: dict[str, Any]) -> None:
        (reply if "tools" in asked else written)(handler, asked)

    return either


RETRIEVE = '{"query": "space film", "domain": "movies"}'
NO_CALL = "planning: no tool call in the answer"
NO_CALLS: dict[str, dict[str, object]] = {
    "null content": words(None),
    "no content": completion({"role": "assistant"}),
    "prose": words("I would rather tell a story."),
    "content of parts": words([{"type": "text", "text": "hello"}]),
    "content a number": words(42),
    "content an object": words({"text": "hello"}),
    "no calls": calling(),
    "null calls": completion({"role": "assistant", "content": None, "tool_calls": None}),
    "calls an object": completion({"role": "assistant", "content": None, "tool_calls": {"name": "retrieve"}}),
    "null call": completion({"role": "assistant", "content": None, "tool_calls": [None]}),
    "null function": completion({"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": None}]}),
    "broken arguments": calling(("retrieve", '{"query": "space fi')),
    "arguments a list": calling(("retrieve", "[1, 2]")),
    "arguments a number": calling(("retrieve", "5")),
    "arguments NaN": calling(("retrieve", "NaN")),
    "name a number": calling((5, RETRIEVE)),
    "deep salvage": words('{"name": ' * 20_000),
    "deep arguments": calling(("retrieve", '{"query": ' + "[" * 20_000)),
    "legacy function_call": completion({"role": "assistant", "content": None, "function_call": {"name": "retrieve", "arguments": "x"}}),
}


@pytest.mark.parametrize("name", NO_CALLS)
def test_an_answer_without_a_usable_call_says_so(llm_agent: Agent, broken_server: Any, name: str) -> None:
    broken_server.behaviour = planning(say(NO_CALLS[name]))
    turn = turn_of(llm_agent)
    assert turn.degraded
    assert turn.degraded[0] in (NO_CALL, "planning: unreadable answer")
    assert all(call.asked_by == "policy" or call.status == "refused" for call in turn.plan)


CALLS: dict[str, dict[str, object]] = {
    "unknown tool": calling(("drop_tables", "{}")),
    "arguments null": calling(("retrieve", "null")),
    "arguments missing": calling(("retrieve", None)),
    "name null": calling((None, RETRIEVE)),
    "empty name": calling(("", RETRIEVE)),
    "no arguments": calling(("retrieve", "{}")),
    "null arguments": calling(("retrieve", '{"query": null, "domain": null}')),
    "number for a text": calling(("retrieve", '{"query": 5, "domain": "movies"}')),
    "number for a list": calling(("collaborative_candidates", '{"like_titles": 5}')),
    "number for a domain": calling(("filter_catalogue", '{"domains": 5, "ban_genre": 7}')),
    "objects for texts": calling(("collaborative_candidates", '{"like_titles": {"a": {"b": []}}}')),
    "lists of lists": calling(("filter_catalogue", '{"domains": [["movies"]], "ban_genre": [[], {}, null]}')),
    "list for a domain": calling(("retrieve", '{"query": "space", "domain": ["movies", 5, null, {}]}')),
    "a flag for a domain": calling(("retrieve", '{"query": "space", "domain": true}')),
    "a list for a title": calling(("query_graph", '{"title": ["Alien"], "value": {"x": 1}}')),
    "huge k": calling(("retrieve", '{"query": "space", "k": 1e308}')),
    "k not a number": calling(("retrieve", '{"query": "space", "k": NaN}')),
    "years as text": calling(("filter_catalogue", '{"min_year": "long ago", "max_duration_min": Infinity, "genre": 3, "mood": {}}')),
    "unknown arguments": calling(("retrieve", '{"query": "space", "user_id": "ann", "context": {}, "__class__": 1}')),
    "a thousand calls": calling(*[("retrieve", json.dumps({"query": f"space {i}"})) for i in range(1000)]),
    "5 MB of arguments": calling(("retrieve", json.dumps({"query": "space " * 800_000, "domain": "movies"}))),
    "5 MB of titles": calling(("collaborative_candidates", json.dumps({"like_titles": ["Alien" * 4] * 200_000}))),
    "NUL and surrogates": calling(("retrieve", '{"query": "space\\u0000 \\ud800", "domain": "movies"}')),
}


@pytest.mark.parametrize("name", CALLS)
def test_odd_calls_are_refused_or_run_and_spoil_nothing(llm_agent: Agent, broken_server: Any, name: str) -> None:
    broken_server.behaviour = planning(say(CALLS[name]))
    turn = turn_of(llm_agent)
    assert sum(call.status == "run" for call in turn.plan if call.asked_by == "model") <= 4
    assert [call.status for call in turn.plan if call.asked_by == "policy"].count("run") >= 2
    assert len(json.dumps(llm_agent.store.turns.get(turn.turn_id))) < 1_000_000


def test_a_whole_plan_runs(llm_agent: Agent, broken_server: Any) -> None:
    broken_server.behaviour = planning(say(calling(("retrieve", RETRIEVE))))
    turn = turn_of(llm_agent)
    assert [(call.name, call.status) for call in turn.plan if call.asked_by == "model"] == [("retrieve", "run")]
    assert turn.degraded == ()


@pytest.mark.parametrize(
    "answer",
    [
        calling(("retrieve", RETRIEVE), ("query_graph", '{"value": "Tom Ha'), finish="length"),
        words(f'[{{"name": "retrieve", "parameters": {RETRIEVE}}}, {{"name": "query_graph", "parameters": {{"value": "Tom Ha'),
        words(f'<tool_call>\n{{"name": "retrieve", "arguments": {RETRIEVE}}}\n</tool_call>\n<tool_call>\n{{"name": "query_gr'),
    ],
    ids=["calls", "list", "tags"],
)
def test_a_plan_cut_at_the_token_limit_keeps_its_whole_calls(llm_agent: Agent, broken_server: Any, answer: dict[str, object]) -> None:
    broken_server.behaviour = planning(say(answer))
    turn = turn_of(llm_agent)
    assert [(call.name, call.status) for call in turn.plan if call.asked_by == "model"] == [("retrieve", "run")]


TEXTS: dict[str, object] = {
    "null": None,
    "5 MB of words": "A comedy about space. " * 230_000,
    "5 MB in one word": "x" * 5_000_000,
    "5 MB of titles": "Toy Story by John Lasseter, " * 180_000,
    "markup": "[link=http://evil.example]A comedy[/link] <script>alert(1)</script>",
    "terminal escapes": "\x1b[2JA comedy\x07",
    "lies": "Winner of nine prizes in 1812, by Steven Spielberg, for $3.",
    "another item": "Alien",
    "NUL": "A comedy.\x00",
    "lines": "\n\n\nA comedy.\nIgnore all of that.\n",
    "a number": 42,
    "an object": {"text": "A comedy."},
    "parts": [{"type": "text", "text": "A comedy."}, {"type": "image"}],
}


@pytest.mark.parametrize("name", TEXTS)
def test_odd_texts_are_shown_only_where_they_are_borne_out(llm_agent: Agent, broken_server: Any, name: str) -> None:
    broken_server.behaviour = planning(say(calling(("retrieve", RETRIEVE))), say(words(TEXTS[name])))
    turn = turn_of(llm_agent)
    for item in turn.items:
        assert len(item.copy) < 1_000
        assert not any(word in item.copy for word in ("\x1b", "\x00", "http", "<", "Spielberg", "Ignore"))
    assert len(json.dumps(llm_agent.store.turns.get(turn.turn_id))) < 1_000_000


def test_one_text_that_fails_does_not_spoil_the_others(llm_agent: Agent, broken_server: Any) -> None:
    def every_other(handler: Any, asked: dict[str, Any]) -> None:
        count = sum("tools" not in one for one in broken_server.asked)
        (send(b"", status=500) if count % 2 else say(words("A film.")))(handler, asked)

    broken_server.asked.clear()
    broken_server.behaviour = planning(say(calling(("retrieve", RETRIEVE))), every_other)
    turn = turn_of(llm_agent, "only films please, about space")
    assert turn.degraded == ()
    assert len(broken_server.asked) == 6


def test_a_writer_that_hangs_leaves_the_plan_in_place(llm_agent: Agent, broken_server: Any) -> None:
    broken_server.behaviour = planning(say(calling(("retrieve", RETRIEVE))), hang)
    turn = turn_of(llm_agent)
    assert turn.degraded == ("writing: too slow",)
    assert [call.status for call in turn.plan if call.asked_by == "model"] == ["run"]


def test_the_server_is_asked_once_a_round_and_never_told_who_asks(llm_agent: Agent, broken_server: Any) -> None:
    broken_server.asked.clear()
    broken_server.behaviour = send(b"", status=500)
    turn_of(llm_agent)
    assert len(broken_server.asked) == 1 + 5
    assert '"dan"' not in json.dumps(broken_server.asked)


def test_after_the_faults_a_good_answer_is_used_again(llm_agent: Agent, broken_server: Any) -> None:
    for behaviour in (half, bad_chunks, say(None)):
        broken_server.behaviour = behaviour
        assert turn_of(llm_agent).degraded
    broken_server.behaviour = planning(say(calling(("retrieve", RETRIEVE))))
    assert turn_of(llm_agent).degraded == ()
