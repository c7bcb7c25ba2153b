"""The collaborative sources of one store: fitted together, kept together, asked together."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import NotFound, StoreError
from scenewise.store.types import Event, ItemId
from scenewise.tools.candidates import Candidate, Candidates
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.als import Als
from scenewise.tools.collaborative.content_knn import ContentKnn
from scenewise.tools.collaborative.ease import Ease
from scenewise.tools.collaborative.feature_regression import FeatureRegression
from scenewise.tools.collaborative.interactions import LIKED, Interactions, Worth, interactions_of, learn_worth
from scenewise.tools.collaborative.item_knn import ItemKnn
from scenewise.tools.collaborative.model import CollaborativeModel, Rows, Scorer, Scores, Weights, load_arrays, save_arrays, scores_at
from scenewise.tools.collaborative.popularity import Popularity
from scenewise.tools.collaborative.reasons import Clause, explain
from scenewise.tools.collaborative.transition_knn import TransitionKnn
from scenewise.tools.features import ItemFeatures, features_of

if TYPE_CHECKING:
    from scenewise.store.store import Store

IMPERSONAL = frozenset({"popularity", "trending"})
"""Sources that say the same to everybody."""
EASE_ITEMS = 10_000
_FORMAT = 3  # raise it when a model's settings or files change: older caches are then left alone and fitted anew
_SEED_SHARE = 0.25  # what the history counts beside items named in the request


def _load_transformer(path: Path) -> CollaborativeModel:
    from scenewise.tools.ranking.transformer import SequenceTransformer  # it brings torch

    return SequenceTransformer.load(path)


@dataclass(frozen=True, slots=True)
class Source:
    """One model: how to make it from the items' features, None where there are none (no `make`: only `scenewise train` fits it), how to
    load it, how its reasons are worded (see reasons.py; no `clause`: it gives none), how much less an event of the history counts
    than the one after it, and below how many people's choices of an item it speaks of that item (where popularity is a source too)."""

    make: Callable[[ItemFeatures | None], CollaborativeModel] | None
    load: Callable[[Path], CollaborativeModel]
    clause: Clause | None = None
    recency: float = 1.0
    below: float = math.inf


# Chosen by NDCG@10 on MovieLens-100k events older than every validation and test event (the last event of each user there; for
# what is fused, the last five), at most twenty settings a model, checked on MovieLens 1M. EASE keeps the whole history although
# recency helps it when alone: the others look at the last events, and long taste is what they miss.
SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "popularity": Source(lambda _: Popularity(), Popularity.load, "people"),
        "item_knn": Source(lambda _: ItemKnn(weighting="bm25", k=200), ItemKnn.load, "also", recency=0.8),
        "ease": Source(lambda _: Ease(regularisation=500.0), Ease.load, "also"),
        "als": Source(lambda _: Als(factors=64, regularisation=10.0, alpha=5.0), Als.load, "alike"),
        "transition_knn": Source(lambda _: TransitionKnn(window=20), TransitionKnn.load, "around"),
        "next_knn": Source(lambda _: TransitionKnn(window=5, decay=0.8, backward=0.0, recency=0.6), TransitionKnn.load, "after"),
        "transformer": Source(None, _load_transformer, "alike"),
        "content_knn": Source(ContentKnn, ContentKnn.load, recency=0.7),
        # only of what nobody has chosen yet: of items that few chose too, NDCG@10 fell by .0014 (ml-latest-small) and .0018 (100k by time)
        "feature_regression": Source(FeatureRegression, FeatureRegression.load, "resembles", below=1),
    }
)
_CONTENT = frozenset({"content_knn", "feature_regression"})  # these are fitted where features tell items apart
BY_FEATURES = _CONTENT | {"transformer"}
"""Sources that speak of items without any event too, by what these are like."""
CROWD = frozenset(SOURCES) - _CONTENT
"""Sources that tell what people do with an item."""


