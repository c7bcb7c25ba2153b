from __future__ import annotations

from datetime import datetime
from math import exp, log, log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.types import Moment, Place
from scenewise.tools.scene.pack import parse_pack
from scenewise.tools.scene.signals import read_signals

PACK = parse_pack(
    """
[scene.commute]
description = "x"
examples = ["x"]
device = ["phone"]
hours = ["7-9"]
weekdays = ["workdays"]
places = ["train", "bus"]
speed_mps = [2.2, 7]
[scene.party]
description = "x"
examples = ["x"]
hours = ["20-2"]
weekdays = ["fri", "sat"]
[scene.silent]
description = "x"
examples = ["x"]
"""
)


def read(moment: Moment) -> dict[str, list[float]]:
    return {term.name: term.log_ratio.tolist() for term in read_signals(PACK, moment)}


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def test_device_by_hand() -> None:
    # nine devices are known, commute lists one: q = 9
    assert read(Moment(device="iPhone")) == {"device": pytest.approx([log(0.7 * 9 + 0.3), 0, 0])}
    assert read(Moment(device="tv")) == {"device": pytest.approx([log(0.3), 0, 0])}


def test_time_and_weekday_by_hand() -> None:
    seen = read(Moment(local_time=datetime(2026, 3, 3, 8, 0)))  # a Tuesday
    inside = sigmoid(4) * sigmoid(4)
    assert seen["time"] == pytest.approx([log(0.8 * inside * 12 + 0.2), log(0.2), 0], abs=1e-6)
    assert seen["weekday"] == pytest.approx([log(0.6 * 7 / 5 + 0.4), log(0.4), 0])


def test_the_edge_of_the_hours_is_half_way() -> None:
    seen = read(Moment(local_time=datetime(2026, 3, 3, 7, 0)))
    assert seen["time"][0] == pytest.approx(log(0.8 * 0.5 * sigmoid(8) * 12 + 0.2), abs=1e-6)


def test_hours_run_over_midnight_and_the_night_belongs_to_the_day_before() -> None:
    sunday_night = read(Moment(local_time=datetime(2026, 3, 8, 1, 0)))  # Sunday, one in the morning
    assert sunday_night["time"][1] == pytest.approx(log(0.8 * sigmoid(20) * sigmoid(4) * 4 + 0.2), abs=1e-6)
    assert sunday_night["weekday"][1] == pytest.approx(log(0.6 * 7 / 2 + 0.4))


def test_place_and_speed_by_hand() -> None:
    seen = read(Moment(place=Place("Subway", speed_mps=4.0)))
    n_places = 21
    assert seen["place"] == pytest.approx([log(0.85 * n_places / 2 + 0.15), 0, 0])
    inside = sigmoid((log1p(4) - log1p(2.2)) / 0.15) * sigmoid((log1p(7) - log1p(4)) / 0.15)
    assert seen["speed"] == pytest.approx([log(0.8 * inside * 8 + 0.2), 0, 0])  # 1 / (0.85 - 0.80) is cut to 8


@pytest.mark.parametrize(
    "moment",
    [
        Moment(),
        Moment(place=Place(latitude=1.0, longitude=2.0)),
        Moment(device="fridge", place=Place("moon")),
        Moment(place=Place()),
    ],
)
def test_nothing_known_says_nothing(moment: Moment) -> None:
    assert read(moment) == {}


def test_values_are_shown_as_to_a_person() -> None:
    moment = Moment("iPhone", datetime(2026, 3, 3, 8, 5), Place("metro", speed_mps=20.0))
    assert {term.name: term.value for term in read_signals(PACK, moment)} == {
        "device": "phone",
        "time": "08:05",
        "weekday": "tue",
        "place": "train",
        "speed": "72 km/h",
    }


@given(st.datetimes(), st.floats(0, 1000))
def test_one_signal_is_bounded(local_time: datetime, speed_mps: float) -> None:
    for term in read_signals(PACK, Moment(local_time=local_time, place=Place(speed_mps=speed_mps))):
        assert np.all(term.log_ratio >= log(0.2) - 1e-9)
        assert np.all(term.log_ratio <= log(12))
        assert term.log_ratio[2] == 0
