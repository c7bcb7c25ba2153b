"""Read delimited text: CSV (RFC 4180, any of , ; | and tab), TSV, and RecBole's atomic files with typed headers.

The csv module is not used: its limit of a field is a setting of the whole process, and a stray quote makes it swallow the rest of
the file. Here a quote that is never closed, or closed in the middle of a field, costs its own line only.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from scenewise.store.errors import InputError
from scenewise.store.ingest.quarantine import BadRow
from scenewise.store.ingest.sources import FIELD_BYTES, RECBOLE_SUFFIXES, ROW_BYTES, Reject, Row

_OPEN_QUOTE_BYTES = 64_000_000  # how far to look for the end of a quoted field
_DELIMITERS = (b",", b";", b"\t", b"|")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class DelimitedSource:
    """A delimited text file; see `Source`. InputError where its header cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.total = path.stat().st_size
        self.done = 0
        self.header: tuple[str, ...] = ()
        self.notes: list[str] = []
        self._recbole = path.suffix in RECBOLE_SUFFIXES
        with path.open("rb") as file:
            line = _skip_bom(file).readline(ROW_BYTES + 1)
            self._delimiter = b"\t" if self._recbole or path.suffix.lower() == ".tsv" else _find_delimiter(line)
            try:
                fields, self._header_lines, bad = self._complete(file, line)
                names = [field.decode() for field in fields] if bad is None else []
            except UnicodeDecodeError:
                raise InputError(f"The header of {path.name} is not UTF-8: save the file as UTF-8.") from None
            self._start = file.tell()
        _check_header(path, line, names)
        if self._recbole:
            names = [name.rpartition(":")[0] or name for name in names]
        self.header = self._name_columns(names)

    def rows(self, reject: Reject) -> Iterator[Row]:
        """Yield the rows; see `Source.rows`."""
        width, delimiter, quoted = len(self.header), self._delimiter.decode(), not self._recbole
        number = self._header_lines
        self.done = self._start
        with self.path.open("rb") as file:
            file.seek(self._start)
            while line := file.readline(ROW_BYTES + 1):
                first = number = number + 1
                self.done += len(line)
                try:
                    if (quoted and b'"' in line) or len(line) > FIELD_BYTES or b"\0" in line:
                        fields, lines, bad = self._complete(file, line)
                        number += lines - 1
                        self.done = file.tell()
                        line = self._delimiter.join(fields) if lines > 1 else line
                        values = [field.decode() for field in fields]
                    else:
                        values, bad = line.rstrip(b"\r\n").decode().split(delimiter), None
                except UnicodeDecodeError:
                    bad = BadRow("broken UTF-8")
                if bad is None and len(values) != width:
                    if values == [""]:  # a blank line is no row
                        continue
                    bad = BadRow("wrong number of columns")
                if bad is None:
                    yield first, values, line
                else:
                    reject(first, bad, line)

    def _complete(self, file: BinaryIO, line: bytes) -> tuple[list[bytes], int, BadRow | None]:
        """Read on while a quote is open. Return the fields, how many lines they took, and what is wrong with them.

        Where the quotes do not work out, only the first line is taken, and the file stands at the second.
        """
        if len(line) > ROW_BYTES and not line.endswith(b"\n"):
            return self._skip_long(file, line)
        plain = line.rstrip(b"\r\n").split(self._delimiter)
        if self._recbole or b'"' not in line:
            return plain, 1, _check_cells(plain)
        second = file.tell()
        parts, lines, size, closings = [line], 1, len(line), 0
        try:
            fields = split_quoted(line, self._delimiter)
            while fields is None:
                more = file.readline(ROW_BYTES + 1)
                size += len(more)
                if not more or size > _OPEN_QUOTE_BYTES or closings > max(len(self.header), 1_000):
                    raise ValueError("a quote is never closed")
                lines += more.endswith(b"\n") or file.tell() == self.total
                closed = _find_close(more)
                closings += closed >= 0
                if size > ROW_BYTES:
                    if closed >= 0:
                        _check_after(more.rstrip(b"\r\n"), closed, self._delimiter)
                        _skip_line(file, more)
                        return [], lines, BadRow("field over 1 MB")
                    continue
                parts.append(more)
                if closed >= 0:
                    fields = split_quoted(b"".join(parts), self._delimiter)
        except ValueError:
            file.seek(second)
            if self._delimiter == b"\t" and len(plain) == len(self.header):
                return plain, 1, _check_cells(plain)  # many TSV files use no quotes at all
            return [], 1, BadRow("unclosed quote")
        return fields, lines, _check_cells(fields)

    def _skip_long(self, file: BinaryIO, line: bytes) -> tuple[list[bytes], int, BadRow]:
        _skip_line(file, line)
        return [], 1, _check_cells(line.split(self._delimiter)) or BadRow("row over 4 MB")

    def _name_columns(self, names: list[str]) -> tuple[str, ...]:
        """Give every column a name of its own: nameless ones are called column_<n>, and doubles are numbered."""
        named: list[str] = []
        for place, name in enumerate(names, start=1):
            plain = name.strip() or f"column_{place}"
            number = 2
            unique = plain
            while unique in named:
                unique = f"{plain}_{number}"
                number += 1
            if unique != name.strip():
                self.notes.append(f"Column {place} is called {unique!r} here, because it has no name of its own.")
            named.append(unique)
        return tuple(named)


