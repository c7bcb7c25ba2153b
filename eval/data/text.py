"""Files to columns: plain or gzipped text with any of the usual separators; what does not fit is named by its line, never shown."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from scenewise.store.errors import InputError, NotFound

LINE = "#line"  # the line of the file that a row of a table stands on, from 1
_NO_NUMBER = ("", "na", "n/a", "nan", "null", "none")


def find(folder: Path, *names: str) -> Path | None:
    """Find the first file of these names in a folder, plain or as .gz; None where there is none."""
    paths = (folder / f"{name}{end}" for name in names for end in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)


def find_needed(folder: Path, *names: str) -> Path:
    """Do `find`; NotFound where there is none."""
    path = find(folder, *names)
    if path is None:
        raise NotFound(f"The folder {folder.name} has no {' or '.join(names)} (plain or .gz).")
    return path


def stem(path: Path) -> str:
    """Name a data set by its file or folder: what stands before the first dot.

    >>> stem(Path("amazon/Beauty.txt.gz"))
    'Beauty'
    """
    return path.name.partition(".")[0] or path.name


def read_bytes(path: Path) -> bytes:
    """Read a file, unpacked where it is gzip. NotFound, InputError."""
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path.name}.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name} cannot be read: it is not a file, or its gzip is damaged.") from error


def read_text(path: Path) -> str:
    """Read UTF-8 without its byte order mark, every line end as one \\n. NotFound, InputError."""
    return _decode(read_bytes(path), path.name)


def first_line(path: Path) -> str:
    """Read the first line, at most some thousand characters of it; empty where it is no text. InputError, NotFound."""
    try:
        with path.open("rb") as plain, gzip.open(path) if plain.read(2) == b"\x1f\x8b" else path.open("rb") as file:
            return file.readline(100_000).decode("utf-8-sig", errors="ignore").rstrip("\r\n")
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path.name}.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name} cannot be read: it is not a file, or its gzip is damaged.") from error


def read_json(path: Path) -> Any:
    """Read JSON. NotFound, InputError."""
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not JSON.") from error


def read_table(
    path: Path, *, separator: str | None = None, names: Sequence[str] | None = None, data: bytes | None = None, quoted: bool = True
) -> pl.DataFrame:
    """Read delimited text as columns of words (String), with the line of each row in LINE.

    `names` says that there is no header; without `separator` the first line tells. `data` is read in place of the file (a member of
    an archive). NotFound, InputError (a row that is short or long, a header with a name twice, no header at all).
    """
    text = read_text(path) if data is None else _decode(data, path.name)
    first = text.partition("\n")[0]
    separator = separator or max("\t,;|", key=first.count)
    if not first and names is None:
        raise InputError(f"{path.name} is empty: a header is needed.")
    if quoted and '"' in text:
        return _read_quoted(path, text, separator, names)
    return _read_plain(path, text, separator, [*(names or first.split(separator))], skip=int(names is None))


def need(path: Path, *columns: str, separator: str | None = None, quoted: bool = True) -> pl.DataFrame:
    """Do `read_table` with a header; InputError where it lacks one of the columns."""
    table = read_table(path, separator=separator, quoted=quoted)
    if not {*columns} <= {*table.columns}:
        raise InputError(f"{path.name} needs the columns {', '.join(columns)}.")
    return table


def numbers(table: pl.DataFrame, column: str) -> pl.Series:
    """Read a column as Float64, NaN where it is missing. InputError for a word or infinity, naming the line."""
    words = table[column].str.strip_chars()
    known = words.cast(pl.Float64, strict=False)
    values = known.fill_null(float("nan"))
    bad = (known.is_null() & ~words.str.to_lowercase().is_in(_NO_NUMBER)) | values.is_infinite()
    if bad.any():
        raise InputError(f"Line {table[LINE][int(bad.to_numpy().argmax())]}: the column {column} must hold a number.")
    return values


def lines_of_words(path: Path) -> list[list[str]]:
    """Read lines of words between blanks, the empty ones too: a word's line is its place + 1."""
    return [line.split() for line in read_text(path).split("\n")]


def _decode(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8: save it as UTF-8.") from error
    return text.replace("\r\n", "\n") if "\r\n" in text else text


def _read_quoted(path: Path, text: str, separator: str, names: Sequence[str] | None) -> pl.DataFrame:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows, lines = [], []
    try:
        header = [*(next(reader, []) if names is None else names)]
        _check_header(path, header)
        for row in reader:
            if row and len(row) != len(header):
                raise InputError(f"{path.name}, line {reader.line_num}: {len(row)} columns where the header has {len(header)}.")
            if row:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"{path.name}, line {reader.line_num}: the quotes do not work out.") from error
    columns = zip(*rows, strict=True) if rows else [[] for _ in header]
    frame = pl.DataFrame(dict(zip(header, map(list, columns), strict=True)), schema=dict.fromkeys(header, pl.String))
    return frame.with_columns(pl.Series(LINE, lines, dtype=pl.Int64))


def _read_plain(path: Path, text: str, separator: str, header: list[str], *, skip: int) -> pl.DataFrame:
    _check_header(path, header)
    data = np.frombuffer((text if text.endswith("\n") else f"{text}\n").encode(), dtype=np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    filled = np.diff(ends, prepend=-1) > 1
    widths = np.diff(np.searchsorted(np.flatnonzero(data == ord(separator)), ends), prepend=0) + 1
    wrong = np.flatnonzero((widths != len(header)) & filled)
    if len(wrong):
        raise InputError(f"{path.name}, line {wrong[0] + 1}: {widths[wrong[0]]} columns where {len(header)} are needed.")
    lines = np.flatnonzero(filled)[skip:] + 1
    body = data[ends[0] + 1 :].tobytes() if skip else data.tobytes()
    if not filled.all():
        body = b"\n".join(line for line in body.split(b"\n") if line)
    if not len(lines):
        return pl.DataFrame(schema=dict.fromkeys(header, pl.String) | {LINE: pl.Int64})
    frame = pl.read_csv(body, has_header=False, separator=separator, quote_char=None, new_columns=header, infer_schema=False)
    return frame.fill_null("").with_columns(pl.Series(LINE, lines))


def _check_header(path: Path, header: Sequence[str]) -> None:
    if len({*header}) != len(header):
        raise InputError(f"{path.name} has two columns of one name.")
