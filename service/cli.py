"""The command line. Every command takes --json and ends with a meaningful exit code (docs/cli.md)."""

from __future__ import annotations

import importlib.metadata
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from scenewise.service import console as c
from scenewise.service.copy_cli import app as copy_app
from scenewise.service.graph_build_cli import app as graph_build_app
from scenewise.service.graph_cli import app as graph_app
from scenewise.service.item_cli import app as item_app
from scenewise.service.keys_cli import app as keys_app
from scenewise.service.llm_cli import app as llm_app
from scenewise.service.mcp_cli import app as mcp_app
from scenewise.service.places_cli import app as places_app
from scenewise.service.serve_cli import app as serve_app
from scenewise.service.show_cli import app as show_app
from scenewise.service.show_cli import turns_app
from scenewise.service.train_cli import app as train_app
from scenewise.service.user_cli import app as user_app

app = typer.Typer(
    name="scenewise", no_args_is_help=True, help="An LLM agent that recommends across scenes.", pretty_exceptions_enable=False
)
app.add_typer(llm_app, name="llm")
graph_app.registered_commands += graph_build_app.registered_commands
app.add_typer(graph_app, name="graph")
app.add_typer(item_app, name="item")
app.add_typer(user_app, name="user")
app.add_typer(keys_app, name="keys")
app.add_typer(turns_app, name="turns")
app.add_typer(train_app, name="train")
for group in (copy_app, show_app, places_app, serve_app, mcp_app):
    app.registered_commands += group.registered_commands

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
StoreOption = Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")]
UserOption = Annotated[str | None, typer.Option("--user", help="Who is asking.")]
Device = Annotated[str | None, typer.Option("--device", help="phone, laptop, tv, speaker, ...")]
Time = Annotated[str | None, typer.Option("--time", help="The user's wall clock: 18:30, 2026-05-01T18:30 or now.")]
PlaceOption = Annotated[str | None, typer.Option("--place", help="home, train, gym, ... or latitude,longitude; @1.4 adds a speed in m/s.")]
Network = Annotated[str | None, typer.Option("--network", help="wifi, cellular or offline.")]
Weather = Annotated[str | None, typer.Option("--weather", help="sunny, cloudy, rain or snow.")]
Minutes = Annotated[float | None, typer.Option("--minutes", min=1, help="How many minutes there are.")]
Locale = Annotated[str, typer.Option("--locale", help="Language of the copy: en or zh.")]
Count = Annotated[int, typer.Option("-k", "--count", min=1, max=100, help="How many items.")]
NoLlm = Annotated[bool, typer.Option("--no-llm", help="Answer without an LLM.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(importlib.metadata.version("scenewise"))
        raise typer.Exit


@app.callback()
def settings_from(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version)] = False,
    home: Annotated[Path | None, typer.Option("--home", help="Folder of models and the demo store (also SCENEWISE_HOME).")] = None,
) -> None:
    """An LLM agent that recommends across scenes."""
    if home is not None:
        os.environ["SCENEWISE_HOME"] = str(home.expanduser().absolute())


@app.command()
def demo(
    json_: Json = False,
    no_chat: Annotated[bool, typer.Option("--no-chat", help="End after the four turns.")] = False,
    only_set_up: Annotated[bool, typer.Option("--only-set-up", help="Fetch and build what the demo needs, and end.")] = False,
) -> None:
    """Set everything up and hold a conversation with real data and the real model."""
    from scenewise.service.demo import run_demo, set_up

    with c.clear_errors(json_):
        if only_set_up:
            with c.step_bar() as progress:
                set_up(progress)
        else:
            run_demo(as_json=json_, go_on=not no_chat)


@app.command()
def ingest(
    path: Annotated[Path, typer.Argument(help="CSV, TSV, JSON lines, Parquet, a RecBole atomic file, or scenes.toml.")],
    store: StoreOption = None,
    kind: Annotated[str | None, typer.Option("--kind", help="items, events, users, edges or scenes; guessed where it is left out.")] = None,
    map_: Annotated[list[str] | None, typer.Option("--map", help="field=column, as often as needed.")] = None,
    domain: Annotated[str | None, typer.Option("--domain", help="Domain of items that have no such column.")] = None,
    event_kind: Annotated[str, typer.Option("--event-kind", help="Kind of events that have no such column.")] = "rating",
    links: Annotated[Path | None, typer.Option("--links", help="RecBole .link file that names items in a .kg file.")] = None,
    part: Annotated[bool, typer.Option("--part", help="The edges are only a part of what their sources say: end no fact.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show how the columns are read.")] = False,
    json_: Json = False,
) -> None:
    """Load your own data. Bad rows go to a quarantine file; then the exit code is 9."""
    from scenewise.service.load import load_file

    with c.clear_errors(json_):
        load_file(
            path,
            store,
            kind=kind,
            maps=map_ or [],
            domain=domain,
            event_kind=event_kind,
            links=links,
            part=part,
            dry_run=dry_run,
            as_json=json_,
        )


