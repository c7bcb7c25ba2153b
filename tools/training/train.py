"""`scenewise train`: from a store's events to a new version of its models."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from scenewise.store.errors import StoreError
from scenewise.store.lock import WriterLock
from scenewise.store.store import Store
from scenewise.tools.collaborative.collaborative import BY_FEATURES, Collaborative
from scenewise.tools.collaborative.interactions import Interactions
from scenewise.tools.collaborative.model import Scorer
from scenewise.tools.features import ItemFeatures, encode_items, features_of
from scenewise.tools.graph.embedding import ItemGraph
from scenewise.tools.graph.graph import KnowledgeGraph
from scenewise.tools.ranking.artefacts import Artefact, Manifest, clean, first_usable, publish
from scenewise.tools.ranking.calibration import Calibration
from scenewise.tools.ranking.held_back import LEAST_USERS, Questions, hold_back
from scenewise.tools.ranking.trained import FUSION, RANKER, file_of
from scenewise.tools.ranking.tune import Scenes, learn_calibration
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.training.item_features import FEATURES, features_like, save_features
from scenewise.tools.training.measure import measure
from scenewise.tools.training.ranker import Engine, Fit, enough, fit_final, fit_further, fit_here, fit_trial
from scenewise.tools.training.ray_engine import ray_engine
from scenewise.tools.training.snapshot import Snapshot

if TYPE_CHECKING:
    from scenewise.tools.ranking.transformer import SequenceTransformer, TransformerConfig

ALL = frozenset({"sources", "ranker", "fusion"})
CHECKPOINTS = "checkpoints"
Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained. `parts` None is all; of what goes on, all but the second stage, whose weights move slowly.

    `go_on`: from the current version, whose models are the start, with the events after `since_s` as the new ones (None: after those
    that it has seen); `workers`: of a Ray job, 0 trains here; `epochs` and `minutes` of wall time bound the ranker.
    """

    parts: frozenset[str] | None = None
    go_on: bool = False
    since_s: float | None = None
    workers: int = 0
    epochs: int | None = None
    minutes: float | None = None
    seed: int = 0


def train_store(
    store: Store,
    encoders: Encoders,
    order: Order,
    *,
    report: Report = lambda what, done, total: None,
    clock: Callable[[], float] = time.time,
) -> Manifest:
    """Train on one state of the store's events and make the result the current version; return its manifest.

    The store is only read, so that a server may write meanwhile; one training runs at a time. Where there are too few events for a
    part, it is left out and the manifest's notes say so. A training that was cut goes on from its checkpoints, where events and
    settings are the same. Raises InputError (no items), Busy (another training), StoreError.
    """
    models = store.path / "models"
    try:
        models.mkdir(mode=0o700, exist_ok=True)
        lock = WriterLock.take(models / "lock", purpose="train", now_s=clock())
        try:
            clean(models)
            return _train(store, encoders, order, report, clock())
        finally:
            lock.release()
    except OSError as error:
        raise StoreError(f"the folder models of the store cannot be written ({error.strerror}); the earlier version stays") from error


def _train(store: Store, encoders: Encoders, order: Order, report: Report, now_s: float) -> Manifest:
    models, notes = store.path / "models", []
    base = None
    if order.go_on or order.parts not in (None, ALL):
        base, problems = first_usable(models, lambda artefact: artefact)
        notes += [*problems, *([] if base else ["there is no version to go on from: all parts were trained"])]
    report("reading events", 0, 1)
    seen = Snapshot.of(store, encoders, scenes=base.manifest.scenes if base else ())
    report("reading events", 1, 1)
    if base is not None and order.go_on and not _has_new(seen, base.manifest, order.since_s):
        return base.manifest.model_copy(update={"notes": ("no events have come since: the version stays as it is",)})
    training = _Training(store, encoders, order, report, base, seen, notes)
    training.run()
    report("writing", 0, 1)
    manifest = publish(models, training.manifest(), seen.item_ids, training.write, now_s=now_s)
    shutil.rmtree(models / CHECKPOINTS, ignore_errors=True)
    report("writing", 1, 1)
    return manifest


