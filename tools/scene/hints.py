"""What a request's own words say about the moment: minutes, device, place, day, hour. Patterns for English and Chinese, no model.

A hint is soft: what the caller states about the moment always goes before it (`merge_moment`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from scenewise.store.types import Moment, Place
from scenewise.tools.scene.durations import find_minutes

_DEFAULT_LOCALE = "en"

_NOT = r"(?<!no )(?<!not )(?<!without )(?<!without my )(?<!without a )(?<!没有)(?<!不用)(?<!没带)"


def _patterns(table: Mapping[str, str]) -> Mapping[str, re.Pattern[str]]:
    return MappingProxyType({name: re.compile(_NOT + f"(?:{pattern})", re.IGNORECASE) for name, pattern in table.items()})


# Titles are why the patterns are narrow: "The Office", "Training Day" and "a tv series" name neither place nor device.
_DEVICES = _patterns(
    {
        "phone": r"\b(?:smart|cell|mobile )?phones?\b|\biphones?\b|\bmy mobile\b|手机",
        "tablet": r"\btablets?\b|\bipads?\b|平板",
        "laptop": r"\blaptops?\b|\bmacbook\b|\bcomputer\b|笔记本电脑|电脑",
        "desktop": r"\bdesktop\b|\bpc\b|台式机|台式电脑",
        "tv": r"\b(?:tv|telly|television)\b(?! (?:show|series|drama|film|movie))|电视(?!剧|节目|连续剧)",
        "speaker": r"\b(?:smart |kitchen |bluetooth )?speakers?\b|\bhomepod\b|音箱|音响",
        "headphones": r"\b(?:head|ear)phones?\b|\bearbuds\b|\bairpods\b|\bheadset\b|耳机",
        "watch": r"\bsmart ?watch\b|\bapple watch\b|\bmy watch\b|手表",
        "car": r"\bcar (?:stereo|radio)\b|\bcarplay\b|车载",
    }
)
_PLACES = _patterns(
    {
        "train": r"\b(?:on|the|my|by|in)(?: \w+)? train\b|\b(?:subway|metro|tram|underground)\b|地铁|火车|高铁",
        "bus": r"\bbus\b|公交|巴士",
        "car": r"\b(?:in|the|my|by) car\b|\bdriving\b|\bdrive (?:to|home)\b|\bstuck in traffic\b|开车|自驾|车上",
        "plane": r"\bplane\b|\bflight\b|飞机|航班",
        "airport": r"\bairport\b|机场",
        "station": r"\b(?:train|bus|railway|at the) station\b|火车站|车站",
        "street": r"\bon the street\b|\bwalking (?:home|to|through|from)\b|走路|散步",
        "park": r"\b(?:in|at|to|through) the park\b|公园",
        "gym": r"\bgym\b|\btreadmill\b|健身房|跑步机",
        "office": r"\b(?:at|in|from) (?:the|my|our) office\b|\bat work\b|\bmy desk\b|办公室|(?<![去到回])公司|到公司了",
        "cafe": r"\bcaf[eé]\b|\bcoffee shop\b|咖啡馆|咖啡店|咖啡厅",
        "restaurant": r"\b(?:in|at) (?:a|the) (?:restaurant|canteen)\b|餐厅|食堂|饭店",
        "school": r"\bat school\b|\bin class\b|学校|教室",
        "library": r"\b(?:in|at|from) (?:the|a|my) library\b|图书馆",
        "kitchen": r"\b(?:in|the|my|our) kitchen\b|厨房",
        "bedroom": r"\bin (?:my |the )?bed(?:room)?\b|床上|卧室",
        "living room": r"\bliving room\b|\b(?:on|the|my|our) (?:sofa|couch)\b|客厅|沙发",
        "hotel": r"\b(?:in|at) (?:a|the|my|our) hotel\b|\bhotel room\b|酒店|宾馆|旅馆",
        "beach": r"\b(?:on|at|to) the beach\b|\bby the sea\b|海边|沙滩",
        "shop": r"\b(?:in|at) (?:a|the) (?:shop|store|supermarket)\b|超市|商场",
        "home": r"\bat home\b|\b(?:i['’]?m|i am|we['’]?re|we are|got|arrived|came|back) (?:just |now |finally |back )*home\b|到家|"
        r"回到家|\b(?:at|to) my place\b|\bstay(?:ing)? in\b|在家|家里|我家",
    }
)
DEVICE_NAMES = tuple(_DEVICES)
PLACE_NAMES = tuple(_PLACES)

_DAY_WORDS: Mapping[int, re.Pattern[str]] = MappingProxyType(
    {
        day: re.compile(rf"\b{english}\b|(?:周|星期|礼拜)[{chinese}]", re.IGNORECASE)
        for day, (english, chinese) in enumerate(
            (
                ("monday", "一"),
                ("tuesday", "二"),
                ("wednesday", "三"),
                ("thursday", "四"),
                ("friday", "五"),
                ("saturday", "六"),
                ("sunday", "日天"),
            )
        )
    }
)
_WEEKEND = re.compile(r"\bweekend\b|周末", re.IGNORECASE)
_TOMORROW = re.compile(r"\btomorrow\b|明天|明早|明晚", re.IGNORECASE)
_ANOTHER_TIME = re.compile(
    r"\b(?:tomorrow|tonight|later|planning|mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?)\b"
    r"|\b(?:next|this|coming) (?:week|weekend|month)\b"
    r"|今晚|明天|明早|明晚|后天|晚上|待会|下周|下个月|周末|(?:周|星期|礼拜)[一二三四五六日天]",
    re.IGNORECASE,
)
_HOUR_WORDS: Mapping[float, re.Pattern[str]] = MappingProxyType(
    {
        8.5: re.compile(r"\bmorning\b|早上|早晨|清晨|明早|今早", re.IGNORECASE),
        12.5: re.compile(r"\bnoon\b|\bmidday\b|\blunch(?:time)?\b|中午|午休|午饭|午餐", re.IGNORECASE),
        15.0: re.compile(r"\bafternoon\b|下午", re.IGNORECASE),
        19.5: re.compile(r"\bevening\b|傍晚|晚上|今晚|明晚", re.IGNORECASE),
        20.5: re.compile(r"\b(?:to)?night\b", re.IGNORECASE),
        23.5: re.compile(r"\bmidnight\b|\bbedtime\b|\bbefore (?:bed|sleep)\b|半夜|深夜|午夜|睡前", re.IGNORECASE),
    }
)
_AT_HOUR = re.compile(r"\bat (\d{1,2})(?::([0-5]\d))?\s*(am|pm)?\b|(?<![\d:])(\d{1,2}):([0-5]\d)(?![\d:])", re.IGNORECASE)


def moment_hints(text: str, *, now: datetime | None = None) -> Moment:
    """Read the moment out of a request's words; what they do not say stays None.

    `local_time` is set only where `now` is given and the words name a day or an hour: the next such day counted from `now`.

    >>> hints = moment_hints("25 minutes on the train with my phone")
    >>> hints.device, hints.place.type, hints.available_min
    ('phone', 'train', 25.0)
    """
    place = _first(_PLACES, text)
    return Moment(
        device=_first(_DEVICES, text),
        local_time=None if now is None else _said_time(text, now),
        place=None if place is None else Place(type=place),
        available_min=find_minutes(text),
    )


def merge_moment(explicit: Moment, hints: Moment) -> Moment:
    """Fill what `explicit` leaves open from `hints`."""
    place = explicit.place or hints.place
    if place is not None and place.type is None and hints.place is not None:
        place = replace(place, type=hints.place.type)
    return replace(
        explicit,
        device=explicit.device or hints.device,
        local_time=explicit.local_time or hints.local_time,
        place=place,
        locale=explicit.locale if explicit.locale != _DEFAULT_LOCALE else hints.locale,
        available_min=hints.available_min if explicit.available_min is None else explicit.available_min,
    )


def names_a_time(text: str) -> bool:
    """Whether the words name a day or an evening, so that they may be about another moment than that in which they are said.

    >>> [names_a_time(text) for text in ("planning dinner for Friday", "明天去爬山", "something to read")]
    [True, True, False]
    """
    return _ANOTHER_TIME.search(text) is not None


def name_device(text: str) -> str:
    """Give a device its usual name ("iPhone" is "phone"); an unknown one is returned in lower case."""
    return _named(DEVICE_NAMES, _DEVICES, text)


def name_place(text: str) -> str:
    """Give a place its usual name ("Subway" is "train"); an unknown one is returned in lower case."""
    return _named(PLACE_NAMES, _PLACES, text)


def _named(names: tuple[str, ...], patterns: Mapping[str, re.Pattern[str]], text: str) -> str:
    plain = text.strip().casefold().replace("_", " ")
    return plain if plain in names else _first(patterns, plain) or plain


def _first(patterns: Mapping[str, re.Pattern[str]], text: str) -> str | None:
    """The name whose words come first in the text; the longer words where two begin together."""
    found = [(match.start(), -len(match.group()), name) for name, pattern in patterns.items() if (match := pattern.search(text))]
    return min(found)[2] if found else None


def _said_time(text: str, now: datetime) -> datetime | None:
    hour, days = _said_hour(text), _said_days_ahead(text, now)
    if hour is None and days is None:
        return None
    day = now + timedelta(days=days or 0)
    return day if hour is None else day.replace(hour=int(hour), minute=round(hour % 1 * 60), second=0, microsecond=0)


def _said_days_ahead(text: str, now: datetime) -> int | None:
    found = [(match.start(), day) for day, pattern in _DAY_WORDS.items() if (match := pattern.search(text))]
    if found:
        return (min(found)[1] - now.weekday()) % 7
    if _WEEKEND.search(text):
        return 0 if now.weekday() >= 5 else 5 - now.weekday()
    return 1 if _TOMORROW.search(text) else None


def _said_hour(text: str) -> float | None:
    part = min(((match.start(), hour) for hour, words in _HOUR_WORDS.items() if (match := words.search(text))), default=None)
    if at := _AT_HOUR.search(text):
        hour = int(at.group(1) or at.group(4)) + int(at.group(2) or at.group(5) or 0) / 60
        half = (at.group(3) or "").casefold()
        # "at 8" with "evening" or "tonight" beside it is eight in the evening
        after_noon = half == "pm" or (not half and part is not None and part[1] >= 15 and hour >= 5)
        hour = hour % 12 + 12 if after_noon and hour < 13 else hour % 12 if half == "am" else hour
        if hour < 24:
            return hour
    return None if part is None else part[1]
