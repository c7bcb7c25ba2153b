"""Asking a fitted model a split's questions: ranks, lists and costs, and what they come to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.eval.metrics import (
    Ranks,
    coverage,
    gini,
    hit_rate,
    holm,
    intra_list_diversity,
    mean_popularity,
    ndcg,
    novelty,
    paired_bootstrap,
    pessimistic_ranks,
    recall,
    reciprocal_rank,
)
from scenewise.eval.protocols import Question, Split
from scenewise.tools.collaborative.collaborative import recent, top_rows
from scenewise.tools.collaborative.model import Scores

DEPTH = 200  # candidates that a single model may hand to the ranker
_HISTORY = MappingProxyType({"0": 0, "1-5": 5, "6-20": 20, "21-100": 100, ">100": 10**9})
_MANY = 5_000  # users from which on fewer resamples settle an interval
_POPULARITY = ("head", "mid", "tail", "new")


class Answering(Protocol):
    """Whatever scores the catalogue for a question: float32 (n_items,), -inf for what it would never show."""

    def __call__(self, question: Question) -> Scores: ...


@dataclass
class Result:
    """What one model did on one seed; lists go with the questions of the split."""

    ranks: list[Ranks] = field(default_factory=list)
    top: list[list[int]] = field(default_factory=list)
    found: list[float] = field(default_factory=list)  # share of the targets among the candidates
    fit_cpu_s: float = 0.0
    cpu_s: float = 0.0
    tuning_cpu_s: float = 0.0
    settings: str = ""

    def per_question(self, metric: Callable[[Ranks], float]) -> NDArray[np.float64]:
        """Return a metric of each question: float64 (q,)."""
        return np.asarray([metric(ranks) for ranks in self.ranks], dtype=np.float64)


def answers_of(model: Any, recency: float = 1.0) -> Answering:
    """Let a collaborative model answer, an event counting `recency` times as much as the one after it."""
    return lambda question: model.scores(question.rows, recent(question.worth, recency))


def ask(
    answer: Answering, questions: Iterable[Question], *, among: NDArray[np.int32] | None = None, lists: bool = True, mask: bool = True
) -> Result:
    """Rank every question's targets among all items (of `among`, where given), without those seen where they are masked."""
    begun = time.process_time()
    result = Result()
    for question in questions:
        scores = answer(question)
        if among is not None:
            inside = np.full_like(scores, -np.inf)
            inside[among] = scores[among]
            scores = inside
        result.ranks.append(pessimistic_ranks(scores, question.targets.tolist(), masked=question.rows.tolist() if mask else ()))
        if lists:
            result.found.append(float((result.ranks[-1] <= DEPTH).mean()))
            shown = np.where(np.isfinite(scores), scores, 0.0).astype(np.float32)
            shown[question.rows] *= not mask
            result.top.append(top_rows(shown, 10)[0].tolist())
    result.cpu_s = time.process_time() - begun
    return result


@dataclass(frozen=True)
class Background:
    """What lists are judged against: `counts`, the training events of each item; `groups`, its place in head, mid, tail, new; its
    attributes, csr (n_items, n_values), where they are known."""

    counts: NDArray[np.float64]
    groups: NDArray[np.int8]
    attributes: csr_matrix | None = None

    @classmethod
    def of(cls, split: Split, attributes: csr_matrix | None = None) -> Background:
        """Count the training events. The most popular items that hold a third of them are the head, those of the next third the
        middle; new items have none."""
        n_items = split.train.matrix.shape[1]
        counts = np.bincount(split.train.sequences.rows, minlength=n_items).astype(np.float64)
        order = np.argsort(-counts, kind="stable")
        before = (np.cumsum(counts[order]) - counts[order]) / max(counts.sum(), 1.0)
        groups = np.empty(n_items, dtype=np.int8)
        groups[order] = np.minimum(before * 3, 2.0).astype(np.int8)
        groups[counts == 0] = 3
        return cls(counts, groups, attributes)


