"""How much at once: the size and the time of a body, requests a minute for a key, and turns that run and wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from scenewise.service.api.errors import Refused, response_of
from scenewise.service.api.keys import DAY_S, KeyFile, day_of
from scenewise.store.errors import Busy

if TYPE_CHECKING:
    from scenewise.service.api.access import Caller


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server bears. `running` turns at once, `waiting` more in the queue for at most `wait_s`; the rest is told to come back."""

    body_bytes: int = 4_000_000
    body_s: float = 30.0
    per_minute: int = 600
    running: int = 16
    waiting: int = 64
    wait_s: float = 20.0
    keep_alive_s: float = 15.0


class BodyLimit:
    """Middleware: a body that is too large ends in 413, one that trickles in 408."""

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Refuse at once by Content-Length; else count what comes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        if not said.isascii() or not said.isdigit() or len(said) > 18 or int(said) > self.limits.body_bytes:
            await response_of(Refused(413))(scope, receive, send)
            return
        size, whole, end_s = 0, False, time.monotonic() + self.limits.body_s

        async def counted() -> Message:
            nonlocal size, whole
            if whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, end_s - time.monotonic()))
            except TimeoutError:
                raise Refused(408) from None
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if size > self.limits.body_bytes:
                raise Refused(413)
            return message

        await self.app(scope, counted, send)


class Rate:
    """A bucket of requests for each key, filled evenly over the minute."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key_id: str) -> None:
        """Count a request; Refused (429, with the seconds until the next one) where the bucket is empty."""
        now_s, per_s = self._clock(), self._per_minute / 60
        left, since_s = self._left.get(key_id, (float(self._per_minute), now_s))
        left = min(float(self._per_minute), left + (now_s - since_s) * per_s)
        self._left[key_id] = (left - 1 if left >= 1 else left), now_s
        if left < 1:
            raise Refused(429, retry_after_s=(1 - left) / per_s)


class Slot:
    """A place among the running turns; leaving it twice is leaving it once."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def release(self) -> None:
        """Give the place to the next turn."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()

    def __enter__(self) -> Slot:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.release()


class Gate:
    """A bounded queue of turns, first come first served; and the tokens that the keys of `keys` have left."""

    def __init__(self, limits: Limits, keys: KeyFile | None = None, clock: Callable[[], float] = time.time) -> None:
        self._limits, self._keys, self._clock = limits, keys, clock
        self._free = asyncio.Semaphore(limits.running)
        self.running = self.waiting = 0

    async def enter(self, payer: Caller | None = None) -> Slot:
        """Wait for a place. Raises Busy where too many wait already, or the wait took too long.

        `payer` is whose tokens an LLM may spend: Refused (429) where none are left for today.
        """
        await self._check(payer)
        if self._free.locked():
            if self.waiting >= self._limits.waiting:
                raise Busy("too many turns are waiting: try again", retry_after_s=2.0)
            self.waiting += 1
            try:
                await asyncio.wait_for(self._free.acquire(), self._limits.wait_s)
            except TimeoutError:
                raise Busy("the turns before this one take too long: try again", retry_after_s=5.0) from None
            finally:
                self.waiting -= 1
        else:
            await self._free.acquire()
        self.running += 1
        return Slot(self._leave)

    async def spend(self, payer: Caller, tokens: int) -> None:
        """Count what an LLM read and wrote for a key that has a budget. What runs at the same time may go beyond it."""
        if self._keys is not None and payer.key_id is not None and payer.tokens_per_day is not None and tokens:
            await run_in_threadpool(self._keys.spend, payer.key_id, tokens, self._clock())

    async def _check(self, payer: Caller | None) -> None:
        if self._keys is None or payer is None or payer.key_id is None or payer.tokens_per_day is None:
            return
        now_s = self._clock()
        if await run_in_threadpool(self._keys.spent, payer.key_id, now_s) >= payer.tokens_per_day:
            left_s = (day_of(now_s) + 1) * DAY_S - now_s
            raise Refused(429, "this key has spent its tokens of the day", code="tokens_spent", retry_after_s=left_s)

    def _leave(self) -> None:
        self.running -= 1
        self._free.release()
