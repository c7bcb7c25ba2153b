"""One writer at a time: an advisory lock on store.lock that says who holds it and that the kernel frees when the holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from scenewise.store.errors import Busy


class WriterLock:
    """A held lock (flock(2)); the file holds JSON with pid, host, since and purpose while it is held."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path, *, purpose: str, now_s: float) -> WriterLock:
        """Take the lock or raise Busy, which names the holder; OSError where the file cannot be opened."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            since = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds")
            holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "purpose": purpose}
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        except BlockingIOError as error:
            holder_text = _describe_holder(os.pread(descriptor, 4096, 0))
            os.close(descriptor)
            raise Busy(f"the store is being written by {holder_text}; wait for it, or stop it") from error
        except OSError:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def release(self) -> None:
        """Give the lock back; a second call does nothing. The file stays: removing it would race with the next writer."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)


def _describe_holder(content: bytes) -> str:
    try:
        holder = json.loads(content)
        return f"process {holder['pid']} on {holder['host']} since {holder['since']} ({holder['purpose']})"
    except (ValueError, KeyError, TypeError):  # read between the holder's lock and its note
        return "another process"
