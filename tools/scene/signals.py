"""What device, time, weekday, place, speed, network and weather say for or against a scene, as log-likelihood ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import Moment
from scenewise.tools.scene.hints import DEVICE_NAMES, PLACE_NAMES, name_device, name_place
from scenewise.tools.scene.pack import DAY_NAMES, SceneDef, ScenePack

# How often each signal contradicts the scene it occurs in: the chance that it is drawn from everywhere instead of from what the
# scene lists. It bounds what one signal can say against a scene, log(chance). Fixed as the weights in recogniser.py are.
_CHANCE = MappingProxyType({"device": 0.26, "time": 0.26, "weekday": 0.24, "place": 0.17, "speed": 0.2, "network": 0.5, "weather": 0.6})
# Where and with what people are when they ask, whatever the scene: rough priors. To be on a plane says much, to be at home little.
_USUAL_PLACES = MappingProxyType(
    {"home": 0.3, "office": 0.15, "living room": 0.12, "bedroom": 0.08, "kitchen": 0.06, "car": 0.04, "street": 0.035, "shop": 0.03}
    | {"school": 0.03, "restaurant": 0.025, "train": 0.02, "bus": 0.02, "cafe": 0.02, "park": 0.02, "gym": 0.015, "hotel": 0.015}
    | {"library": 0.01, "station": 0.007, "airport": 0.004, "plane": 0.004, "beach": 0.004}
)
_USUAL_DEVICES = MappingProxyType(
    {"phone": 0.45, "laptop": 0.15, "tv": 0.1, "desktop": 0.08, "headphones": 0.08, "tablet": 0.06, "speaker": 0.04}
    | {"car": 0.02, "watch": 0.02}
)
_USUAL_NETWORKS = MappingProxyType({"wifi": 0.65, "cellular": 0.32, "offline": 0.03})
_USUAL_WEATHERS = MappingProxyType({"sunny": 0.4, "cloudy": 0.35, "rain": 0.2, "snow": 0.05})
NETWORKS, WEATHERS = tuple(_USUAL_NETWORKS), tuple(_USUAL_WEATHERS)
_RARE = 0.01  # the share of a place or device that only the pack knows
_EDGE_H = 0.5
_NIGHT_ENDS_H = 4
_SPEED_EDGE = 0.15
_STILL_MPS = 0.7
# The share of a day that people spend below a speed: still, on foot, running or cycling, in a vehicle. A rough prior.
_SPEEDS_MPS = (0.0, _STILL_MPS, 2.2, 7.0, 90.0)
_SHARE_BELOW = (0.0, 0.7, 0.8, 0.85, 1.0)
_MAX_SPEED_RATIO = 8.0
_EVEN = 10.0
_MOST_HABIT = 0.5  # earlier scenes were themselves recognised: they must not confirm themselves

_Value = TypeVar("_Value", str, int)


@dataclass(frozen=True, slots=True)
class Term:
    """One signal's log-likelihood ratio of every scene against no scene: float64 (n_scenes,)."""

    name: str
    value: str
    log_ratio: NDArray[np.float64]


def read_signals(pack: ScenePack, moment: Moment) -> Iterator[Term]:
    """Yield a term for each part of the moment that is given and known.

    With a scene's own density ratio q(x) = P(x | listed) / P(x | anywhere), zero outside what the scene lists, a term is
    log((1 - chance) q(x) + chance); 0 where the scene lists nothing. Hours, weekdays and speeds that are listed are as likely as each
    other; of places and devices, P(x | listed) goes with the root of P(x | anywhere), half way from that to being usual everywhere.
    Who asks through a car and is nowhere else is in it.
    """
    device = name_device(moment.device) if moment.device else ""
    if device in _known(DEVICE_NAMES, pack, lambda scene: scene.device):
        yield _term("device", device, pack, lambda scene: _listed(device, scene.device, _USUAL_DEVICES))
    if moment.local_time is not None:
        yield from _read_clock(pack, moment.local_time)
    place = moment.place
    name = name_place(place.type) if place and place.type else "car" if device == "car" else ""
    if name in _known(PLACE_NAMES, pack, lambda scene: scene.places):
        yield _term("place", name, pack, lambda scene: _listed(name, scene.places, _USUAL_PLACES))
    if place and place.speed_mps is not None and place.speed_mps >= 0:
        speed_mps = place.speed_mps
        yield _term("speed", f"{speed_mps * 3.6:.0f} km/h", pack, lambda scene: _speed_ratio(scene.speed_mps, speed_mps))
    if moment.network and (network := moment.network.casefold()) in _USUAL_NETWORKS:
        yield _term("network", network, pack, lambda scene: _listed(network, scene.network, _USUAL_NETWORKS))
    if moment.weather and (weather := moment.weather.casefold()) in _USUAL_WEATHERS:
        yield _term("weather", weather, pack, lambda scene: _listed(weather, scene.weather, _USUAL_WEATHERS))


