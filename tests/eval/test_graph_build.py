"""Edges read out of texts against labels: precision, recall and what is not labelled, counted by hand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from scenewise.eval.graph_build import Label, measure, read_labels, read_texts
from scenewise.store.errors import InputError, NotFound
from scenewise.tools.graph.extraction.claims import Claim, Extraction, Text
from scenewise.tools.graph.schema import load_schema

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {"a": "A red and blue hat of wool.", "b": "A green cap."}


class EveryWord:
    """Claims that red, blue and green are colours, wool is one too, and purple, which stands nowhere."""

    name = "words@1"

    def extract(self, texts: Sequence[Text]) -> list[Extraction]:
        said = ("red", "blue", "green", "wool", "purple")
        return [
            Extraction(tuple(Claim("has_color", "color", w, w, 1.0) for w in said if w in t.words or w == "purple"), 4, 2) for t in texts
        ]


def label(text_id: str, relation: str, *values: str, half: str = "dev", verdict: bool = True) -> Label:
    return Label.model_validate({"text_id": text_id, "half": half, "relation": relation, "values": values, "verdict": verdict})


def test_figures_are_those_counted_by_hand() -> None:
    labels = [
        label("a", "has_color", "red", "bright red"),
        label("a", "has_material", "wool"),
        label("a", "has_color", "wool", verdict=False),
        label("b", "has_color", "green", half="final"),
    ]
    result = measure(EveryWord(), load_schema(), TEXTS, "products", labels)
    dev, final = result["halves"]["dev"], result["halves"]["final"]
    assert (dev["edges"], dev["true"], dev["unlabelled"], dev["precision"], dev["recall"]) == (3, 1, 1, 0.3333, 0.5)
    assert (final["edges"], final["precision"], final["recall"]) == (1, 1.0, 1.0)
    assert result["evidence_in_text"] == 1.0
    assert result["refused"] == {"not in the text": 2}
    assert (result["tokens_in"], result["tokens_out"]) == (8, 4)


def test_texts_are_read_and_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_texts(tmp_path)
    yaml = "- id: x1\n  name: A\n  description: One two\n    three.\n  price: 2.0\n- id: x2\n  description: 'It''s\n    four'\n- id: x3\n  name: B\n"
    (tmp_path / "products.yaml.gz").write_bytes(gzip.compress(yaml.encode()))
    assert read_texts(tmp_path) == ("products", {"x1": "One two three.", "x2": "It's four"})
    (tmp_path / "id2info.json.gz").write_bytes(gzip.compress(json.dumps({"1": {"plot": "p"}, "2": {"plot": ""}}).encode()))
    assert read_texts(tmp_path) == ("movies", {"1": "p"})
    with pytest.raises(NotFound, match="1 labelled"):
        measure(EveryWord(), load_schema(), {}, "products", [label("a", "has_color", "red")])


def test_a_line_that_is_no_label_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"text_id": "a"}\n')
    with pytest.raises(InputError, match="no label"):
        read_labels(tmp_path / "x.jsonl")


@pytest.mark.parametrize(("name", "domain"), [("plots", "movies"), ("products", "products")])
def test_the_labels_that_ship_are_labels_of_what_texts_may_state(name: str, domain: str) -> None:
    labels = read_labels(ROOT / "eval" / "graph" / f"{name}.jsonl")
    assert {one.relation for one in labels} <= set(load_schema().from_texts(domain))
    assert len(labels) >= 200
    assert all(value == value.casefold() and len(value) < 60 for one in labels for value in one.values)
    halves = {half: {one.text_id for one in labels if one.half == half} for half in ("dev", "final")}
    assert not halves["dev"] & halves["final"]
