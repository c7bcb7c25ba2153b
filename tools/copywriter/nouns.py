"""What one calls an item of each domain, and small English grammar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Noun:
    """`words` name an item of the domain, the usual one first; `zh` likewise, `zh_one` with its measure word."""

    words: tuple[str, ...]
    zh: tuple[str, ...]
    zh_one: str


NOUNS: Mapping[str, Noun] = MappingProxyType(
    {
        "movies": Noun(("film", "movie"), ("电影", "影片"), "一部"),
        "books": Noun(("book",), ("书",), "一本"),
        "music": Noun(("album",), ("专辑",), "一张"),
        "recipes": Noun(("recipe", "dish"), ("食谱", "菜"), "一份"),
        "workouts": Noun(("workout",), ("锻炼", "训练"), "一套"),
        "courses": Noun(("course",), ("课程",), "一门"),
        "apps": Noun(("app",), ("应用",), "一款"),
    }
)
TOLD = frozenset({"movies", "books", "music", "courses"})
"""Domains whose items are about something."""

ADJECTIVES: Mapping[str, str] = MappingProxyType({"animation": "animated", "romance": "romantic", "romcom": "romantic"})
"""How a genre reads before a noun, where it is not the genre's own name."""

ANYTHING = Noun(("item",), ("内容",), "一个")

_SIGNS: Mapping[str, str] = MappingProxyType({"USD": "$", "EUR": "€", "GBP": "£"})
_VOWEL_NAMES = frozenset("aefhilmnorsx")
_SOUNDS_LIKE_YOU = re.compile(r"^(u[bcfhjkqrstn][aeiou]|uni|eu|ewe|one\b|once\b)", re.IGNORECASE)
_SILENT_H = re.compile(r"^(hour|honest|honou?r|heir)", re.IGNORECASE)


def noun_of(domain: str) -> Noun:
    """Give the domain's nouns; "item" for a domain without an entry."""
    return NOUNS.get(domain.casefold(), ANYTHING)


def article(word: str) -> str:
    """Choose "a" or "an" by how the word begins when spoken.

    >>> [f"{article(word)} {word}" for word in ("film", "app", "80-minute", "1996", "18-minute", "R&B", "universal", "urban", "hour")]
    ['a film', 'an app', 'an 80-minute', 'a 1996', 'an 18-minute', 'an R&B', 'a universal', 'an urban', 'an hour']
    """
    digits = re.match(r"\d+", word)
    if digits:
        number = digits.group()
        return "an" if number.startswith("8") or number in {"11", "18"} or re.fullmatch(r"1[18]\d\d", number) else "a"
    spelled = re.match(r"[A-Z&]{2,}\b", word)
    if spelled and len(word.split()[0]) <= 4:
        return "an" if word[0].casefold() in _VOWEL_NAMES else "a"
    if _SILENT_H.match(word):
        return "an"
    return "an" if word[:1].casefold() in set("aeiouáéíóúàèäöü") and not _SOUNDS_LIKE_YOU.match(word) else "a"


def duration_words(minutes: float | None) -> str | None:
    """Say a length in whole minutes ("98 minutes", "1 minute"); None where it is missing or not a length.

    >>> duration_words(97.6), duration_words(1.0), duration_words(0.2)
    ('98 minutes', '1 minute', None)
    """
    if minutes is None or not 0.5 < minutes < 1e6:
        return None
    whole = round(minutes)
    return f"{whole} minute" if whole == 1 else f"{whole} minutes"


def price_words(cents: int | None, currency: str | None) -> str | None:
    """Say a price in full ("$1,299.00", "45.50 CHF"); None where it or its currency is missing, so that no number stands alone.

    >>> price_words(129900, "USD"), price_words(4550, "CHF"), price_words(500, None), price_words(0, "EUR")
    ('$1,299.00', '45.50 CHF', None, None)
    """
    unit = (currency or "").strip().upper()
    if cents is None or not 0 < cents < 10**12 or not re.fullmatch(r"[A-Z]{3}", unit):
        return None
    amount = f"{cents / 100:,.2f}"
    return f"{_SIGNS[unit]}{amount}" if unit in _SIGNS else f"{amount} {unit}"


def scene_words(scene: str) -> str:
    """Write a scene's name as words: "date_night" is "date night"."""
    return " ".join(scene.replace("_", " ").split())
