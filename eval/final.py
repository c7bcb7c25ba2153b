"""The product's own path from events to a list, over rows: its sources, its Transformer, its second stage."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from scenewise.eval.protocols import Question
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.collaborative import Collaborative
from scenewise.tools.collaborative.interactions import Interactions, Worth
from scenewise.tools.collaborative.model import Scores
from scenewise.tools.features import ItemFeatures, features_of
from scenewise.tools.ranking.calibration import Calibration, source_values
from scenewise.tools.ranking.trained import RANKER
from scenewise.tools.ranking.transformer import SequenceTransformer, TransformerConfig
from scenewise.tools.ranking.tune import learn_calibration
from scenewise.tools.training.ranker import HELD, Fit, enough, fit_final, fit_here, fit_trial

DEPTH = 100  # candidates a source, as in the product
_WORTH = Worth({})  # the events' worth is in the interactions


@dataclass(frozen=True, eq=False)
class Made:
    """What was trained, and what the Transformer's part of it cost in CPU seconds."""

    collaborative: Collaborative
    calibration: Calibration
    transformer: SequenceTransformer | None = None
    transformer_cpu_s: float = 0.0
    transformer_epochs: int = 0

    @property
    def words(self) -> str:
        """The weights of the sources."""
        return ", ".join(f"{name} {self.calibration.of(name).weight:.2f}" for name in self.collaborative.models)

    def answer(self, question: Question) -> Scores:
        """Return the logits of the candidates, float32 (n_items,), -inf for all else: what the ranker does where there is no scene."""
        free = np.ones(self.collaborative.catalogue.n, dtype=bool)
        free[question.rows] = False
        logits = np.full(len(free), -np.inf, dtype=np.float64)
        for source, (columns, scores) in self.collaborative.best(question.rows, question.worth, DEPTH, free=free).items():
            how = self.calibration.of(source)
            logits[columns] = np.where(np.isfinite(logits[columns]), logits[columns], 0.0)
            logits[columns] += how.weight * source_values(scores.astype(np.float64), how.basis)
        return logits.astype(np.float32)


def fit_models(
    train: Interactions, catalogue: Catalogue, features: ItemFeatures | None, folder: Path, *, seed: int, ranker: bool = True
) -> Made:
    """Train sources, Transformer and second stage, as `scenewise train` does; `folder` takes checkpoints."""
    rest, _ = train.hold_back(HELD)
    trial_sources = Collaborative.fit(rest, catalogue, _WORTH)
    sources = Collaborative.fit(train, catalogue, _WORTH)
    transformer, cost, epochs = None, 0.0, 0
    if ranker and enough(train):
        begun = time.process_time()
        config = TransformerConfig(seed=seed)
        fit = Fit(train, features or features_of(catalogue), config, folder / "trial.safetensors")
        trial = fit_trial(fit, fit_here, lambda what, done, total: None)
        transformer = fit_final(fit, trial, fit_here, lambda what, done, total: None)
        cost, epochs = time.process_time() - begun, trial.course.best_epoch if trial.course else 0
        trial_sources = replace(trial_sources, models=MappingProxyType({**trial_sources.models, RANKER: trial}))
        sources = replace(sources, models=MappingProxyType({**sources.models, RANKER: transformer}))
    calibration = learn_calibration(train, catalogue, _WORTH, seed=seed, trial=trial_sources)
    return Made(sources, calibration, transformer, cost, epochs)
