"""`scenewise ingest`: show how the columns are read, load with a progress bar, sum up, and say by the exit code whether rows were bad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.store.errors import InputError
from scenewise.store.ingest import ingest, preview
from scenewise.store.ingest.report import IngestReport
from scenewise.store.store import Store
from scenewise.tools.scene.pack import load_pack


def load_file(
    path: Path,
    store: Path | None,
    *,
    kind: str | None,
    maps: Sequence[str],
    domain: str | None,
    event_kind: str,
    links: Path | None,
    part: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Load one file and leave with exit code 9 where rows went to quarantine."""
    mapping = read_maps(maps)
    is_scenes = kind == "scenes" or (kind is None and path.suffix == ".toml")
    told: Sequence[str] = ()
    if not is_scenes:
        shown = preview(path, kind, mapping=mapping, links=links)
        told = shown.notes
        if not as_json or dry_run:
            _show_preview({"kind": shown.kind, "columns": dict(shown.columns), "ignored": shown.ignored, "notes": shown.notes}, as_json)
    elif dry_run:
        _show_preview({"kind": "scenes", "columns": {}, "ignored": (), "notes": load_pack(path).names}, as_json)
    if dry_run:
        return
    with Store.open(load_settings(store=store).store_path, create=True, purpose="ingest") as opened, c.progress_bar(path.name) as progress:
        report = ingest(
            opened,
            path,
            kind,
            mapping=mapping,
            domain=domain,
            kind_of_event=event_kind,
            links=links,
            part=part,
            validate=load_pack,
            progress=progress,
        )
    _sum_up(report, told, as_json)
    if sum(report.quarantined.values()):
        raise typer.Exit(c.QUARANTINED)


def read_maps(maps: Sequence[str]) -> dict[str, str]:
    """`field=column` options as a mapping."""
    pairs = [one.partition("=") for one in maps]
    if any(not name or not column for name, _, column in pairs):
        raise InputError("--map takes field=column, for example --map item_id=sku")
    return {name: column for name, _, column in pairs}


def _show_preview(data: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        c.print_json(data)
        return
    taken = ", ".join(f"{field} <- {column}" for field, column in data["columns"].items())
    c.out.print(f"[bold]{data['kind']}[/]  {c.safe(taken)}")
    if data["ignored"]:
        c.out.print(f"ignored columns: {c.safe(', '.join(data['ignored']))}")
    for note in data["notes"]:
        c.out.print(f"[dim]{c.safe(note)}[/]")


def _sum_up(report: IngestReport, told: Sequence[str], as_json: bool) -> None:
    """Print the report; notes that were `told` with the preview are not said again."""
    if as_json:
        c.print_json(asdict(report))
        return
    skipped, bad = sum(report.skipped.values()), sum(report.quarantined.values())
    c.out.print(
        f"{report.read:,} rows read: {report.written:,} written, {report.unchanged:,} unchanged, {skipped:,} left out, "
        f"{bad:,} in quarantine, {report.seconds:.1f} s"
    )
    if report.ended:
        c.out.print(f"{report.ended:,} facts are no longer stated and ended")
    for reason, n in sorted([*report.quarantined.items(), *report.skipped.items()], key=lambda pair: -pair[1]):
        c.out.print(f"  [yellow]{n:,}[/] {c.safe(reason)}")
    for note in report.notes:
        if note not in told:
            c.out.print(f"[dim]{c.safe(note)}[/]")
    if report.quarantine_path:
        c.out.print(f"the bad rows, with line numbers: {c.safe(str(report.quarantine_path))}")
