"""What the collaborative models cost: beside plain `implicit` on the same data, and as events grow from 10^4 to 10^7."""

from __future__ import annotations

import multiprocessing
import resource
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from scenewise.store.errors import InputError
from scenewise.tools.collaborative.als import Als
from scenewise.tools.collaborative.collaborative import top_rows
from scenewise.tools.collaborative.interactions import Interactions, from_columns
from scenewise.tools.collaborative.item_knn import ItemKnn
from scenewise.tools.collaborative.model import CollaborativeModel, Rows, Weights
from scenewise.tools.collaborative.popularity import Popularity
from scenewise.tools.collaborative.transition_knn import TransitionKnn
from scenewise.tools.collaborative.trending import Trending

Progress = Callable[[int, int | None], None]
MAX_EVENTS = 10_000_000
N_ITEMS = 20_000
_SMALLEST = 10_000
_EVENTS_A_USER = 50  # on average, and the length of the histories that are asked with
_ASKED = 200
_ROUNDS = 3  # of ours and theirs in turn, so that a machine that slows down slows both
_PAIRED_EVENTS = 1_000_000
# what the product fits to a catalogue above EASE's limit, with its settings
_MODELS: Mapping[str, Callable[[], CollaborativeModel]] = MappingProxyType(
    {
        "popularity": Popularity,
        "trending": Trending,
        "als": lambda: Als(factors=64, regularisation=10.0),
        "item_knn": lambda: ItemKnn(weighting="bm25"),
        "transition_knn": TransitionKnn,
    }
)
_GROWTH = MappingProxyType({"als": 12.0, "item_knn": 20.0, "transition_knn": 20.0})  # times a decade, at most
_QUERY_GROWTH = 1.5  # a query over the same catalogue, at most, however many events there were
_RATIO, _CPU_S, _RSS_MB = 1.1, 150.0, 4096.0


def run(events: int = MAX_EVENTS, *, seed: int = 0, progress: Progress = lambda done, total: None) -> dict[str, Any]:
    """Measure up to so many synthetic events, by decades from 10^4, each size in a process of its own; ready for JSON.

    `rows` has {model, events, cpu_s, query_ms} and for "all of it" {cpu_s, rss_mb}; `bars` what was demanded, found, and whether it was
    met. InputError for fewer than 10^4 or more than 10^7 events.
    """
    if not _SMALLEST <= events <= MAX_EVENTS:
        raise InputError(f"The number of events must be from {_SMALLEST:,} to {MAX_EVENTS:,}.")
    sizes = [size for size in (10**power for power in range(4, 8)) if size < events] + [events]
    rows: list[dict[str, Any]] = []
    for done, size in enumerate(sizes):
        progress(done, len(sizes) + 1)
        # a new process for each, as memory that was taken once counts in its peak for ever
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            rows += pool.submit(measure_size, size, seed).result()
    progress(len(sizes), len(sizes) + 1)
    paired = compare_with_implicit(min(events, _PAIRED_EVENTS), seed)
    progress(len(sizes) + 1, len(sizes) + 1)
    return {
        "protocol": {
            "data": f"{N_ITEMS:,} items at every size, {_EVENTS_A_USER} events a user on average, both by power laws; times uniform",
            "time": "CPU seconds of all threads, in one process a size; BLAS held to one thread",
            "all of it": "columns of events to matrix and sequences, then one fit of each model of `rows`; no store is read",
            "query": f"median of {_ASKED} histories of {_EVENTS_A_USER} events: fold-in, all scores, the best 100",
            "paired": f"ours and implicit's own class in turn, {_ROUNDS} rounds; item-kNN without its cap on histories",
        },
        "seed": seed,
        "rows": rows,
        "paired": paired,
        "bars": _bars(rows, paired),
    }


def synthetic(events: int, seed: int) -> Interactions:
    """Draw events of users and items whose ranks have densities falling by power laws (exponents .7 and .8)."""
    rng = np.random.default_rng(seed)
    n_users = events // _EVENTS_A_USER
    users = _power_law(rng, events, n_users, 0.7)
    rows = rng.permutation(N_ITEMS)[_power_law(rng, events, N_ITEMS, 0.8)]  # a row says nothing about how popular an item is
    times_s = rng.random(events) * 365 * 86_400.0
    return from_columns(users, rows, times_s, np.ones(events, dtype=np.float32), shape=(n_users, N_ITEMS))


def measure_size(events: int, seed: int) -> list[dict[str, Any]]:
    """Fit and ask every model once: the rows of one size."""
    found: list[dict[str, Any]] = []
    with threadpool_limits(1, "blas"):
        start = time.process_time()
        data = synthetic(events, seed)
        histories = _histories(data, seed)
        for name, make in _MODELS.items():
            model, cpu_s = _timed(make().fit, data.matrix, data.sequences)
            query_s = float(np.median([_timed(_best, model, *one)[1] for one in histories]))
            found.append({"model": name, "events": events, "cpu_s": round(cpu_s, 3), "query_ms": round(1_000 * query_s, 3)})
        cpu_s, peak_mb = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*found, {"model": "all of it", "events": events, "cpu_s": round(cpu_s, 2), "rss_mb": round(peak_mb)}]


