"""Windows, sentences and the spans proposed from them."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from scenewise.tools.graph.extraction.spans import MAX_SPANS, MAX_WINDOW, candidates, sentences, windows


def test_sentences_end_at_their_marks_and_not_at_initials() -> None:
    text = "In South Central L.A. a man waits. He leaves!\n\nTwo doors. 他走了。她来了。"
    assert [part.strip() for _, part in sentences(text)] == [
        "In South Central L.A. a man waits.",
        "He leaves!",
        "Two doors.",
        "他走了。",
        "她来了。",
    ]


@given(st.text(max_size=3000))
def test_nothing_is_lost_but_blanks_and_spans_are_copies(text: str) -> None:
    assert "".join("".join(windows(text)).split()) == "".join(text.split())
    assert all(len(window) <= MAX_WINDOW for window in windows(text))
    for span in candidates(text):
        assert text[span.offset + span.start : span.offset + span.end] == span.text


def test_spans_hold_no_stop_word_and_cross_no_mark() -> None:
    assert [span.text for span in candidates("a beige bag, straps of soft leather")] == [
        "beige",
        "beige bag",
        "bag",
        "straps",
        "soft",
        "soft leather",
        "leather",
    ]


def test_a_text_of_a_megabyte_is_cut_in_good_time() -> None:
    begun = time.monotonic()
    assert all(len(window) <= MAX_WINDOW for window in windows("word " * 200_000))
    assert len(candidates("x" * 1_000_000)) <= MAX_SPANS * (1_000_000 // MAX_WINDOW + 2)
    assert time.monotonic() - begun < 20