@dataclass(frozen=True, eq=False)
class Collaborative:
    """Fitted models by source name; a history is folded in at request time, so new events of a user count at once.

    `scenes`: the names behind the codes of the scenes that the models were fitted with; without names they are asked without scenes.
    """

    catalogue: Catalogue
    models: Mapping[str, Scorer]
    worth: Worth
    sources: Mapping[str, Source] = field(default_factory=lambda: SOURCES)
    scenes: tuple[str, ...] = ()

    @classmethod
    def from_store(cls, store: Store, catalogue: Catalogue, *, cached: bool = True) -> Collaborative:
        """Load the models fitted for this revision of items and events, or fit them and keep them, content by attributes alone;
        StoreError from the store.

        A cache that cannot be written (a read-only folder, a full disk) costs time at the next start and nothing else.
        """
        folder = store.cache / "collaborative"
        key = _cache_key(store, catalogue)
        if cached and (loaded := _load(folder, key, catalogue)) is not None:
            return loaded
        arrays = store.events.arrays()
        worth = learn_worth(arrays)
        fitted = cls.fit(interactions_of(arrays, catalogue, worth), catalogue, worth, features=features_of(catalogue))
        if cached:
            _save(fitted, folder, key)
        return fitted

    @classmethod
    def fit(
        cls,
        interactions: Interactions,
        catalogue: Catalogue,
        worth: Worth,
        *,
        features: ItemFeatures | None = None,
        sources: Mapping[str, Source] | None = None,
        scenes: tuple[str, ...] = (),
    ) -> Collaborative:
        """Fit the sources that have a `make`, by default item neighbours, EASE (ALS above 10,000 items with events), both transition
        models, popularity and, with `features` that tell items apart, content and the regression on features."""
        if sources is None:
            small = len(np.unique(interactions.matrix.indices)) <= EASE_ITEMS
            told = features is not None and (features.attributes.shape[1] > 1 or features.text is not None or features.graph is not None)
            without = {"als" if small else "ease"} | (set() if told else _CONTENT)
            sources = {name: source for name, source in SOURCES.items() if name not in without}
        makers = {name: source.make for name, source in sources.items() if source.make}
        models = {name: make(features).fit(interactions.matrix, interactions.sequences) for name, make in makers.items()}
        return cls(catalogue, MappingProxyType(models), worth, sources, scenes)

    def candidates(
        self,
        history: Sequence[Event],
        k: int,
        *,
        allowed: NDArray[np.bool_],
        seeds: Sequence[ItemId] = (),
        locale: str = "en",
        scene: str | None = None,
        scenes: Sequence[str | None] = (),
        repeats: bool = False,
    ) -> Candidates:
        """Return the k best candidates of each source, and what each source says of those of the others, best first; what the request
        named is left out, and what the user has had, unless `repeats`: then `allowed` says what of that may come again.

        `history` oldest first; `allowed` bool (n_items,); `seeds` are items named in the request and weigh more than the history.
        `scene` is the one that is now, `scenes` are those of the history's last events, as many as are given, None where none is known.
        A source gives reasons for its own k, each naming the liked or named item that spoke loudest. Unknown items are ignored.
        """
        rows, worth, seen = self.fold(history, seeds)
        free = allowed.copy()
        free[self.catalogue.rows(seeds) if repeats else seen] = False
        found: list[Candidate] = []
        items = self.catalogue.items
        pool, told = self.pool(
            rows, worth, k, free=free, scene=self._codes([scene])[0], scenes=self._scenes_of(rows, history, scenes) if scenes else None
        )
        chosen = np.isfinite(told["popularity"]) if "popularity" in told else np.ones(len(pool), dtype=bool)
        for name, scores in told.items():
            named = np.flatnonzero(np.isfinite(scores))
            named = named[np.argsort(-scores[named], kind="stable")]
            source, model = self.sources[name], self.models[name]
            reasons = [""] * len(named)
            if source.clause is not None:
                weights = recent(worth, source.recency) * (worth >= LIKED)
                own = named[:k]
                loud = scores[own].astype(np.float32)
                words = explain(model, rows, weights, pool[own], loud, clause=source.clause, items=items, locale=locale, chosen=chosen[own])
                reasons[:k] = words
            table = zip(pool[named].tolist(), scores[named].tolist(), reasons, strict=True)
            found.extend(Candidate(items[row].item_id, name, score, reason) for row, score, reason in table)
        return Candidates(tuple(found))

    def fold(self, history: Sequence[Event], seeds: Sequence[ItemId]) -> tuple[Rows, Weights, list[int]]:
        """Return rows int32 (h,) oldest first, each item at its latest event, their worth float32 (h,), and all rows seen."""
        worth = self.worth.of_events(history)
        latest: dict[int, float] = {}
        for event, value in zip(history, worth.tolist(), strict=True):
            if (row := self.catalogue.row(event.item_id)) is not None:
                latest.pop(row, None)
                latest[row] = value
        named = [row for item_id in seeds if (row := self.catalogue.row(item_id)) is not None]
        for row in named:
            latest.pop(row, None)
        past = {row: value * (_SEED_SHARE if named else 1.0) for row, value in latest.items() if value > 0}
        folded = {**past, **dict.fromkeys(named, 1.0)}
        return np.asarray([*folded], dtype=np.int32), np.asarray([*folded.values()], dtype=np.float32), [*latest, *named]

    def pool(
        self,
        rows: Rows,
        worth: Weights,
        k: int,
        *,
        free: NDArray[np.bool_],
        scene: int = -1,
        scenes: NDArray[np.int16] | None = None,
    ) -> tuple[Rows, dict[str, NDArray[np.float64]]]:
        """Return the k best free rows of each source together, int32 (m,) ascending, and each source's scores of all of them: float64
        (m,), -inf where the source has none above 0. `scene` is the place in `self.scenes` of the one that is now, `scenes` int16 (h,)
        of those of the rows; -1: not known."""
        whole = {name: self.score(name, rows, worth, scene=scene, scenes=scenes) for name in self.models}
        n_people = whole.get("popularity", np.zeros(self.catalogue.n, dtype=np.float32))
        for name, limit in ((name, self.sources[name].below) for name in whole):
            if math.isfinite(limit):
                whole[name] = np.where(n_people < limit, whole[name], np.float32(0))
        best = [top_rows(np.where(free, scores, np.float32(0)), k)[0] for scores in whole.values()]
        pool = np.unique(np.concatenate([*best, np.zeros(0, dtype=np.int32)]))
        told = {name: scores[pool].astype(np.float64) for name, scores in whole.items()}
        return pool, {name: np.where(scores > 0, scores, -np.inf) for name, scores in told.items()}

    def score(self, name: str, rows: Rows, worth: Weights, *, scene: int = -1, scenes: NDArray[np.int16] | None = None) -> Scores:
        """Return what one source says of the whole catalogue: float32 (n_items,). `scene`, `scenes` as in `pool`."""
        weights = recent(worth, self.sources[name].recency)
        if not self.scenes:
            return self.models[name].scores(rows, weights)
        return scores_at(self.models[name], rows, weights, scene=scene, scenes=scenes)

    def _codes(self, names: Sequence[str | None]) -> list[int]:
        """Return the places of these scenes in `self.scenes`, -1 for those that are not there."""
        code = {name: place for place, name in enumerate(self.scenes)}
        return [-1 if name is None else code.get(name, -1) for name in names]

    def _scenes_of(self, rows: Rows, history: Sequence[Event], scenes: Sequence[str | None]) -> NDArray[np.int16]:
        """Return the code of the scene of each row's latest event: int16 (h,)."""
        events = history[len(history) - len(scenes) :]
        latest = {self.catalogue.row(event.item_id): code for event, code in zip(events, self._codes(scenes), strict=True)}
        return np.asarray([latest.get(row, -1) for row in rows.tolist()], dtype=np.int16)


