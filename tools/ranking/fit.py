"""How well items fit the scene, the profile and the wishes of a request: log-odds over catalogue rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import ItemId, Profile, Taste
from scenewise.tools.catalogue.conditions import Columns
from scenewise.tools.ranking.calibration import Parts, Priors
from scenewise.tools.ranking.model import Wishes

Rows = NDArray[np.int32]
_LEAST_WEIGHT = 0.002  # a domain weighted 0 is last, not impossible: leaving items out is the constraints' work
_MOST = 3.0  # likes together, and dislikes together, count at most this many matches


class SceneLike(Protocol):
    """What the ranker reads of a scene; tools/scene/pack.py has the real one."""

    @property
    def domains(self) -> Mapping[str, float]: ...
    @property
    def prefer(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def ban(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def max_duration_min(self) -> float | None: ...


def scene_parts(
    scene: SceneLike,
    probability: float,
    columns: Columns,
    rows: Rows,
    priors: Priors,
    *,
    in_parts: frozenset[str] = frozenset(),
    wishes: Wishes | None = None,
) -> Parts:
    """Score rows (m,) against a scene that holds with a probability; with the rest of it no scene holds and nothing is said.

    Items of the domains `in_parts` are taken a piece at a time: their length does not count. The scene does not speak against what the
    request wishes for.
    """
    asked = {name: {value.casefold() for value in values} for name, values in (wishes or {}).items()}
    barred = {name: [value for value in values if value.casefold() not in asked.get(name, ())] for name, values in scene.ban.items()}
    at_once = ~columns.in_domains(in_parts)[rows]
    weights = np.array([scene.domains.get(domain, 1.0) for domain in columns.domains])
    mixed = probability * np.maximum(weights, _LEAST_WEIGHT) + (1.0 - probability)
    prefer = sum(columns.having(name, values)[rows].astype(float) for name, values in scene.prefer.items())
    ban = sum(columns.having(name, values)[rows].astype(float) for name, values in barred.items())
    return {
        "scene_domain": priors.scene_domain * np.log(mixed)[columns.domain_code[rows]],
        "scene_prefer": priors.prefer * probability * np.broadcast_to(prefer, len(rows)),
        "scene_ban": priors.ban * probability * np.broadcast_to(ban, len(rows)),
        "scene_duration": priors.too_long * probability * at_once * _excess(columns.duration_min[rows], scene.max_duration_min),
    }


def taste_parts(profile: Profile, columns: Columns, rows: Rows, priors: Priors) -> Parts:
    """Score rows (m,) against stated likes and dislikes, each by its strength."""

    def total(tastes: tuple[Taste, ...]) -> NDArray[np.float64]:
        matches = np.zeros(len(rows))
        for taste in tastes:
            matches += taste.strength * _matches(columns, taste.attribute, taste.value)[rows]
        return np.minimum(matches, _MOST)

    return {"likes": priors.like * total(profile.likes), "dislikes": priors.dislike * total(profile.dislikes)}


def wish_parts(wishes: Wishes, columns: Columns, rows: Rows, priors: Priors) -> Parts:
    """Score rows (m,) against the soft wishes of a request, each by its strength; "recent", "short" and their like by how far into that
    end of its kind an item is."""
    matches = np.zeros(len(rows))
    for attribute, values in wishes.items():
        for value, strength in values.items():
            if (attribute, value) in ENDS:
                matches += strength * towards(columns, *ENDS[attribute, value], rows)
            else:
                matches += strength * _matches(columns, attribute, value)[rows]
    return {"wishes": priors.wish * matches}


ENDS: Mapping[tuple[str, str], tuple[str, bool]] = MappingProxyType(
    {
        ("year", "recent"): ("year", True),
        ("year", "old"): ("year", False),
        ("duration", "short"): ("duration_min", False),
        ("duration", "long"): ("duration_min", True),
        ("price", "cheap"): ("price_cents", False),
        ("price", "expensive"): ("price_cents", True),
    }
)
"""Wishes that compare items of one kind: the column, and whether much of it is wished for."""


def towards(columns: Columns, column: str, much: bool, rows: Rows) -> NDArray[np.float64]:
    """How far rows (m,) are into one end of their domain: 0 up to its median and where the value is unknown, 1 at the very end."""
    values: NDArray[np.float64] = getattr(columns, column)
    found = np.zeros(len(rows))
    for code in np.unique(columns.domain_code[rows]):
        known = np.sort(values[(columns.domain_code == code) & ~np.isnan(values)])
        its = (columns.domain_code[rows] == code) & ~np.isnan(values[rows])
        if not len(known) or not its.any():
            continue
        of_its = values[rows][its]
        below, upto = np.searchsorted(known, of_its, side="left"), np.searchsorted(known, of_its, side="right")
        share = (below + upto) / (2.0 * len(known))  # the middle of those that are equal
        found[its] = np.clip(2.0 * (share if much else 1.0 - share) - 1.0, 0.0, 1.0)
    return found


def _matches(columns: Columns, attribute: str, value: str) -> NDArray[np.bool_]:
    if attribute == "domain":
        return columns.in_domains((value.casefold(),))
    if attribute == "item":
        return columns.among((ItemId(value),))
    return columns.having(attribute, (value,))


def _excess(duration_min: NDArray[np.float64], limit_min: float | None) -> NDArray[np.float64]:
    """Return log2 of how many times too long, at most 2, 0 where it fits or is unknown."""
    if limit_min is None:
        return np.zeros(len(duration_min))
    known = np.where(np.isnan(duration_min), limit_min, duration_min)
    return np.clip(np.log2(np.maximum(known, 1e-9)) - math.log2(max(limit_min, 1e-9)), 0.0, 2.0)
