"""Ratings: how far off are biases, neighbours and the factorisation machine, with and without the moment?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.eval.columns import Labelled, fields, take, telling
from scenewise.eval.ctr import ALL, NO_MOMENT, SMALL, Answer, World, about, given_part, result_row, split, table
from scenewise.eval.dataset import TEST, TRAIN, Dataset
from scenewise.store.errors import InputError
from scenewise.tools.collaborative.factorisation import FactorisationConfig, Words
from scenewise.tools.collaborative.rating_neighbours import RatingNeighbours

_VALIDATION = 9  # one row in so many of those that are not tested on
_SETTINGS = {
    "biases": tuple(FactorisationConfig(target="rating", k=0, l2_weights=l2) for l2 in (1e-2, 1e-3, 3e-2, 1e-1, 1e-4, 0.0)),
    "fm": tuple(
        FactorisationConfig(target="rating", k=k, l2=l2, l2_weights=l2_weights, dropout=dropout)
        for k, l2, l2_weights, dropout in (
            (16, 1e-1, 1e-2, 0.2),
            (16, 3e-2, 1e-2, 0.2),
            (32, 1e-1, 1e-2, 0.3),
            (16, 3e-1, 1e-2, 0.2),
            (8, 1e-1, 3e-2, 0.2),
            (32, 2e-1, 1e-3, 0.5),
        )
    ),
}


def run(
    dataset: Dataset,
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    tries: int = 6,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Measure RMSE and MAE and return a table ready for JSON. Small sets are cross-validated in as many folds as there are seeds.

    InputError where the set has no ratings.
    """
    worlds = folds(dataset, seeds)
    measures, own = {"rmse": _rmse, "mae": _mae}, len(worlds) > 1
    models = {name: settings[:tries] for name, settings in _SETTINGS.items()}
    rows = table(models, worlds, seeds, measures, best=min, progress=progress)
    for by in ("users", "items"):
        answers = [neighbours(world, by) for world in worlds]
        rows.append(result_row(f"{by[:-1]} neighbours", NO_MOMENT, answers, None, measures, own=own))
    return {"what": "rating", "dataset": about(dataset, worlds[0]), "protocol": _protocol(own, tries), "rows": rows}


def folds(dataset: Dataset, seeds: Sequence[int]) -> list[World]:
    """Return a world a fold, or a single one for large sets and such as come split. InputError where there is too little."""
    event = np.flatnonzero(~np.isnan(dataset.arrays.value)) if {*dataset.arrays.kind} == {"rating"} else np.zeros(0, dtype=np.int64)
    if len({*dataset.arrays.value[event].tolist()}) < 2:
        raise InputError("This set has no ratings, or they are all alike.")
    rows = Labelled(event, dataset.arrays.item[event], dataset.arrays.value[event])
    parts = [split(dataset, rows, seeds[0])]
    if len(rows) <= SMALL and given_part(dataset) is None and len(seeds) > 1:
        rng = np.random.default_rng(seeds[0])
        fold = rng.permutation(len(rows)) % len(seeds)
        held = rng.integers(0, _VALIDATION, len(rows)) == 0
        parts = [
            (np.flatnonzero((fold != k) & ~held), np.flatnonzero((fold != k) & held), np.flatnonzero(fold == k)) for k in range(len(seeds))
        ]
    if not all(len(one) for part in parts for one in part):
        raise InputError("There are too few ratings for these folds; give fewer seeds.")
    columns, moment = fields(dataset, rows)
    worlds = []
    for part in parts:
        names = telling(take(columns, part[0]))
        inputs = {ALL: names, NO_MOMENT: names - moment, **{f"without {name}": names - {name} for name in sorted(moment & names)}}
        kept = {name: one for name, one in inputs.items() if name == ALL or one != names}
        if len(moment & names) == 1:  # without the one is without the moment
            kept = {name: kept[name] for name in (ALL, NO_MOMENT)}
        worlds.append(World(columns, rows.target, part, kept))
    return worlds


def neighbours(world: World, by: Literal["users", "items"]) -> Answer:
    """Ask the neighbours for the test part; what a user rated in the training part is their history, the mean where more than once."""
    begun = time.process_time()
    user, item = (column.code.astype(np.int64) for column in (world.columns["user"], world.columns["item"]) if isinstance(column, Words))
    shape = tuple(len(column.names) for column in (world.columns["user"], world.columns["item"]) if isinstance(column, Words))
    train, test = world.split[TRAIN], world.split[TEST]
    pair, place = np.unique(user[train] * shape[1] + item[train], return_inverse=True)
    mean = np.bincount(place, weights=world.target[train]) / np.bincount(place)
    ratings = csr_matrix((mean, (pair // shape[1], pair % shape[1])), shape=(shape[0], shape[1]))
    model = RatingNeighbours(by=by).fit(ratings)
    said = np.zeros(len(test), dtype=np.float32)
    for one in np.unique(user[test]).tolist():
        own, asked = ratings[one], np.flatnonzero(user[test] == one)
        said[asked] = model.predictions(own.indices.astype(np.int32), own.data, item[test][asked].astype(np.int32))
    return Answer(said, world.target[test], time.process_time() - begun)


def _rmse(said: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean((said.astype(np.float64) - true) ** 2)))


def _mae(said: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    return float(np.mean(np.abs(said.astype(np.float64) - true)))


def _protocol(own: bool, tries: int) -> dict[str, str]:
    folds = "cross-validation, a fold a seed; a ninth of the others is for validation"
    return {
        "split": folds if own else "the set's own, or by chance; intervals by test rows",
        "tuning": f"at most {tries} settings of biases and of the machine by RMSE on validation, given all inputs; neighbours as they come",
        "repeated_pairs": "ratings of one item by one user in several moments may fall on both sides of the split",
    }
