"""A list is as long as the message says."""

from __future__ import annotations

import pytest

from scenewise import Agent
from scenewise.agent.counts import how_many


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("3 films", 3),
        ("two good books, please", 2),
        ("give me seven ideas", 7),
        ("来两部电影", 2),
        ("推荐三首歌", 3),
        ("a film", None),
        ("one film", None),
        ("a film under 2 hours", None),
        ("2 player games", None),
        ("500 films", None),
        ("90 films", None),
        ("第二部电影是什么", None),
        ("from the 90s", None),
        ("#2", None),
    ],
)
def test_how_many(small_agent: Agent, text: str, n: int | None) -> None:
    assert how_many(text, small_agent._box) == n


def test_the_list_is_as_long_as_asked_for(small_agent: Agent) -> None:
    assert len(small_agent.turn("only films please, 3 films", "gus").items) == 3
    assert len(small_agent.turn("only films please", "gus", k=4).items) == 4
    assert len(small_agent.turn("two films", "gus", k=4).items) == 2
