"""Numbers as they are written and spoken in Chinese: 二十五, 一百五十, 一百五, 两千."""

from __future__ import annotations

import re

_DIGITS = "零一二三四五六七八九"
_ANY, _SCALES = "一二两兩三四五六七八九", {"十": 10, "百": 100, "千": 1000}
_ALL = f"零{_ANY}十百千"
NUMBER = rf"(?:\d+(?:\.\d+)?|(?<![{_ALL}])(?=[{_ALL[1:]}])(?:[{_ANY}]?千零?)?(?:[{_ANY}]?百零?)?(?:[{_ANY}]?十)?[{_ANY}]?(?![{_ALL}]))"
"""A pattern of what `chinese_number` reads, whole: nothing of a longer row of numerals."""


def chinese_number(written: str) -> float:
    """Read a number below 10,000, in figures or in Chinese; ValueError where it is none.

    >>> [chinese_number(word) for word in ("25", "二十五", "十", "两", "一百零五", "一百五", "一千二", "三千四百")]
    [25.0, 25.0, 10.0, 2.0, 105.0, 150.0, 1200.0, 3400.0]
    """
    if not re.fullmatch(NUMBER, written):
        raise ValueError(f"no number: {written!r}")
    if written[0].isdecimal():
        return float(written)
    total, digit, scale = 0, 0, 1
    for one in written.replace("两", "二").replace("兩", "二"):
        if one in _SCALES:
            scale = _SCALES[one]
            total, digit = total + max(digit, 1) * scale, 0
        else:
            digit, scale = _DIGITS.index(one), 1 if one == "零" else scale
    return float(total + digit * (scale // 10 if scale > 10 else 1))
