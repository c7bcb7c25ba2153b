"""Where in a message an argument of a plan stands: in quotes, in a condition, or in the place that it has in a message of the same make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from scenewise.tools.catalogue.concepts import Reading

LEFT, RIGHT = 3, 2  # tokens beside an argument that tell its place
LONGEST = 9  # tokens of an argument; Chinese counts by character, twice as many
_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W_]+(?:['’·.-][^\W_]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")
_QUOTED = re.compile(r"《([^《》]{1,60})》|\"([^\"]{2,60})\"|“([^“”]{2,60})”|「([^「」]{1,60})」")
_STOP = re.compile(r"[,.;!?，。；！？、:：()（）\n]")
_NEGATION = re.compile(
    r"^(?:(?:but|and|please|with|i|we|do|does|want|like|to see|just|really)\s+)*(?:no|not|nothing|without|except|anything but|never|none|"
    r"hates?|dislikes?|can.?t stand|don.?t (?:like|want|enjoy))\b"
    r"(?:\s+(?:too|so|very|any|a|an|the|that|with|is|in|it|of|more)\b)*\s*|^(?:但|但是|最好)?(?:不要|不想要?|别|没有|不含|不放|不加|除了|不看|不)(?:有|太|看|听|放|加)*",
    re.IGNORECASE,
)
_ALONE = re.compile(r"\b(?:only|just|nothing but|exclusively)\b|只|仅|光要", re.IGNORECASE)  # makes a named kind a condition
_FRAME_EN = frozenset(
    """a an the i i'm i'd im id we you me my our us it its this that there is are be do does did have has had can could would will should
    want wanna need like love looking look search find show give get got recommend suggest recommendation something anything some any
    sth smth one thing stuff please pls plz thanks thank hi hey hello hmm hm ok well so and or but for to of in on with about what which
    who how where when good nice great maybe really just kind sort up after let let's ideas idea help tonight today now know see watch
    read listen hear play cook movie movies film films flick book books novel music song songs album albums recipe recipes dish app apps
    course courses class workout workouts game games""".split()  # noqa: SIM905
)
_FRAME_ZH = re.compile(
    r"^(?:请|麻烦|那|就|我|们|咱|想|要|给|帮|来|找|看看?|听听?|读|学|做|做点|有没有|有|没有|什么|啥|求|推荐|一下|一些|一点|几[部本首张个]|[一个部本首张点些]|今晚|今天|现在|适合|的)+"
    r"|(?:的|吧|吗|呢|呀|啊|电影|片子?|影片|书籍?|小说|音乐|歌曲?|专辑|菜谱?|应用|软件|课程?|推荐|有没有|有吗|一下|哪些|什么|好)+$"
)


def quoted(text: str) -> list[str]:
    """Return what a text puts in quotation marks or title marks.

    >>> quoted("想看《冰血暴》那样的")
    ['冰血暴']
    """
    return [next(group for group in match.groups() if group).strip() for match in _QUOTED.finditer(text)]


def core(text: str) -> str:
    """Return a request without the words around what it describes, in its order.

    >>> core("please find me a slow thriller"), core("给我推荐一部悬疑电影吧")
    ('slow thriller', '悬疑')
    """
    if _HAN.search(text):
        for _ in range(3):
            text = _FRAME_ZH.sub("", _STOP.sub(" ", text).strip())
        return text.strip()
    tokens = [match[0] for match in _TOKEN.finditer(text)]
    while tokens and tokens[0].casefold() in _FRAME_EN:
        tokens.pop(0)
    while tokens and tokens[-1].casefold() in _FRAME_EN:
        tokens.pop()
    return " ".join(tokens)


def aligned(argument: str, message: str, text: str) -> str:
    """Return what stands in `text` where `argument` stands in `message`, told by the words beside it; "" where the two do not match.

    >>> aligned("Fargo", "anything like Fargo please", "is there anything like Raising Arizona please")
    'Raising Arizona'
    """
    start = message.casefold().find(argument.casefold())
    if start < 0 or not argument:
        return ""
    left = [match[0].casefold() for match in _TOKEN.finditer(message[:start])][-LEFT:]
    right = [match[0].casefold() for match in _TOKEN.finditer(message[start + len(argument) :])][:RIGHT]
    tokens = [(match[0].casefold(), match.start(), match.end()) for match in _TOKEN.finditer(text)]
    words = [word for word, _, _ in tokens]
    first = _after(left, words)
    if first is None or first >= len(tokens):
        return ""
    end = _before(right, words, first)
    begin, stop = tokens[first][1], tokens[end - 1][2] if end > first else tokens[first][2]
    if mark := _STOP.search(text, begin, stop):
        stop = mark.start()
    span = text[begin:stop].strip()
    most = 2 * LONGEST if _HAN.search(span) else LONGEST
    return span if span and len(_TOKEN.findall(span)) <= most else ""


def _after(left: list[str], words: list[str]) -> int | None:
    """The place after the longest end of `left` that stands among the words; 0 where the argument opens its message."""
    if not left:
        return 0
    for length in range(len(left), 0, -1):
        wanted = left[-length:]
        for place in range(len(words) - length, -1, -1):
            if words[place : place + length] == wanted:
                return place + length
    return None


def _before(right: list[str], words: list[str], first: int) -> int:
    for length in range(len(right), 0, -1):
        for place in range(first + 1, len(words) - length + 1):
            if words[place : place + length] == right[:length]:
                return place
    return len(words)


def conditions_of(reading: Reading, text: str) -> Mapping[str, Any]:
    """Return the arguments of filter_catalogue that a message's reading comes to; what is not wanted in the message's own words."""
    constraints = reading.constraints
    alone = reading.domains_only and _ALONE.search(text)
    found: dict[str, Any] = {"domains": sorted(reading.domains_only)} if alone else {}
    refused = (
        text[one.start : one.end] for one in reading.said if one.name.startswith("no ")
    )  # "vegan" rules out meat and refuses nothing
    without = [_NEGATION.sub("", words).strip() for words in refused if _NEGATION.search(words)]
    if without := [word for word in dict.fromkeys(without) if word]:
        found["without"] = without
    if constraints.max_duration_min is not None:
        found["max_duration_min"] = constraints.max_duration_min
    if constraints.max_price_cents is not None:
        found["max_price"] = constraints.max_price_cents / 100
    for name in ("min_year", "max_year"):
        if (year := getattr(constraints, name)) is not None:
            found[name] = year
    return found
