"""`scenewise eval speed`, `graph-speed`, `latency` and `changes`: how long it takes."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from scenewise.agent.settings import load_settings
from scenewise.eval.console import Json, Out, Report, StoreOption, measured

NOW_S = 1_777_888_800.0  # the clock of generated turns: the same run gives the same turns


def speed(
    events: Annotated[int, typer.Option("--events", help="The largest size; the smaller ones are powers of ten.")] = 10_000_000,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    out: Out = None,
    json_: Json = False,
) -> None:
    """What fitting and asking cost beside plain implicit on the same data, and from 10^4 to 10^7 made-up events."""
    from scenewise.eval.speed import run

    measured("sizes", lambda report: run(events, seed=seed, progress=report), out, json_)


def graph_speed(
    edges: Annotated[int, typer.Option("--edges", min=1_000, help="The largest size; the smaller ones are powers of ten.")] = 1_000_000,
    questions: Annotated[int, typer.Option("-n", "--questions", min=10, help="How many of each sort.")] = 300,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    out: Out = None,
    json_: Json = False,
) -> None:
    """The graph of 10^4 to 10^6 made-up edges: loading, memory, neighbours, paths, walks, changes."""
    from scenewise.eval.graph_speed import run

    measured("sizes", lambda report: run(edges, questions=questions, seed=seed, progress=report), out, json_)


def latency(
    items: Annotated[int, typer.Option("--items", min=100, help="Made-up items in the catalogue.")] = 20_000,
    events: Annotated[int, typer.Option("--events", min=1_000, help="Made-up events.")] = 200_000,
    n: Annotated[int, typer.Option("-n", "--turns", min=1, help="How many turns.")] = 300,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Whole turns without an LLM over a large made-up catalogue: milliseconds from the message to the reply."""
    from scenewise.eval.latency import run

    def work(progress: Report) -> dict[str, Any]:
        with TemporaryDirectory() as scratch:
            return run(Path(scratch) / "store", items=items, events=events, turns=n, seed=seed, now_s=NOW_S, progress=progress)

    measured("turns", work, out, json_)


def changes(
    items: Annotated[int | None, typer.Option("--items", min=100, help="Made-up items instead of a copy of the store.")] = None,
    n: Annotated[int, typer.Option("-n", "--changes", min=3, help="How many changes.")] = 30,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    store: StoreOption = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """How soon an item that another program puts, changes or deletes is found, or gone, everywhere in an open toolbox."""
    from scenewise.eval.changes import run

    def work(progress: Report) -> dict[str, Any]:
        with TemporaryDirectory() as scratch:
            source = None if items else load_settings(store=store).store_path
            return run(Path(scratch) / "store", source=source, items=items or 0, changes=n, seed=seed, now_s=NOW_S, progress=progress)

    measured("changes", work, out, json_)
