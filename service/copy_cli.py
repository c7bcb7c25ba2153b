"""`scenewise copy`: texts for items, shown, or written to a file that is gone on with after a kill."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from scenewise.service import console as c
from scenewise.store.errors import InputError, NotFound
from scenewise.store.persons import person_of
from scenewise.store.types import UserId

if TYPE_CHECKING:
    from scenewise.agent.agent import Agent
    from scenewise.agent.item_copy import Copy, Wanted

app = typer.Typer(no_args_is_help=True)
Engine = Literal["local", "ray"]
MAX_PATH = 200  # characters; what is longer is no file but a list of ids
EVERY_S = 10.0
"""Seconds between lines of progress where there is no terminal."""


@app.command()
def copy(
    items: Annotated[str, typer.Option("--items", help="A CSV with a column item_id, a file of ids, ids with commas, or all.")],
    channel: Annotated[str, typer.Option("--channel", help="title, email_subject, push, card or description.")] = "card",
    user: Annotated[str | None, typer.Option("--user", help="Whom it is for.")] = None,
    segment: Annotated[Path | None, typer.Option("--segment", help="A TOML or JSON file of likes: whom it is for.")] = None,
    scene: Annotated[str | None, typer.Option("--scene", help="A scene, named where an item suits it.")] = None,
    tone: Annotated[str, typer.Option("--tone", help="plain, warm or playful; in Chinese plain.")] = "plain",
    locale: Annotated[str, typer.Option("--locale", help="Language of the copy: en or zh (templates only).")] = "en",
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other words.")] = 0,
    variants: Annotated[int, typer.Option("--variants", min=1, max=10, help="How many different texts of each item.")] = 1,
    style: Annotated[Path | None, typer.Option("--style", help="A style.toml of banned words, terms and promises.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="JSON lines; goes on where it ended. Default: print.")] = None,
    at_once: Annotated[int, typer.Option("--at-once", min=1, max=1024, help="Items in flight, so that the LLM server can batch.")] = 16,
    engine: Annotated[Engine, typer.Option("--engine", help="On this machine, or by workers on Ray (with --out).")] = "local",
    workers: Annotated[int, typer.Option("--workers", min=1, max=1024, help="Workers of the Ray job.")] = 2,
    no_llm: Annotated[bool, typer.Option("--no-llm", help="Write templates only.")] = False,
    store: Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write copy for items that their evidence bears out: titles, push messages, cards, descriptions, e-mail subjects."""
    from scenewise.agent.agent import Agent
    from scenewise.agent.audience import read_segment
    from scenewise.agent.item_copy import Wanted
    from scenewise.agent.settings import load_settings
    from scenewise.tools.copywriter.style import load_style

    with c.clear_errors(json_):
        if user is not None and segment is not None:
            raise InputError("--user and --segment are two ways to say whom it is for: give one")
        if engine == "ray" and out is None:
            raise InputError("--engine ray is for many items: name a file with --out")
        settings = load_settings(store=store, llm_off=no_llm or None, style=style)
        load_style(settings.style)
        audience = read_segment(segment) if segment is not None else user
        wanted = Wanted(channel, tone, locale, seed, variants, audience, scene)  # type: ignore[arg-type]  # what is none of them is refused
        named = read_ids(items)
        with c.step_bar(short=True) as progress:
            agent = Agent.open(settings=settings, report=progress)
        with agent:
            if user is not None and not agent.store.users.exists(person_of(agent.store, UserId(user))):
                raise NotFound("there is no such user in the store: leave --user out for copy that is for nobody in particular")
            ids = agent.store.items.ids() if named is None else named
            if out is None:
                places = {item_id: place for place, item_id in enumerate(ids)}
                groups = sorted(agent.iter_copy(ids, wanted, at_once=at_once), key=lambda copies: places[copies[0].item_id])
                show([copy for copies in groups for copy in copies], json_)
            else:
                summary = write_file(agent, ids, wanted, out, at_once=at_once, workers=workers if engine == "ray" else 0)
                c.print_json(summary) if json_ else c.out.print("  ".join(f"{name} {value}" for name, value in summary.items()))


