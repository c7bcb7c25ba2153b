"""How true the edges are that are read out of texts: precision and recall against edges labelled by hand (eval/graph)."""

from __future__ import annotations

import gzip
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from scenewise.store.errors import InputError, NotFound
from scenewise.tools.graph.extraction.claims import Extraction, Extractor, Text, normalise, prove
from scenewise.tools.graph.schema import Schema

BATCH = 10


class Label(BaseModel):
    """One edge of one text as a person judged it; `values` are the wordings of it that count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text_id: str
    half: Literal["dev", "final"]
    relation: str
    values: tuple[str, ...]
    verdict: bool


def read_labels(path: Path) -> list[Label]:
    """Read JSON lines; InputError where one is no label."""
    try:
        return [Label.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (ValidationError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} holds a line that is no label: see eval/graph/README.md") from error


def read_texts(folder: Path) -> tuple[str, dict[str, str]]:
    """Read the texts of movies/redial-kg or shopping/retail-demo: the domain of the items, and text by id. Raises NotFound."""
    plots, products = folder / "id2info.json.gz", folder / "products.yaml.gz"
    if plots.is_file():
        table = json.loads(gzip.decompress(plots.read_bytes()))
        return "movies", {str(key): str(row["plot"]) for key, row in table.items() if row.get("plot")}
    if products.is_file():
        return "products", _read_products(gzip.decompress(products.read_bytes()).decode("utf-8"))
    raise NotFound("There is no id2info.json.gz (plots) or products.yaml.gz (products) in this folder.")


def _read_products(text: str) -> dict[str, str]:
    """Take id and description out of the YAML list; it knows plain and quoted scalars over several lines, no more."""
    found = {}
    for block in re.split(r"^- ", text, flags=re.MULTILINE):
        fields = dict(re.findall(r"^(?:  )?(\w+): ?(.*(?:\n {4,}.*|\n(?=\n* {4}))*)", block, flags=re.MULTILINE))
        if "id" in fields and fields.get("description"):
            found[fields["id"].strip()] = _scalar(fields["description"])
    return found


def _scalar(written: str) -> str:
    joined = " ".join(re.sub(r"\\\n\s*\\? ?", "", written).split())
    if joined[:1] == '"':
        return str(json.loads(re.sub(r"\\x(..)", r"\\u00\1", joined).replace("\\ ", " ")))
    return joined[1:-1].replace("''", "'") if joined[:1] == "'" else joined


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson 1927).

    >>> [round(bound, 3) for bound in wilson(90, 100)]
    [0.826, 0.945]
    """
    if n == 0:
        return 0.0, 1.0
    z, p = 1.959964, hits / n
    middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - spread) / (1 + z * z / n)), min(1.0, (middle + spread) / (1 + z * z / n))


def measure(
    extractor: Extractor,
    schema: Schema,
    texts: Mapping[str, str],
    domain: str,
    labels: list[Label],
    *,
    report: Callable[[int, int | None], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Read every labelled text and hold the edges that are proved against the labels, by half.

    Precision counts an edge without a label as wrong and says how many there were. NotFound where a text is missing.
    """
    ids = list(dict.fromkeys(label.text_id for label in labels))
    if missing := [text_id for text_id in ids if text_id not in texts]:
        raise NotFound(f"{len(missing)} labelled texts are not in the data")
    whole = [Text(f"item:{text_id}", domain, texts[text_id]) for text_id in ids]
    found: list[Extraction] = []
    for start in range(0, len(whole), BATCH):
        found += extractor.extract(whole[start : start + BATCH])
        report(len(found), len(whole))
    refused: Counter[str] = Counter()
    edges, literal = [], 0
    for text_id, text, extraction in zip(ids, whole, found, strict=True):
        kept, why = prove(extraction.claims, text, schema)
        refused.update(why)
        literal += sum(claim.evidence in normalise(text.words) for claim in kept)
        edges += [(text_id, claim.relation, claim.value.casefold()) for claim in kept]
    return {
        "extractor": extractor.name,
        "edges": len(edges),
        "evidence_in_text": literal / len(edges) if edges else None,
        "refused": dict(refused),
        "failed_texts": sum(bool(one.error) for one in found),
        "tokens_in": sum(one.tokens_in for one in found),
        "tokens_out": sum(one.tokens_out for one in found),
        "halves": {half: _score(edges, [label for label in labels if label.half == half]) for half in ("dev", "final")},
    }


def _score(edges: list[tuple[str, str, str]], labels: list[Label]) -> dict[str, Any]:
    ids = {label.text_id for label in labels}
    mine = [edge for edge in edges if edge[0] in ids]
    told = {(label.text_id, label.relation, value): label.verdict for label in labels for value in label.values}
    hits = sum(told.get(edge, False) for edge in mine)
    true = [label for label in labels if label.verdict]
    here = set(mine)
    reached = sum(any((label.text_id, label.relation, value) in here for value in label.values) for label in true)
    by_relation = {
        name: [sum(told.get(edge, False) for edge in mine if edge[1] == name), sum(edge[1] == name for edge in mine)]
        for name in sorted({edge[1] for edge in mine})
    }
    return {
        "texts": len(ids),
        "edges": len(mine),
        "true": hits,
        "unlabelled": sum(edge not in told for edge in mine),
        "precision": round(hits / len(mine), 4) if mine else None,
        "precision_95": [round(bound, 4) for bound in wilson(hits, len(mine))],
        "recall": round(reached / len(true), 4) if true else None,
        "labelled_true": len(true),
        "by_relation_true_of": by_relation,
    }
