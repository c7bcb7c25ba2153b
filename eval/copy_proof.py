"""A second, plainer proof of copy, which shares no code with the check of a turn: every word of a text must stand in the evidence.

Numbers and capitalised words must stand there as they are, other words may be inflected; what is left must be in a closed list of words
that claim nothing. It is blind to which word belongs to which, which the check of a turn is not, and so the two miss different things.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_CLOSED = """
a an the and or of for to by with in on at from as about like it its it's is are be this that these which who
so because since when while you your you're here here's how what then also comes runs lasts fit fits suit
suits suited during around picked pick choice try maybe perhaps might could something some good nice fine
match worth look take takes asked within as people dish film movie book album recipe workout course app item
close chose liked minute minutes
"""
FUNCTION = frozenset(_CLOSED.split())
"""Words that claim nothing by themselves."""
SYNONYMS = {"animated": "animation", "romantic": "romance"}
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def strange_words(text: str, evidence: Iterable[str]) -> list[str]:
    """List the words of a text that neither the evidence nor the closed list has, in order.

    >>> strange_words("A gripping 1996 crime film.", ["1995", "crime, thriller"])
    ['gripping', '1996']
    """
    told = [word for row in evidence for word in _WORD.findall(_plain(row))]
    exact, folded = {*told}, {word.casefold() for word in told}
    stems = {_stem(word) for word in folded}
    strange = []
    for match in _WORD.finditer(_plain(text)):
        word = match.group()
        begins = re.search(r"(?:^|[.?!:] ?|[\"“(] ?)$", text[: match.start()]) is not None
        if any(char.isdigit() for char in word):
            known = word in exact
        elif word[0].isupper() and not begins:
            known = word in exact or word.casefold() in folded
        else:
            low = word.casefold()
            known = low in FUNCTION or low in folded or _stem(SYNONYMS.get(low, low)) in stems
        strange += [] if known else [word]
    return strange


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("’", "'")


def _stem(word: str) -> str:
    word = re.sub(r"'s?$", "", word)
    for ending in ("ies", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending) + ("y" if ending == "ies" else "")
    return word.removesuffix("e") if len(word) > 4 else word
