"""Does the final list rank better than every single model? Full ranking over the catalogue, seen items masked, ties pessimistic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from scenewise.eval import protocols
from scenewise.eval.baselines import Family, families
from scenewise.eval.dataset import Dataset
from scenewise.eval.final import fit_models
from scenewise.eval.known import known_features
from scenewise.eval.measure import DEPTH, Background, Result, answers_of, ask, compare, summarise
from scenewise.eval.metrics import Ranks, ndcg, recall
from scenewise.eval.protocols import Question, Split
from scenewise.store.errors import InputError
from scenewise.tools.collaborative.model import CollaborativeModel
from scenewise.tools.features import ItemFeatures
from scenewise.tools.ranking.held_back import How

Progress = Callable[[int, int | None], None]
PROTOCOLS = ("loo", "temporal", "given")
OURS = "final list"
_ASKED = 2_000  # validation questions, drawn by seed, that settings are chosen on
_EASE_ITEMS = 25_000  # its cost is cubic


@dataclass(frozen=True)
class Bench:
    """One seed's work: the splits, what is known of items, and what decides between settings."""

    validation: Split
    test: Split
    features: ItemFeatures | None
    metric: Callable[[Ranks], float]
    ordered: bool
    how: How
    tries: int
    seed: int

    def sample(self) -> tuple[Question, ...]:
        """Return at most 2,000 validation questions, drawn by seed."""
        cases = self.validation.cases
        drawn = np.random.default_rng(self.seed).permutation(len(cases))[:_ASKED]
        return tuple(cases[place] for place in np.sort(drawn).tolist())


def run(
    dataset: Dataset,
    *,
    protocol: str = "loo",
    seeds: Sequence[int] = (0, 1, 2),
    tries: int = 8,
    without: frozenset[str] = frozenset(),
    text: bool = True,
    cache: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Tune, fit and measure every model and the final list for each seed; a table ready for JSON.

    A seed decides the order of events of equal time, the draw of validation questions and what models draw. `cache` is the folder that
    keeps the vectors of texts. InputError where the protocol does not fit the set, or no user can be asked anything.
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"There is no protocol of this name: choose {', '.join(PROTOCOLS)}.")
    features = known_features(dataset, text=text, cache=cache)
    several = protocol == "given"
    metric, name = (recall_20, "recall@20") if several else (ndcg_10, "ndcg@10")
    results: dict[str, list[Result]] = {}
    splits: list[Split] = []
    for seed in seeds:
        validation, test = make_splits(dataset, protocol, seed)
        bench = Bench(validation, test, features, metric, dataset.ordered, "slice" if protocol == "temporal" else "last", tries, seed)
        splits.append(test)
        for model, result in measure_all(bench, dataset, without):
            results.setdefault(model, []).append(result)
            progress(sum(map(len, results.values())), None)
    background = Background.of(splits[0], None if features is None else features.attributes)
    return {
        "protocol": _protocol(protocol, tries, name),
        "dataset": dataset.name,
        "counts": {
            "users": len(dataset.arrays.user_ids),
            "items": dataset.catalogue.n,
            "events": dataset.arrays.n,
            "questions": [len(one.cases) for one in splits],
        },
        "seeds": list(seeds),
        "rows": [{"model": model} | summarise(of_seeds, splits, background) for model, of_seeds in results.items()],
        "comparison": compare(results, splits, ours=OURS, metric=metric, name=name),
    }


def ndcg_10(ranks: Ranks) -> float:
    """NDCG@10, which decides where a question has one target."""
    return ndcg(ranks, 10)


def recall_20(ranks: Ranks) -> float:
    """Recall@20, which decides where questions have many targets."""
    return recall(ranks, 20)


def make_splits(dataset: Dataset, protocol: str, seed: int) -> tuple[Split, Split]:
    """Return the validation and the test split. InputError where one has no question."""
    if protocol == "given":
        validation, test = protocols.given(dataset, seed)
    else:
        split = protocols.temporal if protocol == "temporal" else protocols.leave_one_out
        validation, test = split(protocols.interactions(dataset), seed)
    if not test.cases or not validation.cases:
        raise InputError("No user has enough events to hold some back for validation and test.")
    return validation, test


@dataclass(frozen=True)
class Choice:
    """A model as it is to be fitted, and what choosing it cost."""

    make: Callable[[], CollaborativeModel]
    recency: float
    words: str
    cpu_s: float


