from __future__ import annotations

import pytest

from scenewise.tools.catalogue.limits import find_limits


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("from the 90s", 1990, 1999),
        ("1980s films", 1980, 1989),
        ("the nineties", 1990, 1999),
        ("00s music", 2000, 2009),
        ("90年代的电影", 1990, 1999),
        ("八十年代", 1980, 1989),
        ("三十年代的老歌", 1930, 1939),
        ("before 1980", None, 1979),
        ("pre-1980", None, 1979),
        ("after 2000", 2001, None),
        ("since 2010", 2010, None),
        ("from 1990 on", 1990, None),
        ("1990 or later", 1990, None),
        ("until 1999", None, 1999),
        ("a film from 1994", 1994, 1994),
        ("between 1980 and 1990", 1980, 1990),
        ("1985-1980", 1980, 1985),
        ("nothing before 1980", 1980, None),
        ("not after 2000", None, 2000),
        ("nothing older than 2000", 2000, None),
        ("before the 80s", None, 1979),
        ("the 2000's or earlier", None, 2009),
        ("1980年以前", None, 1979),
        ("2000年以后", 2000, None),
        ("songs past 1990", 1991, None),
        ("nothing past 1985", None, 1985),
        ("不要1990年以前的", 1990, None),
        ("1992年之前的都不要", 1992, None),
        ("成龙演的，八十年代以前就算了", 1980, None),
        ("80年代以后的", 1980, None),
        ("from the two thousands", 2000, 2009),
        ("from this century", 2000, None),
        ("of the 21st century", 2000, None),
    ],
)
def test_years(text: str, low: int | None, high: int | None) -> None:
    (limit,) = find_limits(text)
    assert (limit.kind, limit.low, limit.high) == ("year", low, high)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("under two hours", 120),
        ("less than 90 minutes", 90),
        ("at most 1.5 hours", 90),
        ("no longer than an hour and a half", 90),
        ("nothing over 2 hours", 120),
        ("anything over two hours is too long", 120),
        ("over an hour, no thanks", 60),
        ("一個半小時以內", 90),
        ("兩個鐘頭之內", 120),
        ("超过两小时的就算了", 120),
        ("顶多看一个小时", 60),
        ("max 30 min", 30),
        ("30 minutes max", 30),
        ("I have half an hour", 30),
        ("a 20-minute workout", 20),
        ("a two hour movie", 120),
        ("within 1h30", 90),
        ("a documentary (<= 1h), please", 60),
        ("≤ 90 minutes", 90),
        ("两小时以内", 120),
        ("不超过90分钟", 90),
        ("我有半小时", 30),
        ("一个半小时以内", 90),
        ("最多一刻钟", 15),
        ("三刻钟以内", 45),
        ("控制在一百分钟以内", 100),
        ("一百二十分钟以内的电影", 120),
        ("还剩三十五分钟", 35),
        ("别超过三个钟头", 180),
        ("three quarters of an hour or less", 45),
        ("in a quarter of an hour", 15),
        ("an hour and a quarter tops", 75),
        ("half hour at most", 30),
        ("two and a half hours at most", 150),
        ("under a hundred minutes", 100),
        ("forty-five minutes tops", 45),
        ("2h or so", 120),
        ("there's an hour and I want a cosy film", 60),
    ],
)
def test_durations(text: str, minutes: float) -> None:
    (limit,) = find_limits(text)
    assert (limit.kind, limit.low, limit.high) == ("duration", None, minutes)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("under 10 dollars", 1000),
        ("below $15.50", 1550),
        ("max 20€", 2000),
        ("less than five bucks", 500),
        ("50元以内", 5000),
        ("不超过30块", 3000),
        ("顶多花三十块", 3000),
        ("最多花三十块", 3000),
        ("三十块封顶", 3000),
        ("超过三十块的不考虑", 3000),
        ("兩百塊以內的檯燈", 20000),
        ("anything over 20 dollars is out", 2000),
        ("more than $20 would be too much", 2000),
        ("一百块以内的台灯", 10000),
        ("两百元以下", 20000),
        ("预算五百块", 50000),
        ("最多一百五十块钱", 15000),
        ("来个一百五以下的水壶", 15000),
        ("一千二以内的相机", 120000),
        ("预算两千元", 200000),
        ("十元以内", 1000),
        ("for less than a hundred dollars", 10000),
    ],
)
def test_prices(text: str, cents: float) -> None:
    (limit,) = find_limits(text)
    assert (limit.kind, limit.low, limit.high) == ("price", None, cents)


@pytest.mark.parametrize("text", ["at least two hours", "more than 90 minutes", "no 80s music", "not any films from the 80's", "over $20"])
def test_what_cannot_be_expressed_has_no_bound(text: str) -> None:
    (limit,) = find_limits(text)
    assert (limit.low, limit.high) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I waited 2 hours",
        "2 hours ago",
        "just a minute",
        "I think it came out in 2017",
        "route 1990 motel",
        "it costs $5",
        "a 50% discount",
        "the number 2001",
        "20 minutes",
    ],
)
def test_bare_numbers_are_no_limits(text: str) -> None:
    assert find_limits(text) == []


def test_several_limits_come_in_the_order_of_the_text_with_their_places() -> None:
    text = "90s, under 2 hours, below 10 dollars"
    assert [(limit.kind, text[limit.start : limit.end]) for limit in find_limits(text)] == [
        ("year", "90s"),
        ("duration", "under 2 hours"),
        ("price", "below 10 dollars"),
    ]
