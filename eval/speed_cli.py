"""`scenewise eval speed`, `graph-speed`, `latency`, `changes` and `load`: how long it takes."""

from __future__ import annotations

import shutil
import time
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


def load(
    conversations: Annotated[int, typer.Option("--conversations", min=1, max=2_000, help="How many at once.")] = 64,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long they go on.")] = 300.0,
    think: Annotated[float, typer.Option("--think", min=0, help="Seconds, on average, until a person's next message.")] = 12.0,
    llm_ms: Annotated[float, typer.Option("--llm-ms", min=0, help="What a call of the scripted LLM takes.")] = 300.0,
    connections: Annotated[int, typer.Option("--connections", min=1, max=1_000, help="Clients that ask for lists without chat.")] = 16,
    short: Annotated[float, typer.Option("--short", min=1, help="Seconds of each other part.")] = 30.0,
    items: Annotated[int | None, typer.Option("--items", min=100, help="Made-up items instead of a copy of the store.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    store: StoreOption = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """The server under load, with an LLM that takes a set time: our own part of a turn, memory, what it refuses, lists a second."""
    from scenewise.eval.load import Load, run

    asked = Load(conversations, seconds, think, llm_ms, connections=connections, short_s=short, seed=seed)

    def work(progress: Report) -> dict[str, Any]:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / "store"
            if items:
                from scenewise.eval.latency import make_store

                make_store(folder, items=items, events=10 * items, seed=seed, now_s=time.time())
            else:
                shutil.copytree(load_settings(store=store).store_path, folder)
            return run(folder, asked, progress=progress)

    measured("parts", work, out, json_)
