"""`scenewise graph`: ask the knowledge graph, show what lies around a thing, find paths and bridges, count, export."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.store.errors import InputError, NotFound
from scenewise.store.store import Store
from scenewise.store.types import Event, ItemId, Profile, UserId

if TYPE_CHECKING:
    from scenewise.tools.graph import GraphPath, KnowledgeGraph

app = typer.Typer(no_args_is_help=True, help="The knowledge graph: ask, show, path, bridge, stats, export.")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
StoreOption = Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Facts as they held on this date (2026-05-01 or 2026-05-01T18:30, UTC).")]
UserOption = Annotated[str | None, typer.Option("--user", help="Whose likes count.")]
Locale = Annotated[str, typer.Option("--locale", help="Language of the reasons: en or zh.")]
Count = Annotated[int, typer.Option("-k", "--count", min=1, max=1000, help="How many.")]
_GAVE_UP = "Take its id (scenewise items WORDS), its title, or a node such as genre:noir."


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help='Such as "films by the director of Heat that fit a date night".')],
    user: UserOption = None,
    k: Count = 20,
    as_of: AsOf = None,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Answer a question in words: a kind of items, and what they must be joined to."""
    from scenewise.tools.graph.patterns import find, matched
    from scenewise.tools.graph.reading import describe_pattern, read_question

    with c.clear_errors(json_), _open(store) as opened:
        graph = _graph(opened, as_of)
        pattern = read_question(graph, question)
        history, profile = _user(opened, user)
        start = {node: 1.0 for part in (pattern, *pattern.also) for node in (part.start, part.scene) if node is not None}
        seeds = graph.seeds_from(history, profile) or start
        ways = {found.item_id: found for found in find(graph, pattern)}
        seen = frozenset(event.item_id for event in history)
        ranked = graph.candidates(seeds, k, allowed=matched(graph, pattern), exclude=seen)
        order = [row.item_id for row in ranked]
        order += [item_id for item_id in ways if item_id not in {*order, *seen}]  # what no walk reaches, and what the walk began at
        rows = [_item(graph, item_id) | {"nodes": ways[item_id].nodes, "relations": ways[item_id].relations} for item_id in order[:k]]
        understood = describe_pattern(graph, pattern)
        if json_:
            c.print_json({"question": question, "understood": understood, "found": len(ways), "items": rows})
            return
        c.out.print(f"[dim]{c.safe(understood)}; {len(ways)} found[/]")
        _print_items(rows, [_way(graph, row["nodes"], row["relations"]) for row in rows], "connected by")


