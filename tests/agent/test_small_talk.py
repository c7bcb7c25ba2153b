"""What is a word back and no request, and what only looks like one."""

from __future__ import annotations

import pytest

from scenewise.agent.intents import IntentReader
from scenewise.tools.retrieval.encoders import Encoders


@pytest.mark.parametrize(
    "text",
    [
        "haha ok",
        "perfect, thank you!!",
        "got it, I'll try that one",
        "great, let's watch the second one then",
        "ok cool",
        "Lovely. Thanks!",
        "we'll take it",
    ],
)
def test_a_word_back_is_no_request(encoders: Encoders, text: str) -> None:
    assert IntentReader(encoders).read(text, has_list=True) == "thanks"


@pytest.mark.parametrize(
    "text",
    [
        "great films",
        "ok something else",
        "let's watch a comedy",
        "I'll have a recipe with eggs",
        "cool jazz",
        "perfect for kids",
        "shall I try that one?",
    ],
)
def test_a_request_is_no_word_back(encoders: Encoders, text: str) -> None:
    assert IntentReader(encoders).read(text, has_list=True) != "thanks"
