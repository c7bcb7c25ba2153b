"""The moment and the user of a request, as JSON, as the strings of OpenAI's `metadata`, and as headers."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from scenewise.store.types import Moment, Place

LONGEST_ID = 512
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_NUMBER = r"-?\d{1,3}(?:\.\d{1,12})?"
_PLACE = re.compile(
    rf"(?P<type>[^@,\x00-\x1f]{{0,64}}|(?P<latitude>{_NUMBER}),\s?(?P<longitude>{_NUMBER}))(?:@(?P<speed>\d{{1,3}}(?:\.\d{{1,6}})?))?"
)


def is_plain(text: str) -> bool:
    """Whether a text can be an id: not blank, not too long, without control characters."""
    return bool(text.strip()) and len(text) <= LONGEST_ID and not _CONTROLS.search(text)


def language(locale: str) -> Literal["en", "zh"]:
    """The language of a locale that we speak.

    >>> language("zh-CN"), language("de")
    ('zh', 'en')
    """
    return "zh" if locale.casefold().startswith("zh") else "en"


def _plain(text: str) -> str:
    if not is_plain(text):
        raise ValueError("an id is not blank and has no control characters")
    return text


def _place(text: str) -> str:
    read_place(text)
    return text


def read_place(text: str) -> Place:
    """Read "home", "train@22" or "38.71,-9.14@1.4": a word or latitude,longitude in degrees, and perhaps a speed in metres a second.

    Raises ValueError.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError("a place is a word such as home or train, or latitude,longitude; a speed follows as @1.4")
    speed = float(found["speed"]) if found["speed"] else None
    if found["latitude"] is None:
        return Place(type=found["type"].strip() or None, speed_mps=speed)
    latitude, longitude = float(found["latitude"]), float(found["longitude"])
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError("a latitude is between -90 and 90 degrees, a longitude between -180 and 180")
    return Place(latitude=latitude, longitude=longitude, speed_mps=speed)


Id = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID), AfterValidator(_plain)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_plain)]
Count = Annotated[int, Field(ge=1, le=100, description="How many items.")]


class MomentIn(BaseModel):
    """The circumstances of a request; any part may be missing."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"device": "tv", "local_time": "2026-05-01T20:30", "place": "home", "available_min": 90}]},
    )

    device: Word | None = Field(default=None, description="phone, laptop, tv, speaker, ...")
    local_time: datetime | None = Field(default=None, description="The user's wall clock; an offset is left aside.")
    place: Annotated[str, AfterValidator(_place)] | None = Field(
        default=None, description="home, train, ... or latitude,longitude; @1.4 adds a speed in m/s."
    )
    locale: Word = Field(default="en", description="Language of the copy: en or zh.")
    available_min: Annotated[float, Field(gt=0, lt=10_000, allow_inf_nan=False)] | None = Field(
        default=None, description="Minutes there are."
    )
    network: Word | None = Field(default=None, description="wifi, cellular or offline.")
    weather: Word | None = Field(default=None, description="sunny, cloudy, rain, snow or another word.")

    def moment(self) -> Moment:
        """The moment as the agent takes it."""
        time = self.local_time.replace(tzinfo=None) if self.local_time else None
        place = read_place(self.place) if self.place is not None else None
        return Moment(self.device, time, place, language(self.locale), self.available_min, self.network, self.weather)


class Metadata(MomentIn):
    """What a chat request says under `metadata`, beside the moment: who asks, in which conversation, and for what. All may be strings;
    what is not listed here is left aside."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={"examples": [{"user_id": "42", "device": "tv", "place": "home", "local_time": "2026-05-01T20:30"}]},
    )

    user_id: Id | None = Field(default=None, description="Who asks; left out, nobody in particular.")
    conversation_id: Id | None = Field(default=None, description="Which conversation this is; left out, it is told by the history.")
    scene: Word | None = Field(default=None, description="A scene by name, where it is known.")
    k: Count = 5