@app.command()
def show(
    thing: Annotated[str, typer.Argument(help="An item's id or title, or a node such as genre:noir.")],
    html: Annotated[Path | None, typer.Option("--html", help="Draw what is around it into this file: one page that opens offline.")] = None,
    hops: Annotated[int, typer.Option("--hops", min=1, max=4, help="How far the picture reaches.")] = 2,
    limit: Annotated[int, typer.Option("--limit", min=2, max=150, help="How many nodes the picture shows at most.")] = 40,
    as_of: AsOf = None,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Show what is known of a thing, with sources; --html draws it."""
    from scenewise.tools.graph.picture import draw

    with c.clear_errors(json_), _open(store) as opened:
        graph = _graph(opened, as_of)
        node = _node(graph, thing)
        if html is not None:
            html.parent.mkdir(parents=True, exist_ok=True)
            html.write_text(draw(graph, node, hops=hops, limit=limit), encoding="utf-8")
        rows = _facts(graph, node)
        if json_:
            c.print_json({"node": node, "name": graph.display(node), "facts": rows, "html": str(html) if html is not None else None})
            return
        c.out.print(f"[bold]{c.safe(graph.display(node))}[/]  [dim]{c.safe(node)}[/]")
        table = Table("relation", "", "name", "node", "confidence", "source", box=None, header_style="dim")
        for row in rows[:200]:
            arrow = "->" if row["forward"] else "<-"
            cells = (row["relation"], arrow, row["name"], row["node"], f"{row['confidence']:.2f}", row["source"])
            table.add_row(*(Text(c.plain(cell)) for cell in cells))
        c.out.print(table)
        if len(rows) > 200:
            c.out.print(f"[dim]and {len(rows) - 200} more; --json shows all[/]")
        if html is not None:
            c.out.print(f"the picture: {c.safe(str(html))}")


@app.command()
def path(
    item: Annotated[str, typer.Argument(help="The item to be reached: its id or title.")],
    from_: Annotated[list[str] | None, typer.Option("--from", help="A liked item, as often as needed.")] = None,
    user: UserOption = None,
    scene: Annotated[str | None, typer.Option("--scene", help="A scene that it should fit.")] = None,
    locale: Locale = "en",
    as_of: AsOf = None,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Find readable ways from a user, liked items and a scene to an item, the strongest first."""
    from scenewise.tools.graph.reasons import reasons_for

    with c.clear_errors(json_), _open(store) as opened:
        if not (from_ or user or scene):
            raise InputError("A path starts somewhere: give --from ITEM, --user or --scene.")
        graph = _graph(opened, as_of)
        target = ItemId(_node(graph, item, items_only=True).removeprefix("item:"))
        history, profile = _user(opened, user)
        liked = [ItemId(_node(graph, one, items_only=True).removeprefix("item:")) for one in from_ or ()]
        history += [Event(UserId(user or "you"), one, "like", None, 1e12) for one in reversed(liked)]
        if scene is not None and graph.resolve("scene", scene) is None:
            raise NotFound("There is no such scene in the graph; `scenewise scenes` lists them.")
        ways = reasons_for(graph, target, history=history, profile=profile, scene=scene, locale=locale)
        if json_:
            c.print_json([_plain_path(way) for way in ways])
            return
        if not ways:
            c.out.print("no readable path")
        for way in ways:
            c.out.print(
                f"[bold]{way.strength:.2f}[/]  {c.safe(way.sentence)}\n      [dim]{c.safe(_way(graph, way.nodes, way.relations))}[/]"
            )


@app.command()
def bridge(
    items: Annotated[list[str], typer.Argument(help="Liked items, by id or title.")],
    to: Annotated[
        list[str] | None, typer.Option("--to", help="Domains to reach, as often as needed; all others where it is left out.")
    ] = None,
    k: Count = 3,
    locale: Locale = "en",
    as_of: AsOf = None,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Cross from liked items into other domains: what is reached there, and how."""
    from scenewise.tools.graph.reasons import bridges

    with c.clear_errors(json_), _open(store) as opened:
        graph = _graph(opened, as_of)
        liked = [ItemId(_node(graph, one, items_only=True).removeprefix("item:")) for one in items]
        found = bridges(graph, liked, to or (), k, locale=locale)
        rows = [_item(graph, one.item_id) | _plain_path(one.path) for part in found.values() for one in part]
        if json_:
            c.print_json(rows)
        elif rows:
            _print_items(rows, [row["sentence"] for row in rows], "it is")
        else:
            c.out.print("no item of another kind is reached by a readable path")


@app.command()
def stats(as_of: AsOf = None, store: StoreOption = None, json_: Json = False) -> None:
    """Count nodes by kind, facts by relation and by source."""
    import numpy as np

    with c.clear_errors(json_), _open(store) as opened:
        graph = _graph(opened, as_of)
        _, row = graph.facts.visible()
        row = row.take(row.forward)
        kinds: dict[str, int] = {}
        for node in graph.facts.nodes():
            kinds[graph.facts.kind(node)] = kinds.get(graph.facts.kind(node), 0) + 1
        relations = np.bincount(row.relation, minlength=len(graph.facts.relations)).tolist()
        sources = np.bincount(row.source, minlength=len(graph.facts.sources)).tolist()
        report = {
            "nodes": graph.n_nodes,
            "facts": graph.n_edges,
            "kinds": _counted(kinds),
            "relations": _counted(dict(zip(graph.facts.relations, relations, strict=True))),
            "sources": _counted(dict(zip(graph.facts.sources, sources, strict=True))),
        }
        if json_:
            c.print_json(report)
            return
        c.out.print(f"{graph.n_nodes:,} nodes, {graph.n_edges:,} facts")
        for name in ("kinds", "relations", "sources"):
            c.out.print(f"[bold]{name}[/]  " + ", ".join(f"{c.safe(key)} {n:,}" for key, n in report[name].items()))  # type: ignore[attr-defined]


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="The file; its ending tells the format.")],
    format_: Annotated[str | None, typer.Option("--format", help="graphml, jsonld or parquet.")] = None,
    as_of: AsOf = None,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Write the whole graph as GraphML, JSON-LD or Parquet (two files: nodes and edges)."""
    from scenewise.tools.graph.export import export as write

    with c.clear_errors(json_), _open(store) as opened:
        graph = _graph(opened, as_of)
        written = [str(one) for one in write(graph, out, format_)]
        if json_:
            c.print_json({"files": written, "nodes": graph.n_nodes, "facts": graph.n_edges})
        else:
            c.out.print(f"{graph.n_nodes:,} nodes and {graph.n_edges:,} facts: {c.safe(', '.join(written))}")


def _open(store: Path | None) -> Store:
    return Store.open(load_settings(store=store).store_path, read_only=True)


def _graph(store: Store, as_of: str | None) -> KnowledgeGraph:
    from scenewise.tools.catalogue.catalogue import Catalogue
    from scenewise.tools.collaborative.scenes import SceneReader
    from scenewise.tools.graph import KnowledgeGraph
    from scenewise.tools.retrieval.encoders import default_encoders
    from scenewise.tools.scene.pack import read_pack
    from scenewise.tools.scene.recogniser import SceneRecogniser

    as_of_s = None if as_of is None else _read_date(as_of)
    pack = read_pack(store.scenes_path)
    recogniser = SceneRecogniser(pack, default_encoders(load_settings().encoder), folder=SceneRecogniser.folder_of(store.path))
    return KnowledgeGraph.from_store(store, Catalogue.from_store(store), pack, scene_of=SceneReader(recogniser).scene_of, as_of_s=as_of_s)


def _read_date(text: str) -> float:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise InputError("--as-of is read as 2026-05-01 or 2026-05-01T18:30") from error


def _user(store: Store, user: str | None) -> tuple[list[Event], Profile]:
    user_id = UserId(user or "nobody")
    return (store.events.of_user(user_id), store.profiles.get(user_id)) if user else ([], Profile(user_id))


def _node(graph: KnowledgeGraph, thing: str, *, items_only: bool = False) -> str:
    """The node that is meant: an item by id or title, a node by its name, a thing by its name alone."""
    if f"item:{thing}" in graph:
        return f"item:{thing}"
    if thing in graph and (not items_only or thing.startswith("item:")):
        return thing
    titles = graph.catalogue.look_up(thing, 1)
    if titles and titles[0][1] >= 0.9:
        return f"item:{titles[0][0]}"
    kind, colon, value = thing.partition(":")
    node = None if items_only else graph.resolve(kind, value) if colon else graph.resolve(None, thing)
    if node is None and titles:
        node = f"item:{titles[0][0]}"
    if node is None:
        raise NotFound(f"There is no such thing in the graph. {_GAVE_UP}")
    return node


def _item(graph: KnowledgeGraph, item_id: ItemId) -> dict[str, Any]:
    item = graph.catalogue.items[graph.catalogue.row(item_id) or 0]
    return {"item_id": item.item_id, "title": item.title, "domain": item.domain, "year": item.year}


def _facts(graph: KnowledgeGraph, node: str) -> list[dict[str, Any]]:
    facts, number = graph.facts, graph.facts.find(node) or 0
    row = facts.row(number)
    columns = (row.relation, row.other, row.confidence, row.source, row.forward)
    return [
        {
            "relation": facts.relations[relation],
            "node": facts.name(other),
            "name": facts.display(other),
            "confidence": confidence,
            "source": facts.sources[source],
            "forward": forward,
        }
        for relation, other, confidence, source, forward in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _plain_path(way: GraphPath) -> dict[str, Any]:
    return {"sentence": way.sentence, "strength": round(way.strength, 4), "nodes": way.nodes, "relations": way.relations}


def _way(graph: KnowledgeGraph, nodes: tuple[str, ...], relations: tuple[str, ...]) -> str:
    """A path in names: "Heat - directed by - Michael Mann - directed by - The Insider"."""
    names = [graph.display(node) if node in graph else node for node in nodes]
    parts = [name for pair in zip(names, (relation.replace("_", " ") for relation in relations), strict=False) for name in pair]
    return " - ".join([*parts, names[-1]]) if relations else ""


def _print_items(rows: list[dict[str, Any]], told: list[str], heading: str) -> None:
    table = Table("id", "domain", "title", "year", heading, box=None, header_style="dim")
    for row, words in zip(rows, told, strict=True):
        cells = (row["item_id"], row["domain"], row["title"], str(row["year"] or ""), words)
        table.add_row(*(Text(c.plain(cell)) for cell in cells))
    c.out.print(table)


def _counted(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(((name, n) for name, n in counts.items() if n), key=lambda pair: (-pair[1], pair[0])))
