"""Commands that show what a store holds: items, scenes, turns."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.store.store import Store
from scenewise.store.types import ItemId

app = typer.Typer()
turns_app = typer.Typer(no_args_is_help=True, help="The turns that were answered.")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
StoreOption = Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")]


def _open(store: Path | None) -> Store:
    return Store.open(load_settings(store=store).store_path, read_only=True)


@app.command()
def items(
    query: Annotated[str, typer.Argument(help="Words to look for; all items where it is left out.")] = "",
    item: Annotated[str | None, typer.Option("--item", help="One item by its id.")] = None,
    domain: Annotated[str | None, typer.Option("--domain", help="Only this domain.")] = None,
    k: Annotated[int, typer.Option("-k", "--count", min=1, max=10_000, help="How many.")] = 20,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """List, find or show items."""
    with c.clear_errors(json_), _open(store) as opened:
        if item is not None:
            rows = [opened.items.get(ItemId(item))]
        elif query:
            hits = opened.items.get_many([item_id for item_id, _ in opened.items.search_text(query, 10 * k)])
            rows = [row for row in hits.values() if domain in (None, row.domain)][:k]
        else:
            rows = [row for row in opened.items.all() if domain in (None, row.domain)][:k]
        if json_:
            c.print_json(
                [asdict(row) | {"attributes": {name: list(values) for name, values in row.attributes.items()}} for row in map(_plain, rows)]
            )
            return
        table = Table("id", "domain", "title", "year", "attributes", box=None, header_style="dim")
        for row in rows:
            attributes = "; ".join(f"{name}: {', '.join(values)}" for name, values in row.attributes.items())
            table.add_row(*(Text(c.plain(cell)) for cell in (row.item_id, row.domain, row.title, str(row.year or ""), attributes)))
        c.out.print(table)


def _plain(item: Any) -> Any:
    from dataclasses import replace

    return replace(item, attributes=dict(item.attributes))


@app.command()
def scenes(
    name: Annotated[str | None, typer.Argument(help="One scene by name, or train: learn the words of the scenes anew.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="Recognise the scene of this message.")] = None,
    device: Annotated[str | None, typer.Option("--device")] = None,
    time: Annotated[str | None, typer.Option("--time")] = None,
    place: Annotated[str | None, typer.Option("--place")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Check this scenes.toml instead of the store's.")] = None,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """List the scenes, show one, check a scenes.toml, recognise the scene of a moment, or `train` on the scenes.toml."""
    from scenewise.tools.scene.pack import default_pack, load_pack

    with c.clear_errors(json_):
        own = load_settings(store=store).store_path / "scenes.toml"
        pack = load_pack(file) if file else load_pack(own) if own.is_file() else default_pack()
        if name == "train" and name not in pack.names:
            _train(pack, load_settings(store=store).store_path, json_)
            return
        if text is not None or device or time or place:
            _recognise(pack, text or "", c.read_moment(device, time, place, "en", None), store, json_)
            return
        chosen = [pack.get(name)] if name else list(pack.scenes)
        if json_:
            c.print_json([_plain_scene(scene) for scene in chosen])
            return
        for scene in chosen:
            domains = ", ".join(f"{domain} {weight:g}" for domain, weight in sorted(scene.domains.items(), key=lambda pair: -pair[1]))
            c.out.print(f"[bold]{c.safe(scene.name)}[/]  {c.safe(scene.description)}\n    [dim]{c.safe(domains)}[/]")


def _plain_scene(scene: Any) -> dict[str, Any]:
    from dataclasses import fields

    return {field.name: _plain_value(getattr(scene, field.name)) for field in fields(scene)}


def _plain_value(value: Any) -> Any:
    return dict(value) if hasattr(value, "items") else value


def _train(pack: Any, store_path: Path, as_json: bool) -> None:
    from time import perf_counter

    from scenewise.tools.retrieval.encoders import default_encoders
    from scenewise.tools.scene.recogniser import SceneRecogniser

    begun_s = perf_counter()
    classifier = SceneRecogniser(pack, default_encoders(load_settings().encoder), folder=SceneRecogniser.folder_of(store_path)).train()
    report = {"version": pack.version, "scenes": len(pack.names), "examples": len(classifier.examples.texts), "tuned": classifier.is_tuned}
    report |= {"seconds": round(perf_counter() - begun_s, 1)}
    if as_json:
        c.print_json(report)
        return
    c.out.print("learned {examples} examples of {scenes} scenes in {seconds} s".format(**report))


def _recognise(pack: Any, text: str, moment: Any, store: Path | None, as_json: bool) -> None:
    from scenewise.tools.retrieval.encoders import default_encoders
    from scenewise.tools.scene.recogniser import SceneRecogniser

    folder = SceneRecogniser.folder_of(load_settings(store=store).store_path)
    reading = SceneRecogniser(pack, default_encoders(load_settings().encoder), folder=folder).recognise(text, moment)
    if as_json:
        c.print_json(
            {
                "scene": reading.scene,
                "probability": reading.probability,
                "probabilities": dict(reading.probabilities),
                "signals": [asdict(s) for s in reading.signals],
            }
        )
        return
    c.out.print(f"[bold]{c.safe(reading.scene or 'no particular scene')}[/] {reading.probability:.0%}")
    for signal in reading.signals:
        c.out.print(f"    {signal.name:<8} {signal.share:+.0%}  {c.safe(signal.value)}")


@turns_app.command()
def show(
    turn_id: Annotated[str, typer.Argument(metavar="ID", help="The turn's id, as --json and the server's answers give it.")],
    explain: Annotated[bool, typer.Option("--explain", help="Show what each item's score is made of.")] = False,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Show a turn: who asked what, the scene, the plan, the list, and where the time went."""
    from scenewise.agent.record import Turn
    from scenewise.service.render import show_explanations, show_turn

    with c.clear_errors(json_), _open(store) as opened:
        record = opened.turns.get(turn_id)
        if json_:
            c.print_json(record)
            return
        turn = Turn.from_record(record)
        c.out.print(f"[bold]{c.safe(turn.message)}[/]")
        c.out.print(f"[dim]{c.safe(turn.user_id or 'nobody in particular')}, {datetime.fromtimestamp(turn.time_s):%Y-%m-%d %H:%M}[/]")
        show_turn(turn, c.out)
        show_explanations(turn.items if explain else (), c.out)


@turns_app.command()
def replay(
    turn_id: Annotated[str, typer.Argument(metavar="ID", help="The turn's id, as --json and the server's answers give it.")],
    no_llm: Annotated[bool, typer.Option("--no-llm", help="Answer it without an LLM.")] = False,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Answer a turn once more, as it began, with the store as it is now; show what is different. Nothing is written."""
    from scenewise.service.chat import opened_agent
    from scenewise.service.render import show_turn

    with c.clear_errors(json_), opened_agent(store, no_llm=no_llm) as agent:
        again = agent.replay(turn_id, use_llm=False if no_llm else None)
        if json_:
            before, now = again.before.to_record(), again.now.to_record()
            c.print_json({"before": before, "now": now, "differs": list(again.differs)})
            return
        c.out.print(f"[bold]{c.safe(again.now.message)}[/]")
        show_turn(again.now, c.out)
        c.out.print(f"differs: {', '.join(again.differs)}" if again.differs else "as it was")
        if "items" in again.differs:
            c.out.print(f"[dim]before: {c.safe(', '.join(item.title for item in again.before.items)) or 'no list'}[/]")