def summarise(results: Sequence[Result], splits: Sequence[Split], background: Background) -> dict[str, Any]:
    """Average over each user's questions, over users, then over seeds: one row of the table, ready for JSON."""
    n_items = len(background.counts)

    def mean(measured: Callable[[Result], float]) -> float:
        return round(float(np.mean([measured(result) for result in results])), 5)

    def by_seed(metric: Callable[[Ranks], float]) -> list[float]:
        return [float(np.mean([*_by_user(one, split, metric).values()])) for one, split in zip(results, splits, strict=True)]

    def of(metric: Callable[[Ranks], float]) -> float:
        return round(float(np.mean(by_seed(metric))), 5)

    table: dict[str, Any] = {
        "hr@10": of(lambda ranks: hit_rate(ranks, 10)),
        "ndcg@10": of(_ndcg_10),
        "recall@20": of(_recall_20),
        "mrr": of(reciprocal_rank),
        "candidate_recall@200": mean(lambda one: float(np.mean(one.found))),
        "coverage": mean(lambda one: coverage(one.top, n_items)),
        "gini": mean(lambda one: gini(one.top, n_items)),
        "mean_popularity": mean(lambda one: mean_popularity(one.top, background.counts)),
        "novelty_bits": mean(lambda one: novelty(one.top, background.counts)),
    }
    if background.attributes is not None:
        attributes = background.attributes
        table["diversity"] = mean(lambda one: intra_list_diversity(one.top[:: max(1, len(one.top) // 1000)], attributes))
    table |= {name: mean(lambda one, name=name: getattr(one, name)) for name in ("fit_cpu_s", "cpu_s", "tuning_cpu_s")}  # type: ignore[misc]
    for name, metric in (("ndcg@10", _ndcg_10), ("recall@20", _recall_20)):
        table[f"{name}_95"] = _interval(results, splits, metric)
    table["ndcg@10_by_seed"] = [round(value, 5) for value in by_seed(_ndcg_10)]
    table["by_history"] = _grouped(results, splits, _history_group)
    table["by_popularity"] = _grouped(results, splits, lambda question: _POPULARITY[background.groups[question.targets[0]]])
    table["settings"] = [result.settings for result in results]
    return table


def _interval(results: Sequence[Result], splits: Sequence[Split], metric: Callable[[Ranks], float]) -> list[float]:
    """Return the 95% interval of a mean over users, each user's mean over the seeds that ask them (normal approximation)."""
    by_user: dict[int, list[float]] = {}
    for result, split in zip(results, splits, strict=True):
        for user, value in _by_user(result, split, metric).items():
            by_user.setdefault(user, []).append(value)
    means = np.asarray([np.mean(one) for one in by_user.values()], dtype=np.float64)
    half = 1.96 * float(means.std(ddof=1)) / np.sqrt(len(means)) if len(means) > 1 else 0.0
    return [round(float(means.mean() - half), 5), round(float(means.mean() + half), 5)]


def _ndcg_10(ranks: Ranks) -> float:
    return ndcg(ranks, 10)


def _recall_20(ranks: Ranks) -> float:
    return recall(ranks, 20)


def _history_group(question: Question) -> str:
    n = len(question.rows)
    return next(name for name, most in _HISTORY.items() if n <= most)


def _grouped(results: Sequence[Result], splits: Sequence[Split], group: Callable[[Question], str]) -> list[dict[str, Any]]:
    """Return recall@10 of the questions in each group, with how many there are; one with several targets goes by its first."""
    hits: dict[str, list[float]] = {}
    for result, split in zip(results, splits, strict=True):
        for question, ranks in zip(split.cases, result.ranks, strict=True):
            hits.setdefault(group(question), []).append(recall(ranks, 10))
    order = [name for name in (*_HISTORY, *_POPULARITY) if name in hits]
    return [{"group": name, "n": len(hits[name]), "recall@10": round(float(np.mean(hits[name])), 5)} for name in order]


def compare(
    results: Mapping[str, Sequence[Result]], splits: Sequence[Split], *, ours: str, metric: Callable[[Ranks], float], name: str
) -> dict[str, Any]:
    """Compare one model with every other user by user, over seeds: bootstrap intervals, p with Holm's correction, the best other."""
    per_user = {model: _user_means(of_seeds, splits, metric) for model, of_seeds in results.items()}
    own = per_user.pop(ours)
    n_resamples = 10_000 if len(own) < _MANY else 2_000
    differences = {model: paired_bootstrap(own, values, n_resamples=n_resamples) for model, values in per_user.items()}
    adjusted = holm([difference.p for difference in differences.values()])
    best = max(per_user, key=lambda model: float(per_user[model].mean()))
    return {
        "metric": name,
        "users": len(own),
        "model": ours,
        "best_other": best,
        "against": {
            model: {**asdict(difference), "p_holm": p} for (model, difference), p in zip(differences.items(), adjusted, strict=True)
        },
    }


def _user_means(of_seeds: Sequence[Result], splits: Sequence[Split], metric: Callable[[Ranks], float]) -> NDArray[np.float64]:
    """Average a user's metric over seeds, for the users that every seed asks: float64 (n_users,)."""
    tables = [_by_user(result, split, metric) for split, result in zip(splits, of_seeds, strict=True)]
    common = sorted(set.intersection(*({*table} for table in tables)))
    return np.asarray([np.mean([table[user] for table in tables]) for user in common], dtype=np.float64)


def _by_user(result: Result, split: Split, metric: Callable[[Ranks], float]) -> dict[int, float]:
    """Average each user's questions of one seed."""
    values: dict[int, list[float]] = {}
    for question, ranks in zip(split.cases, result.ranks, strict=True):
        values.setdefault(question.user, []).append(metric(ranks))
    return {user: float(np.mean(of_user)) for user, of_user in values.items()}
