"""What the scene recogniser says about a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """One piece of the moment that spoke: `name` is "words", "device", "time", "weekday", "place" or "speed"; `value` as shown to a
    person; `share` is its part of the winning scene's log-odds against the average scene, can be negative, and all shares sum to 1
    in absolute value."""

    name: str
    value: str
    share: float


@dataclass(frozen=True, slots=True)
class SceneReading:
    """A distribution over scenes. `scene` is None for "no particular scene"; `probabilities` includes the key "none"."""

    scene: str | None
    probability: float
    probabilities: Mapping[str, float]
    signals: tuple[Signal, ...] = ()
