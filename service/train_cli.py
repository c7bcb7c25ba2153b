"""`scenewise train`: learn from the store's events; the agents on it take the new version up at their next turn."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.service.train_language_cli import TASKS, train_average, train_gate, train_language
from scenewise.store.errors import InputError

app = typer.Typer()
for _name in TASKS:
    app.command(_name)(train_language)
app.command("average")(train_average)
app.command("gate")(train_gate)

Engine = Literal["local", "ray"]


class Part(StrEnum):
    """What can be trained by itself."""

    sources = "sources"
    ranker = "ranker"
    fusion = "fusion"


@app.callback(invoke_without_command=True)
def train(
    context: typer.Context,
    store: Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Go on from the current version: events after this time, or last.")] = None,
    only: Annotated[list[Part] | None, typer.Option("--only", help="Train only this part; as often as needed.")] = None,
    engine: Annotated[Engine, typer.Option("--engine", help="On this machine, or as a Ray Train job.")] = "local",
    workers: Annotated[int, typer.Option("--workers", min=1, help="Workers of the Ray job.")] = 2,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="At most so many passes over the events.")] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.01, help="Stop the ranker's training after this time.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Two trainings with one seed on the same events give the same models.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train the models of a store. Until they are whole, and if they never are, the earlier version serves."""
    if context.invoked_subcommand is not None:
        return
    from scenewise.store.store import Store
    from scenewise.tools.retrieval.encoders import default_encoders
    from scenewise.tools.training.train import Order, train_store

    with c.clear_errors(json_):
        settings = load_settings(store=store)
        order = Order(
            parts=frozenset(map(str, only)) if only else None,
            go_on=since is not None,
            since_s=None if since in (None, "last") else read_since(str(since)),
            workers=workers if engine == "ray" else 0,
            epochs=epochs,
            minutes=minutes,
            seed=seed,
        )
        # Reading is all that training does to the store itself: a server may write meanwhile.
        with Store.open(settings.store_path, read_only=True) as opened, c.step_bar() as progress:
            result = train_store(opened, default_encoders(settings.encoder), order, report=progress)
        if json_:
            c.print_json(result.model_dump(exclude={"files"}))
            return
        c.out.print(f"version {result.version}: {result.n_events} events of {result.n_users} users on {result.n_items} items")
        for note in result.notes:
            c.out.print(f"[dim]{c.safe(note)}[/]")
        if result.measures:
            names = list(next(iter(result.measures.values())))
            table = Table("on held-back events", *names, box=None, header_style="dim")
            for source, values in result.measures.items():
                table.add_row(source, *(f"{values[name]:.3f}" for name in names))
            c.out.print(table)


def read_since(text: str) -> float:
    """Read ISO 8601 (UTC where no zone is given) as unix seconds; InputError where it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError("--since is read as 2026-05-01, 2026-05-01T18:30 (UTC) or last") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
