"""Contests: models tuned on validation, alone and in a convex blend (the simplest second stage), and compared user by user."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from scenewise.eval.measure import Answering, Background, Result, answers_of, ask, summarise
from scenewise.eval.metrics import Ranks, holm, ndcg, paired_bootstrap, pessimistic_ranks
from scenewise.eval.protocols import Question, Split
from scenewise.tools.collaborative.interactions import Interactions
from scenewise.tools.collaborative.model import CollaborativeModel, Rows, Scores

Fit = Callable[[Interactions], Answering]
Options = Mapping[str, Fit]
"""The settings of one model, in words, and how to fit each."""

_WEIGHTS = (0.05, 0.1, 0.2, 0.4, 0.8)
_ASKED = 1_000  # validation questions that weights are chosen on


@dataclass(frozen=True)
class Tuned:
    """A model as chosen on validation, fitted on both trains."""

    words: str
    on_validation: Answering
    on_test: Answering
    tuning_cpu_s: float = 0.0
    fit_cpu_s: float = 0.0

    def asked(self, test: Split, among: Rows | None) -> Result:
        """Answer the test's questions."""
        result = ask(self.on_test, test.cases, among=among)
        result.settings, result.tuning_cpu_s, result.fit_cpu_s = self.words, self.tuning_cpu_s, self.fit_cpu_s
        return result


def fitting(make: Callable[[], CollaborativeModel], recency: float = 1.0) -> Fit:
    """Make a model anew for each train."""
    return lambda train: answers_of(make().fit(train.matrix, train.sequences), recency)


def ndcg_10(ranks: Ranks) -> float:
    """NDCG@10, which decides everything here."""
    return ndcg(ranks, 10)


def tune(options: Options, validation: Split, test: Split) -> Tuned:
    """Choose the option with the best NDCG@10 on validation, among its items, and fit it on the test's train."""
    begun = time.process_time()
    fitted = {words: fit(validation.train) for words, fit in options.items()}
    words = next(iter(fitted))
    if len(fitted) > 1:
        values = {one: _value(ask(answer, validation.cases, among=validation.among, lists=False)) for one, answer in fitted.items()}
        words = max(values, key=lambda one: values[one])
    chosen = time.process_time()
    on_test = fitted[words] if test.train is validation.train else options[words](test.train)
    return Tuned(words, fitted[words], on_test, chosen - begun, time.process_time() - chosen)


@dataclass(frozen=True)
class Field:
    """Where a blend is to hold: its sources, and the splits that they were tuned on."""

    sources: Mapping[str, Tuned]
    validation: Split
    test: Split


Part = tuple[Mapping[str, Answering], Sequence[Question], Rows | None]
"""Sources, the questions that they answer, and the items that are ranked (None: all)."""


def blend(fields: Sequence[Field], *, seed: int = 0, start: Mapping[str, float] | None = None) -> tuple[list[Tuned], dict[str, float]]:
    """Add the sources' scaled scores with one set of weights for all fields, each field's mean counting alike; also returns the weights.

    They are chosen on at most 1,000 validation questions a field; `start` are weights that are settled already.
    """
    begun = time.process_time()
    parts = []
    for one in fields:
        drawn = np.random.default_rng(seed).permutation(len(one.validation.cases))[:_ASKED]
        questions = [one.validation.cases[place] for place in np.sort(drawn).tolist()]
        parts.append(({name: tuned.on_validation for name, tuned in one.sources.items()}, questions, one.validation.among))
    weights = choose_weights(parts, start=start)
    words, cost_s = ", ".join(f"{weight} {name}" for name, weight in weights.items()), time.process_time() - begun
    return [
        Tuned(
            words,
            _sum({name: tuned.on_validation for name, tuned in one.sources.items()}, weights, one.validation.among),
            _sum({name: tuned.on_test for name, tuned in one.sources.items()}, weights, one.test.among),
            cost_s,
        )
        for one in fields
    ], weights


