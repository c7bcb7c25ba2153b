"""What is new: items without any event, users new to a domain, users who have hardly begun."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenewise.eval import protocols
from scenewise.eval.contest import Field, Fit, Options, Tuned, blend, everywhere, fitting, table, tune
from scenewise.eval.dataset import Dataset
from scenewise.eval.known import known_features
from scenewise.eval.measure import Answering, Result
from scenewise.eval.protocols import Question, Split
from scenewise.store.errors import InputError
from scenewise.tools.collaborative.als import Als
from scenewise.tools.collaborative.collaborative import EASE_ITEMS
from scenewise.tools.collaborative.content_knn import ContentKnn
from scenewise.tools.collaborative.ease import Ease
from scenewise.tools.collaborative.feature_regression import FeatureRegression
from scenewise.tools.collaborative.interactions import Interactions, from_columns
from scenewise.tools.collaborative.item_knn import ItemKnn
from scenewise.tools.collaborative.popularity import Popularity
from scenewise.tools.collaborative.transition_knn import TransitionKnn
from scenewise.tools.collaborative.user_knn import UserKnn
from scenewise.tools.features import ItemFeatures

Progress = Callable[[int, int | None], None]
WHAT = ("items", "domains", "users")
_PRIOR = "popularity"
_SHARE = 0.2  # of the users who begin anew
_BEGUN: Mapping[str, tuple[int, ...]] = {"0": (0,), "1-5": (1, 3, 5), "6-20": (10, 20)}
_NEXT = 5  # events that a user who has begun is asked for


def run(
    dataset: Dataset,
    *,
    what: str = "items",
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    text: bool = True,
    cache: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Measure for each seed, which draws what is new; ready for JSON. `cache` keeps the vectors of texts.

    InputError where the set does not have what is asked: items of which something is known, several domains, enough users.
    """
    if what not in WHAT:
        raise InputError(f"There is no such question: choose {', '.join(WHAT)}.")
    groups, skipped = {"items": _items, "domains": _domains, "users": _users}[what](dataset, seeds, text, cache, progress)
    return {
        "protocol": {**_PROTOCOLS[what], **_COMMON},
        "dataset": dataset.name,
        "counts": {"users": len(dataset.arrays.user_ids), "items": dataset.catalogue.n, "events": dataset.arrays.n},
        "seeds": list(seeds),
        "groups": groups,
        "skipped": skipped,
    }


Found = tuple[dict[str, dict[str, Any]], dict[str, str]]


def _items(dataset: Dataset, seeds: Sequence[int], text: bool, cache: Path | None, progress: Progress) -> Found:
    features = known_features(dataset, text=text, cache=cache)
    if features is None:
        raise InputError("Nothing is known of this set's items, so nothing can tell a new one from another.")
    results: dict[str, dict[str, list[Result]]] = {"new items": {}, "all items": {}}
    splits: list[Split] = []
    for done, seed in enumerate(seeds):
        validation, test = protocols.cold_items(dataset, seed=seed)
        splits.append(test)
        for name, options in _for_new_items(features, seed).items():
            tuned = tune(options, validation, test)
            results["new items"].setdefault(name, []).append(tuned.asked(test, test.among))
            results["all items"].setdefault(name, []).append(tuned.asked(everywhere(test), None))
        progress(done + 1, len(seeds))
    return {group: table(found, splits, ours="feature_regression") for group, found in results.items()}, {}


def _domains(dataset: Dataset, seeds: Sequence[int], text: bool, cache: Path | None, progress: Progress) -> Found:
    if len(dataset.catalogue.domains) < 2:
        raise InputError("All items of this set are of one domain, so nobody is new to another.")
    results: dict[str, dict[str, list[Result]]] = {}
    splits: dict[str, list[Split]] = {}
    skipped: dict[str, str] = {}
    for done, seed in enumerate(seeds):
        fields = {domain: one for domain in dataset.catalogue.domains if (one := _new_to(dataset, domain, seed, skipped)) is not None}
        blends, _ = blend([*fields.values()], seed=seed, start={_PRIOR: 1.0}) if fields else ([], {})
        for (domain, one), blended in zip(fields.items(), blends, strict=True):
            splits.setdefault(domain, []).append(one.test)
            for name, tuned in {**one.sources, "blend": blended}.items():
                results.setdefault(domain, {}).setdefault(name, []).append(tuned.asked(one.test, one.test.among))
        progress(done + 1, len(seeds))
    groups = {domain: table(found, splits[domain], ours="blend") for domain, found in sorted(results.items())}
    if not groups:
        raise InputError("No domain of this set has enough users who have events elsewhere too.")
    return groups, {domain: why for domain, why in skipped.items() if domain not in groups}


