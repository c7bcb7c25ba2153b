"""The Transformer's part of a training: once without the held-back events, for the second stage to learn from, then with all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scenewise.tools.collaborative.interactions import Interactions
from scenewise.tools.features import ItemFeatures
from scenewise.tools.ranking.held_back import LEAST_USERS

if TYPE_CHECKING:
    from scenewise.tools.ranking.transformer import SequenceTransformer, TransformerConfig

_AGAIN = 0.25  # epochs over all events, after those without the held-back ones, as a share of these
_LATER = 3  # epochs over the events of users with new ones

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Fit:
    """One fit of the Transformer. `start`: a model over the same items to go on from; `checkpoint`: where it goes on if it is cut."""

    interactions: Interactions
    features: ItemFeatures
    config: TransformerConfig
    checkpoint: Path
    start: SequenceTransformer | None = None


Engine = Callable[[Fit, Report], "SequenceTransformer"]


def fit_here(fit: Fit, report: Report) -> SequenceTransformer:
    """Fit in this process."""
    from scenewise.tools.ranking.transformer import SequenceTransformer

    model = SequenceTransformer(fit.config, fit.features)
    matrix, sequences = fit.interactions.matrix, fit.interactions.sequences
    return model.fit(matrix, sequences, start=fit.start, checkpoint=fit.checkpoint, report=report)


def fit_trial(fit: Fit, rest: Interactions, engine: Engine, report: Report) -> SequenceTransformer:
    """Fit to what is left when events are held back, in most of the minutes."""
    return engine(replace(fit, interactions=rest, config=_bounded(fit.config, share=1 / (1 + _AGAIN))), report)


def fit_final(fit: Fit, trial: SequenceTransformer, engine: Engine, report: Report) -> SequenceTransformer:
    """Go on from the trial with all events, in the rest of the minutes."""
    epochs = max(1, round(_AGAIN * (trial.course.best_epoch if trial.course else 1)))
    config = _bounded(fit.config, epochs=epochs, share=_AGAIN / (1 + _AGAIN), n_held_back=0)
    return engine(replace(fit, config=config, start=trial, checkpoint=fit.checkpoint.with_name("final.safetensors")), report)


def fit_further(fit: Fit, engine: Engine, report: Report) -> SequenceTransformer:
    """Go on from an earlier version with the events of those who did something since."""
    return engine(replace(fit, config=_bounded(fit.config, epochs=min(_LATER, fit.config.epochs), n_held_back=0)), report)


def enough(interactions: Interactions) -> bool:
    """Say whether there are users to learn an order from."""
    return int((np.diff(interactions.sequences.starts) > 1).sum()) >= LEAST_USERS


def _bounded(config: TransformerConfig, *, share: float = 1.0, **changed: int) -> TransformerConfig:
    minutes = None if config.minutes is None else config.minutes * share
    return config.model_copy(update={"minutes": minutes, **changed})
