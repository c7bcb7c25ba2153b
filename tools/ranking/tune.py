"""Learning how much each source is worth beside the others, from held-back events."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import StoreError
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.collaborative import IMPERSONAL, Collaborative, Source
from scenewise.tools.collaborative.interactions import Interactions, Worth, interactions_of, learn_worth
from scenewise.tools.collaborative.model import Rows
from scenewise.tools.features import ItemFeatures, features_of
from scenewise.tools.ranking.calibration import DEPTHS, Calibration, Priors, SourceMap, novelty, source_values
from scenewise.tools.ranking.fit import SceneLike, scene_parts
from scenewise.tools.ranking.held_back import LEAST_USERS, How, Questions, hold_back
from scenewise.tools.ranking.logit import Lists, fit_scale, fit_weights, maximise

if TYPE_CHECKING:
    from scenewise.store.store import Store

_FORMAT = 5  # raise it when what is learned changes
_DEPTH = 60  # candidates a source, as the agent asks for
_RIDGE = 0.0003
_MORE, _COST, _CUT = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0), 0.01, 10
_STALE = 0.05  # weights are learned again when the events have become this much more or fewer
_SCENE_PRIORS = ("scene_domain", "prefer", "ban", "too_long")
_SIGNS = ((0.0, None), (0.0, None), (None, 0.0), (None, 0.0))


@dataclass(frozen=True, slots=True)
class Scenes:
    """The scenes behind the codes of `Sequences.scenes`, in their order; `in_parts` as in scene_parts."""

    of_code: tuple[SceneLike, ...]
    in_parts: frozenset[str] = frozenset()


def tune_fusion(store: Store, catalogue: Catalogue) -> Calibration:
    """Return the weights learned on this store's events, kept beside it as JSON; the default where there are too few users.

    Kept while the items are the same and the number of events has changed by less than 5%: weights move slowly, and a chat that
    adds an event should not cost the next start seconds. A cache that cannot be written is done without.
    """
    folder = store.cache / "ranking"
    n_events = store.events.count()
    key = hashlib.sha256(json.dumps([_FORMAT, store.revision("items"), catalogue.n]).encode()).hexdigest()[:16]
    if (kept := _read(folder, key, n_events)) is not None:
        return kept
    arrays = store.events.arrays()
    worth = learn_worth(arrays)
    calibration = learn_calibration(interactions_of(arrays, catalogue, worth), catalogue, worth, features=features_of(catalogue))
    _write(folder, key, n_events, calibration)
    return calibration


def learn_calibration(
    interactions: Interactions,
    catalogue: Catalogue,
    worth: Worth,
    *,
    seed: int = 0,
    how: How = "slice",
    features: ItemFeatures | None = None,
    sources: Mapping[str, Source] | None = None,
    scenes: Scenes | None = None,
    trial: Collaborative | None = None,
) -> Calibration:
    """Hold events back (see hold_back), fit the sources on the rest, and weigh them so that they rank what was held back high.

    `features`, `sources`: as for Collaborative.fit; `trial` are sources fitted already, on what hold_back leaves for the same `how` and
    `seed`, in place of these. With `scenes`, what a scene's fit is worth is learned too, drawn towards the priors, from the events
    that carry one. The default comes back where fewer than 50 users are left to learn from, and for a source of new items where fewer
    than 50 of these were asked for.
    """
    held = hold_back(interactions, how, seed=seed)
    if held.n_users < LEAST_USERS:
        return Calibration()
    collaborative = trial or Collaborative.fit(held.rest, catalogue, worth, features=features, sources=sources)
    lists, rows = _collect(collaborative, held)
    if len({one.user for one, target in zip(held.asked, lists.target.tolist(), strict=True) if target >= 0}) < LEAST_USERS:
        return Calibration()
    default, names = Calibration(), [*collaborative.models]
    kept = _hardly_asked(collaborative, lists)
    lists.values[:, _columns(names, kept)] = 0.0  # or else the other weights would make up for theirs
    weights = fit_weights(lists, ridge=_RIDGE)
    weights[-1] += _for_the_rare(lists, weights)
    logits = lists.values @ weights.astype(np.float32)
    scale, bias = fit_scale(lists, logits)
    maps = _maps(names, scale * weights) | {name: default.of(name) for name in kept}
    return Calibration(
        MappingProxyType({**default.sources, **maps}),
        bias,
        default.priors if scenes is None else _scene_priors(lists, rows, scale * logits, held.scenes, catalogue, scenes),
        held.n_users,
        _learn_alone(lists, names),
        float(scale * weights[-1]),
    )


def _collect(collaborative: Collaborative, held: Questions) -> tuple[Lists, Rows]:
    """Gather the candidates of all questions as the product would, with the values of their sources and, last, novelty; and their
    rows, int32 (n,)."""
    values, rows, targets = [], [], []
    for one in held.asked:
        free = np.ones(collaborative.catalogue.n, dtype=bool)
        free[one.rows] = False
        found, scores = collaborative.pool(one.rows, one.worth, _DEPTH, free=free, scene=one.scene, scenes=one.scenes)
        of_source = [source_values(scores[name], "score") for name in collaborative.models]
        popularity = scores.get("popularity", np.full(len(found), -np.inf))
        values.append(np.column_stack([*of_source, novelty(popularity)]).astype(np.float32))
        rows.append(found)
        place = np.flatnonzero(found == one.target)
        targets.append(int(place[0]) if len(place) else -1)
    lengths = np.asarray([len(found) for found in rows], dtype=np.int64)
    worth = np.asarray([one.target_worth for one in held.asked], dtype=np.float64)
    return Lists(np.concatenate(values), lengths, np.asarray(targets, dtype=np.int64), worth), np.concatenate(rows)


def _for_the_rare(lists: Lists, weights: NDArray[np.float64]) -> float:
    """Return what the most popular candidate shall lose besides (others by the log of their popularity): the most of a few that costs the
    held-back questions no more than a hundredth of their NDCG@10.

    Likelihood alone gives the popular more room than the questions need, and the list shows less of the catalogue than its sources do.
    """
    lists = lists.found()
    logits = lists.values @ weights.astype(np.float32)

    def gain(more: float) -> float:
        ranks = lists.ranks(logits + np.float32(more) * lists.values[:, -1])
        return float(np.where(ranks <= _CUT, 1 / np.log2(ranks + 1), 0.0).mean())

    least = (1 - _COST) * gain(0.0)
    return max(more for more in _MORE if not more or gain(more) >= least)


def _columns(names: Sequence[str], of: Sequence[str]) -> list[int]:
    """Return the columns of Lists.values that hold these sources' values."""
    n = len(DEPTHS) + 1
    return [n * names.index(name) + i for name in of for i in range(n)]


