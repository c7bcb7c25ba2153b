"""OpenTelemetry traces and metrics of turns, after the semantic conventions for generative AI. Without an SDK set up it does nothing.

A turn is one trace, or a part of its caller's: `invoke_agent scenewise` above a span a step, `execute_tool` above each tool and `chat`
above each call of the LLM. What people say, what is answered and who they are is in none of them, unless
OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT is true: then the LLM's messages are.
"""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from opentelemetry import context, metrics, trace
from opentelemetry.trace import Span, SpanKind, StatusCode

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage
    from opentelemetry.context import Context

    from scenewise.agent.record import PlannedCall, Request, Turn
    from scenewise.prompts import Message

P = ParamSpec("P")
T = TypeVar("T")
AGENT, PROVIDER = "scenewise", "vllm"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_tracer = trace.get_tracer(AGENT)
_meter = metrics.get_meter(AGENT)
_tokens = _meter.create_histogram("gen_ai.client.token.usage", "{token}", "Tokens that a call of the LLM read and wrote.")
_seconds = _meter.create_histogram("gen_ai.client.operation.duration", "s", "Time of a call of the LLM.")


def begin_turn(request: Request) -> Span:
    """The span of a turn, below what runs now; the caller ends it."""
    about = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": AGENT, "gen_ai.conversation.id": request.conversation_id}
    return _tracer.start_span(f"invoke_agent {AGENT}", kind=SpanKind.INTERNAL, attributes=about)


def inside(span: Span) -> Context:
    """A context below a span, for `step`."""
    return trace.set_span_in_context(span)


def tell_turn(span: Span, turn: Turn) -> None:
    """Say of a turn's span what came of it."""
    said: dict[str, str | int | bool] = {
        "scenewise.intent": turn.intent,
        "scenewise.scene": turn.scene or "none",
        "scenewise.items": len(turn.items),
    }
    said |= {"scenewise.llm_rounds": turn.llm_rounds, "scenewise.degraded": bool(turn.degraded)}
    said |= {"gen_ai.usage.input_tokens": turn.prompt_tokens, "gen_ai.usage.output_tokens": turn.completion_tokens}
    span.set_attributes(said)


def tell_error(span: Span, error: BaseException) -> None:
    """Say that it ended in an error, by its kind: its words may be a user's."""
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(StatusCode.ERROR)


@contextmanager
def _span(name: str, kind: SpanKind, about: Mapping[str, Any]) -> Iterator[Span]:
    with _tracer.start_as_current_span(name, kind=kind, attributes=about, record_exception=False, set_status_on_exception=False) as span:
        try:
            yield span
        except BaseException as error:
            tell_error(span, error)
            raise


def step(name: str, run: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """A step of a turn in a span of its own, below that of the turn (`runtime.context.trace`)."""

    @functools.wraps(run)
    async def traced(*args: P.args, **kwargs: P.kwargs) -> T:
        runtime: Any = kwargs.get("runtime", args[-1])
        above: Context | None = runtime.context.trace
        token = context.attach(above) if above is not None else None
        try:
            with _span(name, SpanKind.INTERNAL, {}):
                return await run(*args, **kwargs)
        finally:
            if token is not None:
                context.detach(token)

    return traced


@contextmanager
def tool(name: str) -> Iterator[Callable[[PlannedCall], None]]:
    """The span of a tool's call; what is yielded takes the call with its outcome."""
    with _span(f"execute_tool {name}", SpanKind.INTERNAL, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}) as span:

        def told(call: PlannedCall) -> None:
            span.set_attributes({"scenewise.candidates": call.candidates, "scenewise.status": call.status})
            if call.status == "failed":
                span.set_status(StatusCode.ERROR)

        yield told


@contextmanager
def llm_call(model: str, url: str, messages: Sequence[Message], max_tokens: int) -> Iterator[Callable[[AIMessage], None]]:
    """The span of a call of the LLM, with its tokens and those that the server's prefix cache held; what is yielded takes the answer."""
    server, begun, kinds = urlsplit(url), time.perf_counter(), {"gen_ai.operation.name": "chat", "gen_ai.provider.name": PROVIDER}
    common = kinds | {"gen_ai.request.model": model, "server.address": server.hostname or ""}
    about = common | {"gen_ai.request.max_tokens": max_tokens, "gen_ai.request.temperature": 0.0}
    about |= {"server.port": server.port} if server.port else {}
    with _span(f"chat {model}", SpanKind.CLIENT, about) as span:
        if _captures():
            span.set_attribute("gen_ai.input.messages", _written([(one["role"], one["content"]) for one in messages]))

        def told(answer: AIMessage) -> None:
            usage, finish = answer.usage_metadata, answer.response_metadata.get("finish_reason")
            if finish:
                span.set_attribute("gen_ai.response.finish_reasons", [str(finish)])
            if usage:
                span.set_attribute("gen_ai.usage.input_tokens", usage["input_tokens"])
                span.set_attribute("gen_ai.usage.output_tokens", usage["output_tokens"])
                span.set_attribute("gen_ai.usage.cache_read.input_tokens", (usage.get("input_token_details") or {}).get("cache_read") or 0)
                for kind in ("input", "output"):
                    _tokens.record(usage[f"{kind}_tokens"], common | {"gen_ai.token.type": kind})  # type: ignore[literal-required]
            if _captures():
                span.set_attribute("gen_ai.output.messages", _written([("assistant", str(answer.content))]))

        failed: dict[str, str] = {}
        try:
            yield told
        except BaseException as error:
            failed = {"error.type": type(error).__name__}
            raise
        finally:
            _seconds.record(time.perf_counter() - begun, common | failed)


def _captures() -> bool:
    return os.environ.get(CAPTURE, "").strip().lower() == "true"


def _written(messages: Sequence[tuple[str, str]]) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in messages], ensure_ascii=False)
