from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.types import Moment, Place
from scenewise.tools.scene.durations import find_minutes
from scenewise.tools.scene.hints import merge_moment, moment_hints, name_device, name_place

TUESDAY = datetime(2026, 3, 3, 10, 0)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("25 minutes", 25),
        ("I have 20 min at the gym", 20),
        ("a 30-minute workout", 30),
        ("under 90 mins please", 90),
        ("twenty-five minutes", 25),
        ("half an hour", 30),
        ("an hour", 60),
        ("An hour and a half", 90),
        ("one and a half hours", 90),
        ("a quarter of an hour", 15),
        ("three quarters of an hour", 45),
        ("a couple of hours", 120),
        ("2.5 hours", 150),
        ("two hours and 15 minutes", 135),
        ("1h30 left", 90),
        ("1h", 60),
        ("over 2 hours is too long, I have 20 minutes", 20),
        ("25分钟", 25),
        ("二十五分钟", 25),
        ("十分钟", 10),
        ("半小时", 30),
        ("半个小时", 30),
        ("一个半小时", 90),
        ("两个小时", 120),
        ("1小时20分钟", 80),
        ("一刻钟", 15),
        ("不超过两小时", 120),
        ("", None),
        ("half an hour ago", None),
        ("more than half an hour", None),
        ("at least two hours", None),
        ("两小时前", None),
        ("至少两小时", None),
        ("超过25分钟", None),
        ("127 Hours", None),
        ("25th Hour", None),
        ("Gone in 60 Seconds", None),
        ("0 minutes", None),
    ],
)
def test_minutes(text: str, minutes: float | None) -> None:
    assert find_minutes(text) == minutes


@pytest.mark.parametrize(
    ("text", "device", "place"),
    [
        ("on the train to the office with my iPhone", "phone", "train"),
        ("in bed with my tablet", "tablet", "bedroom"),
        ("what is on tv", "tv", None),
        ("在去公司的地铁上用手机", "phone", "train"),
        ("办公室里用电脑", "laptop", "office"),
        ("on the kitchen speaker", "speaker", "kitchen"),
        ("on the treadmill with earbuds", "headphones", "gym"),
        ("stuck in traffic", None, "car"),
        ("火车站", None, "station"),
        ("a walk in the park at noon", None, "park"),
        ("without my phone", None, None),
        ("I'm home", None, "home"),
        ("just got back home", None, "home"),
        ("home alone", None, None),
        ("到家了", None, "home"),
        ("a tv series like The Office", None, None),
        ("Training Day", None, None),
        ("看电视剧", None, None),
        ("what to watch", None, None),
        ("", None, None),
    ],
)
def test_device_and_place(text: str, device: str | None, place: str | None) -> None:
    hints = moment_hints(text)
    assert (hints.device, hints.place and hints.place.type) == (device, place)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("friends are over on Saturday night", datetime(2026, 3, 7, 20, 30)),
        ("周六晚上", datetime(2026, 3, 7, 19, 30)),
        ("on Tuesday", TUESDAY),
        ("this evening at 8", datetime(2026, 3, 3, 20, 0)),
        ("at 7 pm", datetime(2026, 3, 3, 19, 0)),
        ("at 12 am", datetime(2026, 3, 3, 0, 0)),
        ("19:30", datetime(2026, 3, 3, 19, 30)),
        ("tomorrow morning", datetime(2026, 3, 4, 8, 30)),
        ("明天早上", datetime(2026, 3, 4, 8, 30)),
        ("this weekend", datetime(2026, 3, 7, 10, 0)),
        ("tell me about Fargo", None),
        ("at 99", None),
    ],
)
def test_day_and_hour_are_counted_from_now(text: str, expected: datetime | None) -> None:
    assert moment_hints(text, now=TUESDAY).local_time == expected
    assert moment_hints(text).local_time is None


def test_the_zone_of_now_is_kept() -> None:
    now = TUESDAY.replace(tzinfo=UTC)
    assert moment_hints("tonight", now=now).local_time == datetime(2026, 3, 3, 20, 30, tzinfo=UTC)


def test_explicit_values_go_before_hints() -> None:
    explicit = Moment(device="tv", place=Place(latitude=1.0, longitude=2.0, speed_mps=3.0), locale="zh")
    hints = Moment(device="phone", local_time=TUESDAY, place=Place(type="train"), available_min=25.0)
    merged = merge_moment(explicit, hints)
    assert merged == Moment("tv", TUESDAY, Place("train", 1.0, 2.0, 3.0), "zh", 25.0)
    assert merge_moment(Moment(place=Place("gym"), available_min=0.0), hints).place == Place("gym")
    assert merge_moment(Moment(available_min=0.0), hints).available_min == 0.0
    assert merge_moment(Moment(), hints) == hints


def test_usual_names() -> None:
    assert [name_device(text) for text in ("iPhone", "Smart_TV", "phone", "Fridge")] == ["phone", "tv", "phone", "fridge"]
    assert [name_place(text) for text in ("Subway", "living_room", "home", "Moon")] == ["train", "living room", "home", "moon"]


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    hints = moment_hints(text, now=TUESDAY)
    assert hints.available_min is None or 0 < hints.available_min <= 720
    assert merge_moment(Moment(), hints) == hints


@given(st.integers(1, 720))
def test_minutes_in_digits_come_back(minutes: int) -> None:
    assert find_minutes(f"I have {minutes} minutes") == find_minutes(f"我有{minutes}分钟") == minutes
