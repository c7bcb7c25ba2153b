"""What lies around a node: as plain data to draw, and as one HTML file that needs nothing else (drag, zoom, hover)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined

from scenewise.store.errors import InputError
from scenewise.tools.graph.relations import describe, role_of

if TYPE_CHECKING:
    from scenewise.tools.graph.graph import KnowledgeGraph

MOST_NODES = 150
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Node:
    """A node to draw. `id` is its name in the graph ("item:42", "genre:noir"), `label` what a person reads."""

    id: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact between two nodes, by their ids. `weight` is its confidence in (0, 1], `origin` who says it."""

    source: str
    target: str
    relation: str
    weight: float
    origin: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes, the one in the middle first, with all facts among them."""

    nodes: tuple[Node, ...]
    edges: tuple[Fact, ...]


def surroundings(graph: KnowledgeGraph, node: str, *, hops: int = 2, limit: int = 40) -> Picture:
    """Take the nearest `limit` nodes around a node, of equally near ones the more telling (see view.py).

    Raises InputError for an unknown node and for a limit outside 2..150.
    """
    if node not in graph:
        raise InputError("There is no such node in the graph.")
    if not 2 <= limit <= MOST_NODES:
        raise InputError(f"A picture shows between 2 and {MOST_NODES} nodes.")
    view = graph.around(node, hops, limit=limit)
    nodes = [Node(name, view.nodes[name]["kind"], _shown(view, name)) for name in sorted(view, key=lambda name: name != node)]
    edges = [
        Fact(subject, obj, relation, data["confidence"], data["source"])
        for subject, obj, relation, data in view.edges(keys=True, data=True)
    ]
    return Picture(tuple(nodes), tuple(edges))


def draw(graph: KnowledgeGraph, node: str, *, hops: int = 2, limit: int = 40) -> str:
    """Draw what lies around a node (`surroundings`): the HTML of a page.

    The page loads nothing, and its data stand in it as JSON in which no "<" is left, so that no name can end the script. Raises
    InputError as `surroundings` does.
    """
    picture = surroundings(graph, node, hops=hops, limit=limit)
    order = {one.id: at for at, one in enumerate(picture.nodes)}
    nodes = [{"name": one.label, "kind": one.kind, "start": one.id == node} for one in picture.nodes]
    edges = [
        {
            "from": order[one.source],
            "to": order[one.target],
            "relation": one.relation.replace("_", " "),
            "source": one.origin,
            "confidence": one.weight,
        }
        for one in picture.edges
    ]
    page = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        files(__package__).joinpath("picture.jinja").read_text(encoding="utf-8")
    )
    total = graph.facts.row(graph.facts.find(node) or 0)
    told = f"{len(nodes)} of the nodes around it, {len(edges)} facts among them; it has {len(total)} facts in all"
    return page.render(title=graph.display(node), told=told, data=_safe_json({"nodes": nodes, "edges": edges}))


def _shown(view: Any, name: str) -> str:
    """The node's name, or what it is to those around it where only an identifier is known."""
    if not view.nodes[name]["named"]:
        roles = sorted({(-describe(relation).weight, role_of(relation)) for _, _, relation in view.in_edges(name, keys=True)})
        return roles[0][1] if roles else name.partition(":")[2]
    shown = str(view.nodes[name]["display"])
    return shown if len(shown) <= LONGEST_NAME else shown[: LONGEST_NAME - 1] + "…"


def _safe_json(data: object) -> str:
    """JSON that may stand inside a script element: no "<", ">", "&", and no line separators of Unicode."""
    text = json.dumps(data, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
