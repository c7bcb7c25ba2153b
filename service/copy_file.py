"""A file of copy that grows by whole items and is gone on with after a kill: one JSON object a line, all lines of an item in one write."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scenewise.agent.item_copy import Copy
from scenewise.store.errors import Busy, InputError


class CopyFile:
    """The open file. `done` are the ids of items whose texts are all there; `job` marks what was wanted, in every line."""

    def __init__(self, descriptor: int, job: str, done: set[str]) -> None:
        self._descriptor, self._job, self.done = descriptor, job, done

    def add(self, copies: Sequence[Copy]) -> None:
        """Append an item's texts, on the disk when this returns."""
        lines = [copy.to_record() | {"of": len(copies), "job": self._job} for copy in copies]
        left = memoryview("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode("utf-8", "replace"))
        while left:
            left = left[os.write(self._descriptor, left) :]
        os.fsync(self._descriptor)
        self.done.add(copies[0].item_id)


@contextmanager
def opened_copy_file(path: Path, job: str) -> Iterator[CopyFile]:
    """Open a file to go on with, or a new one. What a kill left of the last item is dropped.

    Raises Busy where another process writes it, InputError where it holds something else or the texts of another job.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(f"another process writes {path.name}", retry_after_s=10.0) from error
        done, whole = _read(path, job)
        os.ftruncate(descriptor, whole)
        os.fsync(descriptor)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        yield CopyFile(descriptor, job, done)
    finally:
        os.close(descriptor)


def _read(path: Path, job: str) -> tuple[set[str], int]:
    """The ids of whole items, and the length in bytes up to the end of the last of them."""
    done: set[str] = set()
    begun: list[str] = []  # the item whose lines are being read
    at = whole = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            at += len(line)
            if not line.endswith(b"\n"):
                break
            found = _line(line, number, path.name, job)
            item_id, variant, of = found["item_id"], found["variant"], found["of"]
            if variant != len(begun) + 1 or {*begun} - {item_id} or item_id in done:
                raise InputError(f"{path.name}:{number}: lines of an item are missing or come twice: name another file")
            begun.append(item_id)
            if variant == of:
                done.add(item_id)
                begun, whole = [], at
    return done, whole


def _line(line: bytes, number: int, name: str, job: str) -> Mapping[str, Any]:
    kinds = {"item_id": str, "variant": int, "of": int, "job": str}
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(found.get(key), kind) for key, kind in kinds.items()):
        raise InputError(f"{name}:{number} is no line that `scenewise copy` wrote: name another file")
    if found["job"] != job:
        raise InputError(f"{name} was written with other options, another style or another model: name another file")
    return found
