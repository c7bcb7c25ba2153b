"""What brings the scores of different sources onto one scale, and its JSON form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scenewise.store.errors import StoreError

DEPTHS = (1.0, 2.0, 4.0, 8.0)
"""How far below a list's best score the ramps of `source_values` begin, in natural logarithms."""
_RANKS = 30.0
_LEAST = float(np.finfo(np.float64).tiny)  # the logarithm of a smaller score is not told apart
_FORMAT = 2

Basis = Literal["score", "rank"]
Values = NDArray[np.float64]
Parts = dict[str, Values]
"""Log-odds of each candidate, float64 (m,), by the name of what gave them."""


@dataclass(frozen=True, slots=True)
class SourceMap:
    """The log-odds of a source's candidate: `weights`, none below 0, times its values (see source_values). None falls with the score."""

    weights: tuple[float, ...]
    basis: Basis = "score"


@dataclass(frozen=True, slots=True)
class Priors:
    """Log-odds of what a store's events may say nothing about: set by hand, and stated here; the first four are learned where events
    carry scenes.

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
# MovieLens 100k (events before its validation events), for a store with too few users to learn its own; ALS, which stands in for
# EASE in large catalogues, has those of EASE.
# The regression on features, which speaks of items without events alone, has what orders these (20% of MovieLens 100k's; NDCG@10
# among them .26, .20 with half of it, .13 with none) and takes none of them into a list of all. "trending" is little tried.
_DEFAULT_SOURCES: Mapping[str, SourceMap] = MappingProxyType(
    {
        "popularity": SourceMap((0.2, 0.0, 0.0, 0.0, 0.0)),
        "item_knn": SourceMap((0.0, 0.0, 0.1, 0.3, 0.4)),
        "ease": SourceMap((0.7, 0.2, 1.4, 0.9, 0.0)),
        "als": SourceMap((0.7, 0.2, 1.4, 0.9, 0.0)),
        "transition_knn": SourceMap((0.9, 0.8, 0.5, 0.2, 0.0)),
        "next_knn": SourceMap((0.0, 0.6, 0.2, 0.1, 0.1)),
        "content_knn": SourceMap((0.2, 0.0, 0.0, 0.3, 0.0)),
        "feature_regression": SourceMap((0.3, 0.3, 0.3, 0.3, 0.0)),
        "transformer": SourceMap((0.1, 0.0, 0.5, 1.0, 0.0)),
        "trending": SourceMap((0.0, 0.1, 0.1, 0.0, 0.0)),
        "retrieve": SourceMap((1.0,), "rank"),
        "scene_search": SourceMap((0.3,), "rank"),
        "graph": SourceMap((0.6,), "rank"),
        "catalogue": SourceMap((0.2,), "rank"),
    }
)
_DEFAULT_ALONE: Mapping[str, SourceMap] = MappingProxyType({"popularity": SourceMap((2.5, 0.0, 0.3, 2.6, 0.0))})
_UNKNOWN_SOURCE = SourceMap((0.75,), "rank")


@dataclass(frozen=True, slots=True)
class Calibration:
    """`bias` is the log-odds of a candidate that nothing speaks for; `n_users` says on how many users' held-back events the
    weights were learned, 0 for the default. `novelty` is what the most popular item loses for being that, the others less (see
    evidence). `alone` holds the maps of what is the same for everybody, for a user of whom the crowd knows nothing else: beside
    personal sources popularity is worth next to nothing, without them it is all there is."""

    sources: Mapping[str, SourceMap] = field(default_factory=lambda: _DEFAULT_SOURCES)
    bias: float = -8.0
    priors: Priors = field(default_factory=Priors)
    n_users: int = 0
    alone: Mapping[str, SourceMap] = field(default_factory=lambda: _DEFAULT_ALONE)
    novelty: float = 0.0

    def of(self, source: str) -> SourceMap:
        """Return the source's map, the default one of a source that came after these were learned; what nobody knows is mapped by rank."""
        return self.sources.get(source) or _DEFAULT_SOURCES.get(source, _UNKNOWN_SOURCE)

    def evidence(self, scores: Mapping[str, Values]) -> Parts:
        """Tell what each source's scores say of the candidates, and `novelty`: log-odds, float64 (m,) by name.

        `scores`: float64 (m,) by source, -inf where it did not name the candidate. Novelty, from popularity's scores, is never above 0.
        """
        alone = not any(name not in self.alone and self.of(name).basis == "score" for name in scores)
        maps = self.alone if alone else self.sources
        of = {name: maps.get(name, self.of(name)) for name in sorted(scores)}
        parts = {name: source_values(scores[name], one.basis) @ np.asarray(one.weights) for name, one in of.items()}
        if "popularity" in scores and not alone:
            parts["novelty"] = self.novelty * novelty(scores["popularity"])
        return parts

    def to_json(self) -> str:
        """Write as JSON, keys sorted."""
        maps = {part: {name: asdict(one) for name, one in of.items()} for part, of in (("sources", self.sources), ("alone", self.alone))}
        plain = {"format": _FORMAT, "bias": self.bias, "priors": asdict(self.priors), "n_users": self.n_users, "novelty": self.novelty}
        return json.dumps({**plain, **maps}, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Read what to_json wrote. StoreError where it is damaged, or of another version of this program."""
        try:
            read = _File.model_validate_json(text)
        except ValidationError as error:
            raise StoreError("The saved calibration is damaged or of another version; delete the file and tune again.") from error
        sources, alone = ({name: one.to_map() for name, one in maps.items()} for maps in (read.sources, read.alone))
        priors = Priors(**read.priors)
        return cls(MappingProxyType(sources), read.bias, priors, read.n_users, MappingProxyType(alone), read.novelty)


Weight = Annotated[float, Field(ge=0, le=1e3)]
LogOdds = Annotated[float, Field(ge=-1e3, le=1e3)]


class _SourceFile(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    weights: tuple[Weight] | tuple[Weight, Weight, Weight, Weight, Weight]
    basis: Basis

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.weights) != (1 if self.basis == "rank" else len(DEPTHS) + 1):
            raise ValueError("a source has as many weights as its basis has values")
        return self

    def to_map(self) -> SourceMap:
        return SourceMap(self.weights, self.basis)


_Sources = Annotated[dict[Annotated[str, Field(max_length=100)], _SourceFile], Field(max_length=100)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    format: Literal[2]
    sources: _Sources
    alone: _Sources
    bias: LogOdds
    priors: dict[Literal["scene_domain", "prefer", "ban", "too_long", "like", "dislike", "wish", "parity"], LogOdds]
    n_users: Annotated[int, Field(ge=0)]
    novelty: Weight


def source_values(scores: Values, basis: Basis) -> Values:
    """Map one source's scores (m,) to values in which nothing falls as the score rises: float64 (m, 5) by score, (m, 1) by rank; 0
    where it is -inf: the source did not name the candidate.

    By score: for each of DEPTHS a ramp that is 1 at the best score and falls with the log of the score to 0 so far below, and 1 for
    being named at all; a list's own scale drops out that way. Weighted sums of ramps are the convex, never falling functions of the
    log-score with knots there. Scores <= 0 have no ramp. By rank, for scores whose size means little: log(31 / rank), 0 from the
    31st on, so that a longer list is not a stronger one.
    """
    named = np.isfinite(scores)
    if basis == "rank":
        rank = np.empty(len(scores))
        rank[np.argsort(-scores, kind="stable")] = np.arange(1.0, len(scores) + 1.0)
        return (named * np.maximum(np.log((_RANKS + 1.0) / rank), 0.0))[:, None]
    logs = np.log(np.maximum(scores, _LEAST))
    top = float(scores.max(initial=0.0))
    below = np.maximum(logs - logs.max(), -DEPTHS[-1]) if top > 0 else np.full(len(scores), -DEPTHS[-1])
    return np.column_stack([*(named * (scores > 0) * np.maximum(1.0 + below / depth, 0.0) for depth in DEPTHS), named])


def novelty(popularity: Values) -> Values:
    """Return -1 for the most popular candidate, less for others, 0 for those that popularity does not name: float64 (m,)."""
    return -source_values(popularity, "score")[:, len(DEPTHS) - 1]
