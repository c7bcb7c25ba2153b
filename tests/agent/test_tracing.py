"""One trace a turn: its steps, tools and LLM calls, without a word of what was said."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from scenewise import Agent, InputError, Settings
from scenewise.agent import tracing
from scenewise.agent.model import VllmModel

STEPS = ["perceive", "plan", "act", "rank", "compose", "verify", "remember"]


@pytest.fixture
def provider() -> TracerProvider:
    """A tracer provider of this test alone."""
    return TracerProvider()


@pytest.fixture
def spans(provider: TracerProvider, monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What was traced, in the order in which it ended."""
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    return exporter


def named(spans: InMemorySpanExporter, begin: str) -> list[ReadableSpan]:
    """The finished spans whose names begin so."""
    return [span for span in spans.get_finished_spans() if span.name.startswith(begin)]


@pytest.fixture
def vllm() -> Iterator[str]:
    """A server that answers every chat with the same words and says what it had in its cache."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            usage = {"prompt_tokens": 50, "completion_tokens": 4, "total_tokens": 54, "prompt_tokens_details": {"cached_tokens": 32}}
            choice = {"index": 0, "message": {"role": "assistant", "content": "find( funny film)"}, "finish_reason": "stop"}
            body = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage})
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def with_llm(agent: Agent, model: VllmModel | None) -> Agent:
    """The same tools with another model."""
    other = object.__new__(Agent)
    other.__dict__.update(agent.__dict__)
    other.model = model
    other.settings = Settings(llm_off=model is None)
    return other


def test_a_turn_is_one_trace(small_agent: Agent, spans: InMemorySpanExporter) -> None:
    turn = small_agent.turn("a funny film", "dan", k=3)
    (root,) = named(spans, "invoke_agent")
    assert root.parent is None
    assert root.attributes is not None
    assert root.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert root.attributes["gen_ai.conversation.id"] == turn.conversation_id
    assert root.attributes["scenewise.items"] == 3
    below = [span for span in spans.get_finished_spans() if span.parent is not None and span.parent.span_id == root.context.span_id]
    assert [span.name for span in below] == STEPS
    assert {span.context.trace_id for span in spans.get_finished_spans()} == {root.context.trace_id}
    act = next(span for span in below if span.name == "act")
    tools = named(spans, "execute_tool")
    assert [span.name.split()[1] for span in tools] == sorted(
        [call.name for call in turn.plan], key=lambda name: name not in ("filter_catalogue", "update_profile")
    )
    assert all(span.parent is not None and span.parent.span_id == act.context.span_id for span in tools)
    assert all(root.start_time <= span.start_time <= span.end_time <= root.end_time for span in spans.get_finished_spans())  # type: ignore[operator]


def test_calls_of_the_llm_say_what_they_cost(
    small_agent: Agent, spans: InMemorySpanExporter, vllm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader]).get_meter("test")
    monkeypatch.setattr(tracing, "_tokens", meter.create_histogram("gen_ai.client.token.usage"))
    monkeypatch.setattr(tracing, "_seconds", meter.create_histogram("gen_ai.client.operation.duration"))
    turn = with_llm(small_agent, VllmModel(vllm, "small")).turn("a funny film with gulls", k=2)
    calls = named(spans, "chat small")
    assert len(calls) >= 2  # a plan and texts
    assert turn.prompt_tokens == 50 * len(calls)
    for span in calls:
        told = dict(span.attributes or {})
        assert told["gen_ai.usage.input_tokens"] == 50
        assert told["gen_ai.usage.output_tokens"] == 4
        assert told["gen_ai.usage.cache_read.input_tokens"] == 32
        assert (told["gen_ai.request.model"], told["server.address"]) == ("small", "127.0.0.1")
    parents = {span.context.span_id: span.name for span in spans.get_finished_spans()}
    assert {parents[span.parent.span_id] for span in calls if span.parent is not None} == {"plan", "compose"}
    data: Any = reader.get_metrics_data()
    measured = {one.name: one for one in data.resource_metrics[0].scope_metrics[0].metrics}
    read = {point.attributes["gen_ai.token.type"]: point.sum for point in measured["gen_ai.client.token.usage"].data.data_points}
    assert read == {"input": turn.prompt_tokens, "output": turn.completion_tokens}
    assert sum(point.count for point in measured["gen_ai.client.operation.duration"].data.data_points) == len(calls)


def test_what_is_said_is_in_no_span_unless_it_is_asked_for(
    small_agent: Agent, spans: InMemorySpanExporter, vllm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = with_llm(small_agent, VllmModel(vllm, "small"))
    turn = agent.turn("a funny film with gulls", "dan", k=2)
    told = " ".join(span.to_json() for span in spans.get_finished_spans())
    for word in ("gulls", '"dan"', *(item.title for item in turn.items)):
        assert word not in told
    spans.clear()
    monkeypatch.setenv(tracing.CAPTURE, "true")
    agent.turn("a funny film with gulls", "dan", k=2)
    calls = [dict(span.attributes or {}) for span in named(spans, "chat")]
    assert any("gulls" in str(call["gen_ai.input.messages"]) for call in calls)
    assert json.loads(str(calls[0]["gen_ai.output.messages"])) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "find( funny film)"}]}
    ]


def test_errors_are_told_by_their_kind(small_agent: Agent, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    with_llm(small_agent, VllmModel("http://127.0.0.1:9/v1", "small")).turn("a funny film", k=2)
    failed = named(spans, "chat small")[0]
    assert failed.attributes is not None
    assert failed.attributes["error.type"] == "ModelError"
    assert not failed.status.is_ok
    spans.clear()
    monkeypatch.setattr(small_agent.store.turns, "save", lambda *_, **__: (_ for _ in ()).throw(InputError("gulls are secret")))
    with pytest.raises(InputError):
        small_agent.turn("a funny film", k=2)
    (root,) = named(spans, "invoke_agent")
    assert root.attributes is not None
    assert root.attributes["error.type"] == "InputError"
    assert "gulls" not in root.to_json()


def test_a_turn_belongs_to_its_callers_trace(small_agent: Agent, spans: InMemorySpanExporter, provider: TracerProvider) -> None:
    with provider.get_tracer("caller").start_as_current_span("caller") as caller:
        small_agent.recommend("dan", k=2)
        list(small_agent.stream("a funny film", k=2))
    roots = named(spans, "invoke_agent")
    assert [span.parent.span_id for span in roots if span.parent is not None] == 2 * [caller.get_span_context().span_id]
