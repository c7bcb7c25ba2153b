"""Build the graph: items' own data first, then the store's facts, then the scenes. No LLM takes part.

Every edge runs from the thing to what is said of it, is keyed by its relation, and carries `confidence` in [0, 1].
Nodes are "type:key" with `kind`, `display` and `named` (False where only an identifier is known).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import networkx as nx

from scenewise.store.types import Edge, Item
from scenewise.tools.graph.aliases import Aliases
from scenewise.tools.graph.relations import relation_of

NAMELESS = frozenset({"entity"})
"""Node types whose keys are identifiers, not names."""


class Scene(Protocol):
    """What the graph needs to know of a scene."""

    @property
    def name(self) -> str: ...
    @property
    def domains(self) -> Mapping[str, float]: ...
    @property
    def prefer(self) -> Mapping[str, tuple[str, ...]]: ...


@dataclass
class _Draft:
    """The graph under construction; display names are settled at the end by majority."""

    aliases: Aliases
    graph: Any = field(default_factory=lambda: nx.MultiDiGraph())
    names: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def name(self, kind: str, value: str) -> str:
        return f"{kind}:{self.aliases.canonical(kind, value)}"

    def node(self, kind: str, value: str) -> str:
        """Name the node and count this way of writing it."""
        name = self.name(kind, value)
        key, shown = name.partition(":")[2], " ".join(value.split())
        self.names[name][shown if shown.casefold() == key else key] += 1
        return name

    def link(self, subject: str, relation: str, obj: str, *, confidence: float = 1.0) -> None:
        known = self.graph.get_edge_data(subject, obj, relation)
        if known is None or known["confidence"] < confidence:
            self.graph.add_edge(subject, obj, relation, confidence=confidence)

    def settle(self) -> None:
        for name, data in self.graph.nodes(data=True):
            kind, _, key = name.partition(":")
            data.setdefault("kind", kind)
            data.setdefault("named", kind not in NAMELESS)
            if "display" not in data:
                shown = self.names.get(name)
                data["display"] = min(shown, key=lambda s: (-shown[s], s)) if shown else key


def item_node(item_id: str) -> str:
    """Name an item's node; ids are kept as they are, since they are compared exactly."""
    return f"item:{item_id}"


def _split(node: str) -> tuple[str, str]:
    kind, colon, key = node.partition(":")
    return (kind.casefold(), key) if colon else ("thing", node)


def _add_item(draft: _Draft, item: Item) -> None:
    node = item_node(item.item_id)
    draft.graph.add_node(node, kind="item", display=item.title, named=True)
    draft.link(node, "in_domain", draft.node("domain", item.domain))
    if item.year is not None:
        draft.link(node, "from_decade", draft.node("decade", f"{item.year // 10 * 10}s"))
    for attribute, values in item.attributes.items():
        for value in values:
            if value.strip():
                draft.link(node, relation_of(attribute), draft.node(attribute.casefold(), value))


def _end(draft: _Draft, node: str, known: frozenset[str]) -> str | None:
    """Give the graph's name of one end of a stored edge; None for an item that the catalogue lacks."""
    kind, key = _split(node)
    if kind == "item":
        return node if node in known else None
    return node if kind in NAMELESS else draft.node(kind, key)


def _add_edges(draft: _Draft, edges: Iterable[Edge], known: frozenset[str]) -> None:
    for edge in edges:
        subject, obj = _end(draft, edge.subject, known), _end(draft, edge.object, known)
        if subject is not None and obj is not None and subject != obj and edge.confidence > 0:
            draft.link(subject, edge.relation, obj, confidence=min(1.0, edge.confidence))


def _drop_lonely_entities(draft: _Draft) -> None:
    """A nameless node that touches fewer than two items joins nothing and cannot be shown: it only costs memory."""
    graph = draft.graph
    lonely = []
    for node in graph.nodes:
        if _split(node)[0] in NAMELESS:
            around = {*graph.predecessors(node), *graph.successors(node)}
            if sum(other.startswith("item:") for other in around) < 2:
                lonely.append(node)
    graph.remove_nodes_from(lonely)


def _add_related(draft: _Draft) -> None:
    for left, right in draft.aliases.related:
        if left in draft.graph and right in draft.graph:
            draft.link(left, "related_to", right)


def _add_scene(draft: _Draft, scene: Scene) -> None:
    """Scenes point only at what exists: a preferred mood that no item has would be a dead end."""
    name = draft.node("scene", scene.name)
    draft.graph.add_node(name)
    for domain, weight in scene.domains.items():
        target = draft.name("domain", domain)
        if target in draft.graph and weight > 0:
            draft.link(name, "suits", target, confidence=min(1.0, weight))
    for attribute, values in scene.prefer.items():
        for value in values:
            target = draft.name(attribute.casefold(), value)
            if target in draft.graph:
                draft.link(name, "prefers", target)


def build_graph(items: Sequence[Item], edges: Iterable[Edge], scenes: Sequence[Scene], *, aliases: Aliases) -> Any:
    """Build the networkx.MultiDiGraph of the catalogue's items, the store's edges and the scenes.

    Edges that touch an item outside `items`, or with confidence 0, are left out; so are nameless entities with fewer than two
    items.
    """
    draft = _Draft(aliases)
    for item in items:
        _add_item(draft, item)
    _add_edges(draft, edges, frozenset(item_node(item.item_id) for item in items))
    _drop_lonely_entities(draft)
    _add_related(draft)
    for scene in scenes:
        _add_scene(draft, scene)
    draft.settle()
    return draft.graph
