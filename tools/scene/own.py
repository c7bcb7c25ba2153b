"""What of scenes is a user's own: the places they named and the texts they corrected. Both lie in the profile and go with the user."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import asin, cos, radians, sin, sqrt

from scenewise.store.codec import dump_json
from scenewise.store.errors import InputError, NotFound
from scenewise.store.types import Moment, Profile
from scenewise.tools.scene.hints import name_place

PLACES, TAUGHT = "scene.places", "scene.taught"
"""The names in `Profile.constraints` under which they are kept, as JSON; no other rule has a dot in its name."""

_KEPT_TEXTS = 50
_KEPT_PLACES = 100
_DECIMALS = 4  # 11 metres
_EARTH_M = 6_371_000.0
RADIUS_M = 150.0
_MOST_M = 5_000.0


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place that a user named: within `radius_m` metres of the point they are at a place of this type ("home", "gym", ...)."""

    name: str
    type: str
    latitude: float
    longitude: float
    radius_m: float = RADIUS_M


def places_of(profile: Profile) -> tuple[NamedPlace, ...]:
    """The user's named places, in the order they were named."""
    return tuple(NamedPlace(**place) for place in json.loads(profile.constraints.get(PLACES, "[]")))


def name_a_place(profile: Profile, name: str, point: tuple[float, float], *, type: str = "", radius_m: float = RADIUS_M) -> Profile:
    """Keep a point (latitude, longitude in degrees, to four decimals) under a name, instead of an earlier one of that name; its type is
    the name's own where none is given. Raises InputError for what is no point of the Earth, no name, or no radius."""
    latitude, longitude = point
    if not name.strip() or not (-90 <= latitude <= 90 and -180 <= longitude <= 180) or not 1 <= radius_m <= _MOST_M:
        raise InputError(f"a place needs a name, a point on the Earth, and a radius of 1 to {_MOST_M:.0f} metres")
    kind = name_place(type or name)
    place = NamedPlace(name.strip(), kind, round(latitude, _DECIMALS), round(longitude, _DECIMALS), radius_m)
    return _keep(profile, PLACES, [asdict(one) for one in (*_others(profile, name), place)][-_KEPT_PLACES:])


def forget_place(profile: Profile, name: str) -> Profile:
    """Forget a named place; NotFound where there is none of that name."""
    kept = _others(profile, name)
    if len(kept) == len(places_of(profile)):
        raise NotFound("this user has named no such place")
    return _keep(profile, PLACES, [asdict(one) for one in kept])


def locate(moment: Moment, places: Sequence[NamedPlace]) -> Moment:
    """Put the type of the nearest named place that the coordinates are within for the coordinates, which are dropped in any case."""
    place = moment.place
    if place is None or (place.latitude is None and place.longitude is None):
        return moment
    found = None
    if place.type is None and place.latitude is not None and place.longitude is not None:
        here = (place.latitude, place.longitude)
        near = [(distance_m(here, (one.latitude, one.longitude)), one.type, one.radius_m) for one in places]
        found = min(((metres, kind) for metres, kind, radius_m in near if metres <= radius_m), default=None)
    return replace(moment, place=replace(place, type=found[1] if found else place.type, latitude=None, longitude=None))


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres along the surface between two points (latitude, longitude in degrees) by the haversine formula, on a round Earth.

    >>> round(distance_m((48.8584, 2.2945), (51.5007, -0.1246)) / 1000)  # the Eiffel Tower and Big Ben
    341
    """
    (lat_a, lon_a), (lat_b, lon_b) = (tuple(map(radians, point)) for point in (a, b))
    h = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * _EARTH_M * asin(min(1.0, sqrt(h)))


def taught_by(profile: Profile) -> tuple[tuple[str, str], ...]:
    """The texts that this user corrected, each with the scene they meant, oldest first."""
    return tuple((str(text), str(scene)) for text, scene in json.loads(profile.constraints.get(TAUGHT, "[]")))


def teach(profile: Profile, text: str, scene: str) -> Profile:
    """Keep a text with the scene that its user meant, instead of what was kept for the same text; the latest 50 stay."""
    if not text.strip():
        return profile
    kept = [(other, its) for other, its in taught_by(profile) if other.casefold() != text.casefold()]
    return _keep(profile, TAUGHT, [*kept, (text, scene)][-_KEPT_TEXTS:])


def _others(profile: Profile, name: str) -> tuple[NamedPlace, ...]:
    return tuple(one for one in places_of(profile) if one.name.casefold() != name.strip().casefold())


def _keep(profile: Profile, rule: str, value: object) -> Profile:
    return replace(profile, constraints={**profile.constraints, rule: dump_json(value)})
