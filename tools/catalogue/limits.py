"""Limits said in words: "from the 90s", "before 1980", "under two hours", "below 10 dollars", "两小时以内"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from scenewise.tools.catalogue.chinese_numbers import NUMBER, chinese_number

# fmt: off
_NUMBER_WORDS = MappingProxyType({
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    **{f"{ten}{gap}five": 10 * n + 5 for n, ten in enumerate(("twenty", "thirty", "forty", "fifty"), 2) for gap in "- "},
    "hundred": 100, "a hundred": 100, "one hundred": 100, "two hundred": 200, "three hundred": 300,
    "a": 1, "an": 1, "a couple of": 2, "couple of": 2, "half an": 0.5, "half a": 0.5, "half": 0.5, "one and a half": 1.5,
    "two and a half": 2.5, "three and a half": 3.5, "a quarter of an": 0.25, "quarter of an": 0.25, "three quarters of an": 0.75,
})
_DECADE_WORDS = MappingProxyType({
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960, "seventies": 1970, "eighties": 1980,
    "nineties": 1990, "noughties": 2000, "two thousands": 2000, "two-thousands": 2000,
    "二": 1920, "三": 1930, "四": 1940, "五": 1950, "六": 1960, "七": 1970, "八": 1980, "九": 1990,
})
# fmt: on
_WORDS = "|".join(sorted((re.escape(word) for word in _NUMBER_WORDS), key=len, reverse=True))
_YEAR = r"(?:18[5-9]\d|19\d\d|20[0-4]\d)"

_DECADE = re.compile(
    rf"\b(?:(?:the|early|mid|late)[\s-]+)*(?:(?P<four>(?:18|19|20)\d0)|['’]?(?P<two>[0-9]0))['’]?s\b"
    rf"|\b(?P<word>{'|'.join(word for word in _DECADE_WORDS if word.isascii())})\b"
    r"|(?:(?P<zh4>(?:19|20)\d0)|(?P<zh2>\d0)|(?P<zh>[二三四五六七八九])十)年代(?P<ztail>以前|之前|以后|之后)?",
    re.IGNORECASE,
)
_CENTURY = re.compile(r"\b(?:from|of|in|since)\s+(?:this|the\s+(?:21st|twenty-first))\s+century\b|(?:本|21|二十一)世纪", re.IGNORECASE)
_BETWEEN = re.compile(
    rf"(?:\b(?:between|from)\s+)?\b(?P<low>{_YEAR})\s*(?:-|–|to|and|until|till|到|至)\s*(?P<high>{_YEAR})(?!\d)", re.IGNORECASE
)
_ONE_YEAR = re.compile(
    rf"(?P<cue>\b(?:before|earlier\s+than|older\s+than|prior\s+to|pre|after|later\s+than|newer\s+than|past|post|since|from|in|of|until|till|"
    rf"up\s+to|by)[\s-]+(?:the\s+year\s+)?)?(?<![\d.$€£])(?P<year>{_YEAR})(?![\d%]|\.\d)"
    r"(?P<tail>\s*(?:onwards?|on\b|or\s+(?:later|newer|older|earlier|before|after)|and\s+(?:later|newer)|"
    r"年?(?:以前|之前|前)|年?(?:以后|之后|后|以来)|年))?",
    re.IGNORECASE,
)
_DURATION = re.compile(
    rf"(?<![\w.$€£])(?P<n>\d+(?:\.\d+)?|{_WORDS})[\s-]*(?P<unit>hours?|hrs?|h|minutes?|mins?|min)(?![a-z])"
    rf"(?:\s*(?:and\s+)?(?P<half>a\s+half)|\s*(?:and\s+)?(?P<quarter>a\s+quarter)\b|\s*(?:and\s+)?(?P<m>\d{{1,2}})\s*(?:minutes?|mins?|min|m)?\b)?"
    rf"|(?P<zn>{NUMBER}(?:[个個]半)?|半)\s*[个個]?(?P<zunit>小[时時]|[钟鐘][头頭]|分[钟鐘]|刻[钟鐘])(?P<zhalf>半)?",
    re.IGNORECASE,
)
_PRICE = re.compile(
    rf"(?:(?P<sign>[$€£¥￥])\s*(?P<n1>\d+(?:\.\d{{1,2}})?)|(?<![\w.])(?P<n2>\d+(?:\.\d{{1,2}})?|{_WORDS})[\s-]*"
    rf"(?:dollars?|bucks?|usd|euros?|eur|pounds?|gbp|yuan|rmb|cny|[$€£])(?!\w)|(?P<n3>{NUMBER})\s*(?:美元|[欧歐]元|元|[块塊][钱錢]?)"
    rf"|(?P<n4>(?<![十百千])[一二两三四五六七八九][百千][一二三四五六七八九])(?=以[内內]|之[内內]|以下|左右|封顶))",
    re.IGNORECASE,
)
_AT_MOST = re.compile(
    r"(?:\b(?:under|less\s+than|fewer\s+than|at\s+most|max(?:imum)?(?:\s+of)?|within|up\s+to|below|shorter\s+than|cheaper\s+than|"
    r"(?:no|not)\s+(?:more|longer|over)(?:\s+than)?|in|(?<!been )for(?:\s+the\s+next)?|only|just|got|have|i['’]ve|we['’]ve|there['’]s|"
    r"spend)(?:\s+(?:about|around|only|just|like|maybe))?|(?:不超[过過]|不到|少[于於]|最多|顶多|頂多|至多|只有|[预預]算|控制在|[还還]剩|只剩下?|短于|低[于於]|不要超[过過]|[别別]超[过過]?|不能超[过過]|上限|我有|有)(?:就|也就|只|能|花|用|给|出|要|是|在|够|看)*|<=?|≤)\s*$",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"(?:\b(?:over|more\s+than|longer\s+than|at\s+least|above|minimum(?:\s+of)?)|超[过過]|多于|至少|大于|起码|长于)\s*$",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"\b(?:no|not|nothing|none|isn['’]?t|don['’]?t\s+want(?:\s+(?:anything|something))?|never|without\s+anything|avoid(?:\s+anything)?)"
    r"(?:\s+(?:from|made|released|that['’]?s|is|any|anything|the|movies?|films?|books?|music|songs?))*\s*['’]?$"
    r"|(?:不要|不想看|不看|别看|别给我|除了)\s*$",
    re.IGNORECASE,
)
_REFUSED_AFTER = re.compile(r"\s*的?(?:\w{0,3}?)(?:都|我)?(?:不要|就算了|算了|不看|不想看|别给我|免了|除外)")
_TOO_MUCH = re.compile(
    r"\s*的?(?:就|都|一律|我)*(?:不要|不考[虑慮]|不行|不看|不[买買]|算了|免了|免谈|太[长長贵貴久])"
    r"|\s*(?:is|are|would be|['’]s)\s+(?:way\s+)?(?:too\s+(?:long|much|expensive|dear|pricey)|out\b)|,?\s*no\s+(?:thanks|way)\b",
    re.IGNORECASE,
)
_SPOKEN_OF = re.compile(r"\bit\s+(?:\w+\s+)?(?:came|comes)\s+out\s*$", re.IGNORECASE)
_TAIL_AT_MOST = re.compile(
    r"^\s*(?:max\b|tops\b|at\s+most|or\s+(?:less|shorter|under|cheaper)|left\b|to\s+(?:spare|kill|spend)|free\b|or\s+so\b|以[内內]|之[内內]|[内內]|以下|左右|封[顶頂]|到[顶頂]|[为為]限|"
    r"的?时间|够)",
    re.IGNORECASE,
)
_SHORTEST_MIN = 3  # "just a minute" is no limit


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit written at [start, end) of a text.

    `kind` is "year" (`low`, `high` inclusive), "duration" (`high`, minutes) or "price" (`high`, cents). A limit that constraints
    cannot express ("at least two hours") has neither bound.
    """

    kind: str
    low: int | None
    high: float | None
    start: int
    end: int


