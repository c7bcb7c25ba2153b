"""The MCP server over streamable HTTP: the guard of `scenewise serve` before it, and no page of another site."""

from __future__ import annotations

from urllib.parse import urlsplit

from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from scenewise.agent.agent import Agent
from scenewise.service.api.access import Guard, Rule
from scenewise.service.api.errors import Refused, response_of
from scenewise.service.api.keys import KeyFile
from scenewise.service.api.limits import Gate, Limits, Rate
from scenewise.service.api.metrics import Metrics, Watch, metrics_page
from scenewise.service.mcp.server import create_server
from scenewise.service.mcp.session import Door

PATH = "/mcp"
RULES = (*(Rule(method, PATH, "chat") for method in ("GET", "POST", "DELETE")), Rule("GET", "/metrics", "admin", bound=False))


def create_http_app(agent: Agent, *, keys: KeyFile | None = None, limits: Limits | None = None) -> ASGIApp:
    """Serve the agent's MCP server at /mcp, its counters at /metrics; `keys` and `limits` as for `create_app`."""
    limits = limits or Limits()
    checked_here = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    gate = Gate(limits, keys)
    metrics = Metrics(gate)
    server = create_server(Door(agent, gate, metrics=metrics))
    app = server.streamable_http_app(streamable_http_path=PATH, transport_security=checked_here, max_request_body_size=limits.body_bytes)
    app.add_route("/metrics", lambda request: metrics_page(metrics))
    return Watch(OwnPages(Guard(app, keys=keys, rate=Rate(limits.per_minute), rules=RULES)), metrics=metrics)


class OwnPages:
    """Middleware: refuses what a page of another site sends; programs name no origin."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what has no Origin or that of this server."""
        headers = Headers(scope=scope) if scope["type"] == "http" else {}
        if "origin" in headers and urlsplit(headers["origin"]).netloc != headers.get("host"):
            refused = Refused(403, "a page of another site may not call this server", code="unknown_origin")
            await response_of(refused)(scope, receive, send)
            return
        await self.app(scope, receive, send)
