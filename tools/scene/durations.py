"""How many minutes a request names: "25 minutes", "an hour and a half", "1h30", "半小时", "一个半小时"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from scenewise.tools.catalogue.chinese_numbers import NUMBER, chinese_number

_MAX_AVAILABLE_MIN = 720.0  # "127 Hours" is a film

_WORDS: Mapping[str, float] = MappingProxyType(
    {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0}
    | {"seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0, "eleven": 11.0, "twelve": 12.0}
    | {"fifteen": 15.0, "twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "ninety": 90.0}
    | {"a": 1.0, "an": 1.0, "a couple of": 2.0, "one and a half": 1.5, "two and a half": 2.5}
    | {"half": 0.5, "half a": 0.5, "half an": 0.5, "quarter of an": 0.25, "a quarter of an": 0.25, "three quarters of an": 0.75}
)
_COMPOUND = r"(?:twenty|thirty|forty|fifty)[- ](?:one|two|three|four|five|six|seven|eight|nine)"
_NUMBER = "|".join([r"\d+(?:[.,]\d+)?", _COMPOUND, *sorted(_WORDS, key=len, reverse=True)])
# "at least", "ago" and their like are part of the match, so that what they qualify is passed over as a whole
_ENGLISH = re.compile(
    rf"(?P<bound>(?:at least|more than|longer than|over|above) )?(?<![\w.:])(?P<number>{_NUMBER})[\s-]*"
    r"(?:(?P<minutes>minutes?|mins?)|(?:hours?|hrs?|h))\b"
    rf"(?:(?P<half> and a half\b)|(?:,? and|,)?\s*(?P<more>{_NUMBER})[\s-]*(?:minutes?|mins?|m)\b)?"
    r"(?P<past> (?:ago|later|old)\b)?",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?<![\w.:])(?P<hours>\d)\s?h\s?(?P<minutes>[0-5]\d)(?!\w)", re.IGNORECASE)

_CHINESE = re.compile(
    rf"(?P<bound>至少|起码|(?<!不)超过)?(?:(?P<half>半)个?(?:小时|钟头)|(?P<hours>{NUMBER})\s*个?(?P<and_half>半)?(?:小时|钟头)"
    rf"(?:零?(?P<more>{NUMBER})\s*分钟?)?|(?P<minutes>{NUMBER})\s*(?P<unit>分钟|刻钟))(?P<past>之?前|以前|以上)?"
)


def find_minutes(text: str) -> float | None:
    """Return the first length of time in the text in minutes, at most 12 hours, or None.

    What is a lower bound ("at least an hour") or past ("an hour ago") is no time at hand and is passed over.

    >>> [find_minutes(text) for text in ("I have half an hour", "1h30 free", "25分钟", "一个半小时", "two hours ago")]
    [30.0, 90.0, 25.0, 90.0, None]
    """
    spans = [(match.start(), _minutes_of_clock(match)) for match in _CLOCK.finditer(text)]
    spans += [(match.start(), _minutes_of_english(match)) for match in _ENGLISH.finditer(text) if not (match["bound"] or match["past"])]
    spans += [(match.start(), _minutes_of_chinese(match)) for match in _CHINESE.finditer(text) if not (match["bound"] or match["past"])]
    usable = [(start, minutes) for start, minutes in spans if 0 < minutes <= _MAX_AVAILABLE_MIN]
    return min(usable)[1] if usable else None


def _minutes_of_clock(match: re.Match[str]) -> float:
    return float(match["hours"]) * 60 + float(match["minutes"])


def _minutes_of_english(match: re.Match[str]) -> float:
    number = _english_number(match["number"])
    if match["minutes"]:
        return number
    return (number + (0.5 if match["half"] else 0.0)) * 60 + (_english_number(match["more"]) if match["more"] else 0.0)


def _english_number(word: str) -> float:
    word = word.casefold()
    if word[0].isdecimal():
        return float(word.replace(",", "."))
    if word in _WORDS:
        return _WORDS[word]
    tens, unit = re.split(r"[- ]", word)
    return _WORDS[tens] + _WORDS[unit]


def _minutes_of_chinese(match: re.Match[str]) -> float:
    if match["half"]:
        return 30.0
    if match["minutes"]:
        return chinese_number(match["minutes"]) * (15 if match["unit"] == "刻钟" else 1)
    hours = chinese_number(match["hours"]) + (0.5 if match["and_half"] else 0.0)
    return hours * 60 + (chinese_number(match["more"]) if match["more"] else 0.0)