def _new_to(dataset: Dataset, domain: str, seed: int, skipped: dict[str, str]) -> Field | None:
    """Tune the sources for those who are new to a domain; None where it is too small, which is no reason to lose the others."""
    try:
        validation, test = protocols.new_to_domain(dataset, domain, seed)
        if not validation.cases or not test.cases:
            raise InputError("Nobody could be asked.")
    except InputError as error:
        skipped[domain] = str(error)
        return None
    options = {name: one for name, one in _for_users(test.train, seed, ordered=False).items() if name != "popularity"}
    options[_PRIOR] = {"as it is": _log_popular}
    return Field({name: tune(fits, validation, test) for name, fits in options.items()}, validation, test)


def _log_popular(train: Interactions) -> Answering:
    """Rank as popularity does; as a part of a sum, the log leaves room for what speaks for a less popular item."""
    counts = np.log1p(np.bincount(train.matrix.indices, minlength=train.matrix.shape[1])).astype(np.float32)
    return lambda _: counts.copy()


def _users(dataset: Dataset, seeds: Sequence[int], text: bool, cache: Path | None, progress: Progress) -> Found:
    results: dict[str, dict[str, list[Result]]] = {group: {} for group in _BEGUN}
    splits: dict[str, list[Split]] = {group: [] for group in _BEGUN}
    for done, seed in enumerate(seeds):
        validations, tests = newcomers(protocols.shuffle_ties(protocols.interactions(dataset), seed), seed)
        train = next(iter(tests.values())).train
        fitted = _fitted(_for_users(train, seed, ordered=dataset.ordered), train)
        for group in _BEGUN:
            validation, test = validations[group], tests[group]
            if validation.cases and test.cases:
                splits[group].append(test)
                for name, tuned in _blended(fitted, validation, test, seed).items():
                    results[group].setdefault(name, []).append(tuned.asked(test, None))
        progress(done + 1, len(seeds))
    groups = {group: table(found, splits[group], ours="blend") for group, found in results.items() if found}
    if not groups:
        raise InputError("No user has enough events to begin anew.")
    return groups, {group: "No user has so many events." for group in _BEGUN if group not in groups}


def newcomers(events: Interactions, seed: int) -> tuple[dict[str, Split], dict[str, Split]]:
    """Draw two fifths of the users, take all that they did out of train, and ask for their next events after the first n of them, for
    validation and for test. InputError where nobody would be left."""
    users = np.flatnonzero(np.diff(events.sequences.starts) > 0)
    drawn = np.random.default_rng(seed).permutation(users)
    size = round(len(users) * _SHARE)
    if not 0 < 2 * size < len(users):
        raise InputError("Too few users have events: some must begin anew, and others be learned from.")
    sequences, owners = events.sequences, events.sequences.user_of_event()
    stays = ~np.isin(owners, drawn[: 2 * size])
    columns = (owners[stays], sequences.rows[stays], sequences.times_s[stays], events.worth[stays])
    train = from_columns(*columns, shape=events.matrix.shape)

    def asked(some: NDArray[np.integer]) -> dict[str, Split]:
        questions = {group: [_begun(events, user, n) for n in counts for user in some.tolist()] for group, counts in _BEGUN.items()}
        return {group: Split(train, tuple(one for one in found if one is not None)) for group, found in questions.items()}

    return asked(drawn[:size]), asked(drawn[size : 2 * size])


def _begun(events: Interactions, user: int, n: int) -> Question | None:
    """Ask for the five events after a user's first n; None where nothing new comes."""
    start, end = events.sequences.starts[user : user + 2].tolist()
    rows, times_s = events.sequences.rows[start:end], events.sequences.times_s[start:end]
    places = sorted({row: place for place, row in enumerate(rows[:n].tolist())}.values())  # each item at its latest event
    targets = {row: start + n + place for place, row in enumerate(rows[n : n + _NEXT].tolist()) if row not in rows[:n]}
    if len(rows) <= n or not targets:
        return None
    wanted, worth = np.asarray([*targets], dtype=np.int32), events.worth[start:end]
    return Question(
        user, rows[places], worth[places], times_s[places], None, wanted, events.worth[[*targets.values()]], float(times_s[n]), -1
    )


