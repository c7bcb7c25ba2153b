"""The product's ranker: evidence of all sources on one scale, plus the scene, the profile and the wishes.

The model is additive in log-odds, so each item's score can be told apart into what spoke for it. Sources are mapped within
themselves (calibration.source_values) and weighed by what was learned on held-back events (tune.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scenewise.tools.candidates import Candidates
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.collaborative import BY_FEATURES, CROWD, Collaborative
from scenewise.tools.collaborative.model import Weights
from scenewise.tools.context import TurnContext
from scenewise.tools.ranking.calibration import Calibration, Parts, Values
from scenewise.tools.ranking.fit import Rows, SceneLike, scene_parts, taste_parts, wish_parts
from scenewise.tools.ranking.model import RankedItem, Wishes

_COVERED = 5  # a domain with at least this many collaborative candidates (or all, if it has fewer) is known to the crowd
_TIE = 1e-6


class PackLike(Protocol):
    """Scenes by name; NotFound for a name that is not there."""

    @property
    def in_parts(self) -> frozenset[str]: ...
    def get(self, name: str) -> SceneLike: ...


@dataclass(frozen=True)
class FusionRanker:
    """Ranks the candidates of a turn. Deterministic for one (candidates, context, k, wishes): ties fall by `context.seed`."""

    catalogue: Catalogue
    pack: PackLike
    calibration: Calibration

    def rank(self, candidates: Candidates, context: TurnContext, k: int, *, wishes: Wishes | None = None) -> tuple[RankedItem, ...]:
        """Return at most k items, best first, each once; what `context.allowed` forbids or the catalogue lacks is left out.

        Raises NotFound where the context's scene is not in the pack.
        """
        table = _Table.of(candidates, self.catalogue, context.allowed)
        if not len(table.rows) or k < 1:
            return ()
        parts = add_up(
            table.rows, table.scores, self._fit(table.rows, context, wishes or {}), self.catalogue, self.calibration, context.seed
        )
        best = best_first(table.rows, parts)[:k]
        return tuple(self._items(table, best, parts))

    def _fit(self, rows: Rows, context: TurnContext, wishes: Wishes) -> Parts:
        columns, priors = self.catalogue.columns, self.calibration.priors
        parts = taste_parts(context.profile, columns, rows, priors) | wish_parts(wishes, columns, rows, priors)
        if context.scene.scene is not None:
            scene = self.pack.get(context.scene.scene)
            parts |= scene_parts(scene, context.scene.probability, columns, rows, priors, in_parts=self.pack.in_parts, wishes=wishes)
        return parts

    def _items(self, table: _Table, best: NDArray[np.int64], parts: Parts) -> Iterator[RankedItem]:
        values = np.stack([*parts.values()])[:, best].T.tolist()
        told = {name: list(zip(one[best].tolist(), _ranks(one)[best].tolist(), strict=True)) for name, one in table.scores.items()}
        for number, place in enumerate(best.tolist()):
            contributions = {name: value for name, value in zip(parts, values[number], strict=True) if value != 0.0}
            named = table.reasons[place]
            sources = tuple(sorted(named, key=lambda source: -contributions.get(source, 0.0)))
            yield RankedItem(
                self.catalogue.items[int(table.rows[place])].item_id,
                1.0 / (1.0 + math.exp(-sum(contributions.values()))),
                MappingProxyType(contributions),
                sources,
                tuple(dict.fromkeys(reason for source in sources if (reason := named[source]))),
                MappingProxyType({source: told[source][number] for source in sources}),
            )


def rank_rows(
    collaborative: Collaborative,
    calibration: Calibration,
    rows: Rows,
    worth: Weights,
    *,
    k: int = 60,
    free: NDArray[np.bool_] | None = None,
    seed: int = 0,
    scene: int = -1,
    scenes: NDArray[np.int16] | None = None,
) -> tuple[Rows, NDArray[np.float64]]:
    """Rank what the sources find for a history, without a scene's fit, profile and wishes: rows int32 (m,), best first, and log-odds
    float64.

    `rows`, `worth` oldest first, each item once, as Collaborative.fold returns them; `free` bool (n_items,), by default all but
    `rows`; `scene`, `scenes` as in Collaborative.pool. The order and the log-odds are those of FusionRanker over
    Collaborative.candidates of the same events, `k` and seed.
    """
    if free is None:
        free = np.ones(collaborative.catalogue.n, dtype=bool)
        free[rows] = False
    found, scores = collaborative.pool(rows, worth, k, free=free, scene=scene, scenes=scenes)
    parts = add_up(found, scores, {}, collaborative.catalogue, calibration, seed)
    best = best_first(found, parts)
    return found[best], total(parts)[best]


def add_up(rows: Rows, scores: Mapping[str, Values], fit: Parts, catalogue: Catalogue, calibration: Calibration, seed: int) -> Parts:
    """Return all that speaks for and against the candidates: log-odds, float64 (m,) by name. `scores` as in Calibration.evidence."""
    parts = calibration.evidence(scores) | fit
    parts["parity"] = calibration.priors.parity * _parity(parts, scores, catalogue.columns.domain_code[rows])
    parts["tie_break"] = _TIE * _hash(rows, seed)
    parts["bias"] = np.full(len(rows), calibration.bias)
    return parts


def total(parts: Parts) -> Values:
    """Sum the parts: float64 (m,)."""
    return np.asarray(np.sum([*parts.values()], axis=0), dtype=np.float64)


def best_first(rows: Rows, parts: Parts) -> NDArray[np.int64]:
    """Order places by their sums; equal ones by row."""
    return np.lexsort((rows, -total(parts)))


@dataclass(frozen=True)
class _Table:
    """Candidates by item. `rows`: int32 (m,) ascending; `scores`: by source, float64 (m,), -inf where it did not name the item;
    `reasons`: for each place, source -> clause."""

    rows: Rows
    scores: Mapping[str, Values]
    reasons: list[dict[str, str]]

    @classmethod
    def of(cls, candidates: Candidates, catalogue: Catalogue, allowed: NDArray[np.bool_]) -> _Table:
        """Keep the best score of each (source, item): several calls of one tool may name an item twice."""
        best: dict[str, dict[int, float]] = {}
        clauses: dict[int, dict[str, str]] = {}
        for candidate in candidates:
            row = catalogue.row(candidate.item_id)
            if row is None or not allowed[row] or not np.isfinite(candidate.score):
                continue
            scores = best.setdefault(candidate.source, {})
            if row not in scores or candidate.score > scores[row]:
                scores[row] = candidate.score
                clauses.setdefault(row, {})[candidate.source] = candidate.reason
        rows = np.asarray(sorted(clauses), dtype=np.int32)
        return cls(rows, {name: _spread(scores, rows) for name, scores in best.items()}, [clauses[row] for row in rows.tolist()])


def _spread(scores: dict[int, float], rows: Rows) -> Values:
    out = np.full(len(rows), -np.inf)
    out[np.searchsorted(rows, [*scores])] = [*scores.values()]
    return out


def _parity(parts: Parts, scores: Mapping[str, Values], domains: NDArray[np.int16]) -> NDArray[np.float64]:
    """Give items of domains that the crowd says nothing about what the crowd says about the item of equal rank elsewhere.

    Without it every film, having collaborative evidence, would beat every recipe, which has none. Within its domain an item keeps
    its order by all other parts; the r-th best gets the r-th best collaborative evidence of the covered domains.
    """
    out, codes = np.zeros(len(domains)), np.unique(domains)
    if len(codes) < 2:
        return out
    crowd, covered = parts.get("novelty", np.zeros(len(domains))).copy(), np.zeros(len(domains), dtype=bool)
    for source in sorted(CROWD & scores.keys()):
        crowd += parts[source]
        if source not in BY_FEATURES:  # who speaks of every item knows nothing of this domain by that
            covered |= np.isfinite(scores[source])
    rest = total(parts) - crowd
    warm = [code for code in codes if covered[domains == code].sum() >= min(_COVERED, (domains == code).sum())]
    if not warm or len(warm) == len(codes):
        return out
    ladder = np.sort(crowd[np.isin(domains, warm)])[::-1][:: len(warm)]
    for code in np.setdiff1d(codes, warm):
        places = np.flatnonzero(domains == code)
        places = places[np.argsort(-rest[places], kind="stable")]
        steps = ladder[np.minimum(np.arange(len(places)), len(ladder) - 1)]
        out[places] = np.maximum(steps - crowd[places], 0.0)
    return out


def _ranks(scores: Values) -> NDArray[np.int64]:
    """Return each candidate's place in a source, from 1; equal scores in row order."""
    ranks = np.empty(len(scores), dtype=np.int64)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks


def _hash(rows: Rows, seed: int) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each (row, seed), whatever the other rows: splitmix64 (Steele et al. 2014)."""
    z = rows.astype(np.uint64) + np.uint64(seed % 2**32) * np.uint64(0x9E3779B9) + np.uint64(1)
    z = z * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53
