"""JSON columns: attributes, media, moments, tastes. Written the same way every time, so that equal values are equal texts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from types import MappingProxyType

from scenewise.store.errors import InputError
from scenewise.store.types import Moment, Place, Taste

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def dump_json(value: object) -> str:
    """Write JSON with sorted keys. Raises InputError for what JSON cannot say: NaN, infinities, other types."""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise InputError("a value cannot be written as JSON; use text, finite numbers, true, false, null, lists and objects") from error


def dump_attributes(attributes: Mapping[str, Sequence[str]]) -> str:
    """Write an item's attributes."""
    return dump_json({name: list(values) for name, values in attributes.items()})


def load_attributes(text: str) -> Mapping[str, tuple[str, ...]]:
    """Read an item's attributes."""
    return MappingProxyType({name: tuple(values) for name, values in json.loads(text).items()})


def dump_moment(moment: Moment | None) -> str | None:
    """Write a moment without the parts that are missing, and without coordinates: what is kept is no finer than a place's type."""
    if moment is None:
        return None
    place = None if moment.place is None else replace(moment.place, latitude=None, longitude=None)
    parts = {name: value for name, value in asdict(replace(moment, place=place)).items() if value is not None}
    if moment.local_time is not None:
        parts["local_time"] = moment.local_time.isoformat()
    return dump_json(parts)


def load_moment(text: str | None) -> Moment | None:
    """Read a moment; a time zone comes back as its offset from UTC."""
    if text is None:
        return None
    parts = json.loads(text)
    if "local_time" in parts:
        parts["local_time"] = datetime.fromisoformat(parts["local_time"])
    if "place" in parts:
        parts["place"] = Place(**parts["place"])
    return Moment(**parts)


def dump_tastes(tastes: Sequence[Taste]) -> str:
    """Write tastes in their order."""
    return dump_json([asdict(taste) for taste in tastes])


def load_tastes(text: str) -> tuple[Taste, ...]:
    """Read tastes in their order."""
    return tuple(Taste(**taste) for taste in json.loads(text))
