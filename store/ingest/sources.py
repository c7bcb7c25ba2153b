"""Open a file as rows. Every reader streams: it holds one row at a time, and never more than ROW_BYTES of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from scenewise.store.errors import InputError, NotFound
from scenewise.store.ingest.quarantine import BadRow

FIELD_BYTES: Final = 1_000_000
ROW_BYTES: Final = 4_000_000
RECBOLE_SUFFIXES: Final = frozenset({".inter", ".item", ".user", ".kg", ".link"})

Row = tuple[int, Sequence[object], bytes | None]
Reject = Callable[[int, BadRow, bytes | str], None]


class Source(Protocol):
    """A file of rows with named columns.

    `total` is the size of the file and `done` how much of it the running `rows` has read: bytes, or rows of Parquet; `notes` are
    sentences for a person about what `rows` met.
    """

    header: tuple[str, ...]
    total: int
    done: int
    notes: list[str]

    def rows(self, reject: Reject) -> Iterator[Row]:
        """Yield (line number, cells in the order of the header, raw row or None), from the first row on; bad ones go to `reject`.

        Cells that are yielded hold no NUL, no broken Unicode, and at most FIELD_BYTES each.
        """
        ...


def open_source(path: Path) -> Source:
    """Open a CSV, TSV, RecBole, JSON lines or Parquet file by suffix. Raises NotFound; InputError where it cannot be read."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty: a header line, or one JSON object a line, is needed.")
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path.name} cannot be opened ({error.strerror}): check its permissions.") from error
    suffix = path.suffix.lower()
    if suffix in (".gz", ".zip", ".bz2", ".xz", ".zst"):
        raise InputError(f"{path.name} is compressed: unpack it first.")
    if suffix in (".xls", ".xlsx", ".ods"):
        raise InputError(f"{path.name} is a spreadsheet: save it as CSV first.")
    if suffix == ".parquet":
        from scenewise.store.ingest.parquet import ParquetSource

        return ParquetSource(path)
    if suffix in (".jsonl", ".ndjson", ".json"):
        from scenewise.store.ingest.jsonlines import JsonLinesSource

        return JsonLinesSource(path)
    from scenewise.store.ingest.delimited import DelimitedSource

    return DelimitedSource(path)
