"""One server for several tenants, each with a store of its own: who asks is sent to the app of the key's tenant."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scenewise.service.api.keys import KeyFile


class Tenants:
    """An app a tenant, made with that tenant's keys (`KeyFile.of`), which guards itself: this only chooses.

    What comes without a key that is known goes to the first one's app, which answers what is open to all and refuses the rest. /ready
    asks every app.
    """

    def __init__(self, apps: Mapping[str, ASGIApp], keys: KeyFile, clock: Callable[[], float] = time.time) -> None:
        self.apps, self.keys, self.clock = dict(apps), keys, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        if scope["type"] == "http" and scope["path"] == "/ready":
            await self._ready(scope, receive, send)
            return
        await self._app_of(Headers(scope=scope) if scope["type"] == "http" else {})(scope, receive, send)

    def _app_of(self, headers: Mapping[str, str]) -> ASGIApp:
        first = next(iter(self.apps.values()))
        key = self.keys.find_any(headers.get("authorization", "").partition(" ")[2].strip(), self.clock())
        return self.apps.get(key.tenant or "", first) if key is not None else first

    async def _ready(self, scope: Scope, receive: Receive, send: Send) -> None:
        states: list[dict[str, Any]] = []
        for app in self.apps.values():
            messages: list[Message] = []

            async def keep(message: Message, kept: list[Message] = messages) -> None:
                kept.append(message)

            await app(dict(scope), receive, keep)
            if messages[0]["status"] != 200:  # the first that is not ready speaks for all
                for message in messages:
                    await send(message)
                return
            states.append(json.loads(b"".join(message.get("body", b"") for message in messages)))
        body = json.dumps(states[0] | {"items": sum(state["items"] for state in states)}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