def load_source(name: str, path: Path) -> CollaborativeModel:
    """Read one model of the product. NotFound, StoreError (damaged, or a source that this program does not have)."""
    if name not in SOURCES:
        raise StoreError("The saved models have a source that this program does not know; train again.")
    return SOURCES[name].load(path)


def recent(worth: Weights, recency: float) -> Weights:
    """Let each event count `recency` times as much as the one after it: float32 (h,)."""
    age = np.arange(len(worth) - 1, -1, -1, dtype=np.float32)
    return np.asarray(worth * np.float32(recency) ** age, dtype=np.float32)


def top_rows(scores: Scores, k: int) -> tuple[Rows, Scores]:
    """Return the k best rows with positive scores, best first; equal scores in row order."""
    rows: Rows = np.flatnonzero(scores > 0).astype(np.int32)
    if len(rows) > k:
        floor = np.partition(scores[rows], len(rows) - k)[len(rows) - k]
        rows = rows[scores[rows] >= floor]
    rows = rows[np.argsort(-scores[rows], kind="stable")][:k]
    return rows, scores[rows]


def _cache_key(store: Store, catalogue: Catalogue) -> str:
    parts = [_FORMAT, store.revision("items"), store.revision("events"), catalogue.revision, catalogue.n]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _load(folder: Path, key: str, catalogue: Catalogue) -> Collaborative | None:
    """Load a whole set of models; None where one is missing or damaged."""
    try:
        index = load_arrays(folder / f"index-{key}.npz")
        models = {name: SOURCES[name].load(folder / f"{name}-{key}.npz") for name in index["sources"].tolist()}
        scales = dict(zip(index["kinds"].tolist(), index["scales"].tolist(), strict=True))
    except (NotFound, StoreError, KeyError, ValueError):
        return None
    return Collaborative(catalogue, MappingProxyType(models), Worth(scales))


def _save(fitted: Collaborative, folder: Path, key: str) -> None:
    """Write the models, then the index that makes them valid, then drop older sets."""
    scales = fitted.worth.scales
    index = {
        "sources": np.asarray([*fitted.models], dtype=np.str_),
        "kinds": np.asarray([*scales], dtype=np.str_),
        "scales": np.asarray([*scales.values()], dtype=np.float64),
    }
    try:
        for name, model in fitted.models.items():
            model.save(folder / f"{name}-{key}.npz")
        save_arrays(folder / f"index-{key}.npz", index)
        for old in folder.glob("*.npz"):
            if not old.stem.endswith(key):
                old.unlink(missing_ok=True)
    except OSError:
        return
