"""A store of this product as a data set."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from scenewise.eval.data.assemble import Graph, join_graph
from scenewise.eval.dataset import Dataset
from scenewise.store.store import Store
from scenewise.tools.catalogue.catalogue import Catalogue

_ITEM = "item:"


def fits(path: Path) -> bool:
    """Whether the folder is a store."""
    return (path / "store.sqlite").is_file()


def read(path: Path) -> Dataset:
    """Read it without writing: all items, also those without events; the edges as triples, an item's entity being its node."""
    with Store.open(path, read_only=True) as store:
        arrays, catalogue = store.events.arrays(), Catalogue.from_store(store)
        edges = [(edge.subject, edge.relation, edge.object) for edge in store.edges.all()]
    graph = None
    if edges:
        triples = pl.DataFrame(edges, schema=dict.fromkeys(("head", "relation", "tail"), pl.String), orient="row")
        graph = join_graph(Graph(triples, {one: f"{_ITEM}{one}" for one in arrays.item_ids}), arrays.item_ids)
    return Dataset(path.name, arrays, catalogue, graph=graph)