def find_limits(text: str) -> list[Limit]:
    """Find all limits of a text, in its order; each is said by the words at its place and nothing else.

    A bare duration counts where the words make it one's time or a thing's length ("I have 20 minutes", "a 20-minute workout").
    """
    found: list[Limit] = []
    centuries = (
        Limit("year", 2000, None, *match.span()) for match in _CENTURY.finditer(text) if not _REFUSED.search(text[: match.start()])
    )
    for limit in (*_decades(text), *centuries, *_year_ranges(text), *_years(text), *_durations(text), *_prices(text)):
        if not any(limit.start < other.end and other.start < limit.end for other in found):
            found.append(limit)
    return sorted(found, key=lambda limit: limit.start)


def _decades(text: str) -> Iterator[Limit]:
    for match in _DECADE.finditer(text):
        if year := match["four"] or match["zh4"]:
            first = int(year)
        elif short := match["two"] or match["zh2"]:
            first = int(short) + (2000 if int(short) <= 20 else 1900)
        else:
            first = _DECADE_WORDS[(match["word"] or match["zh"]).lower()]
        before = text[: match.start()]
        cue = re.search(r"\b(?P<cue>before|until|after|since|older\s+than|newer\s+than)\s+$", before, re.IGNORECASE)
        start = cue.start() if cue else match.start()
        tail = re.match(r"\s+(?:or|and)\s+(?P<way>earlier|older|before|later|newer|after)\b", text[match.end() :], re.IGNORECASE)
        if tail:
            older = tail["way"].lower() in ("earlier", "older", "before")
            yield Limit("year", None if older else first, first + 9 if older else None, match.start(), match.end() + tail.end())
        elif _REFUSED.search(before[:start]) and not cue and not match["ztail"]:
            yield Limit("year", None, None, start, match.end())  # "nothing from the 80s" has a hole in the middle
        elif match["ztail"]:
            older, end = match["ztail"].endswith("前"), match.end()
            yield _bounded(before, None if older else first, first - 1 if older else None, (start, end), text[end:])
        elif cue and cue["cue"].lower().split()[0] in ("before", "older"):
            yield _bounded(before[:start], None, first - 1, (start, match.end()))
        elif cue and cue["cue"].lower() == "until":
            yield Limit("year", None, first + 9, start, match.end())
        elif cue:
            after = first if cue["cue"].lower() == "since" else first + 10
            yield _bounded(before[:start], after, None, (start, match.end()))
        else:
            yield Limit("year", first, first + 9, start, match.end())


