"""A softmax head whose probabilities were tried out on what it had not seen: temperature and scope from rehearsals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenewise.tools.scene.regression import Labels, Matrix, energy, fit_softmax, log_softmax

Rehearse = Callable[[NDArray[np.bool_]], Sequence[Matrix]]
"""From the examples that may be learned from, bool (n,), to the features of all."""

_ROUNDS = 3
_HELD_OUT = 0.25
_ENOUGH = 12
_ARRAYS = ("weights", "bias", "vectors", "labels", "rows")
_LOOKED_AT = 24
_ENOUGH_NONE = 40
_GROWTH = 0.4  # logits grow so with the share of the examples: found on two public sets of intents, validation in view
_NEVER = -1e4
_TEMPERATURES = np.geomspace(0.2, 5.0, 60)
# Where there is too little to rehearse on: log-odds of 2 at a cosine of 0.39 less, 3 for each 0.11, as for unrelated sentences.
_PLAIN_SCOPE = (0.0, -27.0, 0.0, 10.6)


@dataclass(frozen=True)
class Head:
    """weights: float32 (n_features, n_labels, and one more where there are examples of none); bias as wide; vectors: float32
    (n, n_features), at most 24 examples of each label, of length 1, with their labels and their rows among all examples: int64 (n,); scale:
    1 / temperature; scope: what energy, likeness, and the logit of none (0 where there is no such) weigh in the log-odds of none, and a
    constant."""

    weights: Matrix
    bias: Matrix
    vectors: Matrix
    labels: Labels
    rows: Labels
    n_labels: int
    scale: float = 1.0
    scope: tuple[float, ...] = _PLAIN_SCOPE

    def read(self, blocks: Sequence[Matrix]) -> tuple[Matrix, Matrix]:
        """Return log P(label | one of them): float32 (n, n_labels), and the log-odds of none at even odds: float32 (n,)."""
        logits, signs = self._look(blocks)
        *slopes, constant = np.array(self.scope, dtype=np.float32)
        return log_softmax(np.float32(self.scale) * logits), signs @ np.array(slopes) + constant

    def nearest(self, blocks: Sequence[Matrix], label: int) -> int:
        """The row of the label's example that a text is nearest to."""
        likeness = np.where(self.labels == label, self.vectors @ _join(blocks)[0], -2.0)
        return int(self.rows[np.argmax(likeness)])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is kept of it, by name."""
        rows: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in _ARRAYS}
        numbers = (("n_labels", [self.n_labels]), ("scale", [self.scale]), ("scope", self.scope))
        return rows | {name: np.array(values) for name, values in numbers}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Head:
        """Make it of what `arrays` gave."""
        rows = {name: arrays[name] for name in _ARRAYS}
        return cls(n_labels=int(arrays["n_labels"][0]), scale=float(arrays["scale"][0]), scope=tuple(arrays["scope"].tolist()), **rows)

    def _look(self, blocks: Sequence[Matrix]) -> tuple[Matrix, Matrix]:
        """Logits of the labels: float32 (n, n_labels); energy, likeness and the logit of none over the labels' energy: (n, 3)."""
        features = _join(blocks)
        logits = features @ self.weights + self.bias
        labels, none = logits[:, : self.n_labels], logits[:, self.n_labels :]
        strong = energy(labels)
        likeness = (features @ self.vectors.T).max(axis=1)
        over = none[:, 0] - strong if none.shape[1] else np.zeros_like(strong)
        return labels, np.stack([strong, likeness, over], axis=1)