def read_habits(pack: ScenePack, past: Mapping[str, int]) -> Iterator[Term]:
    """Yield what a user's earlier scenes say: log of each scene's share over an equal one, with at most half of the weight on the
    earlier ones, and less where they are few. So it stays between log(1/2) and the log of half the number of scenes and a half."""
    counts = np.array([max(0, past.get(name, 0)) for name in pack.names], dtype=np.float64)
    total = counts.sum()
    if total:
        weight = _MOST_HABIT * total / (total + _EVEN)
        yield Term("history", f"{total:.0f} earlier scenes", np.log(1 - weight + weight * counts * len(counts) / total))


def _read_clock(pack: ScenePack, local_time: datetime) -> Iterator[Term]:
    hour = local_time.hour + local_time.minute / 60
    yield _term("time", f"{local_time:%H:%M}", pack, lambda scene: _hour_ratio(scene.hours, hour))
    # one in the morning belongs to the evening before
    day = (local_time - timedelta(hours=_NIGHT_ENDS_H)).weekday()
    yield _term("weekday", DAY_NAMES[day], pack, lambda scene: _listed(day, scene.weekdays, dict.fromkeys(range(7), 1 / 7)))


def _term(name: str, value: str, pack: ScenePack, ratio: Callable[[SceneDef], float | None]) -> Term:
    chance = _CHANCE[name]
    ratios = [ratio(scene) for scene in pack.scenes]
    return Term(name, value, np.array([0.0 if q is None else np.log((1 - chance) * q + chance) for q in ratios], dtype=np.float64))


def _known(names: tuple[str, ...], pack: ScenePack, listed: Callable[[SceneDef], tuple[str, ...]]) -> set[str]:
    return {*names, *(name for scene in pack.scenes for name in listed(scene))}


def _listed(value: _Value, listed: Sequence[_Value], usual: Mapping[_Value, float]) -> float | None:
    if not listed:
        return None
    if value not in listed:
        return 0.0
    return 1 / (sqrt(usual.get(value, _RARE)) * sum(sqrt(usual.get(other, _RARE)) for other in listed))


def _hour_ratio(spans: tuple[tuple[float, float], ...], hour: float) -> float | None:
    """Smooth at the edges: half the full ratio on the edge itself, half an hour wide to either side."""
    if not spans:
        return None
    total_h = sum((end - start) % 24 or 24.0 for start, end in spans)
    inside = sum(_inside_span(start, start + ((end - start) % 24 or 24.0), hour) for start, end in spans)
    return min(1.0, inside) * 24 / min(24.0, total_h)


def _inside_span(start: float, end: float, hour: float) -> float:
    if end - start >= 24:
        return 1.0
    return sum(_sigmoid((at - start) / _EDGE_H) * _sigmoid((end - at) / _EDGE_H) for at in (hour - 24, hour, hour + 24))


def _speed_ratio(span: tuple[float, float] | None, speed_mps: float) -> float | None:
    """Smooth at the edges. To stand says nothing against a scene that moves: trains stop, and runners rest."""
    if span is None:
        return None
    low, high, at = np.log1p([*span, speed_mps])
    below = 1.0 if span[0] == 0 else _sigmoid((at - low) / _SPEED_EDGE)
    share = float(np.interp(span[1], _SPEEDS_MPS, _SHARE_BELOW) - np.interp(span[0], _SPEEDS_MPS, _SHARE_BELOW))
    moving = below * _sigmoid((high - at) / _SPEED_EDGE) * min(_MAX_SPEED_RATIO, 1 / max(share, 1e-6))
    return max(moving, _sigmoid((np.log1p(_STILL_MPS) - at) / _SPEED_EDGE)) if span[0] > _STILL_MPS else moving


def _sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(x, -60, 60))))
