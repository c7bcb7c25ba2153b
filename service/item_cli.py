"""`scenewise item`: put, delete and show single items, also while an agent has the store open."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.store.errors import InputError, NotFound
from scenewise.store.item_json import item_json, read_items
from scenewise.store.store import Store
from scenewise.store.types import Edge, Item, ItemId

app = typer.Typer(no_args_is_help=True, help="Put, delete and show single items; a running agent knows them at its next turn.")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
StoreOption = Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")]


def _beside(store: Path | None) -> Store:
    return Store.open(load_settings(store=store).store_path, beside=True, purpose="item")


@app.command()
def put(
    file: Annotated[str, typer.Argument(help="A file with an item as a JSON object, a list of them, or one a line; - for standard input.")],
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Add items, and replace those whose id is there. All or none are kept."""
    with c.clear_errors(json_):
        try:
            found = read_items(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
        except FileNotFoundError as error:
            raise NotFound("there is no such file; - reads standard input") from error
        with _beside(store) as opened:
            changed = opened.items.upsert(found)
        _report({"written": changed, "unchanged": len(found) - changed}, json_)


@app.command()
def delete(
    item_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The items' ids.")],
    forget: Annotated[bool, typer.Option("--forget", help="Keep neither what they were nor their facts.")] = False,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Delete items with their events; their facts end now. Exit code 3 where one is not there: then nothing is deleted."""
    with c.clear_errors(json_), _beside(store) as opened:
        ids = [ItemId(item_id) for item_id in item_ids]
        with opened.transaction():
            known = opened.items.known(ids)
            if len(known) < len(set(ids)) and not forget:
                raise NotFound(f"{len(set(ids)) - len(known)} of these ids are not in the store: nothing was deleted")
            deleted = opened.items.delete(ids, forget=forget)
        _report({"deleted": deleted}, json_)


@app.command()
def show(
    item_id: Annotated[str, typer.Argument(metavar="ID", help="The item's id.")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="As it was then: 2026-05-01 or 2026-05-01T18:30, local time.")] = None,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Show an item and the facts about it, with who says so and since when."""
    with c.clear_errors(json_), Store.open(load_settings(store=store).store_path, read_only=True) as opened:
        at_s = None if as_of is None else _read_time(as_of)
        item, node = opened.items.get(ItemId(item_id), at_s), f"item:{item_id}"
        facts = opened.edges.holding_at([node], at_s)
        now_s = time.time() if at_s is None else at_s
        past = [edge for edge in opened.edges.of(node) if edge.valid_to_s is not None and edge.valid_to_s <= now_s]
        if json_:
            c.print_json(item_json(item) | {"facts": [asdict(edge) for edge in facts], "past_facts": [asdict(edge) for edge in past]})
        else:
            _print(item, facts, past)


def _print(item: Item, facts: list[Edge], past: list[Edge]) -> None:
    c.out.print(f"[bold]{c.safe(item.title)}[/]  {c.safe(item.domain)}  [dim]{c.safe(item.item_id)}[/]")
    if item.text:
        c.out.print(c.safe(item.text))
    known = {name: value for name, value in item_json(item).items() if name in ("year", "duration_min", "price_cents", "currency")}
    shown = {name: str(value) for name, value in known.items() if value is not None} | {
        name: ", ".join(values) for name, values in item.attributes.items()
    }
    for name, value in shown.items():
        c.out.print(f"  {c.safe(name)}: {c.safe(value)}")
    if not item.available:
        c.out.print("  not available")
    for edge, mark in [*((edge, "") for edge in facts), *((edge, "[dim]was[/] ") for edge in past)]:
        fact = f"{edge.subject} {edge.relation} {edge.object}"
        c.out.print(f"  {mark}{c.safe(fact)}  [dim]{c.safe(edge.source)} {edge.confidence:.0%}{_span(edge)}[/]")


def _span(edge: Edge) -> str:
    begin = "" if edge.valid_from_s is None else f" from {_date(edge.valid_from_s)}"
    return begin + ("" if edge.valid_to_s is None else f" to {_date(edge.valid_to_s)}")


def _date(time_s: float) -> str:
    try:
        return datetime.fromtimestamp(time_s).isoformat(sep=" ", timespec="minutes")
    except (ValueError, OverflowError, OSError):
        return f"{time_s:g} s"


def _read_time(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError) as error:
        raise InputError("--as-of is read as 2026-05-01 or 2026-05-01T18:30") from error


def _report(counts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        c.print_json(counts)
    else:
        c.out.print("  ".join(f"{name} {value}" for name, value in counts.items()))
