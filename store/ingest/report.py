"""What a load says about itself: which columns became which fields, and what became of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

Kind = Literal["items", "events", "users", "edges", "scenes"]
KINDS: Final[tuple[Kind, ...]] = ("items", "events", "users", "edges", "scenes")


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """`columns` maps a field ("item_id", "attributes.genre") to the column it is read from; `ignored` are the other columns."""

    columns: Mapping[str, str]
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """How a file would be read: its kind, the columns taken, the columns ignored, and what a person should know first."""

    kind: Kind
    columns: Mapping[str, str]
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of a file's rows: `read` = `written` + `unchanged` + all of `quarantined` + all of `skipped`.

    `written` counts rows that are new or changed something; `quarantined` counts bad rows by reason, and `quarantine_path` holds
    them with their line numbers; `skipped` counts sound rows left out on purpose, by reason; `notes` are sentences for a person; `ended`
    counts facts that the file's sources no longer state and that hold no more from now on.
    """

    kind: Kind
    columns: Mapping[str, str]
    read: int
    written: int
    unchanged: int
    quarantined: Mapping[str, int]
    quarantine_path: Path | None
    seconds: float
    ignored: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ended: int = 0