def _bounded(before: str, low: int | None, high: int | None, span: tuple[int, int], after: str = "") -> Limit:
    """A one-sided limit, turned round where it is refused: "nothing before 1980" asks for 1980 and later."""
    refused, refused_after = _REFUSED.search(before), _REFUSED_AFTER.match(after)
    if refused or refused_after:
        low, high = (high + 1 if high is not None else None), (low - 1 if low is not None else None)
        span = (refused.start() if refused else span[0], span[1] + (refused_after.end() if refused_after else 0))
    return Limit("year", low, high, *span)


def _year_ranges(text: str) -> Iterator[Limit]:
    for match in _BETWEEN.finditer(text):
        low, high = sorted((int(match["low"]), int(match["high"])))
        yield Limit("year", low, high, match.start(), match.end())


def _years(text: str) -> Iterator[Limit]:
    for match in _ONE_YEAR.finditer(text):
        cue = " ".join(re.sub(r"the\s+year", "", match["cue"] or "", flags=re.IGNORECASE).lower().replace("-", " ").split())
        tail = " ".join((match["tail"] or "").lower().split())
        year, span = int(match["year"]), match.span()
        before = text[: match.start()]
        if cue in ("before", "earlier than", "older than", "prior to", "pre") or tail.endswith("前"):
            yield _bounded(before, None, year - 1, span, text[match.end() :] if tail.endswith("前") else "")
        elif cue in ("after", "later than", "newer than", "past", "post"):
            yield _bounded(before, year + 1, None, span)
        elif cue == "since" or tail in ("on", "onward", "onwards") or tail.endswith(("later", "newer", "after", "后", "以来")):
            yield Limit("year", year, None, *span)
        elif cue in ("until", "till", "up to", "by") or tail.endswith(("older", "earlier", "before")):
            yield Limit("year", None, year, *span)
        elif (cue in ("from", "in", "of") or tail == "年") and not _REFUSED.search(before) and not _SPOKEN_OF.search(before):
            yield Limit("year", year, year, *span)


def _durations(text: str) -> Iterator[Limit]:
    for match in _DURATION.finditer(text):
        minutes = _minutes(match)
        if minutes < _SHORTEST_MIN or re.match(r"\s*(?:ago|later|前|后)\b", text[match.end() :], re.IGNORECASE):
            continue
        adjective = re.search(r"(?:\d|[a-z])(?:-|\s+)(?:hour|minute|min)$", match.group(), re.IGNORECASE) and match["n"] not in (
            "a",
            "an",
        )
        yield from _measured(text, match, "duration", minutes, bare_counts=bool(adjective) or match["zn"] is not None)


def _minutes(match: re.Match[str]) -> float:
    number = _number(match["n"] or match["zn"])
    unit = (match["unit"] or match["zunit"]).lower()
    hours = unit[0] in "h小钟鐘"
    if match["half"] or match["zhalf"]:
        number += 0.5
    if match["quarter"] and hours:
        number += 0.25
    return number * (60 if hours else 15 if unit[0] == "刻" else 1) + (float(match["m"]) if match["m"] and hours else 0)


def _prices(text: str) -> Iterator[Limit]:
    for match in _PRICE.finditer(text):
        yield from _measured(
            text, match, "price", 100 * _number(match["n1"] or match["n2"] or match["n3"] or match["n4"]), bare_counts=False
        )


def _measured(text: str, match: re.Match[str], kind: str, amount: float, *, bare_counts: bool) -> Iterator[Limit]:
    before, after = text[: match.start()], text[match.end() :]
    tail = _TAIL_AT_MOST.match(after)
    end = match.end() + (tail.end() if tail else 0)
    if cue := _AT_MOST.search(before):
        yield Limit(kind, None, amount, cue.start(), end)
    elif cue := _OVER.search(before):
        refused, too_much = _REFUSED.search(before[: cue.start()]), _TOO_MUCH.match(after)
        start = refused.start() if refused else cue.start()
        yield Limit(kind, None, amount if refused or too_much else None, start, match.end() + too_much.end() if too_much else end)
    elif tail or bare_counts:
        yield Limit(kind, None, amount, match.start(), end)


def _number(written: str) -> float:
    words = " ".join(written.lower().split())
    if words in _NUMBER_WORDS:
        return float(_NUMBER_WORDS[words])
    if words == "半":
        return 0.5
    bare = re.sub(r"[个個]半$", "", words)
    return chinese_number(bare) + (0.5 if bare != words else 0.0)