def compare_with_implicit(events: int, seed: int) -> dict[str, dict[str, float]]:
    """Time ours and implicit's own on the same data, in turn: {what: {ours_cpu_s, implicit_cpu_s, ratio}}, medians of the rounds."""
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import BM25Recommender
    from implicit.utils import ParameterWarning

    data = synthetic(events, seed)
    histories = _histories(data, seed)
    baskets = [csr_matrix((weights, rows, [0, len(rows)]), shape=(1, N_ITEMS)) for rows, weights in histories]
    ours: Mapping[str, Callable[[], CollaborativeModel]] = {
        "als": lambda: Als(factors=64, regularisation=10.0, alpha=5.0, iterations=5),
        "item_knn": lambda: ItemKnn(weighting="bm25", k=200, max_history=N_ITEMS),
    }
    theirs: Mapping[str, Callable[[], Any]] = {
        "als": lambda: AlternatingLeastSquares(factors=64, regularization=10.0, alpha=5.0, iterations=5, num_threads=1),
        "item_knn": lambda: BM25Recommender(K=200, num_threads=1),
    }
    times: dict[str, list[tuple[float, float]]] = {}
    with threadpool_limits(1, "blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ParameterWarning)  # its BM25Recommender hands itself a matrix that it then warns of
        for name in [*ours] * _ROUNDS:
            model, peer = ours[name](), theirs[name]()
            fits = _timed(model.fit, data.matrix, data.sequences)[1], _timed(peer.fit, data.matrix, False)[1]
            answers = _timed(_ask_ours, model, histories)[1], _timed(_ask_implicit, peer, baskets)[1]
            times.setdefault(f"{name} fit", []).append(fits)
            times.setdefault(f"{name} recommend", []).append(answers)
    return {what: _ratio(np.asarray(pairs)) for what, pairs in times.items()}


def _ask_ours(model: CollaborativeModel, histories: Sequence[tuple[Rows, Weights]]) -> None:
    for rows, weights in histories:
        _best(model, rows, weights)


def _ask_implicit(model: Any, baskets: Sequence[csr_matrix]) -> None:
    for basket in baskets:
        model.recommend(0, basket, N=100, recalculate_user=True)


def _ratio(pairs: NDArray[np.float64]) -> dict[str, float]:
    ours, theirs = np.median(pairs, axis=0).round(3).tolist()
    return {"ours_cpu_s": ours, "implicit_cpu_s": theirs, "ratio": round(float(np.median(pairs[:, 0] / pairs[:, 1])), 3)}


def _bars(rows: list[dict[str, Any]], paired: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Hold what was found against what is demanded."""
    table = {(row["model"], row["events"]): row for row in rows}
    sizes = sorted({row["events"] for row in rows})
    decades = [(small, large) for small, large in pairwise(sizes) if large == 10 * small]
    bars = [(f"{what}, ours / implicit", pair["ratio"], _RATIO) for what, pair in paired.items()]
    for name, limit in _GROWTH.items():
        bars += [
            (f"{name} fit, {small:,} to {large:,} events", table[name, large]["cpu_s"] / max(table[name, small]["cpu_s"], 1e-3), limit)
            for small, large in decades
        ]
    for name in _MODELS:
        asked = [table[name, size]["query_ms"] for size in sizes]
        bars.append((f"{name} query, most events / fewest", asked[-1] / asked[0], _QUERY_GROWTH))
    whole = table["all of it", sizes[-1]]
    bars += [("all of it, CPU s", whole["cpu_s"], _CPU_S), ("all of it, peak MB", whole["rss_mb"], _RSS_MB)]
    return [{"what": what, "found": round(found, 3), "at_most": limit, "met": bool(found <= limit)} for what, found, limit in bars]


def _power_law(rng: np.random.Generator, n: int, n_ranks: int, exponent: float) -> NDArray[np.int64]:
    return (n_ranks * rng.random(n) ** (1.0 / (1.0 - exponent))).astype(np.int64)


def _histories(data: Interactions, seed: int) -> list[tuple[Rows, Weights]]:
    """Draw histories of the same length at every size from the items as popular as they are."""
    drawn = np.random.default_rng(seed).choice(data.sequences.rows, (_ASKED, _EVENTS_A_USER))
    ones = np.ones(_EVENTS_A_USER, dtype=np.float32)
    return [(rows, ones[: len(rows)]) for rows in map(np.unique, drawn)]


def _best(model: CollaborativeModel, rows: Rows, weights: Weights) -> tuple[Rows, Weights]:
    scores = model.scores(rows, weights)
    scores[rows] = 0.0
    return top_rows(scores, 100)


def _timed(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    start = time.process_time()
    return work(*arguments), time.process_time() - start
