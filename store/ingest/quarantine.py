"""Where bad rows go: a JSON lines file beside the store, one row a line, with its line number and the reason."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import TextIO

RAW_CHARS = 2_000
_NAME_BYTES = 150  # a file name holds 255


class BadRow(Exception):
    """A row that cannot be loaded; `reason` is one of a few fixed phrases, `column` the column at fault, where it is one."""

    def __init__(self, reason: str, column: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


class Quarantine:
    """Count bad rows by reason and write them down. The file is made when the first bad row comes."""

    def __init__(self, folder: Path, name: str) -> None:
        self.counts: Counter[str] = Counter()
        self.path: Path | None = None
        self._folder = folder
        self._name = name.encode()[:_NAME_BYTES].decode(errors="ignore")
        self._file: TextIO | None = None

    def add(self, line: int, bad: BadRow, raw: bytes | str) -> None:
        """Keep one bad row: `line` is the number of its first line in the file (rows of Parquet count from 1)."""
        self.counts[bad.reason] += 1
        text = raw if isinstance(raw, str) else raw[: 4 * RAW_CHARS].decode("utf-8", errors="backslashreplace")
        record = {"line": line, "reason": bad.reason, "column": bad.column, "row": text.rstrip("\r\n")[:RAW_CHARS]}
        file = self._file or self._open()
        file.write(json.dumps(record) + "\n")

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file, if one was made."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> TextIO:
        self._folder.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        for number in range(1, 10_000):
            path = self._folder / f"{self._name}-{stamp}{'' if number == 1 else f'-{number}'}.jsonl"
            try:
                self._file = path.open("x", encoding="utf-8")
            except FileExistsError:
                continue
            self.path = path
            return self._file
        raise FileExistsError(f"{self._folder} holds too many files of this second")
