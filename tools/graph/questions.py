"""Answer "what is connected with X": find the thing meant, then the items around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import ItemId
from scenewise.tools.graph.build import item_node
from scenewise.tools.graph.relations import describe

if TYPE_CHECKING:
    from scenewise.tools.graph.graph import KnowledgeGraph

SURE_TITLE = 0.8
"""Least score (0..1) of the catalogue's look-up at which a title is taken as meant."""


@dataclass(frozen=True, slots=True)
class Question:
    """`kind` and `value` name a thing ("genre", "noir"); `title` names an item; `relation` narrows to one kind of connection."""

    kind: str | None = None
    value: str | None = None
    title: str | None = None
    relation: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """`nodes` are the things meant (empty: not found), `connected` bool (n_items,) the items joined to any of them."""

    nodes: tuple[str, ...]
    connected: NDArray[np.bool_]


def answer(graph: KnowledgeGraph, question: Question) -> Answer:
    """Find the named thing and the items joined to it; for a title, those that share a node (by `relation`, if any) with it."""
    connected = np.zeros(graph.catalogue.n, dtype=np.bool_)
    node = graph.resolve(question.kind, question.value) if question.value and not question.title else None
    # A value of no kind that names nothing may be a title: that is how people, and small models, ask.
    title = question.title or (question.value if node is None and question.kind is None else None)
    if title:
        found = graph.catalogue.look_up(title, 1)
        if not found or found[0][1] < SURE_TITLE:
            return Answer((), connected)
        return _around_item(graph, found[0][0], question.relation, connected)
    if node is None:
        return Answer((), connected)
    _mark(graph, node, question.relation, connected)
    return Answer((node,), connected)


def _around_item(graph: KnowledgeGraph, item_id: ItemId, relation: str | None, connected: NDArray[np.bool_]) -> Answer:
    start = item_node(item_id)
    for rel, node, _ in graph.neighbours(start, relation):
        if node.startswith("item:"):
            _set(graph, node, connected)
        elif relation is not None or describe(rel).weight >= describe("in_genre").weight:
            # Without a relation only telling ones count: everything shares a decade or a language with something.
            _mark(graph, node, rel, connected)
    row = graph.catalogue.row(item_id)
    if row is not None:
        connected[row] = False
    return Answer((start,), connected)


def _mark(graph: KnowledgeGraph, node: str, relation: str | None, connected: NDArray[np.bool_]) -> None:
    for _, other, _ in graph.neighbours(node, relation):
        _set(graph, other, connected)


def _set(graph: KnowledgeGraph, node: str, connected: NDArray[np.bool_]) -> None:
    row = graph.catalogue.row(ItemId(node.removeprefix("item:"))) if node.startswith("item:") else None
    if row is not None:
        connected[row] = True
