"""Read Parquet, some thousand rows at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from scenewise.store.errors import InputError
from scenewise.store.ingest.quarantine import RAW_CHARS, BadRow
from scenewise.store.ingest.sources import FIELD_BYTES, Reject, Row

_SLICE_ROWS = 20_000


class ParquetSource:
    """A Parquet file; see `Source`. InputError where it cannot be read as Parquet. Rows count from 1."""

    def __init__(self, path: Path) -> None:
        import polars as pl

        self.path = path
        self.done = 0
        self.notes: list[str] = []
        try:
            self._frame = pl.scan_parquet(path, glob=False)
            self.header = tuple(self._frame.collect_schema().names())
            self.total = int(self._frame.select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise InputError(f"{path.name} cannot be read as Parquet.") from error

    def rows(self, reject: Reject) -> Iterator[Row]:
        """Yield the rows; see `Source.rows`."""
        import polars as pl

        number = 0
        for start in range(0, self.total, _SLICE_ROWS):
            try:
                part = self._frame.slice(start, _SLICE_ROWS).collect()
            except (pl.exceptions.PolarsError, OSError) as error:
                raise InputError(f"{self.path.name} cannot be read as Parquet after row {start}.") from error
            for values in part.iter_rows():
                number += 1
                self.done = number
                bad = _find_bad(values)
                if bad is None:
                    yield number, values, None
                else:
                    reject(number, bad, show_cells(values))


def show_cells(values: object) -> str:
    """Write the cells of a row as JSON, for the quarantine."""
    return json.dumps(values, default=lambda value: repr(value)[:RAW_CHARS], ensure_ascii=False)[:RAW_CHARS]


def _find_bad(values: tuple[object, ...]) -> BadRow | None:
    for value in values:
        if isinstance(value, str):
            if len(value) > FIELD_BYTES:
                return BadRow("field over 1 MB")
            if "\0" in value:
                return BadRow("NUL byte")
        elif isinstance(value, list):
            texts = [part for part in value if isinstance(part, str)]
            if sum(map(len, texts)) > FIELD_BYTES:
                return BadRow("field over 1 MB")
            if any("\0" in text for text in texts):
                return BadRow("NUL byte")
    return None
