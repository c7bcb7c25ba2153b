"""Reading a store's texts: only what changed, what was done stays, what is gone is closed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from scenewise.store import Item, ItemId, Store
from scenewise.store.errors import ModelError
from scenewise.tools.graph.extraction.claims import Claim, Extraction, Text
from scenewise.tools.graph.extraction.run import BATCH, build_from_texts
from scenewise.tools.graph.schema import load_schema

COLORS = ("red", "blue", "green")


class ColorExtractor:
    """Claims every colour it reads, and one that it does not; fails, or dies after so many texts, where told to."""

    name = "colors@1"

    def __init__(self, *, fails: frozenset[str] = frozenset(), dies_after: int | None = None, half: bool = False) -> None:
        self.read: list[str] = []
        self.fails, self.dies_after, self.half = fails, dies_after, half

    def extract(self, texts: Sequence[Text]) -> list[Extraction]:
        if self.dies_after is not None and len(self.read) >= self.dies_after:
            raise ModelError("the LLM cannot be reached", reason="unreachable")
        self.read += [text.node for text in texts]
        found = [self._one(text) for text in texts]
        return found[: len(found) // 2] if self.half else found

    def _one(self, text: Text) -> Extraction:
        if text.node in self.fails:
            return Extraction(error="too slow", tokens_in=5)
        said = [color for color in COLORS if color in text.words] + ["purple"]
        return Extraction(tuple(Claim("has_color", "color", color, color, 0.9) for color in said), tokens_in=10, tokens_out=2)


def fill(store: Store, words: dict[str, str]) -> None:
    store.items.upsert(Item(ItemId(item_id), "products", item_id, text=text) for item_id, text in words.items())


def open_edges(store: Store) -> set[tuple[str, str]]:
    return {(edge.subject, edge.object) for edge in store.edges.all() if edge.valid_to_s is None}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store.open(tmp_path / "store", create=True)
    fill(opened, {"a": "a red hat", "b": "a blue and red cap", "c": "", "d": "plain"})
    return opened


def build(store: Store, extractor: ColorExtractor, *, at_s: float = 100.0, **options: object):  # type: ignore[no-untyped-def]
    return build_from_texts(store, extractor, load_schema(), clock=lambda: at_s, **options)  # type: ignore[arg-type]


def test_edges_carry_source_evidence_and_time(store: Store) -> None:
    result = build(store, ColorExtractor())
    (edge,) = store.edges.of("item:a")
    assert (edge.relation, edge.object, edge.source, edge.evidence) == ("has_color", "color:red", "text:colors@1", "red")
    assert (edge.confidence, edge.valid_from_s, edge.valid_to_s) == (0.9, 100.0, None)
    assert (result.read, result.new, result.refused) == (3, 3, {"not in the text": 3})
    assert (result.tokens_in, result.tokens_out) == (30, 6)


def test_a_second_build_reads_nothing_and_a_changed_text_alone_is_read(store: Store) -> None:
    build(store, ColorExtractor())
    again = ColorExtractor()
    assert build(store, again, at_s=200.0).to_read == 0
    fill(store, {"b": "a blue and green cap"})
    result = build(store, again, at_s=300.0)
    assert again.read == ["item:b"]
    assert (result.new, result.kept, result.closed) == (1, 1, 1)
    by_object = {edge.object: edge for edge in store.edges.of("item:b")}
    assert by_object["color:red"].valid_to_s == 300.0
    assert by_object["color:blue"].valid_from_s == 100.0
    fill(store, {"b": "a blue and red cap"})
    build(store, again, at_s=400.0)
    assert open_edges(store) >= {("item:b", "color:blue"), ("item:b", "color:red")}
    assert sum(edge.object == "color:red" for edge in store.edges.of("item:b")) == 2


def test_a_text_that_is_gone_takes_its_edges_along(store: Store) -> None:
    build(store, ColorExtractor())
    fill(store, {"b": ""})
    result = build(store, ColorExtractor(), at_s=300.0)
    assert (result.to_read, result.closed) == (0, 2)
    assert open_edges(store) == {("item:a", "color:red")}
    assert build(store, ColorExtractor(), at_s=400.0).closed == 0


def test_limit_and_dry_run(store: Store) -> None:
    assert build(store, ColorExtractor(), dry_run=True).to_read == 3
    assert store.edges.count() == 0
    assert build(store, ColorExtractor(), limit=1).read == 1
    assert build(store, ColorExtractor()).read == 2


def test_what_failed_is_read_again_and_keeps_its_edges_meanwhile(store: Store) -> None:
    build(store, ColorExtractor())
    fill(store, {"a": "a green hat"})
    result = build(store, ColorExtractor(fails=frozenset({"item:a"})), at_s=200.0)
    assert (result.failed, result.errors) == (1, {"too slow": 1})
    assert ("item:a", "color:red") in open_edges(store)
    build(store, ColorExtractor(), at_s=300.0)
    assert ("item:a", "color:green") in open_edges(store)


def test_half_a_batch_is_kept_and_the_rest_is_read_next_time(store: Store) -> None:
    result = build(store, ColorExtractor(half=True))
    assert (result.read, result.failed) == (1, 2)
    assert build(store, ColorExtractor()).read == 2


def test_an_llm_that_goes_away_leaves_what_was_done(store: Store) -> None:
    fill(store, {f"x{n:02}": "a red thing" for n in range(2 * BATCH)})
    with pytest.raises(ModelError):
        build(store, ColorExtractor(dies_after=BATCH))
    assert len(store.readings.of("text:colors@1")) == BATCH
    rest = ColorExtractor()
    build(store, rest)
    assert len(rest.read) == BATCH + 3


def test_other_sources_are_left_alone(store: Store) -> None:
    build(store, ColorExtractor())
    other = ColorExtractor()
    other.name = "colors@2"
    build(store, other, at_s=200.0)
    assert {edge.source for edge in store.edges.of("item:a")} == {"text:colors@1", "text:colors@2"}
