"""`scenewise graph build`, `merges`, `unmerge`: read items' texts into the graph, and join the names that mean the same."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.store.errors import InputError

if TYPE_CHECKING:
    from scenewise.store.store import Store
    from scenewise.tools.retrieval.encoders import Encoders

app = typer.Typer(no_args_is_help=True, help="The knowledge graph.")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
StoreOption = Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")]


class Source(StrEnum):
    """Whose texts are read."""

    items = "items"


class Reading(StrEnum):
    """Who reads."""

    spans = "spans"
    choose = "choose"
    write = "write"


@app.command()
def build(
    store: StoreOption = None,
    source: Annotated[Source, typer.Option("--source", help="Whose texts are read.")] = Source.items,
    reading: Annotated[
        Reading,
        typer.Option("--reading", help="spans: a trained classifier; choose: the LLM confirms its spans; write: the LLM writes."),
    ] = Reading.spans,
    model: Annotated[str | None, typer.Option("--model", help="The name of the LLM on the server; default: what it serves.")] = None,
    llm_weight: Annotated[float, typer.Option("--llm-weight", min=0.0, max=10.0, help="choose: how much the LLM's word counts.")] = 0.0,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Read at most so many texts.")] = None,
    merge: Annotated[bool, typer.Option("--merge/--no-merge", help="Join names that mean the same at the end.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many texts would be read.")] = False,
    json_: Json = False,
) -> None:
    """Read new and changed texts into the graph. Stopped at any point, the same command goes on where it was."""
    from scenewise.agent.graph_reader import make_extractor
    from scenewise.store.store import Store
    from scenewise.tools.graph.extraction.run import build_from_texts
    from scenewise.tools.graph.schema import store_schema
    from scenewise.tools.retrieval.encoders import default_encoders

    with c.clear_errors(json_):
        settings = load_settings(store=store, llm_model=model)
        encoders = default_encoders(settings.encoder)
        with Store.open(settings.store_path, read_only=dry_run, purpose="graph build") as opened:
            schema = store_schema(opened.path)
            cache = opened.path / "cache" / "graph"
            extractor = make_extractor(reading.value, schema, encoders.english, settings, weight=llm_weight, cache=cache)
            with c.progress_bar(f"reading {source.value}") as progress:
                result = build_from_texts(opened, extractor, schema, limit=limit, dry_run=dry_run, report=progress)
            merged = _merge(opened, encoders) if merge and not dry_run else 0
        data = asdict(result) | {"refused": dict(result.refused), "errors": dict(result.errors), "merged": merged, "dry_run": dry_run}
        if json_:
            c.print_json(data)
            return
        verb = "would be read" if dry_run else f"to read: {result.read} read, {result.failed} failed"
        c.out.print(f"{result.to_read} texts {verb}  [dim]{c.safe(result.source)}[/]")
        if not dry_run:
            c.out.print(f"edges: {result.new} new, {result.kept} as before, {result.closed} closed; {merged} names merged")
            c.out.print(f"[dim]refused: {dict(result.refused) or 'none'}; failed: {dict(result.errors) or 'none'}[/]")
            c.out.print(f"[dim]{result.tokens_in} tokens in, {result.tokens_out} out, {result.seconds:.1f} s[/]")


def _merge(store: Store, encoders: Encoders) -> int:
    import time

    from scenewise.tools.graph.resolution import resolve_names

    decided = {one.node for one in store.merges.all()}
    nodes = [edge.object for edge in store.edges.all() if edge.source.startswith("text:") and edge.valid_to_s is None]
    found = resolve_names((node for node in nodes if node not in decided), encoders, now_s=time.time())
    store.merges.add(found)
    return len(found)


@app.command()
def merges(store: StoreOption = None, json_: Json = False) -> None:
    """List the names that were taken for one."""
    from scenewise.store.store import Store

    with c.clear_errors(json_), Store.open(load_settings(store=store).store_path, read_only=True) as opened:
        found = [one for one in opened.merges.all() if one.node != one.into]
    if json_:
        c.print_json([asdict(one) for one in found])
        return
    for one in found:
        c.out.print(f"{c.safe(one.node)} -> {c.safe(one.into)}  [dim]{one.decided_by} {one.score:.2f}[/]")


@app.command()
def unmerge(
    node: Annotated[str, typer.Argument(help='The name that stands for itself again, as "type:name".')],
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Undo a merge; later builds leave the name alone."""
    from scenewise.store.store import Store

    with c.clear_errors(json_):
        if ":" not in node:
            raise InputError('a node is written "type:name", as `scenewise graph merges` shows it')
        with Store.open(load_settings(store=store).store_path, purpose="graph unmerge") as opened:
            opened.merges.undo(node)
        if json_:
            c.print_json({"unmerged": node})
        else:
            c.out.print(f"{c.safe(node)} stands for itself")
