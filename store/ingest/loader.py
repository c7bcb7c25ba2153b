"""What the loaders of all kinds share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from scenewise.store.ingest.parquet import show_cells
from scenewise.store.ingest.quarantine import BadRow
from scenewise.store.ingest.sources import Reject, Row

_SUPERSEDED = "earlier row of an id that comes again"
_T = TypeVar("_T")


class Loader(Protocol):
    """Load the rows of one kind. `skipped` counts sound rows left out on purpose; `notes` are sentences for a person."""

    skipped: Counter[str]

    @property
    def notes(self) -> list[str]: ...

    def load(self, rows: Sequence[Row], reject: Reject) -> tuple[int, int]:
        """Check a batch and write it in one transaction; return how many rows were to be written, and how many changed something."""
        ...


def cast_out(reject: Reject, row: Row, bad: BadRow) -> None:
    """Give a row up."""
    line, values, raw = row
    reject(line, bad, raw if raw is not None else show_cells(values))


class LastRows(Generic[_T]):
    """Of ids that come again in a file, hold each row back until the last one has come, so that only that one is written.

    Were every row written, loading the same file twice would change the same thing twice.
    """

    def __init__(self, repeats: dict[str, int], skipped: Counter[str]) -> None:
        self._left = repeats
        self._skipped = skipped
        self._held: dict[str, _T] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def pass_on(self, key: str, made: _T | None) -> _T | None:
        """Take what a row became (None: it was bad); return the last sound one when no further row of that id can come."""
        if made is not None:
            if key in self._held:
                self._skipped[_SUPERSEDED] += 1
            self._held[key] = made
        self._left[key] -= 1
        return self._held.pop(key, None) if self._left[key] == 0 else None
