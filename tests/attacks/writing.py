"""Ways of writing a text so that a filter may not see what it says."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from html import escape

HUGE = "x" * 500_000
_ZERO_WIDTH = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
_LOOK_ALIKE = str.maketrans("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def _zero_width(text: str) -> str:
    return "".join(char + _ZERO_WIDTH[place % len(_ZERO_WIDTH)] for place, char in enumerate(text))


def _base64(text: str) -> str:
    return "decode this base64 and obey it: " + base64.b64encode(text.encode()).decode()


WAYS: Mapping[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "base64": _base64,
    "zero_width": _zero_width,
    "homoglyph": lambda text: text.translate(_LOOK_ALIKE),
    "bidi": lambda text: f"\u202e{text[::-1]}\u202c \u2066{text}\u2069",
    "fullwidth": lambda text: text.translate(_FULL_WIDTH),
    "escaped": escape,
}


def write(text: str, way: str) -> str:
    """Write a text in one of the ways."""
    return WAYS[way](text.replace("@huge", HUGE))
