"""The candidate bus: item ids travel between tools in a table, never through a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scenewise.store.types import ItemId


@dataclass(frozen=True, slots=True)
class Candidate:
    """One item as one source sees it. `score` is the source's own scale (higher is better); `reason` is a short clause."""

    item_id: ItemId
    source: str
    score: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates of one or several sources; within a source, best first."""

    rows: tuple[Candidate, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.rows)

    def __add__(self, other: Candidates) -> Candidates:
        return Candidates(self.rows + other.rows)

    @classmethod
    def of(cls, source: str, scored: Iterable[tuple[ItemId, float]], reason: str = "") -> Candidates:
        """Build the table of one source from (item_id, score) pairs."""
        return cls(tuple(Candidate(item_id, source, float(score), reason) for item_id, score in scored))

    def by_source(self) -> dict[str, list[Candidate]]:
        """Group by source, in the order met."""
        groups: dict[str, list[Candidate]] = {}
        for row in self.rows:
            groups.setdefault(row.source, []).append(row)
        return groups
