"""What brings the scores of different sources onto one scale, and its JSON form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scenewise.store.errors import StoreError

_PRESENT = 0.5
_DEEPEST = 4.0
_RANKS = 30.0

Basis = Literal["score", "rank"]


@dataclass(frozen=True, slots=True)
class SourceMap:
    """The log-odds of a source's candidate are `weight` times its value (see source_values), taken from its score or its rank."""

    weight: float
    basis: Basis


@dataclass(frozen=True, slots=True)
class Priors:
    """Log-odds of what has no data to learn from: set by hand, and stated here.

    `scene_domain` multiplies the log of the scene's domain weight; the rest is added for each attribute that matches
    (`prefer`, `ban`, `like`, `dislike`), for being `too_long` twice over, or multiplies a wish's strength. `parity` is the share of
    the crowd's evidence that items of domains without any are given: less than 1, since of taste there nothing is known.
    """

    scene_domain: float = 1.5
    prefer: float = 0.5
    ban: float = -3.0
    too_long: float = -1.5
    like: float = 1.0
    dislike: float = -2.0
    wish: float = 1.5
    parity: float = 0.75


# "retrieve" answers the words of the request and so may outweigh taste; "scene_search" looks for what suits the scene and may not;
# "catalogue" lists what fits conditions, in no telling order. The collaborative weights are rounded from those learned on
# MovieLens 100k, for a store with too few users to learn its own.
_DEFAULT_SOURCES: Mapping[str, SourceMap] = MappingProxyType(
    {
        "popularity": SourceMap(0.1, "score"),
        "item_knn": SourceMap(0.3, "score"),
        "ease": SourceMap(0.5, "score"),
        "als": SourceMap(0.5, "score"),
        "transition_knn": SourceMap(1.4, "score"),
        "next_knn": SourceMap(0.4, "score"),
        "retrieve": SourceMap(1.0, "rank"),
        "scene_search": SourceMap(0.3, "rank"),
        "graph": SourceMap(0.6, "rank"),
        "catalogue": SourceMap(0.2, "rank"),
    }
)
_UNKNOWN_SOURCE = SourceMap(0.75, "rank")


@dataclass(frozen=True, slots=True)
class Calibration:
    """`bias` is the log-odds of a candidate that nothing speaks for; `n_users` says on how many users' held-back events the
    weights were learned, 0 for the default. `popularity_alone` is the weight of popularity for a user of whom the crowd knows
    nothing else: beside personal sources it is worth next to nothing, without them it is all there is."""

    sources: Mapping[str, SourceMap] = field(default_factory=lambda: _DEFAULT_SOURCES)
    bias: float = -8.0
    priors: Priors = field(default_factory=Priors)
    n_users: int = 0
    popularity_alone: float = 0.5

    def of(self, source: str) -> SourceMap:
        """Return the source's map; a source that is not known is mapped by rank."""
        return self.sources.get(source, _UNKNOWN_SOURCE)

    def learned(self, weights: Mapping[str, float], bias: float, n_users: int, *, popularity_alone: float) -> Calibration:
        """Replace the weights of some sources, which then are mapped by score."""
        maps = {name: SourceMap(weight, "score") for name, weight in weights.items()}
        return Calibration(MappingProxyType({**self.sources, **maps}), bias, self.priors, n_users, popularity_alone)

    def to_json(self) -> str:
        """Write as JSON, keys sorted."""
        table = {
            "sources": {name: asdict(source) for name, source in self.sources.items()},
            "bias": self.bias,
            "priors": asdict(self.priors),
            "n_users": self.n_users,
            "popularity_alone": self.popularity_alone,
        }
        return json.dumps(table, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Read what to_json wrote. StoreError where it is damaged."""
        try:
            read = _File.model_validate_json(text)
        except ValidationError as error:
            raise StoreError("The saved calibration is damaged; delete the file and tune again.") from error
        sources = {name: SourceMap(source.weight, source.basis) for name, source in read.sources.items()}
        return cls(MappingProxyType(sources), read.bias, Priors(**read.priors), read.n_users, read.popularity_alone)


class _SourceFile(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    weight: float = Field(ge=0)
    basis: Basis


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    sources: dict[str, _SourceFile]
    bias: float
    priors: dict[Literal["scene_domain", "prefer", "ban", "too_long", "like", "dislike", "wish", "parity"], float]
    n_users: int = Field(ge=0)
    popularity_alone: float = Field(ge=0)


def source_values(scores: NDArray[np.float64], basis: Basis) -> NDArray[np.float64]:
    """Map one source's scores, best first, to values >= 0 that fall with them: float64 (m,). An item not in the list has 0.

    By score: log of the score over the last one's, at most 4 deep, plus 0.5 for being listed at all; a list's own scale drops out
    that way. Scores <= 0 count as last. By rank, for scores whose size means little: log(31 / rank), 0 from the 31st on, so that a
    longer list is not a stronger one.
    """
    m = len(scores)
    if not m:
        return np.zeros(0)
    if basis == "rank":
        return np.maximum(np.log((_RANKS + 1.0) / np.arange(1.0, m + 1.0)), 0.0)
    if scores[0] <= 0:
        return np.full(m, _PRESENT)
    depth = np.minimum(np.log(scores[0]) - np.log(np.maximum(scores, scores[0] * np.exp(-_DEEPEST))), _DEEPEST)
    return np.asarray(depth[-1] - depth + _PRESENT, dtype=np.float64)
