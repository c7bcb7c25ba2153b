from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.errors import InputError, NotFound
from scenewise.store.types import Moment, Place, Profile, UserId
from scenewise.tools.scene.own import distance_m, forget_place, locate, name_a_place, places_of, taught_by, teach

ANN = Profile(UserId("ann"))
points = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def test_distances_by_hand() -> None:
    # a degree of latitude is 2 pi 6371 km / 360
    assert distance_m((10, 20), (11, 20)) == pytest.approx(111_194.93, abs=0.1)
    # at 60 degrees north a degree of longitude is half as long
    assert distance_m((60, 20), (60, 20.001)) == pytest.approx(55.597, abs=0.01)
    assert distance_m((0, 179.999), (0, -179.999)) == pytest.approx(222.39, abs=0.01)


@given(points, points)
def test_distance_is_symmetric_and_within_half_the_earth(a: tuple[float, float], b: tuple[float, float]) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a), abs=1e-3)
    assert 0 <= distance_m(a, b) <= 20_015_087


def test_the_nearest_place_within_its_radius_counts() -> None:
    profile = name_a_place(ANN, "home", (48.0, 11.0), radius_m=100)
    profile = name_a_place(profile, "Bean & Co", (48.001, 11.0), type="coffee shop", radius_m=200)
    assert [(place.name, place.type) for place in places_of(profile)] == [("home", "home"), ("Bean & Co", "cafe")]

    def kind_at(latitude: float) -> str | None:
        place = locate(Moment(place=Place(latitude=latitude, longitude=11.0, speed_mps=1.0)), places_of(profile)).place
        assert place is not None
        assert (place.latitude, place.longitude, place.speed_mps) == (None, None, 1.0)
        return place.type

    # 111 m apart: home reaches 100 m, the cafe 200 m
    assert [kind_at(at) for at in (48.0, 48.0004, 48.0006, 48.002, 48.003)] == ["home", "home", "cafe", "cafe", None]
    assert kind_at(47.9995) == "home"


def test_a_type_that_is_given_stays_and_half_a_point_says_nothing() -> None:
    places = places_of(name_a_place(ANN, "home", (48.0, 11.0)))
    assert locate(Moment(place=Place("train", 48.0, 11.0)), places) == Moment(place=Place("train"))
    assert locate(Moment(place=Place(None, 48.0)), places) == Moment(place=Place())
    assert locate(Moment(), places) == Moment()


def test_names_are_replaced_and_forgotten_whatever_their_case() -> None:
    profile = name_a_place(name_a_place(ANN, "Gym", (1.0, 2.0)), "gym", (3.00004, 4.00006))
    assert [(place.latitude, place.longitude) for place in places_of(profile)] == [(3.0, 4.0001)]
    assert places_of(forget_place(profile, "GYM")) == ()
    with pytest.raises(NotFound):
        forget_place(profile, "office")


@pytest.mark.parametrize(("name", "point", "radius_m"), [("", (1.0, 2.0), 100.0), ("x", (91.0, 0.0), 100.0), ("x", (0.0, 0.0), 0.5)])
def test_no_place(name: str, point: tuple[float, float], radius_m: float) -> None:
    with pytest.raises(InputError):
        name_a_place(ANN, name, point, radius_m=radius_m)


def test_the_latest_fifty_texts_stay_and_the_latest_scene_of_a_text() -> None:
    profile = ANN
    for number in range(60):
        profile = teach(profile, f"text {number}", "study")
    profile = teach(teach(profile, "Text 59", "party"), " ", "party")
    taught = taught_by(profile)
    assert len(taught) == 50
    assert taught[-1] == ("Text 59", "party")
    assert taught[0] == ("text 10", "study")
