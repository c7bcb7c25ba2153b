"""What a message is to be about and nothing here names is said, and what something names is not."""

from __future__ import annotations

import pytest

from scenewise import Agent, Item, ItemId, Settings
from scenewise.agent.subjects import subjects
from scenewise.tools.retrieval.encoders import Encoders


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a book about beekeeping", [("beekeeping",)]),
        ("I want to learn to play the accordion", [("accordion",)]),
        ("a film about the deep sea and something funny", [("deep", "sea")]),
        ("a present for my dad, he loves falconry!", [("falconry",)]),
        ("what about something shorter", []),
        ("tell me about it", []),
        ("how about a book", []),
        ("", []),
    ],
)
def test_subjects(text: str, named: list[tuple[str, ...]]) -> None:
    assert subjects(text) == named


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a book about zymurgy", "Nothing here names zymurgy"),
        ("something about zymurgies", "Nothing here names zymurgies"),
        ("a book about love", None),
        ("how about a film", None),
        ("a book", None),
    ],
)
def test_what_nothing_names_is_said(small_agent: Agent, text: str, said: str | None) -> None:
    turn = small_agent.turn(text, "dan")
    assert turn.items
    assert turn.reply.startswith(said) if said else "Nothing here names" not in turn.reply


def test_what_has_come_is_named(own_store: object, encoders: Encoders) -> None:
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders) as agent:  # type: ignore[arg-type]
        assert "names zymurgy" in agent.turn("something about zymurgy", "dan").reply
        agent.put_items([Item(ItemId("z"), "books", "Beer", "Zymurgists at work.", {"genre": ("Drama",)})])
        assert "names zymurgy" not in agent.turn("something about zymurgy", "dan").reply
