"""Idempotency keys: a write that is sent again under the same `Idempotency-Key` is done once and answered as before."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from scenewise.service.api.access import Rule
from scenewise.service.api.errors import Refused, response_of

HEADER = "idempotency-key"
KEPT = 10_000
_LONGEST = 255
_Name = tuple[str | None, str, str, str]


@dataclass
class _Answer:
    """What was asked (a hash of the body), and how it was answered; nothing while it runs."""

    digest: bytes
    messages: list[Message] = field(default_factory=list)
    done: bool = False


class Repeats:
    """Middleware for writes. It remembers the last 10,000 answers of this process; what failed in the server may be tried again."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._answers: OrderedDict[_Name, _Answer] = OrderedDict()

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer a repeated write as the first was; 409 while that one runs, 422 where the body is another."""
        wanted = Headers(scope=scope).get(HEADER) if scope["type"] == "http" and _is_write(scope) else None
        if wanted is None:
            await self.app(scope, receive, send)
            return
        try:
            if not 0 < len(wanted) <= _LONGEST:
                raise Refused(422, f"an Idempotency-Key has 1 to {_LONGEST} characters")
            body = await _read(receive)
            name = (scope["scenewise.caller"].key_id, scope["method"], scope["path"], wanted)
            digest = hashlib.sha256(scope.get("query_string", b"") + b"\0" + body).digest()
            known = self._answers.get(name)
            if known is not None and known.digest != digest:
                raise Refused(422, "this Idempotency-Key was used for another request", code="idempotency_key_reused")
            if known is not None and not known.done:
                raise Refused(409, retry_after_s=1.0)
        except Refused as refused:
            await response_of(refused)(scope, receive, send)
            return
        if known is not None:
            self._answers.move_to_end(name)
            for message in known.messages:
                await send(message)
            return
        await self._first(name, _Answer(digest), body, scope, receive, send)

    async def _first(self, name: _Name, answer: _Answer, body: bytes, scope: Connection, receive: Receive, send: Send) -> None:
        read = False

        async def again() -> Message:
            nonlocal read
            if read:
                return await receive()
            read = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def kept(message: Message) -> None:
            answer.messages.append(message)
            await send(message)

        self._answers[name] = answer
        try:
            await self.app(scope, again, kept)
        finally:
            answer.done = bool(answer.messages) and not answer.messages[-1].get("more_body", False)
            if not answer.done or answer.messages[0]["status"] >= 500:
                self._answers.pop(name, None)
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)


def _is_write(scope: Connection) -> bool:
    rule: Rule = scope["scenewise.rule"]
    return rule.method != "GET" and rule.scope in ("write", "admin")


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(408)
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
