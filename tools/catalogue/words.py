"""Text cut into words with their places, for finding names in what somebody wrote."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

# A run of letters and digits, apostrophes inside; each Chinese, Japanese or Korean character counts as a word of its own.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+(?:['’][^\W_{_CJK}]+)*")
_HAS_CJK = re.compile(f"[{_CJK}]")
MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Word:
    """A word in its plain form (casefolded, no accents), and where it stands in the text."""

    plain: str
    start: int
    end: int


def plain(text: str) -> str:
    """Casefold and drop accents.

    >>> plain("Amélie")
    'amelie'
    """
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)).replace("’", "'")


def is_cjk(text: str) -> bool:
    """Say whether a text has Chinese, Japanese or Korean characters."""
    return _HAS_CJK.search(text) is not None


def cut(text: str) -> list[Word]:
    """Cut a text into words; what lies beyond the first 4,000 characters is not read."""
    return [Word(plain(m.group()), m.start(), m.end()) for m in _WORD.finditer(text[:MAX_TEXT])]


def key(words: list[str]) -> str:
    """Join plain words into the key of a name: plural and possessive of the last word are folded, so that "comedies" meets "Comedy".

    >>> key(["romantic", "comedies"]) == key(["romantic", "comedy"])
    True
    """
    return " ".join([*words[:-1], _singular(words[-1])]) if words else ""


def key_of(name: str) -> str:
    """Give the key of a name as written."""
    return key([word.plain for word in cut(name)])


def grams(words: list[Word], longest: int) -> Iterator[tuple[int, int]]:
    """Walk over runs of neighbouring words as (first, end), the longest runs first, then from left to right."""
    for size in range(min(longest, len(words)), 0, -1):
        for first in range(len(words) - size + 1):
            yield first, first + size


def _singular(word: str) -> str:
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