def _for_new_items(features: ItemFeatures, seed: int) -> dict[str, Options]:
    """Return the contenders, at most 8 settings each."""
    shares = (0.0, 0.5) if features.graph is not None else (0.0,)
    neighbours = {
        f"k {k}, attributes {attributes}, graph {graph}": fitting(
            partial(ContentKnn, features, k=k, attributes=attributes, text=0.5, graph=graph)
        )
        for k in (10, 20, 50, 100)
        for attributes in ((0.5,) if features.graph is not None else (0.5, 1.0))
        for graph in shares
    }
    regressions = {
        f"factors {factors}, ridge {ridge}, attributes {attributes}": fitting(
            partial(
                FeatureRegression,
                features,
                factors=factors,
                regularisation=regularisation,
                ridge=ridge,
                attributes=attributes,
                seed=seed,
            )
        )
        for factors, regularisation in ((64, 10.0), (32, 1.0))
        for ridge in (3.0, 10.0)
        for attributes in (1.0, 2.0)
    }
    return {
        "popularity": {"as it is": fitting(Popularity)},
        "popularity of like items": {f"k {k}": partial(_popular_by_content, features, k) for k in (10, 50)},
        "content_knn": neighbours,
        "feature_regression": regressions,
    }


def _popular_by_content(features: ItemFeatures, k: int, train: Interactions) -> Answering:
    """Take for an item's popularity the log of that of its k nearest, by their similarity, whoever asks."""
    nearest = ContentKnn(features, k=k).fit(train.matrix).similarity
    counts = np.log1p(np.bincount(train.matrix.indices, minlength=train.matrix.shape[1]))
    scores = np.asarray(nearest @ counts, dtype=np.float32)
    return lambda question: scores.copy()


def _for_users(train: Interactions, seed: int, *, ordered: bool) -> dict[str, Options]:
    """Return the sources of a blend, at most 4 settings each."""
    found: dict[str, Options] = {
        "popularity": {"as it is": fitting(Popularity)},
        "item_knn": {weighting: fitting(partial(ItemKnn, weighting=weighting)) for weighting in ("bm25", "tfidf", "cosine")},
        "user_knn": {f"k {k}": fitting(partial(UserKnn, k=k)) for k in (20, 50, 150, 400)},
        "als": {
            f"factors {factors}, regularisation {value}": fitting(partial(Als, factors=factors, regularisation=value, seed=seed))
            for factors, value in ((16, 1.0), (64, 10.0))
        },
    }
    if len(np.unique(train.matrix.indices)) <= EASE_ITEMS:
        found["ease"] = {f"regularisation {value}": fitting(partial(Ease, regularisation=value)) for value in (100.0, 500.0)}
    if ordered:
        found["transition_knn"] = {f"window {window}": fitting(partial(TransitionKnn, window=window)) for window in (5, 20)}
    return found


def _fitted(families: Mapping[str, Options], train: Interactions) -> dict[str, Options]:
    """Fit all settings once, where validation and every test learn from the same train."""

    def keep(answer: Answering) -> Fit:
        return lambda _: answer

    return {name: {words: keep(fit(train)) for words, fit in options.items()} for name, options in families.items()}


def _blended(families: Mapping[str, Options], validation: Split, test: Split, seed: int) -> dict[str, Tuned]:
    tuned = {name: tune(options, validation, test) for name, options in families.items()}
    (blended,), _ = blend([Field(tuned, validation, test)], seed=seed)
    return tuned | {"blend": blended}


_COMMON = {
    "ranking": "full ranking, seen items masked, ties pessimistic; several targets a question",
    "tuning": "settings and the weights of a blend by NDCG@10 on validation, which is cut from train in the same way",
    "comparison": "NDCG@10 paired by user, each user's mean over the seeds that ask them, bootstrap intervals, Holm's correction",
}
_PROTOCOLS: Mapping[str, Mapping[str, str]] = {
    "items": {
        "what": "all events of a fifth of the items are held back by seed; users who had them are asked, with the rest for their history; "
        "the new items are ranked among themselves, and among all",
        "budget": "at most 8 settings a model",
    },
    "domains": {
        "what": "all events in a domain of a fifth of its users who have others too are held back by seed; the domain's items are ranked "
        "from what these users did elsewhere",
        "budget": "at most 4 settings a source, for each domain; one set of weights for the blend of all domains, as the users who can "
        "validate are few in each; it starts from the log of popularity with weight 1",
    },
    "users": {
        "what": "a fifth of the users begin anew, by seed: nothing of theirs is learned from; after their first 0, 1 to 5 or 6 to 20 "
        "events (in steps) the next five are asked for; validation: another fifth",
        "budget": "at most 4 settings a source",
        "limit": "train holds what other users did later than the question: this is no temporal split",
    },
}
