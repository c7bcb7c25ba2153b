"""The product's own path from events to a list, over rows: its sources, its Transformer, its second stage."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from scenewise.eval.protocols import Question
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.collaborative import SOURCES, Collaborative
from scenewise.tools.collaborative.interactions import Interactions, Worth
from scenewise.tools.collaborative.model import Scorer, Scores
from scenewise.tools.features import ItemFeatures, features_of
from scenewise.tools.ranking.calibration import Calibration
from scenewise.tools.ranking.fusion import rank_rows
from scenewise.tools.ranking.held_back import How, hold_back
from scenewise.tools.ranking.trained import RANKER
from scenewise.tools.ranking.transformer import SequenceTransformer, TransformerConfig
from scenewise.tools.ranking.tune import learn_calibration
from scenewise.tools.training.ranker import Fit, enough, fit_final, fit_here, fit_trial

_DEPTH = 60  # candidates a source, as the agent asks for
_WORTH = Worth({})  # the events' worth is in the interactions


@dataclass(frozen=True, eq=False)
class Made:
    """What was trained; the Transformer's part of the cost in CPU seconds, and the epoch that it stopped at."""

    collaborative: Collaborative
    calibration: Calibration
    transformer: SequenceTransformer | None = None
    transformer_cpu_s: float = 0.0
    transformer_epochs: int = 0

    def answer(self, question: Question) -> Scores:
        """Return the odds of the candidates, float32 (n_items,), -inf for all else: what the ranker says where no scene is known."""
        rows, log_odds = rank_rows(self.collaborative, self.calibration, question.rows, question.worth, k=_DEPTH)
        scores = np.full(self.collaborative.catalogue.n, -np.inf, dtype=np.float32)
        scores[rows] = np.exp(log_odds)
        return scores


def fit_models(
    train: Interactions, catalogue: Catalogue, features: ItemFeatures | None, folder: Path, *, how: How, seed: int, ranker: bool = True
) -> Made:
    """Train sources, Transformer and second stage, as `scenewise train` does; `folder` takes checkpoints, `how` as in hold_back."""
    features = features or features_of(catalogue)
    held = hold_back(train, how, seed=seed)
    trial_sources = Collaborative.fit(held.rest, catalogue, _WORTH, features=features)
    sources = Collaborative.fit(train, catalogue, _WORTH, features=features)
    transformer, cost_s, epochs = None, 0.0, 0
    if ranker and enough(held.rest):
        begun = time.process_time()
        fit = Fit(train, features, TransformerConfig(seed=seed), folder / "trial.safetensors")
        trial = fit_trial(fit, held.rest, fit_here, _quiet)
        transformer = fit_final(fit, trial, fit_here, _quiet)
        cost_s, epochs = time.process_time() - begun, trial.course.best_epoch if trial.course else 0
        trial_sources, sources = _with(trial_sources, trial), _with(sources, transformer)
    calibration = learn_calibration(train, catalogue, _WORTH, seed=seed, how=how, trial=trial_sources)
    return Made(sources, calibration, transformer, cost_s, epochs)


def _with(collaborative: Collaborative, transformer: Scorer) -> Collaborative:
    models = MappingProxyType({**collaborative.models, RANKER: transformer})
    return replace(collaborative, models=models, sources=MappingProxyType({**collaborative.sources, RANKER: SOURCES[RANKER]}))


def _quiet(what: str, done: int, total: int) -> None:
    """Say nothing: the benchmark has a bar of its own."""