def tune(family: Family, bench: Bench) -> Choice:
    """Choose among a family's settings on validation, each fit asked with every recency that is left in the budget."""
    begun = time.process_time()
    best: tuple[float, Mapping[str, Any], float] = (-1.0, family.options[0], family.recencies[0])
    choices = family.within(bench.tries)
    if len(choices) > 1 or len(choices[0][1]) > 1:
        train, questions = bench.validation.train, bench.sample()
        for option, recencies in choices:
            model = family.make(**option).fit(train.matrix, train.sequences)
            for recency in recencies:
                score = float(ask(answers_of(model, recency), questions, lists=False).per_question(bench.metric).mean())
                best = max(best, (score, option, recency), key=lambda one: one[0])
    _, option, recency = best
    told = dict(option) | ({"recency": recency} if len(family.recencies) > 1 else {})
    words = ", ".join(f"{name} {value}" for name, value in told.items())
    return Choice(partial(family.make, **option), recency, words or "as it is", time.process_time() - begun)


def measure_all(bench: Bench, dataset: Dataset, without: frozenset[str]) -> Iterator[tuple[str, Result]]:
    """Yield (model, result), one by one: single models as tuned, the Transformer, and the product's final list over its sources."""
    n_active = len(np.unique(bench.test.train.matrix.indices))
    known = families(n_active, bench.features, ordered=bench.ordered, ease_items=_EASE_ITEMS, seed=bench.seed)
    for name, family in known.items():
        if name in without:
            continue
        choice = tune(family, bench)
        yield name, fit_and_ask(choice, bench.test)
        if name == "transition_knn":
            yield f"{name}, order shuffled", fit_and_ask(choice, protocols.shuffle_order(bench.test, bench.seed))
    yield from measure_final(bench, dataset, ranker="transformer" not in without)


def measure_final(bench: Bench, dataset: Dataset, *, ranker: bool) -> Iterator[tuple[str, Result]]:
    """Train as `scenewise train` does on what may be fitted on; yield the Transformer alone, then the final list.

    The second stage learns from training events that are held back as the protocol does; the sources are fitted without these for
    that, and then again with them. What is not among the candidates is not in the list, so it ranks last.
    """
    train, questions = bench.test.train, bench.test.cases
    begun = time.process_time()
    with TemporaryDirectory() as folder:
        made = fit_models(train, dataset.catalogue, bench.features, Path(folder), how=bench.how, seed=bench.seed, ranker=ranker)
    fitted = time.process_time() - begun
    if made.transformer is not None:
        result = ask(answers_of(made.transformer), questions, among=bench.test.among)
        result.fit_cpu_s, result.settings = made.transformer_cpu_s, f"epochs {made.transformer_epochs}, else as it is"
        yield "transformer", result
    result = ask(made.answer, questions, among=bench.test.among)
    result.fit_cpu_s, result.settings = fitted, f"{made.calibration.n_users} users to learn from"
    yield OURS, result


def fit_and_ask(choice: Choice, split: Split) -> Result:
    """Fit on what may be fitted on and ask all questions, each cost apart."""
    begun = time.process_time()
    model = choice.make().fit(split.train.matrix, split.train.sequences)
    fitted = time.process_time()
    result = ask(answers_of(model, choice.recency), split.cases, among=split.among)
    result.fit_cpu_s, result.tuning_cpu_s, result.settings = fitted - begun, choice.cpu_s, choice.words
    return result


def _protocol(protocol: str, tries: int, metric: str) -> dict[str, str]:
    holds = {
        "loo": "each user's last event is the target, the one before it validates; models are fitted on the rest",
        "temporal": "models are fitted before the 90% point of time; the target is each later user's last event, their earlier ones "
        "are folded in; validation does the same with 80% and 90%",
        "given": "the set's own test part, all of a user's events in it are targets; validation is cut from train in the same share",
    }
    return {
        "split": protocol,
        "what": holds[protocol],
        "ranking": "the whole catalogue, seen items masked, ties pessimistic; a target that is no candidate of the final list ranks last",
        "tuning": f"at most {tries} settings a single model by {metric} on at most {_ASKED} validation questions, for each seed; the "
        "Transformer's epochs by events held back from train; the second stage by training events held back as the protocol does",
        "ties": "events of one user and time are in random order, by seed",
        "candidate_recall@200": f"share of the targets among a model's first {DEPTH}",
    }
