"""Load the facts of a knowledge graph: RecBole's .kg files with their .link files, and files of whole edges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from scenewise.store.ingest.dates import read_time
from scenewise.store.ingest.freebase import name_relation
from scenewise.store.ingest.loader import cast_out
from scenewise.store.ingest.plan import Plan
from scenewise.store.ingest.quarantine import BadRow
from scenewise.store.ingest.sources import Reject, Row
from scenewise.store.ingest.values import read_flag, read_id, read_number, read_text
from scenewise.store.types import Edge, ItemId

if TYPE_CHECKING:
    from scenewise.store.store import Store

_ITEM: Final = "item:"
_UNKNOWN: Final = "unknown item"


class EdgeLoader:
    """Load edges. Items at their ends must be in the store.

    With `links` (graph entity -> item id) the nodes are bare entities: linked ones become "item:<item_id>", others "entity:<id>",
    edges without an item are left out, and Freebase's relations get short names. Without, nodes are "type:key" already.

    A file is taken for all that its sources say (with links: say of the linked items): what they said before and the file does not is
    ended by `finish`.
    """

    def __init__(self, store: Store, plan: Plan) -> None:
        self.skipped: Counter[str] = Counter()
        self._turned = 0
        self._whole = True
        self._store = store
        self._plan = plan
        self._known: set[ItemId] = set()
        self._import = store.edges.begin_import()

    @property
    def notes(self) -> list[str]:
        """Say what a person should know."""
        unsure = "Facts that are gone were not ended: the bad rows may state them." if not self._whole else ""
        turned = f"{self._turned:,} rows state an edge from its far end: turned round, they are one with those from its near end."
        return [*([turned] if self._turned else []), *([unsure] if unsure else [])]

    def load(self, rows: Sequence[Row], reject: Reject) -> tuple[int, int]:
        """Load a batch; see `Loader`."""
        made: list[tuple[Edge, Row]] = []
        links = self._plan.links
        for row in rows:
            try:
                edge = self._read(row[1]) if links is None else self._read_linked(row[1], links)
            except BadRow as bad:
                cast_out(reject, row, bad)
                continue
            if edge is None:
                self.skipped["edge without an item"] += 1
            else:
                made.append((edge, row))
        ends = {item_id for edge, _ in made for item_id in _find_items(edge)}
        self._known |= self._store.items.known(ends - self._known)
        edges: list[Edge] = []
        for edge, row in made:
            if all(item_id in self._known for item_id in _find_items(edge)):
                edges.append(edge)
            else:
                cast_out(reject, row, BadRow(_UNKNOWN))
        written = self._import.add(edges)
        return len(edges), written.new + written.renewed

    def finish(self, bad: Mapping[str, int], *, part: bool) -> int:
        """End the facts that are gone; return how many. None end where the file is only a `part`, or has bad rows that may state them."""
        if part or any(reason != _UNKNOWN for reason in bad):
            if not part:
                self._whole = False
            return self._import.finish(about=())
        links = self._plan.links
        return self._import.finish(about=None if links is None else [f"{_ITEM}{item_id}" for item_id in links.values()])

    def _read_linked(self, cells: Sequence[object], links: Mapping[str, str]) -> Edge | None:
        head, relation, tail = (
            read_id(cells[self._plan.places[field]], self._plan.columns[field]) for field in ("subject", "relation", "object")
        )
        if head not in links and tail not in links:
            return None
        name, full_name, turned = name_relation(relation)
        if turned:
            head, tail = tail, head
            self._turned += 1
        subject, target = (f"{_ITEM}{links[node]}" if node in links else f"entity:{node}" for node in (head, tail))
        source = "freebase" if "." in relation else self._plan.name
        return Edge(subject, name, target, source, evidence=f"{head} {full_name} {tail}")

    def _read(self, cells: Sequence[object]) -> Edge:
        columns, places = self._plan.columns, self._plan.places
        subject, relation, target = (read_id(cells[places[field]], columns[field]) for field in ("subject", "relation", "object"))
        for node, field in ((subject, "subject"), (target, "object")):
            kind, colon, key = node.partition(":")
            if not (kind and colon and key):
                raise BadRow('node that is not "type:key"', columns[field])
        confidence = read_number(cells[places["confidence"]], columns["confidence"]) if "confidence" in places else None
        if confidence is not None and not 0.0 <= confidence <= 1.0:
            raise BadRow("confidence outside 0 to 1", columns["confidence"])
        begin_s, end_s = self._read_time(cells, "valid_from"), self._read_time(cells, "valid_to")
        if begin_s is not None and end_s is not None and end_s < begin_s:
            raise BadRow("end before the beginning", columns["valid_to"])
        return Edge(
            subject,
            relation,
            target,
            source=(read_text(cells[places["source"]]) if "source" in places else "") or self._plan.name,
            evidence=read_text(cells[places["evidence"]]) if "evidence" in places else "",
            confidence=1.0 if confidence is None else confidence,
            valid_from_s=begin_s,
            valid_to_s=end_s,
            denied="denied" in places
            and read_text(cells[places["denied"]]) != ""
            and read_flag(cells[places["denied"]], columns["denied"]),
        )

    def _read_time(self, cells: Sequence[object], field: str) -> float | None:
        if field not in self._plan.places:
            return None
        return read_time(cells[self._plan.places[field]], self._plan.columns[field], day_first=field in self._plan.day_first)


def _find_items(edge: Edge) -> list[ItemId]:
    return [ItemId(node.removeprefix(_ITEM)) for node in (edge.subject, edge.object) if node.startswith(_ITEM)]
