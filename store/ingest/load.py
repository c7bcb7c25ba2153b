"""Load a user's own file into the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scenewise.store.errors import InputError, StoreError
from scenewise.store.ingest.columns import check_kind
from scenewise.store.ingest.edges import EdgeLoader
from scenewise.store.ingest.events import EventLoader
from scenewise.store.ingest.items import ItemLoader
from scenewise.store.ingest.loader import Loader
from scenewise.store.ingest.plan import Plan, make_plan
from scenewise.store.ingest.quarantine import Quarantine
from scenewise.store.ingest.report import IngestReport
from scenewise.store.ingest.scenes import copy_scenes
from scenewise.store.ingest.sources import Row
from scenewise.store.ingest.users import UserLoader
from scenewise.store.types import Item

if TYPE_CHECKING:
    from scenewise.store.store import Store

Progress = Callable[[int, int | None], None]
_BATCH_BYTES: Final = 32_000_000  # rows may be of 4 MB each: a batch ends at this size too


def ingest(
    store: Store,
    path: Path,
    kind: str | None = None,
    *,
    mapping: Mapping[str, str] | None = None,
    domain: str | None = None,
    kind_of_event: str = "rating",
    links: Path | None = None,
    part: bool = False,
    validate: Callable[[Path], object] | None = None,
    amend: Callable[[Item], Item] | None = None,
    progress: Progress | None = None,
    batch_rows: int = 20_000,
    now_s: float | None = None,
) -> IngestReport:
    """Load a CSV, TSV, RecBole, JSON lines or Parquet file of items, events, users or edges, or a scenes.toml.

    Kind and columns are guessed where they are not said: see `guess_columns` for `mapping`. `domain` is that of items whose rows
    name none; `kind_of_event` that of events whose rows name none; `links` is the .link file of a graph (by default the one that
    lies beside a .kg file); `part` says that a file of edges holds only a part of what its sources say, so that it ends no fact;
    `validate` checks a scene pack; `amend` changes items before they are written; `progress` hears
    (done, total) after each batch, in bytes (rows of Parquet). Events later than a day after `now_s` (by default the time of the
    clock) are bad rows.

    Every batch is one transaction: a crash leaves whole batches, and loading the file again completes it without doubles. Bad
    rows go to the store's quarantine folder and stop nothing.

    Raises NotFound (no such file), InputError (it cannot be read, or its kind or a needed column cannot be told), and the store's
    errors.
    """
    started = time.perf_counter()
    if batch_rows < 1:
        raise InputError("A batch needs at least one row.")
    if (check_kind(kind) if kind is not None else None) == "scenes" or (kind is None and path.suffix == ".toml"):
        return _load_scenes(store, path, validate, started)
    plan = make_plan(path, kind, mapping=mapping, links=links)
    loader: Loader
    match plan.kind:
        case "items":
            loader = ItemLoader(store, plan, domain=domain, amend=amend)
        case "events":
            loader = EventLoader(store, plan, kind_of_event=kind_of_event, now_s=time.time() if now_s is None else now_s)
        case "users":
            loader = UserLoader(store, plan)
        case _:
            loader = EdgeLoader(store, plan)
    return _load_rows(store, plan, loader, part=part, progress=progress, batch_rows=batch_rows, started=started)


def _load_rows(
    store: Store, plan: Plan, loader: Loader, *, part: bool, progress: Progress | None, batch_rows: int, started: float
) -> IngestReport:
    quarantine = Quarantine(store.path / "quarantine", plan.name)
    taken = written = ended = 0
    try:
        for batch in _batches(plan.source.rows(quarantine.add), batch_rows):
            # A loader writes with one call, which is one transaction. Inside `store.transaction()` it would become a savepoint, in
            # which SQLite's full-text index writes itself out after every item: ten times slower.
            sound, changed = loader.load(batch, quarantine.add)
            taken += sound
            written += changed
            quarantine.flush()
            if progress is not None:
                progress(plan.source.done, plan.source.total)
        if isinstance(loader, EdgeLoader):
            ended = loader.finish(quarantine.counts, part=part)
    except OSError as error:
        raise StoreError(f"Loading {plan.name} stopped ({error.strerror}): check the disk, then load it again.") from error
    finally:
        quarantine.close()
    return IngestReport(
        kind=plan.kind,
        columns=plan.columns,
        read=taken + quarantine.counts.total() + loader.skipped.total(),
        written=written,
        unchanged=taken - written,
        quarantined=dict(quarantine.counts),
        quarantine_path=quarantine.path,
        seconds=time.perf_counter() - started,
        ignored=plan.ignored,
        skipped=dict(loader.skipped),
        notes=(*plan.source.notes, *plan.notes, *loader.notes),
        ended=ended,
    )


def _batches(rows: Iterable[Row], most_rows: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row[2] or b"")
        if len(batch) >= most_rows or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _load_scenes(store: Store, path: Path, validate: Callable[[Path], object] | None, started: float) -> IngestReport:
    if validate is None:
        raise InputError("A scene pack can only be loaded with something that checks it: pass validate.")
    changed = copy_scenes(path, store.path / "scenes.toml", validate)
    return IngestReport("scenes", {}, 1, int(changed), int(not changed), {}, None, time.perf_counter() - started)
