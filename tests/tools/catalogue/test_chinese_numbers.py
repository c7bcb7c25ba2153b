"""Chinese numbers, read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.tools.catalogue.chinese_numbers import chinese_number

DIGITS = "零一二三四五六七八九"


def written(number: int) -> str:
    """The number as it is written out in full."""
    text, gap = "", False
    for scale, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // scale % 10
        if digit:
            text += ("零" if gap and text else "") + DIGITS[digit] + name
            gap = False
        else:
            gap = True
    return text


@given(st.integers(1, 9999))
def test_what_is_written_is_read(number: int) -> None:
    assert chinese_number(written(number)) == number
    assert chinese_number(str(number)) == number
    if 10 <= number < 20:
        assert chinese_number(written(number)[1:]) == number


@pytest.mark.parametrize(
    ("word", "number"), [("两千", 2000), ("一百五", 150), ("三千四", 3400), ("一千零五", 1005), ("两百零三", 203), ("12.5", 12.5)]
)
def test_as_it_is_spoken(word: str, number: float) -> None:
    assert chinese_number(word) == number


@pytest.mark.parametrize("word", ["", "百十千", "一二", "五五", "天", "十十"])
def test_what_is_none(word: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        chinese_number(word)