def _maps(names: Sequence[str], weights: NDArray[np.float64]) -> dict[str, SourceMap]:
    """Deal the weights out to the sources."""
    n = len(DEPTHS) + 1
    return {name: SourceMap(tuple(weights[n * i : n * (i + 1)].tolist())) for i, name in enumerate(names)}


def _hardly_asked(collaborative: Collaborative, lists: Lists) -> list[str]:
    """Name the sources that speak of new or rare items alone, and of fewer than 50 of those asked for: where hardly one was held back,
    what such a source is worth was not learned."""
    asked = lists.values[(lists.starts + lists.target)[lists.target >= 0]]  # (questions, values)
    named = len(DEPTHS) + (len(DEPTHS) + 1) * np.arange(len(collaborative.models))
    counts = np.count_nonzero(asked[:, named], axis=0).tolist()
    of_few = [name for name in collaborative.models if np.isfinite(collaborative.sources[name].below)]
    return [name for name, count in zip(collaborative.models, counts, strict=True) if name in of_few and count < LEAST_USERS]


def _learn_alone(lists: Lists, names: Sequence[str]) -> Mapping[str, SourceMap]:
    """Weigh the sources that are the same for everybody as if there were no others."""
    kept = [name for name in names if name in IMPERSONAL]
    if not kept:
        return Calibration().alone
    return MappingProxyType(_maps(kept, fit_weights(replace(lists, values=lists.values[:, _columns(names, kept)]), ridge=_RIDGE)))


def _scene_priors(
    lists: Lists, rows: Rows, logits: NDArray[np.float32], codes: NDArray[np.int16], catalogue: Catalogue, scenes: Scenes
) -> Priors:
    """Learn what a scene's fit is worth beside the sources: the most probable weights, the priors being normal with deviation 1."""
    by_hand = Priors()
    unit = replace(by_hand, **dict.fromkeys(_SCENE_PRIORS, 1.0))
    told = (codes >= 0) & (codes < len(scenes.of_code)) & (lists.target >= 0)
    starts, values = lists.starts, []
    for place in np.flatnonzero(told).tolist():
        part = slice(starts[place], starts[place] + lists.lengths[place])
        fit = scene_parts(scenes.of_code[codes[place]], 1.0, catalogue.columns, rows[part], unit, in_parts=scenes.in_parts)
        values.append(np.column_stack([*fit.values()]).astype(np.float32))
    if not values:
        return by_hand
    kept = np.repeat(told, lists.lengths)
    asked = Lists(np.concatenate(values), lists.lengths[told], lists.target[told], lists.worth[told])
    centre = np.asarray([getattr(by_hand, name) for name in _SCENE_PRIORS])
    ridge = 0.5 / float(asked.worth.sum())
    found = maximise(asked, bounds=_SIGNS, ridge=ridge, centre=centre, start=centre, offset=logits[kept].astype(np.float32))
    return replace(by_hand, **dict(zip(_SCENE_PRIORS, found.tolist(), strict=True)))


def _read(folder: Path, key: str, n_events: int) -> Calibration | None:
    for path in folder.glob(f"fusion-{key}-*.json"):
        try:
            then = int(path.stem.rpartition("-")[2])
            if abs(n_events - then) <= _STALE * then:
                return Calibration.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, StoreError):
            return None
    return None


def _write(folder: Path, key: str, n_events: int, calibration: Calibration) -> None:
    """Write atomically, then drop older files."""
    path = folder / f"fusion-{key}-{n_events}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".fusion.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(calibration.to_json())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
        for old in folder.glob("fusion-*.json"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError:
        return