def split_quoted(record: bytes, delimiter: bytes) -> list[bytes] | None:
    """Split a record with quoted fields (RFC 4180). None where a field is open at the end; ValueError for text after a quote.

    >>> split_quoted(b'1,"a, b",2', b",")
    [b'1', b'a, b', b'2']
    """
    record = record.rstrip(b"\r\n")
    fields: list[bytes] = []
    place = 0
    while True:
        if record[place : place + 1] == b'"':
            close = _find_close(record, place + 1)
            if close < 0:
                return None
            fields.append(record[place + 1 : close].replace(b'""', b'"'))
            place = close + 1
            _check_after(record, close, delimiter)
            if place == len(record):
                return fields
            place += 1
        else:
            end = record.find(delimiter, place)
            if end < 0:
                fields.append(record[place:])
                return fields
            fields.append(record[place:end])
            place = end + 1


def _find_close(record: bytes, start: int = 0) -> int:
    """Return where the first quote that is not doubled stands, or -1."""
    place = record.find(b'"', start)
    while place >= 0 and record[place + 1 : place + 2] == b'"':
        place = record.find(b'"', place + 2)
    return place


def _check_after(record: bytes, close: int, delimiter: bytes) -> None:
    if record[close + 1 : close + 2] not in (b"", delimiter):
        raise ValueError("text after a closing quote")


def _check_cells(fields: list[bytes]) -> BadRow | None:
    if any(b"\0" in field for field in fields):
        return BadRow("NUL byte")
    if any(len(field) > FIELD_BYTES for field in fields):
        return BadRow("field over 1 MB")
    return BadRow("row over 4 MB") if sum(map(len, fields)) > ROW_BYTES else None


def _skip_line(file: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(ROW_BYTES)


def _skip_bom(file: BinaryIO) -> BinaryIO:
    if file.read(3) != codecs.BOM_UTF8:
        file.seek(0)
    return file


def _find_delimiter(line: bytes) -> bytes:
    outside = b"".join(line.split(b'"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _check_header(path: Path, line: bytes, names: list[str]) -> None:
    if line.startswith(_UTF16) or b"\0" in line:
        raise InputError(f"{path.name} is not UTF-8 text: save it as UTF-8.")
    if b"\r" in line.rstrip(b"\r\n"):
        raise InputError(f"The lines of {path.name} end in a bare carriage return: save it with Unix or Windows line ends.")
    if not names or not any(name.strip() for name in names):
        raise InputError(f"The first line of {path.name} is no header: the names of the columns are needed there.")