def choose_weights(parts: Sequence[Part], *, start: Mapping[str, float] | None = None) -> dict[str, float]:
    """Go through the sources, the best alone first, and give each that weight of five, or none, that serves the blend most. Without
    `start`, the best source has 1."""
    questions = [question for _, asked, _ in parts for question in asked]
    shares = np.concatenate([np.full(len(asked), 1 / (len(parts) * max(len(asked), 1))) for _, asked, _ in parts])
    tables = {
        name: [scaled(answers[name](question), among) for answers, asked, among in parts for question in asked] for name in parts[0][0]
    }

    def value(table: Sequence[Scores]) -> float:
        pairs = zip(table, questions, strict=True)
        ranks = [pessimistic_ranks(scores, one.targets.tolist(), masked=one.rows.tolist()) for scores, one in pairs]
        return float(shares @ [ndcg_10(one) for one in ranks])

    order = sorted((name for name in tables if name not in (start or {})), key=lambda name: -value(tables[name]))
    weights = dict(start) if start else {order.pop(0): 1.0}
    total = [_added([tables[name][place] for name in weights], [*weights.values()]) for place in range(len(questions))]
    best = value(total)
    for name in order:
        tried = {weight: [_added([one, more], [1.0, weight]) for one, more in zip(total, tables[name], strict=True)] for weight in _WEIGHTS}
        values = {weight: value(table) for weight, table in tried.items()}
        weight = max(values, key=lambda one: values[one])
        if values[weight] > best:
            best, total, weights[name] = values[weight], tried[weight], weight
    return weights


def scaled(scores: Scores, among: Rows | None = None) -> Scores:
    """Bring the scores (of `among`, where given; the others get -inf) to [0, 1]; where all are alike, to 0."""
    out = np.full_like(scores, -np.inf)
    part = np.arange(len(scores)) if among is None else among
    low, high = scores[part].min(initial=np.inf), scores[part].max(initial=-np.inf)
    out[part] = (scores[part] - low) / max(float(high - low), 1e-12)
    return out


def table(results: Mapping[str, Sequence[Result]], splits: Sequence[Split], *, ours: str, others: Sequence[str] = ()) -> dict[str, Any]:
    """Put the results of all seeds in rows, and compare ours with each of the others (all, unless named), ready for JSON."""
    background = Background.of(splits[0])
    return {
        "questions": [len(split.cases) for split in splits],
        "rows": [{"model": name} | summarise(of_seeds, splits, background) for name, of_seeds in results.items()],
        "comparison": compare(results, splits, ours=ours, others=others or [name for name in results if name != ours]),
    }


def compare(results: Mapping[str, Sequence[Result]], splits: Sequence[Split], *, ours: str, others: Sequence[str]) -> dict[str, Any]:
    """Compare by NDCG@10, paired by user, each user's mean over the seeds and questions that ask them; p with Holm's correction."""
    found = {}
    for other in others:
        gains: dict[int, list[float]] = {}
        for split, own, its in zip(splits, results[ours], results[other], strict=True):
            for case, a, b in zip(split.cases, own.ranks, its.ranks, strict=True):
                gains.setdefault(case.user, []).append(ndcg_10(a) - ndcg_10(b))
        means = np.asarray([np.mean(one) for one in gains.values()], dtype=np.float64)
        found[other] = {"users": len(means), **asdict(paired_bootstrap(means, np.zeros_like(means)))}
    adjusted = holm([float(one["p"]) for one in found.values()])
    against = {other: one | {"p_holm": p} for (other, one), p in zip(found.items(), adjusted, strict=True)}
    return {"metric": "ndcg@10", "model": ours, "against": against}


def everywhere(split: Split) -> Split:
    """Rank among all items."""
    return replace(split, among=None)


def _value(result: Result) -> float:
    return float(result.per_question(ndcg_10).mean())


def _sum(answers: Mapping[str, Answering], weights: Mapping[str, float], among: Rows | None) -> Answering:
    def answer(question: Question) -> Scores:
        return _added([scaled(answers[name](question), among) for name in weights], [*weights.values()])

    return answer


def _added(parts: Sequence[Scores], weights: Sequence[float]) -> Scores:
    total = np.float32(weights[0]) * parts[0]
    for weight, part in zip(weights[1:], parts[1:], strict=True):
        total = total + np.float32(weight) * part
    return np.asarray(total, dtype=np.float32)
