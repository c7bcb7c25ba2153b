"""Server-sent events over a connection that may be slow, idle, or gone; and work that ends when its client goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as Connection

from scenewise.service.api.errors import Refused, log

T = TypeVar("T")
CLIENT_GONE = 499
_KEEP_ALIVE = b": keep-alive\n\n"


class EventStream(Response):
    """Sends each event as it comes, a comment where nothing has come for `keep_alive_s`, and ends the work when the client goes.

    `at_end` is called once the work has ended, whatever ended it.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str, None], *, keep_alive_s: float, at_end: Callable[[], None]) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events, self._keep_alive_s, self._at_end = events, keep_alive_s, at_end

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Send all events, or stop where the client has gone."""
        arrived: asyncio.Queue[str | None] = asyncio.Queue()

        async def work() -> None:
            try:
                async for event in self._events:
                    arrived.put_nowait(event)
            finally:
                arrived.put_nowait(None)

        async def watch() -> None:
            try:
                await until_gone(receive)
            finally:
                arrived.put_nowait(None)

        tasks = [asyncio.ensure_future(work()), asyncio.ensure_future(watch())]
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while (body := await self._next(arrived)) is not None:
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            pass  # the client has gone while we were sending
        finally:
            for task in tasks:
                task.cancel()
            done, _ = await asyncio.gather(*tasks, return_exceptions=True)
            self._at_end()
            if isinstance(done, Exception):
                log.error("a stream ended early", exc_info=done)

    async def _next(self, arrived: asyncio.Queue[str | None]) -> bytes | None:
        try:
            event = await asyncio.wait_for(arrived.get(), self._keep_alive_s)
        except TimeoutError:
            return _KEEP_ALIVE
        return None if event is None else event.encode()


async def until_gone(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def unless_gone(request: Request, work: Coroutine[None, None, T]) -> T:
    """Do the work; where the client goes meanwhile, end it and raise Refused (499, which nobody reads)."""
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(until_gone(request.receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Refused(CLIENT_GONE, "the client has gone", code="client_gone")
        return task.result()
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)
