"""What the server counts, as Prometheus reads it, and one log line a request, without ids of users or what they say."""

from __future__ import annotations

import json
import logging
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, StatusCode
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from scenewise.agent.record import Turn
from scenewise.service.api.limits import Gate

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LLM_STEPS = ("plan", "compose")
log = logging.getLogger("scenewise.api.access")
_tracer = trace.get_tracer("scenewise.api")


@dataclass
class Histogram:
    """How many values were at most each bound, their number and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total: float = 0.0

    def add(self, value: float) -> None:
        """Count one value, in seconds."""
        self.counts[bisect_left(BOUNDS_S, value)] += 1
        self.total += value

    def lines(self, name: str, labels: str) -> list[str]:
        """The histogram in the text format; `labels` without braces."""
        head, before, out = f"{labels}," if labels else "", 0, []
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self.counts, strict=True):
            before += count
            out.append(f'{name}_bucket{{{head}le="{bound}"}} {before}')
        braces = f"{{{labels}}}" if labels else ""
        return [*out, f"{name}_sum{braces} {self.total:.6f}", f"{name}_count{braces} {before}"]


class Metrics:
    """The counters of one server. They are changed on its event loop only."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: dict[str, Histogram] = {}
        self._turns: Counter[str] = Counter()
        self._own, self._llm = Histogram(), Histogram()
        self._tokens: Counter[str] = Counter()

    def saw_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request under the route's pattern."""
        self._requests[method, route, status] += 1
        self._seconds.setdefault(route, Histogram()).add(seconds)

    def saw_turn(self, turn: Turn) -> None:
        """Count a turn: how it was answered, the LLM's time and ours."""
        self._turns["degraded" if turn.degraded else "whole"] += 1
        self.saw_tokens(turn.prompt_tokens, turn.completion_tokens)
        llm_ms = sum(turn.timings_ms.get(step, 0.0) for step in LLM_STEPS) if turn.llm_rounds else 0.0
        self._llm.add(llm_ms / 1000)
        self._own.add(max(0.0, turn.timings_ms.get("total", 0.0) - llm_ms) / 1000)

    def saw_tokens(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count what the LLM read and wrote."""
        self._tokens["read"] += prompt_tokens
        self._tokens["written"] += completion_tokens

    def text(self) -> str:
        """All counters in Prometheus' text format."""
        lines = ["# HELP scenewise_requests_total Answered requests.", "# TYPE scenewise_requests_total counter"]
        for (method, route, status), count in sorted(self._requests.items()):
            lines.append(f'scenewise_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}')
        lines += ["# HELP scenewise_request_seconds Time to the end of the answer.", "# TYPE scenewise_request_seconds histogram"]
        for route, histogram in sorted(self._seconds.items()):
            lines += histogram.lines("scenewise_request_seconds", f'route="{route}"')
        lines += ["# HELP scenewise_turns_total Turns, by whether the LLM's part is missing.", "# TYPE scenewise_turns_total counter"]
        lines += [f'scenewise_turns_total{{outcome="{outcome}"}} {self._turns[outcome]}' for outcome in ("degraded", "whole")]
        for name, histogram, what in (("own", self._own, "without the steps that wait for the LLM"), ("llm", self._llm, "of those steps")):
            lines += [f"# HELP scenewise_turn_{name}_seconds Time of a turn, {what}.", f"# TYPE scenewise_turn_{name}_seconds histogram"]
            lines += histogram.lines(f"scenewise_turn_{name}_seconds", "")
        lines += ["# HELP scenewise_llm_tokens_total Tokens that the LLM read and wrote.", "# TYPE scenewise_llm_tokens_total counter"]
        lines += [f'scenewise_llm_tokens_total{{kind="{kind}"}} {self._tokens[kind]}' for kind in ("read", "written")]
        lines += ["# HELP scenewise_turns_now Turns that run and that wait.", "# TYPE scenewise_turns_now gauge"]
        lines += [f'scenewise_turns_now{{state="{state}"}} {getattr(self._gate, state)}' for state in ("running", "waiting")]
        return "\n".join(lines) + "\n"


def metrics_page(metrics: Metrics) -> Response:
    """The counters as they go out."""
    return PlainTextResponse(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@contextmanager
def request_span(scope: Connection) -> Iterator[Callable[[int], None]]:
    """The span of a request, below the one that `traceparent` names; what is yielded takes the status."""
    above = propagate.extract(Headers(scope=scope))
    about = {"http.request.method": scope["method"], "url.scheme": scope["scheme"]}
    with _tracer.start_as_current_span(
        scope["method"], context=above, kind=SpanKind.SERVER, attributes=about, record_exception=False
    ) as span:

        def told(status: int) -> None:
            rule = scope.get("scenewise.rule")
            if rule is not None:
                span.update_name(f"{rule.method} {rule.path}")
                span.set_attribute("http.route", rule.path)
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                span.set_status(StatusCode.ERROR)

        yield told


class Watch:
    """Middleware: counts each request and writes its log line."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Note the status and the time; the route is the table's pattern, never the path itself."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, begun = 500, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with request_span(scope) as told:
                try:
                    await self.app(scope, receive, noted)
                finally:
                    told(status)
        finally:
            rule, caller = scope.get("scenewise.rule"), scope.get("scenewise.caller")
            route, seconds = rule.path if rule else "none", time.perf_counter() - begun
            method = rule.method if rule else "other"
            self.metrics.saw_request(method, route, status, seconds)
            line = {"method": method, "route": route, "status": status, "ms": round(1000 * seconds, 1)}
            log.info(json.dumps(line | {"key": caller.key_id if caller else None}))
