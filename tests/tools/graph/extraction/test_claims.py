"""Only what stands literally in the text and fits the schema becomes an edge."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.tools.graph.extraction.claims import MAX_CLAIMS, Claim, Text, normalise, prove
from scenewise.tools.graph.schema import load_schema

TEXT = Text("item:a", "products", "A beige\u00a0 canvas bag with  leather straps, for hiking. Cafe\u0301 noir.")
GOOD = Claim("has_color", "color", "beige", "A beige canvas bag", 0.9)


def reasons(*claims: Claim) -> Counter[str]:
    return prove(claims, TEXT, load_schema())[1]


def test_a_claim_that_is_proved_is_kept_with_its_words() -> None:
    kept, refused = prove([GOOD, Claim("has_color", "color", "noir", "Café  noir", 0.5)], TEXT, load_schema())
    assert kept == [GOOD, Claim("has_color", "color", "noir", "Café noir", 0.5)]
    assert not refused


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (Claim("has_color", "color", "red", "A red canvas bag", 0.9), "not in the text"),
        (Claim("has_color", "color", "Beige", "A Beige canvas bag", 0.9), "not in the text"),
        (Claim("has_color", "color", "red", "A beige canvas bag", 0.9), "value not in the evidence"),
        (Claim("has_color", "color", "beige", " ", 0.9), "no evidence"),
        (Claim("has_color", "color", "", "A beige", 0.9), "no evidence"),
        (Claim("has_color", "color", "b" * 61, "A beige", 0.9), "too long"),
        (Claim("has_color", "place", "beige", "A beige", 0.9), "object"),
        (Claim("obeys", "color", "beige", "A beige", 0.9), "relation"),
        (Claim("set_in", "place", "beige", "A beige", 0.9), "not for this kind of item"),
        (Claim("likes", "color", "beige", "A beige", 0.9), "subject"),
        (Claim("has_color", "color", "beige", "A beige", 0.0), "confidence"),
        (Claim("has_color", "color", "beige", "A beige", float("nan")), "confidence"),
    ],
)
def test_any_other_is_refused_and_counted(claim: Claim, reason: str) -> None:
    assert reasons(claim, GOOD) == {reason: 1}


def test_the_same_edge_is_kept_once_with_its_best_confidence() -> None:
    better = Claim("has_color", "color", "beige", "beige canvas", 0.95)
    kept, refused = prove([GOOD, better, GOOD], TEXT, load_schema())
    assert kept == [better]
    assert refused == {"twice": 2}


def test_a_flood_of_claims_is_cut() -> None:
    assert reasons(*[GOOD] * (MAX_CLAIMS + 5)) == {"twice": MAX_CLAIMS - 1, "too many": 5}


@given(
    st.lists(
        st.builds(
            Claim, st.sampled_from(["has_color", "set_in", "x"]), st.sampled_from(["color", "item"]), st.text(), st.text(), st.floats()
        )
    )
)
def test_whatever_is_claimed_only_words_of_the_text_come_out(claims: list[Claim]) -> None:
    kept, refused = prove(claims, TEXT, load_schema())
    assert len(kept) + sum(refused.values()) == len(claims)
    for one in kept:
        assert one.value in one.evidence
        assert one.evidence in normalise(TEXT.words)
        assert (one.relation, one.kind) == ("has_color", "color")
