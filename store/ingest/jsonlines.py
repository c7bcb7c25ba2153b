"""Read JSON lines: one object a line. An object inside the object becomes columns of its own ("attributes.genre")."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from scenewise.store.errors import InputError
from scenewise.store.ingest.quarantine import BadRow
from scenewise.store.ingest.sources import FIELD_BYTES, ROW_BYTES, Reject, Row

_HEADER_ROWS = 1_000
_HEADER_BYTES = 16_000_000
_ODD_ESCAPE = re.compile(rb"\\u(?:0000|d[89a-f])", re.IGNORECASE)


class JsonLinesSource:
    """A JSON lines file; its columns are the keys of the first 1,000 objects. InputError where no line is a JSON object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.total = path.stat().st_size
        self.done = 0
        self.notes: list[str] = []
        self.header: tuple[str, ...] = ()
        with path.open("rb") as file:
            start = file.read(16)
            if start.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"[":
                raise InputError(f"{path.name} is one JSON array: one JSON object a line is needed (jq -c '.[]' makes that).")
            file.seek(0)
            columns: dict[str, None] = {}
            for count, (_, found, _) in enumerate(self._objects(file, _drop), start=1):
                columns.update(dict.fromkeys(found))
                if count >= _HEADER_ROWS or self.done > _HEADER_BYTES:
                    break
        if not columns:
            raise InputError(f"{path.name} holds no JSON object: one JSON object a line is needed.")
        self.header = tuple(columns)

    def rows(self, reject: Reject) -> Iterator[Row]:
        """Yield the rows; see `Source.rows`."""
        known = set(self.header)
        late: set[str] = set()
        with self.path.open("rb") as file:
            for number, found, line in self._objects(file, reject):
                if not found.keys() <= known and len(late) < 20:
                    late |= found.keys() - known
                yield number, [found.get(column) for column in self.header], line
        if late:
            names = ", ".join(repr(name[:60]) for name in sorted(late))
            self.notes.append(f"Keys that first come after {_HEADER_ROWS:,} rows were ignored: {names}.")

    def _objects(self, file: BinaryIO, reject: Reject) -> Iterator[tuple[int, dict[str, object], bytes]]:
        number = 0
        self.done = 0
        while line := file.readline(ROW_BYTES + 1):
            number += 1
            self.done += len(line)
            if len(line) > ROW_BYTES and not line.endswith(b"\n"):
                reject(number, BadRow("field over 1 MB"), line)
                while (rest := file.readline(ROW_BYTES)) and not rest.endswith(b"\n"):
                    pass
                self.done = file.tell()
                continue
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if line.isspace() or not line:
                continue
            try:
                yield number, _parse(line), line
            except BadRow as bad:
                reject(number, bad, line)


def _drop(line: int, bad: BadRow, raw: bytes | str) -> None:
    """Look at the sound rows only."""


def _parse(line: bytes) -> dict[str, object]:
    if b"\0" in line:
        raise BadRow("NUL byte")
    try:
        found = json.loads(line.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise BadRow("broken UTF-8") from None
    except (ValueError, RecursionError):
        raise BadRow("broken JSON") from None
    if not isinstance(found, dict):
        raise BadRow("no JSON object")
    flat: dict[str, object] = {}
    for key, value in found.items():
        if isinstance(value, dict):
            flat.update({f"{key}.{inner}": part for inner, part in value.items()})
        else:
            flat[key] = value
    if len(line) > FIELD_BYTES or _ODD_ESCAPE.search(line):
        for value in flat.values():
            _check_text(value)
    return flat


def _refuse_constant(name: str) -> NoReturn:
    raise BadRow("NaN or infinite number")


def _check_text(value: object) -> None:
    texts = [value] if isinstance(value, str) else [part for part in value if isinstance(part, str)] if isinstance(value, list) else []
    if sum(map(len, texts)) > FIELD_BYTES:
        raise BadRow("field over 1 MB")
    for text in texts:
        if "\0" in text:
            raise BadRow("NUL byte")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadRow("broken UTF-8") from None