def fit_head(blocks: Sequence[Matrix], labels: Labels, n_labels: int, *, rehearse: Rehearse | None = None, seed: int = 0) -> Head:
    """Fit the weights on all examples, and temperature and scope on rehearsals.

    blocks: float32 (n, dim) each, rows of length 1; labels: int64 (n,), -1 for none. In a rehearsal a quarter of the labels is left out
    whole, and of the rest and of the examples of none a quarter of the examples; the head fitted on what is left must be right about
    the examples held out (temperature: Guo et al. 2017, arXiv:1706.04599), and take the labels left out, and none, for none. Forty
    examples of none say themselves what none is, and no label is left out. `rehearse` gives features that were themselves learned: then
    there is one rehearsal, as each costs a training.
    """
    head = _fit(blocks, labels, n_labels)
    random = np.random.default_rng(seed)
    seen = [_rehearse(blocks, labels, n_labels, rehearse, random) for _ in range(1 if rehearse else _ROUNDS)]
    logits, right, inside, outside = (np.concatenate(part) for part in zip(*seen, strict=True))
    if len(inside) < _ENOUGH or len(outside) < _ENOUGH:
        return head
    scale = min(_TEMPERATURES, key=lambda scale: -float(log_softmax(np.float32(scale) * logits)[np.arange(len(right)), right].mean()))
    scale *= (1 - _HELD_OUT) ** -_GROWTH  # the head that stays was taught more than those that rehearsed
    return replace(head, scale=float(scale), scope=_fit_scope(inside, outside))


def _fit(blocks: Sequence[Matrix], labels: Labels, n_labels: int) -> Head:
    features = _join(blocks)
    has_none = bool((labels < 0).any())
    weights, bias = fit_softmax(features * np.float32(len(blocks) ** 0.5), np.where(labels < 0, n_labels, labels), n_labels + has_none)
    kept = np.concatenate([np.flatnonzero(labels == label)[:_LOOKED_AT] for label in range(n_labels)])
    return Head(weights * np.float32(len(blocks) ** 0.5), bias, features[kept], labels[kept], kept, n_labels)


def _rehearse(
    blocks: Sequence[Matrix], labels: Labels, n_labels: int, rehearse: Rehearse | None, random: np.random.Generator
) -> tuple[Matrix, Labels, Matrix, Matrix]:
    """Logits (n_held, n_labels) and labels of examples held out, the signs of scope of those and of what is none: (n, 3) each."""
    known = np.unique(labels[labels >= 0])
    n_away = 0 if int((labels < 0).sum()) >= _ENOUGH_NONE else len(known) // 4
    away = np.isin(labels, random.choice(known, n_away, replace=False))
    held = ~away & (random.random(len(labels)) < _HELD_OUT)
    taught = ~away & ~held
    held &= np.isin(labels, [*labels[taught & (labels >= 0)], -1])
    taught_labels = np.unique(labels[taught & (labels >= 0)])
    if not len(taught_labels):
        nothing = np.empty((0, 3), dtype=np.float32)
        return np.empty((0, n_labels), dtype=np.float32), np.empty(0, dtype=np.int64), nothing, nothing
    blocks = rehearse(taught) if rehearse else blocks
    place = np.full(n_labels + 1, -1, dtype=np.int64)  # the last one is none
    place[taught_labels] = np.arange(len(taught_labels))
    head = _fit([rows[taught] for rows in blocks], place[labels[taught]], len(taught_labels))
    inside, outside = held & (labels >= 0), away | (held & (labels < 0))
    logits, signs = head._look([rows[inside] for rows in blocks])
    wide = np.full((len(logits), n_labels), _NEVER, dtype=np.float32)
    wide[:, taught_labels] = logits
    return wide, labels[inside], signs, head._look([rows[outside] for rows in blocks])[1]


def _fit_scope(inside: Matrix, outside: Matrix) -> tuple[float, ...]:
    """Logistic regression of none on the signs, both sides weighing the same."""
    signs = np.vstack([inside, outside])
    mean, deviation = signs.mean(axis=0), np.maximum(signs.std(axis=0), 1e-3)
    labels = np.repeat(np.array([0, 1]), [len(inside), len(outside)])
    weights, bias = fit_softmax((signs - mean) / deviation, labels, 2, strength=4.0)
    slope = (weights[:, 1] - weights[:, 0]) / deviation
    constant = float(bias[1] - bias[0]) - float(slope @ mean) - float(np.log(len(outside) / len(inside)))
    return (*map(float, slope), constant)


def _join(blocks: Sequence[Matrix]) -> Matrix:
    """Side by side, so that the dot product is the mean of the blocks' cosines."""
    joined: Matrix = np.hstack(list(blocks)) / np.float32(len(blocks) ** 0.5)
    return joined
