"""`scenewise eval`: the figures of the README, each as one command that writes JSON."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from scenewise.agent.settings import load_settings
from scenewise.store.errors import ScenewiseError

app = typer.Typer(no_args_is_help=True, help="Measure: ranking quality, whole turns.")
err = Console(stderr=True)
NOW_S = 1_777_888_800.0  # the clock of generated turns: the same run gives the same turns

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Out = Annotated[Path | None, typer.Option("--out", help="Also write the result to this file.")]
StoreOption = Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")]


@app.command()
def turns(
    n: Annotated[int, typer.Option("-n", "--turns", min=1, help="How many turns.")] = 200,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    llm: Annotated[str, typer.Option("--llm", help="running: that of the settings; off: none; down: none answers.")] = "running",
    store: StoreOption = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Generated conversations: items outside the catalogue, copy that disagrees, plans that fail, and our own time a turn."""
    from scenewise.agent.agent import Agent
    from scenewise.agent.model import VllmModel
    from scenewise.eval.turns import run_turns

    with _clear_errors():
        settings = load_settings(store=store, llm_off=True if llm == "off" else None)
        model = VllmModel("http://127.0.0.1:9/v1", "down") if llm == "down" else None
        with TemporaryDirectory() as scratch, _bar("turns") as progress:
            copy = Path(scratch) / "store"  # turns are kept and tastes stated: not in the store that is measured
            shutil.copytree(settings.store_path, copy)
            with Agent.open(copy, settings=settings, model=model, clock=lambda: NOW_S) as agent:
                agent.turn("hello", None)
                result = run_turns(agent, n, seed=seed, now=datetime.fromtimestamp(NOW_S), progress=progress) | {"llm": llm}
        _publish(result, out, json_)
        if any(result["failures"].values()):
            raise typer.Exit(1)


@app.command()
def ranking(
    data: Annotated[Path | None, typer.Option("--data", help="Interactions (RecBole .inter); default: the demo's MovieLens-100k.")] = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Leave-last-out by time, full ranking: popularity, neighbours, EASE, ALS, transitions, and the product's fused list."""
    from scenewise.eval.ranking import run

    with _clear_errors():
        path = data or load_settings().home / "data" / "ml-100k" / "ml-100k.inter"
        with _bar("models") as progress:
            result = run(path, progress=progress)
        _publish(result, out, json_)


@app.command()
def tables(readme: Annotated[Path, typer.Argument(help="The file whose tables are filled in.")] = Path("README.md")) -> None:
    """Make the README's tables again from eval/results."""
    from scenewise.eval.tables import fill

    readme.write_text(fill(readme.read_text(encoding="utf-8")), encoding="utf-8")


def _publish(result: dict[str, Any], out: Path | None, as_json: bool) -> None:
    result = result | {"machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.machine()}}
    text = json.dumps(result, indent=2, ensure_ascii=False)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
    if as_json or out is None:
        typer.echo(text)


@contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    with Progress(console=err) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except ScenewiseError as error:
        err.print(f"[bold red]error:[/] {error}", highlight=False)
        raise typer.Exit(2) from None
