from __future__ import annotations

from datetime import datetime
from math import exp, log, log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.types import Moment, Place
from scenewise.tools.scene.pack import parse_pack
from scenewise.tools.scene.signals import read_habits, read_signals

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
    # 45 of 100 requests come from a phone, and commute lists nothing else: q = 1 / 0.45
    assert read(Moment(device="iPhone")) == {"device": pytest.approx([log(0.74 / 0.45 + 0.26), 0, 0])}
    assert read(Moment(device="tv")) == {"device": pytest.approx([log(0.26), 0, 0])}


def test_time_and_weekday_by_hand() -> None:
    seen = read(Moment(local_time=datetime(2026, 3, 3, 8, 0)))  # a Tuesday
    inside = sigmoid(2) * sigmoid(2)
    assert seen["time"] == pytest.approx([log(0.74 * inside * 12 + 0.26), log(0.26), 0], abs=1e-4)
    assert seen["weekday"] == pytest.approx([log(0.76 * 7 / 5 + 0.24), log(0.24), 0])


def test_the_edge_of_the_hours_is_half_way() -> None:
    seen = read(Moment(local_time=datetime(2026, 3, 3, 7, 0)))
    assert seen["time"][0] == pytest.approx(log(0.74 * 0.5 * sigmoid(4) * 12 + 0.26), abs=1e-6)


def test_hours_run_over_midnight_and_the_night_belongs_to_the_day_before() -> None:
    sunday_night = read(Moment(local_time=datetime(2026, 3, 8, 1, 0)))  # Sunday, one in the morning
    assert sunday_night["time"][1] == pytest.approx(log(0.74 * sigmoid(10) * sigmoid(2) * 4 + 0.26), abs=1e-6)
    assert sunday_night["weekday"][1] == pytest.approx(log(0.76 * 7 / 2 + 0.24))


def test_place_and_speed_by_hand() -> None:
    seen = read(Moment(place=Place("Subway", speed_mps=4.0)))
    # trains and buses are as usual, 2 in 100 each: q = (1 / 2) / 0.02
    assert seen["place"] == pytest.approx([log(0.83 * 25 + 0.17), 0, 0])
    inside = sigmoid((log1p(4) - log1p(2.2)) / 0.15) * sigmoid((log1p(7) - log1p(4)) / 0.15)
    assert seen["speed"] == pytest.approx([log(0.8 * inside * 8 + 0.2), 0, 0])  # 1 / (0.85 - 0.80) is cut to 8


def test_to_stand_says_nothing_against_a_scene_that_moves() -> None:
    # trains stop and runners rest: 0.8 * 1 + 0.2
    still = sigmoid(log1p(0.7) / 0.15)
    assert read(Moment(place=Place(speed_mps=0.0)))["speed"] == pytest.approx([log(0.8 * still + 0.2), 0, 0])
    fast = read(Moment(place=Place(speed_mps=30.0)))["speed"][0]
    assert fast == pytest.approx(log(0.2), abs=0.01)


def test_who_asks_through_a_car_is_in_it() -> None:
    pack = parse_pack('[scene.drive]\ndescription = "x"\nexamples = ["x"]\nplaces = ["car"]\n')
    assert {term.name: term.value for term in read_signals(pack, Moment(device="car"))} == {"device": "car", "place": "car"}
    assert {term.name: term.value for term in read_signals(pack, Moment(device="car", place=Place("home")))}["place"] == "home"


def test_a_rare_place_says_more_than_a_usual_one() -> None:
    pack = parse_pack('[scene.away]\ndescription = "x"\nexamples = ["x"]\nplaces = ["home", "plane"]\n')
    home, plane = (next(read_signals(pack, Moment(place=Place(place)))).log_ratio[0] for place in ("home", "plane"))
    # roots of 0.3 and 0.004 make the shares within the scene
    assert home == pytest.approx(log(0.83 / (0.3**0.5 * (0.3**0.5 + 0.004**0.5)) + 0.17))
    assert plane == pytest.approx(log(0.83 / (0.004**0.5 * (0.3**0.5 + 0.004**0.5)) + 0.17))


def test_network_and_weather_by_hand() -> None:
    pack = parse_pack('[scene.away]\ndescription = "x"\nexamples = ["x"]\nnetwork = ["offline"]\nweather = ["snow"]\n')
    seen = {term.name: term.log_ratio[0] for term in read_signals(pack, Moment(network="offline", weather="Snow"))}
    assert seen == {"network": pytest.approx(log(0.5 / 0.03 + 0.5)), "weather": pytest.approx(log(0.4 / 0.05 + 0.6))}
    against = {term.name: term.log_ratio[0] for term in read_signals(pack, Moment(network="wifi", weather="sunny"))}
    assert against == {"network": pytest.approx(log(0.5)), "weather": pytest.approx(log(0.6))}
    assert not list(read_signals(pack, Moment(network="pigeon", weather="frogs")))


def test_habits_are_bounded() -> None:
    (few,) = read_habits(PACK, {"party": 1})
    (many,) = read_habits(PACK, {"party": 100_000})
    # a weight of 0.5 * 1 / 11 on the one scene that there was
    assert few.log_ratio == pytest.approx([log(1 - 0.5 / 11), log(1 - 0.5 / 11 + 1.5 / 11), log(1 - 0.5 / 11)])
    assert many.log_ratio == pytest.approx([log(0.5), log(0.5 + 1.5), log(0.5)], abs=1e-3)


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
