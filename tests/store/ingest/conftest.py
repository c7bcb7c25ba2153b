import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from scenewise.store import Store
from scenewise.store.ingest import IngestReport
from scenewise.store.types import Item, ItemId


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str, str | bytes | Sequence[dict[str, object]]], Path]:
    """Write a file: text, bytes, or objects as JSON lines."""

    def write(name: str, content: str | bytes | Sequence[dict[str, object]]) -> Path:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8", newline="")
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
        return path

    return write


@pytest.fixture
def shop(store: Store) -> Store:
    """A store with the items a, b and c."""
    store.items.upsert([Item(ItemId(name), "books", name.upper()) for name in "abc"])
    return store


@pytest.fixture
def quarantined() -> Callable[[IngestReport], list[tuple[int, str]]]:
    """Read (line, reason) of each row that a load put into quarantine; its counts must agree with the file."""

    def read(report: IngestReport) -> list[tuple[int, str]]:
        assert report.read == report.written + report.unchanged + sum(report.quarantined.values()) + sum(report.skipped.values())
        if report.quarantine_path is None:
            assert not report.quarantined
            return []
        rows = [json.loads(line) for line in report.quarantine_path.read_text(encoding="utf-8").splitlines()]
        assert all(set(row) == {"line", "reason", "column", "row"} and len(row["row"]) <= 2_000 for row in rows)
        reasons = [row["reason"] for row in rows]
        assert {reason: reasons.count(reason) for reason in reasons} == report.quarantined
        return [(row["line"], row["reason"]) for row in rows]

    return read
