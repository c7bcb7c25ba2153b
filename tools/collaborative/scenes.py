"""The scenes of past events, read from the moments that were kept with them."""

from __future__ import annotations

from scenewise.store.types import Moment
from scenewise.tools.scene.recogniser import SceneRecogniser

_SLOT_MIN = 5  # hours have edges a quarter of an hour wide: within five minutes nothing changes
_KEPT = 20_000  # sets of circumstances; a device has some 2,000 a week


class SceneReader:
    """Reads each set of circumstances once, however many events share it. May be used from several threads."""

    def __init__(self, recogniser: SceneRecogniser) -> None:
        self._recogniser = recogniser
        self._read: dict[tuple[object, ...], str | None] = {}

    def scene_of(self, moment: Moment | None) -> str | None:
        """Return the name of the scene that a moment was, None where none is likely or no moment is known."""
        if moment is None:
            return None
        read, circumstances = self._read, _circumstances(moment)
        if circumstances in read:
            return read[circumstances]
        if len(read) >= _KEPT:
            read = self._read = {}
        scene = self._recogniser.recognise("", moment).scene
        read[circumstances] = scene
        return scene


def _circumstances(moment: Moment) -> tuple[object, ...]:
    """What of a moment the recogniser looks at, the clock in slots of five minutes."""
    at, place = moment.local_time, moment.place
    clock = None if at is None else (at.weekday(), at.hour, at.minute // _SLOT_MIN)
    speed = None if place is None or place.speed_mps is None else round(place.speed_mps, 1)
    return moment.device, clock, None if place is None else place.type, speed, moment.network, moment.weather
