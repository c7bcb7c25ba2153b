"""The nouns of the product: items, events, edges, profiles and moments.

All are frozen. External ids are `UserId` and `ItemId` (str); row numbers never leave `tools/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import NewType

UserId = NewType("UserId", str)
ItemId = NewType("ItemId", str)


def _nothing() -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that can be recommended.

    `attributes` maps an attribute's name (genre, creator, mood, level, ...) to its values, each value as shown to a person.
    """

    item_id: ItemId
    domain: str
    title: str
    text: str = ""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    year: int | None = None
    duration_min: float | None = None
    price_cents: int | None = None
    currency: str | None = None
    available: bool = True
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the user is: a type ("home", "train", "gym", ...), or coordinates in degrees, and speed in metres a second."""

    type: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    speed_mps: float | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """The circumstances of a request. Any part may be missing.

    `local_time` is the user's wall clock; `available_min` is how many minutes the user has; `network` is "wifi", "cellular" or
    "offline"; `weather` is "sunny", "cloudy", "rain", "snow" or another word.
    """

    device: str | None = None
    local_time: datetime | None = None
    place: Place | None = None
    locale: str = "en"
    available_min: float | None = None
    network: str | None = None
    weather: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A user did something with an item. `time_s` is unix time in UTC; `value` is a rating, a count, seconds, or None."""

    user_id: UserId
    item_id: ItemId
    kind: str
    value: float | None
    time_s: float
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A fact of the graph. Nodes are "type:key", for example "item:ml-100", "creator:Joel Coen", "entity:m.0bln8".

    `source` names who says so, `evidence` the words or row that say it, `confidence` is in [0, 1]; a fact holds in
    [valid_from_s, valid_to_s), unix seconds, open where None. `denied`: the source says that it is not so; `contradictions.py` says who
    is believed.
    """

    subject: str
    relation: str
    object: str
    source: str
    evidence: str = ""
    confidence: float = 1.0
    valid_from_s: float | None = None
    valid_to_s: float | None = None
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Taste:
    """A stated like or dislike: an attribute ("genre", "creator", "item", "domain", ...) and its value.

    `strength` is in (0, 1]; `source` says where it comes from ("said", "edited", ...); a locked taste is never changed by the agent.
    """

    attribute: str
    value: str
    strength: float = 1.0
    source: str = "said"
    time_s: float = 0.0
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What a user has told us. `constraints` are standing rules by name, e.g. {"max_duration_min": "30"}."""

    user_id: UserId
    likes: tuple[Taste, ...] = ()
    dislikes: tuple[Taste, ...] = ()
    constraints: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