def read_ids(given: str) -> list[str] | None:
    """The ids that `--items` names, each once, in order; None for all of the catalogue. InputError where a file holds none."""
    path = Path(given)
    if given == "all":
        return None
    if len(given) > MAX_PATH or not path.is_file():
        if path.suffix in (".csv", ".tsv", ".txt"):
            raise InputError(f"there is no file {path.name}")
        return list(dict.fromkeys(part.strip() for part in given.split(",") if part.strip()))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is no UTF-8 text") from error
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter="\t" if path.suffix == ".tsv" else ",") if any(row)]
    except csv.Error as error:
        raise InputError(f"{path.name} is no CSV: {error}") from error
    head = [name.strip().casefold() for name in rows[0]] if rows else []
    if "item_id" in head:
        at, rows = head.index("item_id"), rows[1:]
    elif len(head) == 1:
        at = 0
    else:
        raise InputError(f"{path.name} needs a column item_id, or one id a line")
    ids = [row[at].strip() for row in rows if len(row) > at]
    return list(dict.fromkeys(one for one in ids if one))


def write_file(agent: Agent, ids: Sequence[str], wanted: Wanted, out: Path, *, at_once: int, workers: int = 0) -> dict[str, Any]:
    """Write what the file does not have yet, with so many workers on Ray or in this process, and sum up what was written now."""
    from scenewise.agent.copy_ray import ray_workers
    from scenewise.service.copy_file import opened_copy_file

    begun, told = time.monotonic(), Counter[str]()
    with ExitStack() as stack:
        file = stack.enter_context(opened_copy_file(out, job_of(agent, wanted)))
        before, rest = len({*ids} & file.done), [one for one in ids if one not in file.done]
        elsewhere = {"engine": stack.enter_context(ray_workers(workers, at_once))} if workers and rest else {}
        progress = stack.enter_context(bar(len({*ids}), before))
        for copies in agent.iter_copy(rest, wanted, at_once=at_once, **elsewhere):
            file.add(copies)
            told.update(copy.source for copy in copies)
            told["items"] += 1
            told["prompt_tokens"] += sum(copy.prompt_tokens for copy in copies)
            told["completion_tokens"] += sum(copy.completion_tokens for copy in copies)
            progress(before + told["items"])
    seconds = max(time.monotonic() - begun, 1e-9)
    names = ("items", "model", "template", "none", "prompt_tokens", "completion_tokens")
    rates = {"items_per_s": round(told["items"] / seconds, 2), "tokens_per_s": round(told["completion_tokens"] / seconds, 1)}
    return {"before": before, **{name: told[name] for name in names}, "seconds": round(seconds, 1), **rates}


def job_of(agent: Agent, wanted: Wanted) -> str:
    """A short mark of all that decides the texts beside items and store: options, audience, style, model and its way of writing."""
    from scenewise.tools.copywriter.style import load_style

    style = load_style(agent.settings.style)
    parts = {
        "wanted": {name: _plain(getattr(wanted, name)) for name in (one.name for one in fields(wanted))},
        "style": [style.banned, style.terms, style.max_exclamations, style.promises, sorted(style.domains)],
        "model": agent.model.name if agent.model else None,
        "writing": agent.settings.writing,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int) else [value.name, sorted((k, list(v)) for k, v in value.likes.items())]


@contextmanager
def bar(total: int, before: int) -> Iterator[Callable[[int], None]]:
    """Progress on stderr with rate and time left: a bar on a terminal, else a line every ten seconds; what is given takes items done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    begun = told = time.monotonic()

    def rate(done: int) -> float:
        return (done - before) / max(time.monotonic() - begun, 1e-9)

    if c.err.is_terminal:
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]:.1f} items/s"), TimeRemainingColumn())
        with Progress(*columns, console=c.err) as progress:
            task = progress.add_task("copy", total=total, completed=before, rate=0.0)
            yield lambda done: progress.update(task, completed=done, rate=rate(done))
        return

    def line(done: int) -> None:
        nonlocal told
        if time.monotonic() - told >= EVERY_S:
            told, a_second = time.monotonic(), rate(done)
            c.err.print(f"{done:,} of {total:,} items, {a_second:.1f} items/s, {(total - done) / a_second / 60:.1f} min left")

    yield line


def show(copies: Sequence[Copy], as_json: bool) -> None:
    """Print the texts."""
    if as_json:
        c.print_json([copy.to_record() for copy in copies])
        return
    table = Table(box=None, pad_edge=False)
    for name in ("item", "text", ""):
        table.add_column(name)
    for copy in copies:
        table.add_row(c.safe(copy.item_id), c.safe(copy.text), f"[dim]{copy.source}, {len(copy.text)} characters[/]")
    c.out.print(table)
