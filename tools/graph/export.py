"""Write the graph out: GraphML, JSON-LD, Parquet. A file is written beside its place and then put there, so it is whole or not there."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from scenewise.store.errors import InputError

if TYPE_CHECKING:
    from scenewise.tools.graph.graph import KnowledgeGraph

URN = "urn:scenewise:"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def export(graph: KnowledgeGraph, out: Path, format_: str | None = None) -> list[Path]:
    """Write the whole graph in one of `FORMATS`, told by the file's ending where it is None; return the files written.

    Parquet makes two files beside each other, STEM.nodes.parquet and STEM.edges.parquet. Raises InputError for an unknown format.
    """
    found = format_ or ENDINGS.get(out.suffix.casefold().lstrip("."), "")
    if found not in FORMATS:
        raise InputError(f"Unknown format; take one of {', '.join(FORMATS)} (--format), or a file name that ends in it.")
    out.parent.mkdir(parents=True, exist_ok=True)
    return FORMATS[found](graph, out)


def _nodes(graph: KnowledgeGraph) -> Iterator[dict[str, Any]]:
    for node in graph.facts.nodes():
        yield {"id": graph.facts.name(node), "kind": graph.facts.kind(node), "name": graph.facts.display(node)}


def _edges(graph: KnowledgeGraph) -> Iterator[dict[str, Any]]:
    facts = graph.facts
    for node in facts.nodes():
        row = facts.row(node)
        row = row.take(row.forward)
        columns = (row.other.tolist(), row.relation.tolist(), row.confidence.tolist(), row.source.tolist())
        for other, relation, confidence, source in zip(*columns, strict=True):
            yield {
                "subject": facts.name(node),
                "relation": facts.relations[relation],
                "object": facts.name(other),
                "confidence": confidence,
                "source": facts.sources[source],
            }


def _graphml(graph: KnowledgeGraph, out: Path) -> list[Path]:
    import networkx as nx

    plain = nx.MultiDiGraph()
    for node in _nodes(graph):
        plain.add_node(_xml(node["id"]), kind=_xml(node["kind"]), name=_xml(node["name"]))
    for number, edge in enumerate(_edges(graph)):
        told = {name: _xml(edge[name]) for name in ("relation", "source")}
        plain.add_edge(_xml(edge["subject"]), _xml(edge["object"]), number, confidence=edge["confidence"], **told)
    return [_put(out, lambda path: nx.write_graphml(plain, path, encoding="utf-8", named_key_ids=True))]


def _xml(text: str) -> str:
    """The text with what XML cannot hold replaced."""
    return _NOT_XML.sub("\ufffd", text)


def _jsonld(graph: KnowledgeGraph, out: Path) -> list[Path]:
    """Nodes with their names and links, then each fact as an rdf:Statement with its confidence and source."""

    def write(path: Path) -> None:
        context = {
            "@vocab": URN,
            "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
            "name": "http://www.w3.org/2000/01/rdf-schema#label",
        }
        links: dict[str, dict[str, list[dict[str, str]]]] = {}
        for edge in _edges(graph):
            far = {"@id": _iri(edge["object"])}
            held = links.setdefault(edge["subject"], {}).setdefault(quote(edge["relation"]), [])
            if far not in held[-1:]:
                held.append(far)
        with path.open("w", encoding="utf-8") as file:
            file.write(f'{{"@context": {json.dumps(context)},\n"@graph": [')
            lead = "\n"
            for part in (*_jsonld_nodes(graph, links), *_jsonld_facts(graph)):
                file.write(lead + json.dumps(part, ensure_ascii=False))
                lead = ",\n"
            file.write("\n]}\n")

    return [_put(out, write)]


def _jsonld_nodes(graph: KnowledgeGraph, links: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in _nodes(graph):
        yield {"@id": _iri(node["id"]), "@type": quote(node["kind"]), "name": node["name"], **links.get(node["id"], {})}


def _jsonld_facts(graph: KnowledgeGraph) -> Iterator[dict[str, Any]]:
    for edge in _edges(graph):
        yield {
            "@type": "rdf:Statement",
            "rdf:subject": {"@id": _iri(edge["subject"])},
            "rdf:predicate": {"@id": URN + quote(edge["relation"])},
            "rdf:object": {"@id": _iri(edge["object"])},
            "confidence": edge["confidence"],
            "source": edge["source"],
        }


def _iri(node: str) -> str:
    return URN + quote(node, safe=":")


def _parquet(graph: KnowledgeGraph, out: Path) -> list[Path]:
    import polars as pl

    stem = out.name.removesuffix(".parquet")
    tables = {"nodes": (_nodes(graph), ("id", "kind", "name")), "edges": (_edges(graph), ("subject", "relation", "object", "source"))}
    written = []
    for name, (rows, texts) in tables.items():
        schema = dict.fromkeys(texts, pl.String()) | ({"confidence": pl.Float64()} if name == "edges" else {})
        frame = pl.DataFrame(list(rows), schema=schema)
        written.append(_put(out.with_name(f"{stem}.{name}.parquet"), frame.write_parquet))
    return written


def _put(out: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a file beside `out`, then put it in its place."""
    part = out.with_name(f".{out.name}.part")
    try:
        write(part)
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return out


FORMATS: Mapping[str, Callable[[KnowledgeGraph, Path], list[Path]]] = MappingProxyType(
    {"graphml": _graphml, "jsonld": _jsonld, "parquet": _parquet}
)
ENDINGS = MappingProxyType({"graphml": "graphml", "xml": "graphml", "jsonld": "jsonld", "json": "jsonld", "parquet": "parquet"})
