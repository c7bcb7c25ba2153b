"""Spans proposed by the heads, confirmed by an LLM: what comes out is copied from the text."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from scripted import ScriptedReader

from scenewise.tools.graph.extraction.choosing import Blend, ChoosingExtractor, evidence, marked
from scenewise.tools.graph.extraction.claims import Text, prove
from scenewise.tools.graph.extraction.heads import SpanHead, load_examples, read_marks
from scenewise.tools.graph.extraction.reader import Answer
from scenewise.tools.graph.extraction.spans import candidates
from scenewise.tools.graph.schema import load_schema
from scenewise.tools.retrieval.encoders import Encoders

BAG = Text(
    "item:a", "products", "This sturdy red backpack of waxed canvas is made for camping and long walks. You will love its timeless look."
)
FILM = Text("item:b", "movies", "A retired detective investigates a murder in Chicago.")


@pytest.fixture(scope="module")
def alone(encoders: Encoders) -> ChoosingExtractor:
    return ChoosingExtractor(None, load_schema(), encoders.english)


def test_the_examples_are_marked_with_types_that_texts_may_state() -> None:
    allowed = {kind for domain in ("movies", "products") for kind in load_schema().from_texts(domain).values()}
    for examples in load_examples().values():
        assert set(examples.names) <= allowed
        for text in examples.texts:
            plain, marks = read_marks(text)
            assert "[" not in plain
            assert {kind for _, _, kind in marks} <= set(examples.names)


def test_the_heads_alone_find_what_a_plain_text_states(alone: ChoosingExtractor) -> None:
    found = alone.extract([BAG, FILM])
    edges = [
        {(claim.relation, claim.value) for claim in prove(one.claims, text, load_schema())[0]}
        for one, text in zip(found, (BAG, FILM), strict=True)
    ]
    assert {("has_color", "red"), ("has_use", "camping")} <= edges[0]
    assert {("set_in", "Chicago"), ("about", "murder")} <= edges[1]
    assert ("has_use", "timeless look") not in edges[0]


def test_an_llm_that_denies_everything_takes_the_edges_away(encoders: Encoders) -> None:
    blends = {"products": Blend(llm=1.0)}
    no = ScriptedReader(lambda ask: Answer("none", {option: float(option == "none") for option in ask.options}, tokens_in=7))
    (found,) = ChoosingExtractor(no, load_schema(), encoders.english, blends=blends).extract([BAG])
    assert found.claims == ()
    assert found.tokens_in == 7 * len(no.asked) > 0
    assert all(ask.options == ("brand", "color", "material", "use", "none") for ask in no.asked)
    assert len({str(ask.messages[:-1]) for ask in no.asked}) == 1


@pytest.mark.parametrize("answer", [Answer(error="too slow"), Answer("???"), Answer("", {"none": 1.0})])
def test_an_llm_that_fails_or_rambles_adds_nothing(encoders: Encoders, alone: ChoosingExtractor, answer: Answer) -> None:
    (found,) = ChoosingExtractor(ScriptedReader(lambda ask: answer), load_schema(), encoders.english).extract([BAG])
    assert {claim.value for claim in found.claims} <= {p.span.text for p in alone.propose([BAG])[0][0]}
    assert found.error == answer.error


def test_half_a_batch_is_marked(encoders: Encoders) -> None:
    reader = ScriptedReader(lambda ask: Answer("none", {"none": 1.0}), at_most=1)
    found = ChoosingExtractor(reader, load_schema(), encoders.english).extract([BAG, FILM])
    assert [one.error for one in found] == ["no answer", "no answer"]


def test_kinds_of_items_without_examples_give_nothing(alone: ChoosingExtractor) -> None:
    (found,) = alone.extract([Text("item:x", "hardware", "A red hammer.")])
    assert found.claims == ()


def test_evidence_is_whole_words_around_the_span() -> None:
    text = "word " * 60 + "red hat " + "word " * 60
    span = next(one for one in candidates(text) if one.text == "red hat")
    assert "red hat" in evidence(span)
    assert set(evidence(span).split()) == {"word", "red", "hat"}
    assert marked(span).count("[red hat]") == 1
    assert len(evidence(span)) < 220


def test_the_same_examples_give_the_same_head(encoders: Encoders) -> None:
    few = load_examples()["products"]
    small = type(few)(few.texts[:8], few.names)
    spans = candidates(BAG.words)
    first, second = (SpanHead.train(encoders.english, small).log_p(spans) for _ in range(2))
    assert (first == second).all()


def test_spans_that_no_surroundings_would_carry_are_left_out_and_no_other(encoders: Encoders) -> None:
    head = SpanHead.train(encoders.english, load_examples()["products"])
    spans = candidates(BAG.words)
    whole, quick = head.log_p(spans), head.log_p(spans, at_least=0.5)
    likely = np.exp(whole[:, 1:]).max(axis=1) >= 0.5
    assert likely.any()
    np.testing.assert_allclose(quick[likely], whole[likely], atol=1e-5)
    assert (quick[:, 0] == 0.0).any()


def test_texts_read_together_give_what_each_gives_alone(alone: ChoosingExtractor) -> None:
    empty = Text("item:c", "movies", "of the")
    together = alone.extract([BAG, empty, FILM])
    for text, found in zip((BAG, empty, FILM), together, strict=True):
        (single,) = alone.extract([text])
        assert [(c.kind, c.value) for c in found.claims] == [(c.kind, c.value) for c in single.claims]
    assert together[1].claims == ()
