"""`scenewise serve` as a process of its own, for measuring it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from scenewise.store.errors import StoreError

START_S = 600.0
_ADDRESS = re.compile(rb"http://127\.0\.0\.1:\d+")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server, a client of it, and the seconds from its start until it was ready."""

    client: httpx.AsyncClient
    pid: int
    ready_s: float

    def rss_mb(self) -> float:
        """Resident memory in MB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@asynccontextmanager
async def serving(store: Path, *, llm_url: str | None = None, turns: int = 16) -> AsyncIterator[Served]:
    """Run the server on a free port until the block ends. StoreError where it is not ready within ten minutes, with its last line."""
    environment = os.environ | ({"SCENEWISE_LLM_URL": llm_url, "SCENEWISE_LLM_OFF": "false"} if llm_url else {"SCENEWISE_LLM_OFF": "true"})
    arguments = ("-m", "scenewise", "serve", "--port", "0", "--store", str(store), "--turns", str(turns), "--per-minute", str(10**6))
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    reader: asyncio.Task[None] | None = None
    try:
        address = await asyncio.wait_for(_address(process.stderr), START_S)
        reader = asyncio.create_task(_drain(process.stderr))
        limits = httpx.Limits(max_connections=2_000, max_keepalive_connections=2_000)
        async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
            await _until_ready(client)
            yield Served(client, process.pid, time.perf_counter() - begun)
    except TimeoutError:
        raise StoreError("The server was not ready within ten minutes.") from None
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 40)
        except TimeoutError:
            process.kill()
            await process.wait()
        if reader is not None:
            await reader


async def _address(lines: asyncio.StreamReader) -> str:
    said = b""
    while line := await lines.readline():
        said = line
        if found := _ADDRESS.search(line):
            return found[0].decode()
    raise StoreError(f"The server ended as it began: {said.decode(errors='replace').strip()}")


async def _drain(lines: asyncio.StreamReader) -> None:
    while await lines.read(65_536):
        pass


async def _until_ready(client: httpx.AsyncClient) -> None:
    end_s = time.perf_counter() + START_S
    while time.perf_counter() < end_s:
        try:
            if (await client.get("/ready")).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.05)
    raise TimeoutError
