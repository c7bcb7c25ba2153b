"""Recommending out of a conversation, one turn: the context so far -> a ranking of all items, on OpenDialKG, ReDial and their like.

Recall@k is over pairs of context and target, as in UniCRS (Wang et al. 2022) and the evaluations that follow it. "New" leaves out targets
that the context already names, and ranks nothing that it names (He et al. 2023, "Large language models as zero-shot conversational
recommenders", found that up to 15% of targets are repeats).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.eval.metrics import pessimistic_ranks
from scenewise.tools.collaborative.ease import Ease
from scenewise.tools.collaborative.item_knn import ItemKnn
from scenewise.tools.collaborative.model import Scorer
from scenewise.tools.dialogue.domain import Domain, Example, Float
from scenewise.tools.dialogue.recommender import Candidates, DialogueRecommender
from scenewise.tools.dialogue.reranker import Reranker, RerankerConfig
from scenewise.tools.dialogue.signals import GROUPS
from scenewise.tools.retrieval.encoders import TextEncoder, Vectors

Progress = Callable[[int, int | None], None]
CUTS = (1, 5, 10, 20, 50)
FOLDS = 5
_MISSED = 10**9  # the rank of a target that is no item
_RESAMPLES = 2_000


class Remembering:
    """An encoder that encodes each text once."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder, self._known = encoder, dict[str, Vectors]()
        self.name, self.dim = encoder.name, encoder.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As the encoder does."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, self.dim), dtype=np.float32)


def run(
    domain: Domain,
    cases: Sequence[Example],
    train: Sequence[Example] | None,
    encoder: TextEncoder,
    *,
    ratings: csr_matrix | None = None,
    ablation: bool = True,
    config: RerankerConfig | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Measure; without `train`, over folds of the cases, a dialogue wholly in one. Ready for JSON."""
    config = replace(config or RerankerConfig(), seed=seed)
    groups = [*GROUPS] if ratings is not None else [name for name in GROUPS if name != "ratings"]
    asked = ["fusion", *(f"without {group}" for group in groups if ablation), "plain"]
    fold_of = _folds(cases, seed) if train is None else np.zeros(len(cases), dtype=np.int64)
    n_folds, done = int(fold_of.max()) + 1, 0
    models: dict[str, Scorer] = {"item_knn": ItemKnn().fit(ratings), "ease": Ease().fit(ratings)} if ratings is not None else {}
    rated = None if ratings is None else np.bincount(ratings.indices, minlength=ratings.shape[1]).astype(np.float32)
    recommender = DialogueRecommender(domain, Remembering(encoder), ratings=models, rated=rated)
    tables = {name: _Table(domain) for name in asked}
    for fold in range(n_folds):
        questions = [case for case, its_fold in zip(cases, fold_of, strict=True) if its_fold == fold]
        known = [case for case, its_fold in zip(cases, fold_of, strict=True) if its_fold != fold] if train is None else train
        recommender.remember(known)
        learned, found = (recommender.candidates([one.context for one in examples]) for examples in (known, questions))
        relevant = learned.relevant([domain.rows(one.targets) for one in known])
        for name in asked:
            tables[name].add(questions, _scores(name, learned, relevant, found, config))
            progress(done := done + 1, n_folds * len(asked))
    return {
        "protocol": {
            "train": "given" if train is not None else f"{FOLDS} folds by dialogue",
            "ties": "pessimistic",
            "unit": "pairs of context and target",
            "networks": {"fusion": config.n_networks, "without": 1},
        },
        "seed": seed,
        "counts": {
            "cases": len(cases),
            "train": len(cases if train is None else train),
            "items": len(domain.items),
            "entities": len(domain.names),
        },
        "new": {name: table.measured(tables["plain"], new=True) for name, table in tables.items()},
        "all": {name: table.measured(tables["plain"], new=False) for name, table in tables.items()},
    }


def _scores(name: str, learned: Candidates, relevant: NDArray[np.bool_], found: Candidates, config: RerankerConfig) -> Float:
    if name == "plain":
        return found.plain
    kept = [place for place, signal in enumerate(learned.names) if f"without {signal.partition('.')[0]}" != name]
    fusion = Reranker(config if name == "fusion" else replace(config, n_networks=1))
    fusion.fit(learned.signals[..., kept], relevant)
    return found.scores(fusion.scores(found.signals[..., kept]))


class _Table:
    """Ranks of targets, all and new ones, with the number of the dialogue."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._ranks: dict[bool, list[tuple[str, float]]] = {True: [], False: []}

    def add(self, questions: Sequence[Example], scores: Float) -> None:
        for example, one in zip(questions, scores, strict=True):
            for new, ranks in self._ranks.items():
                named = set(example.context.entities) if new else set()
                targets = [name for name in dict.fromkeys(example.targets) if name not in named]
                rows = self._domain.rows(targets)
                found: list[int] = pessimistic_ranks(one, rows, masked=self._domain.rows([*named])).tolist() if rows else []
                places = [*found, *[_MISSED] * (len(targets) - len(rows))]
                ranks += [(example.context.dialogue, float(place)) for place in places]

    def measured(self, plain: _Table, *, new: bool) -> Mapping[str, Any]:
        """Figures with 95% intervals, and the gain over the plain heuristic, by resampling dialogues."""
        dialogues = np.unique([dialogue for dialogue, _ in self._ranks[new]], return_inverse=True)[1]
        ranks, others = (np.asarray([rank for _, rank in table._ranks[new]]) for table in (self, plain))
        told: dict[str, Any] = {"targets": len(ranks)}
        for name, ours, theirs in [(f"recall@{k}", ranks <= k, others <= k) for k in CUTS] + [("mrr", 1.0 / ranks, 1.0 / others)]:
            told[name] = round(float(np.mean(ours)), 4)
            told[f"{name}_95"] = _interval(ours.astype(np.float64), dialogues)
            if plain is not self:
                gain = ours.astype(np.float64) - theirs
                told[f"{name}_over_plain"] = [round(float(gain.mean()), 4), *_interval(gain, dialogues)]
        return told


def _folds(cases: Sequence[Example], seed: int) -> NDArray[np.int64]:
    dialogues, number = np.unique([case.context.dialogue for case in cases], return_inverse=True)
    return (np.random.default_rng(seed).permutation(len(dialogues)) % FOLDS)[number]


def _interval(values: NDArray[np.float64], clusters: NDArray[np.integer]) -> list[float]:
    """The 95% percentile interval of the mean, clusters resampled whole (Efron & Tibshirani 1993): [low, high]."""
    if not len(values):
        return [0.0, 0.0]
    sums, counts = np.bincount(clusters, values), np.bincount(clusters)
    chosen = np.random.default_rng(0).integers(0, len(sums), size=(_RESAMPLES, len(sums)))
    means = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    return [round(float(value), 4) for value in np.quantile(means, (0.025, 0.975))]
