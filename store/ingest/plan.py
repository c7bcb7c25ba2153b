"""Decide how a file is read before a row of it is loaded."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenewise.store.errors import InputError
from scenewise.store.ingest.columns import check_kind, guess_columns, guess_kind
from scenewise.store.ingest.dates import find_order
from scenewise.store.ingest.quarantine import BadRow
from scenewise.store.ingest.report import Kind, Preview
from scenewise.store.ingest.sources import RECBOLE_SUFFIXES, Source, open_source
from scenewise.store.ingest.values import read_id

_SAMPLE_ROWS = 1_000
_SAMPLE_BYTES = 16_000_000
_TIME_FIELDS = ("time_s", "valid_from", "valid_to")


@dataclass(frozen=True)
class Plan:
    """How to read a file: `columns` maps fields to columns and `places` fields to positions in a row.

    `day_first` holds the time fields whose 03/04/2020 is the third of April; `links` maps graph entities to item ids (None for
    files without); `recbole` tells RecBole's files, in which several genres stand with blanks between them.
    """

    kind: Kind
    source: Source
    name: str
    columns: Mapping[str, str]
    places: Mapping[str, int]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]
    day_first: frozenset[str] = frozenset()
    links: Mapping[str, str] | None = None
    recbole: bool = False


def preview(path: Path, kind: str | None = None, *, mapping: Mapping[str, str] | None = None, links: Path | None = None) -> Preview:
    """Say how `ingest` would read a file, without loading it. Raises what `ingest` would raise: InputError, NotFound."""
    if kind == "scenes" or (kind is None and path.suffix == ".toml"):
        return Preview("scenes", {})
    plan = make_plan(path, kind, mapping=mapping, links=links)
    return Preview(plan.kind, plan.columns, plan.ignored, (*plan.source.notes, *plan.notes))


def make_plan(path: Path, kind: str | None, *, mapping: Mapping[str, str] | None, links: Path | None) -> Plan:
    """Open a file and settle its kind, its columns, the order of its dates, and the links of its graph entities."""
    source = open_source(path)
    settled = check_kind(kind) if kind is not None else guess_kind(path, source.header, mapping or {})
    sample = _read_sample(source)
    guess = guess_columns(source.header, sample, settled, mapping=mapping)
    places = {field: source.header.index(column) for field, column in guess.columns.items()}
    notes: list[str] = []
    day_first: set[str] = set()
    for field in _TIME_FIELDS:
        if field in places and _is_day_first(source, sample, places[field], notes):
            day_first.add(field)
    if settled == "events" and "time_s" not in places:
        notes.append("There is no column of times: events are dated 1970-01-01, and several of a user with an item are one.")
    if links is None and path.suffix == ".kg":
        links = path.with_suffix(".link")
        if not links.is_file():
            raise InputError(f"Which nodes of {path.name} are items? Pass its .link file (columns item_id, entity_id) as its links.")
    table = read_links(links, notes) if settled == "edges" and links is not None else None
    recbole = path.suffix in RECBOLE_SUFFIXES
    return Plan(settled, source, path.name, guess.columns, places, guess.ignored, tuple(notes), frozenset(day_first), table, recbole)


def _read_sample(source: Source) -> list[Sequence[object]]:
    sample: list[Sequence[object]] = []
    size = 0
    for _, values, raw in itertools.islice(source.rows(_drop), _SAMPLE_ROWS):
        sample.append(values)
        size += len(raw or b"")
        if size > _SAMPLE_BYTES:
            break
    return sample


def _is_day_first(source: Source, sample: Sequence[Sequence[object]], place: int, notes: list[str]) -> bool:
    order = find_order(values[place] for values in sample)
    if not order.settled:  # one value further down may settle it
        order = find_order(values[place] for _, values, _ in source.rows(_drop))
    if not order.settled:
        notes.append(f"The dates of column {source.header[place]!r} may be month first or day first: they were taken as month first.")
    return order.day_first


def read_links(path: Path, notes: list[str]) -> dict[str, str]:
    """Read a .link file: which graph entity is which item."""
    source = open_source(path)
    if not {"item_id", "entity_id"} <= set(source.header):
        raise InputError(f"{path.name} needs the columns item_id and entity_id.")
    item, entity = source.header.index("item_id"), source.header.index("entity_id")
    bad_rows: Counter[str] = Counter()
    table: dict[str, str] = {}
    for _, values, _ in source.rows(lambda _line, bad, _raw: bad_rows.update([bad.reason])):
        try:
            table[read_id(values[entity], "entity_id")] = read_id(values[item], "item_id")
        except BadRow as bad:
            bad_rows[bad.reason] += 1
    if bad_rows:
        notes.append(f"{bad_rows.total()} rows of {path.name} cannot be read.")
    return table


def count_repeats(plan: Plan, field: str) -> dict[str, int]:
    """Return the ids that come in more than one row of a file, and in how many. All ids are held in memory while counting."""
    seen: set[str] = set()
    repeats: dict[str, int] = {}
    for item_id in _read_ids(plan, field):
        if item_id in seen:
            repeats[item_id] = repeats.get(item_id, 1) + 1
        else:
            seen.add(item_id)
    return repeats


def _read_ids(plan: Plan, field: str) -> Iterator[str]:
    place, column = plan.places[field], plan.columns[field]
    for _, values, _ in plan.source.rows(_drop):
        try:
            yield read_id(values[place], column)
        except BadRow:
            continue


def _drop(line: int, bad: BadRow, raw: bytes | str) -> None:
    """Look at the sound rows only; the load itself says what is wrong with the others."""
