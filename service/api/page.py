"""The page: its files, the headers that keep it safe, and who asks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from scenewise.agent.agent import Agent
from scenewise.service.api.access import Asking
from scenewise.service.api.errors import Refused

WEB = Path(__file__).resolve().parent.parent / "web"
KINDS: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' https:",  # pictures of a catalogue lie anywhere; the page sends them no referrer
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class MeOut(BaseModel):
    """Who asks, and with what: what a front end has to know before it draws anything."""

    user_id: str | None = Field(description="The user that the key is bound to; null where the request says for whom it is.")
    scopes: list[str]
    keys: bool = Field(description="Whether the server asks for keys.")
    llm: str | None = Field(description="The LLM's name, null where turns are answered without one.")


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page, as it is sent; `tag` is a hash of it."""

    body: bytes
    kind: str
    tag: str


class SafeHeaders:
    """Middleware: every answer says how a browser may use it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Add the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


def page_files() -> dict[str, PageFile]:
    """Read the files of the page by name; there is no other way to one than to be in this table."""
    found = {}
    for path in sorted(WEB.iterdir()):
        if path.suffix in KINDS:
            body = path.read_bytes()
            found[path.name] = PageFile(body, KINDS[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:20]}"')
    return found


def page_routes(agent: Agent, *, keys: bool) -> APIRouter:
    """The page, its files, and who asks."""
    router = APIRouter()
    files = page_files()

    def sent(name: str, request: Request) -> Response:
        if (file := files.get(name)) is None:
            raise Refused(404)
        headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.body, media_type=file.kind, headers=headers)

    @router.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        """Give the page."""
        return sent("index.html", request)

    @router.get("/web/{name}", include_in_schema=False)
    async def file(name: str, request: Request) -> Response:
        """Give a file of the page."""
        return sent(name, request)

    @router.get("/v1/me", tags=["state"])
    async def me(caller: Asking) -> MeOut:
        """Say who asks: the user and the scopes of the key."""
        model = agent.model.name if agent.model else None
        return MeOut(user_id=caller.bound_to, scopes=sorted(caller.scopes), keys=keys, llm=model)

    return router