def _has_new(seen: Snapshot, base: Manifest, since_s: float | None) -> bool:
    """Say whether there are events that the version does not know."""
    if since_s is None:
        return seen.n_events != base.n_events or seen.until_s != base.until_s
    return bool((seen.interactions.sequences.times_s > since_s).any())


@dataclass(eq=False)
class _Training:
    """One training. `base` is the version to go on from or to take the other parts from; the rest is what has been made so far."""

    store: Store
    encoders: Encoders
    order: Order
    report: Report
    base: Artefact | None
    seen: Snapshot
    notes: list[str]
    parts: frozenset[str] = ALL
    features: ItemFeatures | None = None
    models: dict[str, Scorer] = field(default_factory=dict)
    calibration: Calibration | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    measures: dict[str, dict[str, float]] = field(default_factory=dict)

    def run(self) -> None:
        """Train the parts that are wanted."""
        seen, order = self.seen, self.order
        if self.base is not None:
            self.parts = self._wanted(self.base)
        if not seen.interactions.matrix.nnz:
            self.notes.append("the store has no events that speak for an item: nothing is known of taste yet")
        self.report("item features", 0, 1)
        self.features = self._features()
        self.report("item features", 1, 1)
        held, trial = hold_back(seen.interactions, seed=order.seed), None
        if "sources" in self.parts:
            self.report("sources", 0, 1)
            self.models.update(self._fit_sources(seen.interactions).models)
            self.report("sources", 1, 1)
        if self.parts & {"ranker", "fusion"}:
            if enough(seen.interactions):
                with ray_engine(order.workers) if order.workers else nullcontext(fit_here) as engine:
                    trial = self._fit_ranker(engine, held.rest)
            else:
                self.notes.append(f"fewer than {LEAST_USERS} users with several events: the Transformer was left out")
        if "fusion" in self.parts:
            self.report("second stage", 0, 2)
            sources = self._fit_sources(held.rest)
            if trial is not None:
                sources = replace(sources, models=MappingProxyType({**sources.models, RANKER: trial}))
            self.report("second stage", 1, 2)
            self._learn_fusion(sources, held)
            self.report("second stage", 2, 2)

    def manifest(self) -> Manifest:
        """State what was done."""
        seen = self.seen
        return Manifest(
            n_users=int((np.diff(seen.interactions.matrix.indptr) > 0).sum()),
            n_events=seen.n_events,
            until_s=seen.until_s,
            seed=self.order.seed,
            sources=(*self.models, *self._kept),
            scales=dict(seen.worth.scales),
            scenes=seen.scenes,
            settings=self.settings,
            measures=self.measures,
            notes=tuple(self.notes),
            started_from=self.base.manifest.version if self.base else None,
        )

    def write(self, stage: Path) -> None:
        """Put all files into a folder; those of parts that were not trained come from the version before."""
        for name, model in self.models.items():
            model.save(stage / file_of(name))
        assert self.features is not None
        save_features(stage / FEATURES, self.features)
        if self.calibration is not None:
            (stage / FUSION).write_text(self.calibration.to_json(), encoding="utf-8")
        if self.base is not None:
            for file in [file_of(name) for name in self._kept] + [FUSION] * ("fusion" not in self.parts):
                shutil.copyfile(self.base.folder / file, stage / file)

    @property
    def _kept(self) -> list[str]:
        """The sources that stay as they are."""
        before = self.base.manifest.sources if self.base else ()
        return [name for name in before if ("ranker" if name == RANKER else "sources") not in self.parts]

    @property
    def _further(self) -> bool:
        """Whether the Transformer goes on from where it was. For the second stage it has to begin anew, without what is held back."""
        return bool(self.order.go_on and self.base and RANKER in self.base.manifest.sources and "fusion" not in self.parts)

    def _wanted(self, base: Artefact) -> frozenset[str]:
        """Say what is to be trained. What has rows of items is trained when these have changed; the second stage has none."""
        parts = self.order.parts or ALL - {"fusion"}
        if base.item_ids == self.seen.item_ids or parts >= {"sources", "ranker"}:
            return parts
        self.notes.append("the items have changed since: sources and ranker were trained too")
        return parts | {"sources", "ranker"}

    def _features(self) -> ItemFeatures:
        """Gather what is known of the items: in the columns that the version's models know where one of them stays, else anew."""
        catalogue, cache = self.seen.catalogue, self.store.cache / "features"
        graph = ItemGraph.of(KnowledgeGraph.from_store(self.store, catalogue, self.seen.pack))
        if self.base is not None and (BY_FEATURES.intersection(self._kept) or self._further):
            place, rows = self.base.folder / FEATURES, self.base.rows_of(catalogue)
            return features_like(place, catalogue, rows, text=encode_items(catalogue.items, self.encoders, cache=cache), graph=graph)
        return features_of(catalogue, encoders=self.encoders, graph=graph, cache=cache)

    def _fit_sources(self, interactions: Interactions) -> Collaborative:
        seen = self.seen
        return Collaborative.fit(interactions, seen.catalogue, seen.worth, features=self.features, scenes=seen.scenes)

    def _fit_ranker(self, engine: Engine, rest: Interactions) -> SequenceTransformer | None:
        """Fit the Transformer; return it as it was before it saw what is held back, for the second stage, where that is learned."""
        seen, order, base, features = self.seen, self.order, self.base, self.features
        assert features is not None
        config = self._config()
        self.settings[RANKER] = config.model_dump()
        fit = Fit(seen.interactions, features, config, self.store.path / "models" / CHECKPOINTS / "trial.safetensors")
        if base is not None and self._further:
            since_s = order.since_s if order.since_s is not None else base.manifest.until_s
            fit = replace(fit, interactions=seen.of_users_since(since_s or 0.0), start=self._start(base, features))
            self.models[RANKER] = fit_further(fit, engine, self.report)
            return None
        trial = fit_trial(fit, rest, engine, self.report)
        if "ranker" in self.parts:
            self.models[RANKER] = fit_final(fit, trial, engine, self.report)
        return trial

    def _start(self, base: Artefact, features: ItemFeatures) -> SequenceTransformer:
        """Bring the version's Transformer over the present items."""
        from scenewise.tools.ranking.transformer import SequenceTransformer

        model = SequenceTransformer.load(base.folder / file_of(RANKER))
        return model.over(features, base.rows_of(self.seen.catalogue), n_scenes=len(self.seen.scenes))

    def _config(self) -> TransformerConfig:
        from scenewise.tools.ranking.transformer import TransformerConfig

        order, plain = self.order, TransformerConfig()
        # with few users to ask, one epoch's measure says little: no patience, the best epoch of all is kept
        epochs = order.epochs or plain.epochs
        return plain.model_copy(update={"seed": order.seed, "epochs": epochs, "patience": epochs, "minutes": order.minutes})

    def _learn_fusion(self, sources: Collaborative, held: Questions) -> None:
        """Weigh the sources, and measure them and their list on the events held back."""
        seen = self.seen
        by_name = {scene.name: scene for scene in seen.pack.scenes}
        # a scene that the pack has no longer is the scene of no event, but keeps its place
        scenes = Scenes(tuple(by_name.get(name, seen.pack.scenes[0]) for name in seen.scenes), seen.pack.in_parts)
        self.calibration = learn_calibration(
            seen.interactions, seen.catalogue, seen.worth, seed=self.order.seed, scenes=scenes, trial=sources
        )
        if not self.calibration.n_users:
            self.notes.append("too few users with several events to weigh the sources: the default weights serve")
        self.measures = measure(sources, self.calibration, held.asked)
