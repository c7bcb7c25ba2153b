"""Does the product's fused list rank better than the best single collaborative model? Full ranking, seen items masked."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from scenewise.eval.metrics import (
    coverage,
    gini,
    hit_rate,
    holm,
    mean_popularity,
    ndcg,
    paired_bootstrap,
    pessimistic_ranks,
    recall,
    reciprocal_rank,
)
from scenewise.store.errors import InputError, NotFound
from scenewise.store.events import EventArrays
from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, Moment, Profile, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.collaborative.als import Als
from scenewise.tools.collaborative.collaborative import EASE_ITEMS, Collaborative, recent, top_rows
from scenewise.tools.collaborative.ease import Ease
from scenewise.tools.collaborative.interactions import HeldBack, Interactions, Worth, from_columns, interactions_of, learn_worth
from scenewise.tools.collaborative.item_knn import ItemKnn
from scenewise.tools.collaborative.model import CollaborativeModel
from scenewise.tools.collaborative.popularity import Popularity
from scenewise.tools.collaborative.rp3beta import Rp3Beta
from scenewise.tools.collaborative.transition_knn import TransitionKnn
from scenewise.tools.collaborative.user_knn import UserKnn
from scenewise.tools.context import TurnContext
from scenewise.tools.ranking.fusion import FusionRanker
from scenewise.tools.ranking.tune import learn_calibration
from scenewise.tools.scene.pack import ScenePack
from scenewise.tools.scene.reading import SceneReading

SplitName = Literal["leave_last_out", "temporal"]
Progress = Callable[[int, int | None], None]
_DEPTH = 100  # candidates a source in the product's path, as in tune.py
_SAME = Worth({"rating": 1.0})  # maps the worths 1, 0.6 and 0.3, read as ratings, to themselves
_TRIES = 8  # settings that a model may try on validation


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing to try: a model's constructor, and how much less an event counts than the one after it."""

    make: Callable[[], CollaborativeModel]
    recency: float
    words: str


@dataclass(frozen=True)
class Split:
    """What may be fitted on, and the questions; for a temporal split nothing in `train` is at or after `cutoff_s`."""

    train: Interactions
    cases: tuple[HeldBack, ...]
    cutoff_s: float | None = None


@dataclass
class Result:
    """What one model did on one seed; per case in the order of the split."""

    ranks: list[NDArray[np.int64]] = field(default_factory=list)
    top: list[list[int]] = field(default_factory=list)
    found: list[bool] = field(default_factory=list)  # target among the candidates (the first 200 of a single model)
    cpu_s: float = 0.0
    tuning_cpu_s: float = 0.0
    settings: str = ""


def load_recbole_inter(path: Path) -> tuple[EventArrays, Catalogue]:
    """Read RecBole's tab-separated .inter (user_id:token, item_id:token, optional rating:float, timestamp:float).

    Items have no data but their ids and one domain. NotFound where there is no file, InputError for other columns.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file, delimiter="\t")
            names = [column.partition(":")[0] for column in next(lines, [])]
            if not {"user_id", "item_id", "timestamp"} <= {*names}:
                raise InputError("An .inter file needs the columns user_id, item_id and timestamp.")
            columns = dict(zip(names, zip(*lines, strict=True), strict=True))
        value = np.asarray(columns.get("rating", ["nan"] * len(columns["user_id"])), dtype=np.float32)
        time_s = np.asarray(columns["timestamp"], dtype=np.float64)
    except FileNotFoundError as error:
        raise NotFound("There is no such .inter file.") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise InputError("The .inter file is empty, not UTF-8, or has rows that are short or hold no numbers.") from error
    users, user = np.unique(columns["user_id"], return_inverse=True)
    items, item = np.unique(columns["item_id"], return_inverse=True)
    ids = tuple(map(UserId, users.tolist())), tuple(map(ItemId, items.tolist()))
    arrays = EventArrays(*ids, user.astype(np.int32), item.astype(np.int32), value, time_s, ("rating",) * len(user))
    return arrays, Catalogue.from_items(Item(one, "movies", one) for one in ids[1])


def run(
    path: Path,
    *,
    split: SplitName = "leave_last_out",
    seeds: Sequence[int] = (0, 1, 2),
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Evaluate on a store's folder or an .inter file and return a table ready for JSON. InputError, NotFound, StoreError."""
    if path.is_dir():
        with Store.open(path, read_only=True) as store:
            arrays, catalogue = store.events.arrays(), Catalogue.from_store(store)
    else:
        arrays, catalogue = load_recbole_inter(path)
    return evaluate(arrays, catalogue, dataset=path.stem, split=split, seeds=seeds, progress=progress)


