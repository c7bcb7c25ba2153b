"""What the `scenewise eval` commands have in common: options, progress, errors, and how a result is published."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from scenewise.agent.settings import load_settings
from scenewise.store.errors import InputError, ScenewiseError

if TYPE_CHECKING:
    from scenewise.eval.dataset import Dataset

Report = Callable[[int, int | None], None]
err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Out = Annotated[Path | None, typer.Option("--out", help="Also write the result to this file.")]
Data = Annotated[Path, typer.Option("--data", help="A file or folder of a public data set, or a store's folder.")]
Format = Annotated[str, typer.Option("--format", help="How it is written; auto: told by its names and headers.")]
Titles = Annotated[Path | None, typer.Option("--titles", help="A table of ids and titles over which a recbole set's graph is joined.")]
GraphPath = Annotated[Path | None, typer.Option("--graph", help="The folder of a graph that goes with a movielens set.")]
Seeds = Annotated[str, typer.Option("--seeds", help="Seeds, with commas; intervals and means are over them.")]
Tries = Annotated[int, typer.Option("--tries", min=1, max=50, help="Settings that a model may try on validation.")]
Text = Annotated[bool, typer.Option("--text/--no-text", help="Let models read titles and texts.")]
StoreOption = Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")]


def read_data(data: Path, format_: str, titles: Path | None = None, graph: Path | None = None) -> Dataset:
    """Read a public set by path and format; InputError where it is not one."""
    from scenewise.eval.data import read

    options = {"titles": titles, "graph": graph}
    return read(data, format_, **{name: path for name, path in options.items() if path is not None})


def vectors_folder() -> Path:
    """The folder that keeps the vectors of the sets' texts from one run to the next."""
    return load_settings().home / "cache" / "vectors"


def read_seeds(text: str) -> tuple[int, ...]:
    """Read "0,1,2"; InputError for what is not that."""
    try:
        seeds = tuple(int(word) for word in text.split(","))
    except ValueError as error:
        raise InputError("--seeds are whole numbers with commas between them, such as 0,1,2") from error
    if not seeds or len({*seeds}) != len(seeds) or min(seeds) < 0:
        raise InputError("--seeds must be different and not negative")
    return seeds


def measured(label: str, work: Callable[[Report], dict[str, Any]], out: Path | None, as_json: bool) -> None:
    """Run a benchmark behind a progress bar and publish what it gives, with what it cost."""
    with clear_errors():
        begun = time.process_time()
        with bar(label) as progress:
            result = work(progress)
        publish(result | {"total_cpu_s": round(time.process_time() - begun, 1)}, out, as_json)


def publish(result: dict[str, Any], out: Path | None, as_json: bool) -> None:
    """Write a result with its command and machine to `out`, and print it where asked, or where there is no `out`."""
    result = (
        {"command": _command(sys.argv[1:])}
        | result
        | {"machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.machine()}}
    )
    text = json.dumps(result, indent=2, ensure_ascii=False)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
    if as_json or out is None:
        typer.echo(text)


def _command(words: Sequence[str]) -> str:
    """Write down what was asked, with paths down to their names, and without where the result goes."""
    told, skipped = [], ("--out", "--json")
    for before, word in zip(("", *words), words, strict=False):
        if word not in skipped and before != "--out":
            told.append(Path(word).name if "/" in word else word)
    return " ".join(["scenewise", *told])


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a progress bar; what is given takes (done, total)."""
    with Progress(console=err) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def clear_errors() -> Iterator[None]:
    """End with one sentence and the error's exit code, never with a traceback."""
    try:
        yield
    except ScenewiseError as error:
        err.print(f"[bold red]error:[/] {error}", highlight=False)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        err.print("[bold red]error:[/] stopped", highlight=False)
        raise typer.Exit(130) from None
