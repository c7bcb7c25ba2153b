"""What of a plan the message bears out, word by word."""

from __future__ import annotations

import pytest

from scenewise.agent.ground import speaks_of, words


@pytest.mark.parametrize(
    ("value", "text", "held"),
    [
        ("太空", "来部太空电影", True),
        ("轻松的喜剧", "周末想在家看一部轻松的喜剧电影", True),
        ("恐怖", "来部太空电影", False),
        ("programming", "I want to learn to program", True),
        ("horror", "a film about space", False),
        ("film", "a film", True),
    ],
)
def test_a_value_is_held_by_a_telling_word(value: str, text: str, held: bool) -> None:
    assert speaks_of(value, text) is held


def test_chinese_is_told_by_character_also_beside_other_letters() -> None:
    assert words("看太空电影 about space") == {"看", "太", "空", "电", "影", "about", "space"}
