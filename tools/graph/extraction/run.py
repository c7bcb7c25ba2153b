"""Read the texts of a store's items into its graph: only those that changed, batch by batch, so that what was done stays."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from scenewise.store.readings import Reading
from scenewise.store.store import Store
from scenewise.store.types import Edge
from scenewise.tools.graph.extraction.claims import Claim, Extraction, Extractor, Text, normalise, prove
from scenewise.tools.graph.schema import Schema

BATCH = 16
_GONE = ""  # the hash of a text that is no longer there


@dataclass
class BuildReport:
    """What a build did: texts to read, read and failed; edges new, kept and closed; refusals by reason; tokens and seconds."""

    source: str
    to_read: int = 0
    read: int = 0
    failed: int = 0
    new: int = 0
    kept: int = 0
    closed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)


def source_of(extractor: Extractor) -> str:
    """Name the source of an extractor's edges: "text:<model>@<prompt version>"."""
    return f"text:{extractor.name}"


def texts_of(store: Store, schema: Schema) -> Iterator[Text]:
    """The items' texts of which the schema says that something may be read out of them."""
    for item in store.items.all():
        if item.text.strip() and schema.from_texts(item.domain):
            yield Text(f"item:{item.item_id}", item.domain, item.text)


def text_hash(text: Text, schema: Schema) -> str:
    """Hash what a reading depends on: the words, and which relations they may state."""
    allowed = ",".join(schema.from_texts(text.domain))
    return hashlib.sha256(f"{allowed}\0{normalise(text.words)}".encode("utf-8", "replace")).hexdigest()


def build_from_texts(
    store: Store,
    extractor: Extractor,
    schema: Schema,
    *,
    limit: int | None = None,
    dry_run: bool = False,
    clock: Callable[[], float] = time.time,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> BuildReport:
    """Read every text that is new or changed, or whose reading failed, at most `limit`; write edges of source "text:<model>@<version>".

    Each batch is one transaction: a stopped build goes on where it was. An edge of this source that a changed text no longer states is
    closed, also where the text is gone. `dry_run` only counts. Raises ModelError where the LLM answers nothing at all.
    """
    source, begun = source_of(extractor), time.monotonic()
    result = BuildReport(source)
    known = store.readings.of(source)
    todo: list[Text] = []
    present = set()
    for text in texts_of(store, schema):
        present.add(text.node)
        earlier = known.get(text.node)
        if earlier is None or earlier.error or earlier.text_hash != text_hash(text, schema):
            todo.append(text)
    gone = [one.node for one in known.values() if one.node not in present and one.text_hash != _GONE]
    todo = todo[:limit]
    result.to_read = len(todo)
    if not dry_run:
        _close_gone(store, source, gone, result, clock())
        rest = iter(todo)
        while batch := list(islice(rest, BATCH)):
            found = list(extractor.extract(batch))
            found += [Extraction(error="no answer")] * (len(batch) - len(found))
            _write(store, source, schema, batch, found, result, clock())
            report(result.read + result.failed, len(todo))
    result.seconds = round(time.monotonic() - begun, 3)
    return result


def _write(
    store: Store, source: str, schema: Schema, batch: Sequence[Text], found: Sequence[Extraction], result: BuildReport, now_s: float
) -> None:
    with store.transaction():
        readings = []
        for text, extraction in zip(batch, found, strict=False):
            claims, refused = prove(extraction.claims, text, schema)
            if not extraction.error:
                _replace(store, source, text.node, claims, result, now_s)
            reading = Reading(
                text.node,
                text_hash(text, schema),
                0 if extraction.error else len(claims),
                dict(refused),
                extraction.tokens_in,
                extraction.tokens_out,
                extraction.error,
            )
            readings.append(reading)
        store.readings.save(source, readings, now_s)
    for reading in readings:
        result.read += not reading.error
        result.failed += bool(reading.error)
        result.errors.update([reading.error] if reading.error else [])
        result.refused.update(reading.refused)
        result.tokens_in += reading.tokens_in
        result.tokens_out += reading.tokens_out


def _replace(store: Store, source: str, node: str, claims: Sequence[Claim], result: BuildReport, now_s: float) -> None:
    """Make the source's open edges of a node those of the claims: new ones added, those that still hold kept from their beginning."""
    open_ = {
        _key(e.relation, e.object): e for e in store.edges.of(node) if e.subject == node and e.source == source and e.valid_to_s is None
    }
    added = []
    for claim in claims:
        obj = f"{claim.kind}:{claim.value}"
        old = open_.pop(_key(claim.relation, obj), None)
        result.kept += old is not None
        result.new += old is None
        begin_s = old.valid_from_s if old else now_s
        added.append(Edge(node, claim.relation, old.object if old else obj, source, claim.evidence, claim.confidence, begin_s, None))
    store.edges.add(added)
    for edge in open_.values():
        store.edges.close(edge, now_s)
    result.closed += len(open_)


def _key(relation: str, obj: str) -> tuple[str, str]:
    return relation, obj.casefold()


def _close_gone(store: Store, source: str, gone: Sequence[str], result: BuildReport, now_s: float) -> None:
    with store.transaction():
        for node in gone:
            _replace(store, source, node, (), result, now_s)
        store.readings.save(source, [Reading(node, _GONE) for node in gone], now_s)