def evaluate(
    arrays: EventArrays,
    catalogue: Catalogue,
    *,
    dataset: str,
    split: SplitName = "leave_last_out",
    seeds: Sequence[int] = (0, 1, 2),
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Tune, fit and measure all models for each seed; a seed shuffles events of equal time. InputError where no user can be
    asked anything."""
    worth = learn_worth(arrays)
    results: dict[str, list[Result]] = {}
    splits: list[Split] = []
    for seed in seeds:
        validation, test = make_splits(interactions_of(arrays, catalogue, worth), split, seed)
        if not test.cases or not validation.cases:
            raise InputError("No user has enough events to hold some back for validation and test.")
        splits.append(test)
        for name, result in measure_all(validation, test, catalogue, worth, seed=seed):
            results.setdefault(name, []).append(result)
            progress(sum(map(len, results.values())), len(seeds) * (len(single_models(seed)) + 2))
    counts = np.bincount(splits[0].train.matrix.indices, minlength=catalogue.n).astype(np.float64)
    rows = [_row(name, results[name], catalogue.n, counts) for name in results]
    return {
        "protocol": _protocol(split),
        "dataset": dataset,
        "counts": {
            "users": len(arrays.user_ids),
            "items": catalogue.n,
            "events": arrays.n,
            "cases": [len(one.cases) for one in splits],
        },
        "seeds": list(seeds),
        "rows": rows,
        "comparison": _compare(results, splits),
    }


def make_splits(interactions: Interactions, split: SplitName, seed: int) -> tuple[Split, Split]:
    """Return the validation and the test split; events of one user and time are put in random order first."""
    shuffled = _shuffle_ties(interactions, seed)
    if split == "leave_last_out":
        train, test = shuffled.hold_back()
        return Split(*train.hold_back()), Split(train, test)
    times_s = shuffled.sequences.times_s
    first, second = (float(np.quantile(times_s, share)) for share in (0.8, 0.9))
    return _before(_until(shuffled, second), first), _before(shuffled, second)


def measure_all(validation: Split, test: Split, catalogue: Catalogue, worth: Worth, *, seed: int) -> Iterator[tuple[str, Result]]:
    """Yield (model, result), one by one. Each single model takes the best of at most 8 settings by NDCG@10 on validation."""
    small = len(np.unique(test.train.matrix.indices)) <= EASE_ITEMS
    for name, settings in single_models(seed).items():
        if name == "ease" and not small:
            continue
        start = time.process_time()
        best = max(settings, key=lambda one: np.mean([ndcg(ranks, 10) for ranks in measure(one, validation).ranks]))
        tuning_cpu_s = time.process_time() - start
        result = measure(best, test)
        result.tuning_cpu_s = tuning_cpu_s
        yield name, result
        if name == "transition_knn":
            yield "transition_knn, order shuffled", measure(best, _shuffle_order(test, seed))
    yield "fused", measure_fused(test, catalogue, worth, seed=seed)


def single_models(seed: int) -> Mapping[str, tuple[Setting, ...]]:
    """Return the settings that each model may try, at most 8 each."""

    def grid(make: Callable[..., CollaborativeModel], recencies: Sequence[float], *options: dict[str, Any]) -> tuple[Setting, ...]:
        pairs = [(option, recency) for option in options for recency in recencies]
        return tuple(Setting(partial(make, **option), recency, f"{option}, recency {recency}") for option, recency in pairs)

    return MappingProxyType(
        {
            "popularity": grid(Popularity, (1.0,), {}),
            "recent_popularity": grid(Popularity, (1.0,), *({"half_life_days": days} for days in (3, 7, 14, 30, 60, 90, 180, 365))),
            "item_knn": grid(ItemKnn, (1.0, 0.9, 0.8, 0.7), {"weighting": "bm25"}, {"weighting": "tfidf"}),
            "user_knn": grid(UserKnn, (1.0, 0.95, 0.9, 0.8), {"k": 50}, {"k": 150}),
            "rp3beta": grid(Rp3Beta, (1.0, 0.9, 0.8, 0.7), {"beta": 0.4}, {"beta": 0.6}),
            "ease": grid(Ease, (1.0, 0.9, 0.85, 0.8), {"regularisation": 200.0}, {"regularisation": 500.0}),
            "als": grid(
                Als,
                (1.0, 0.9),
                *({"factors": f, "regularisation": r, "seed": seed} for f, r in ((32, 1.0), (64, 10.0), (64, 30.0), (128, 10.0))),
            ),
            "transition_knn": grid(
                TransitionKnn,
                (1.0,),
                *({"window": w, "recency": r, "backward": b} for w in (10, 20) for r in (0.8, 0.85) for b in (0.5, 1.0)),
            ),
        }
    )


def measure(setting: Setting, split: Split) -> Result:
    """Fit one model and rank every case's target among all items not yet seen."""
    start = time.process_time()
    model = setting.make().fit(split.train.matrix, split.train.sequences)
    result = Result(settings=setting.words)
    for case in split.cases:
        scores = model.scores(case.rows, recent(case.worth, setting.recency))
        result.ranks.append(pessimistic_ranks(scores, [case.target], masked=case.rows.tolist()))
        scores[case.rows] = 0.0
        result.top.append(top_rows(scores, 10)[0].tolist())
        result.found.append(bool(result.ranks[-1][0] <= 200))
    result.cpu_s = time.process_time() - start
    return result


def measure_fused(split: Split, catalogue: Catalogue, worth: Worth, *, seed: int) -> Result:
    """Take the product's path: fitted sources, candidates, FusionRanker, no scene; weights learned on `train` alone.

    A target that is not among the candidates is ranked last. The time holds the learning of the weights apart.
    """
    start = time.process_time()
    calibration = learn_calibration(split.train, catalogue, worth, seed=seed)
    learned = time.process_time()
    collaborative = Collaborative.fit(split.train, catalogue, _SAME)  # a case's events are already worth what they are
    ranker = FusionRanker(catalogue, ScenePack((), ""), calibration)
    words = {name: round(source.weight, 2) for name, source in calibration.sources.items() if name in collaborative.models}
    result = Result(settings=str(words), tuning_cpu_s=learned - start)
    for case in split.cases:
        context = _context(case, catalogue, seed)
        candidates = collaborative.candidates(context.history, _DEPTH, allowed=context.allowed)
        ranked = ranker.rank(candidates, context, len(candidates))
        order = [catalogue.row(one.item_id) for one in ranked]
        found = case.target in order
        result.ranks.append(np.asarray([order.index(case.target) + 1 if found else catalogue.n], dtype=np.int64))
        result.top.append([row for row in order[:10] if row is not None])
        result.found.append(found)
    result.cpu_s = time.process_time() - learned
    return result


def _context(case: HeldBack, catalogue: Catalogue, seed: int) -> TurnContext:
    """Put a case's history in the form in which a turn has it; an event's worth becomes its rating (see _SAME)."""
    user_id = UserId(str(case.user))
    history = tuple(
        Event(user_id, catalogue.items[row].item_id, "rating", value, float(place))
        for place, (row, value) in enumerate(zip(case.rows.tolist(), case.worth.tolist(), strict=True))
    )
    return TurnContext(
        user_id=user_id,
        message="",
        moment=Moment(),
        scene=SceneReading(None, 1.0, {"none": 1.0}),
        profile=Profile(user_id),
        history=history,
        constraints=Constraints(),
        allowed=np.ones(catalogue.n, dtype=np.bool_),
        now_s=0.0,
        seed=seed,
    )


def _shuffle_ties(interactions: Interactions, seed: int) -> Interactions:
    order = np.random.default_rng(seed).permutation(len(interactions.worth))
    sequences = interactions.sequences
    columns = (sequences.user_of_event()[order], sequences.rows[order], sequences.times_s[order], interactions.worth[order])
    return from_columns(*columns, shape=interactions.matrix.shape)


def _shuffle_order(split: Split, seed: int) -> Split:
    """Forget the order of events, in what is fitted on and in the questions: what is left of a model then is not order."""
    rng = np.random.default_rng(seed)
    sequences = split.train.sequences
    places = rng.random(len(sequences.rows))
    train = from_columns(sequences.user_of_event(), sequences.rows, places, split.train.worth, shape=split.train.matrix.shape)
    cases = []
    for case in split.cases:
        order = rng.permutation(len(case.rows))
        cases.append(replace(case, rows=case.rows[order], worth=case.worth[order]))
    return Split(train, tuple(cases), split.cutoff_s)


def _until(interactions: Interactions, cutoff_s: float) -> Interactions:
    sequences = interactions.sequences
    keep = sequences.times_s < cutoff_s
    columns = (sequences.user_of_event()[keep], sequences.rows[keep], sequences.times_s[keep], interactions.worth[keep])
    return from_columns(*columns, shape=interactions.matrix.shape)


def _before(interactions: Interactions, cutoff_s: float) -> Split:
    """Fit before the cutoff; ask for the last event of everybody who has one at or after it. The question holds all that this
    user did before, also after the cutoff: the models fold it in, as they do for a live user."""
    sequences = interactions.sequences
    last_s = sequences.times_s[np.maximum(sequences.starts[1:] - 1, 0)]
    cases = tuple(case for case in interactions.hold_back()[1] if last_s[case.user] >= cutoff_s)
    return Split(_until(interactions, cutoff_s), cases, cutoff_s)


def _row(name: str, results: Sequence[Result], n_items: int, counts: NDArray[np.float64]) -> dict[str, Any]:
    """Average over cases, then over seeds."""

    def mean(measured: Callable[[Result], float]) -> float:
        return round(float(np.mean([measured(result) for result in results])), 4)

    return {
        "model": name,
        "hr@10": mean(lambda one: float(np.mean([hit_rate(ranks, 10) for ranks in one.ranks]))),
        "ndcg@10": mean(lambda one: float(np.mean([ndcg(ranks, 10) for ranks in one.ranks]))),
        "recall@20": mean(lambda one: float(np.mean([recall(ranks, 20) for ranks in one.ranks]))),
        "mrr": mean(lambda one: float(np.mean([reciprocal_rank(ranks) for ranks in one.ranks]))),
        "candidate_recall": mean(lambda one: float(np.mean(one.found))),
        "coverage": mean(lambda one: coverage(one.top, n_items)),
        "gini": mean(lambda one: gini(one.top, n_items)),
        "mean_popularity": mean(lambda one: mean_popularity(one.top, counts)),
        "cpu_s": mean(lambda one: one.cpu_s),
        "tuning_cpu_s": mean(lambda one: one.tuning_cpu_s),
        "settings": [result.settings for result in results],
    }


def _compare(results: Mapping[str, Sequence[Result]], splits: Sequence[Split]) -> dict[str, Any]:
    """Compare the fused list with every model by NDCG@10, user by user, and name the best single one."""
    per_user = {name: _user_means(of_seeds, splits) for name, of_seeds in results.items()}
    fused = per_user.pop("fused")
    differences = {name: paired_bootstrap(fused, values) for name, values in per_user.items()}
    adjusted = holm([difference.p for difference in differences.values()])
    best = max(per_user, key=lambda name: float(per_user[name].mean()))
    return {
        "metric": "ndcg@10",
        "users": len(fused),
        "best_single": best,
        "fused_vs_best": asdict(differences[best]),
        "fused_vs_each": {
            name: {**asdict(difference), "p_holm": p} for (name, difference), p in zip(differences.items(), adjusted, strict=True)
        },
    }


def _user_means(of_seeds: Sequence[Result], splits: Sequence[Split]) -> NDArray[np.float64]:
    """Average a user's NDCG@10 over seeds, for the users that every seed asks: float64 (n_users,)."""
    tables = [
        {case.user: ndcg(ranks, 10) for case, ranks in zip(split.cases, result.ranks, strict=True)}
        for split, result in zip(splits, of_seeds, strict=True)
    ]
    common = sorted(set.intersection(*({*table} for table in tables)))
    return np.asarray([np.mean([table[user] for table in tables]) for user in common], dtype=np.float64)


def _protocol(split: SplitName) -> dict[str, Any]:
    holds = {
        "leave_last_out": "each user's last event is the target, the one before it validates; models are fitted on the rest",
        "temporal": "models are fitted before the 90% point of time; the target is each later user's last event, their earlier "
        "ones are folded in; validation does the same with 80% and 90%",
    }
    return {
        "split": split,
        "what": holds[split],
        "ranking": "the whole catalogue, seen items masked, ties pessimistic; a target outside the fused candidates ranks last",
        "tuning": f"at most {_TRIES} settings a single model by NDCG@10 on validation, for each seed; fused weights by a "
        "conditional logit on the three events before the test event",
        "ties": "events of one user and time are shuffled by seed",
        "candidate_recall": f"target in the first 200 of a single model, in the union of {_DEPTH} a source for fused",
    }