@app.command()
def chat(
    user: UserOption = None,
    store: StoreOption = None,
    device: Device = None,
    time: Time = "now",
    place: PlaceOption = None,
    network: Network = None,
    weather: Weather = None,
    locale: Locale = "en",
    conversation: Annotated[str | None, typer.Option("--conversation", help="Go on with an earlier conversation.")] = None,
    no_llm: NoLlm = False,
    details: Annotated[bool, typer.Option("--details/--no-details", help="Show scene, plan and timings.")] = True,
    json_: Json = False,
) -> None:
    """Talk with the agent; one message a line, Ctrl-D ends."""
    from scenewise.service.chat import hold_chat, opened_agent

    with c.clear_errors(json_):
        moment = c.read_moment(device, time, place, locale, None, network=network, weather=weather)
        with opened_agent(store, no_llm=no_llm) as agent:
            hold_chat(agent, user=user, moment=moment, conversation=conversation, details=details, as_json=json_, live=time == "now")


@app.command()
def recommend(
    user: UserOption = None,
    scene: Annotated[str | None, typer.Option("--scene", help="A scene by name; recognised from the rest where it is left out.")] = None,
    text: Annotated[str, typer.Option("--text", help="What is wished for, in words.")] = "",
    device: Device = None,
    time: Time = None,
    place: PlaceOption = None,
    minutes: Minutes = None,
    network: Network = None,
    weather: Weather = None,
    locale: Locale = "en",
    k: Count = 5,
    store: StoreOption = None,
    llm: Annotated[bool, typer.Option("--llm", help="Let the LLM plan and write as in a chat.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show what each item's score is made of.")] = False,
    json_: Json = False,
) -> None:
    """One list, as a program would ask for it."""
    from scenewise.service.chat import opened_agent
    from scenewise.service.render import explanation, show_explanations, show_turn

    with c.clear_errors(json_):
        moment = c.read_moment(device, time, place, locale, minutes, network=network, weather=weather)
        with opened_agent(store, no_llm=not llm) as agent:
            turn = agent.recommend(user, text=text, scene=scene, moment=moment, k=k, use_llm=llm)
        if json_:
            record = turn.to_record()
            for entry, item in zip(record["items"], turn.items if explain else (), strict=False):
                entry["explanation"] = explanation(item)
            c.print_json(record)
        else:
            show_turn(turn, c.out)
            show_explanations(turn.items if explain else (), c.out)


@app.command()
def reindex(store: StoreOption = None, json_: Json = False) -> None:
    """Rebuild what is cached beside the store: vector index, models, graph."""
    from scenewise.service.chat import reindex_store

    with c.clear_errors(json_):
        report = reindex_store(store)
        if json_:
            c.print_json(report)
        else:
            c.out.print("  ".join(f"{name} {value}" for name, value in report.items()))


@app.command()
def doctor(json_: Json = False) -> None:
    """Look for what is missing on this machine and say how to mend it; exit code 1 where something is."""
    from scenewise.service.doctor import examine

    with c.clear_errors(json_):
        findings = examine()
        if json_:
            c.print_json([asdict(finding) for finding in findings])
        for finding in findings if not json_ else []:
            mark = "[green]ok[/]  " if finding.ok else "[red]no[/]  "
            c.out.print(f"{mark}{finding.name}: {c.safe(finding.message)}")
        if not all(finding.ok for finding in findings):
            raise typer.Exit(1)


def _add_commands() -> None:
    """Add the commands that other rooms offer through the entry point group `scenewise.commands`."""
    for entry in importlib.metadata.entry_points(group="scenewise.commands"):
        found: Any = entry.load()
        app.add_typer(found, name=entry.name)


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    _add_commands()
    app()
