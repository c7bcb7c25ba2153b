"""Learning how much each collaborative source is worth beside the others, from held-back events."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import StoreError
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.collaborative import Collaborative
from scenewise.tools.collaborative.interactions import HeldBack, Interactions, Worth, interactions_of, learn_worth
from scenewise.tools.ranking.calibration import Calibration, source_values

if TYPE_CHECKING:
    from scenewise.store.store import Store

_FORMAT = 2
_HELD = 3
_LEAST_USERS = 50
_MOST_USERS = 1_000
_DEPTH = 100  # candidates a source, the most that the product's tool gives
_RIDGE = 0.01
_LEAST_WEIGHT = 0.02  # every source keeps a say, for requests where it is the only one
_STALE = 0.05  # weights are learned again when the events have become this much more or fewer


@dataclass(frozen=True)
class _Case:
    """One held-back event: `values` float64 (m, n_sources) of the user's candidates, and which of them it was."""

    values: NDArray[np.float64]
    target: int
    worth: float


def tune_fusion(store: Store, catalogue: Catalogue) -> Calibration:
    """Return the weights learned on this store's events, kept beside it as JSON; the default where there are too few users.

    Kept while the items are the same and the number of events has changed by less than 5%: weights move slowly, and a chat that
    adds an event should not cost the next start seconds. A cache that cannot be written is done without.
    """
    folder = store.cache / "ranking"
    n_events = store.events.count()
    key = hashlib.sha256(json.dumps([_FORMAT, store.revision("items"), catalogue.n]).encode()).hexdigest()[:16]
    if (kept := _read(folder, key, n_events)) is not None:
        return kept
    arrays = store.events.arrays()
    worth = learn_worth(arrays)
    calibration = learn_calibration(interactions_of(arrays, catalogue, worth), catalogue, worth)
    _write(folder, key, n_events, calibration)
    return calibration


def learn_calibration(interactions: Interactions, catalogue: Catalogue, worth: Worth, *, seed: int = 0) -> Calibration:
    """Hold back each user's last three events, fit the sources on the rest, and weigh them so that they rank these high.

    The weights (>= 0.02) are those of a conditional logit over the user's candidates (McFadden 1974; the listwise loss of ListNet,
    Cao et al. 2007, with one relevant item), with a ridge, events counting by their worth. At most 1,000 users, drawn by seed.
    """
    rest, held = interactions.hold_back(_HELD)
    users = np.random.default_rng(seed).permutation(np.unique([one.user for one in held]).astype(np.int64))[:_MOST_USERS]
    drawn = {*users.tolist()}
    asked = [one for one in held if one.user in drawn]
    if len(drawn) < _LEAST_USERS:
        return Calibration()
    collaborative = Collaborative.fit(rest, catalogue, worth)
    cases = [case for one in asked if (case := _case(collaborative, one)) is not None]
    if len(cases) < _LEAST_USERS:
        return Calibration()
    weights = _fit_weights(cases)
    bias = _fit_bias(cases, weights, share_found=len(cases) / len(asked))
    names = [*collaborative.models]
    alone = _fit_weights([replace(case, values=case.values[:, [names.index("popularity")]]) for case in cases])
    by_name = dict(zip(names, weights.tolist(), strict=True))
    return Calibration().learned(by_name, bias, len(drawn), popularity_alone=float(alone[0]))


def _case(collaborative: Collaborative, held: HeldBack) -> _Case | None:
    """Collect the candidates as the product would; None where the target is not among them."""
    free = np.ones(collaborative.catalogue.n, dtype=bool)
    free[held.rows] = False
    best = collaborative.best(held.rows, held.worth, _DEPTH, free=free)
    union = np.unique(np.concatenate([columns for columns, _ in best.values()]))
    place = int(np.searchsorted(union, held.target))
    if place == len(union) or union[place] != held.target:
        return None
    values = np.zeros((len(union), len(best)))
    for number, (columns, scores) in enumerate(best.values()):
        values[np.searchsorted(union, columns), number] = source_values(scores.astype(np.float64), "score")
    return _Case(values, place, held.target_worth)


def _fit_weights(cases: Sequence[_Case]) -> NDArray[np.float64]:
    from scipy.optimize import minimize

    total = sum(case.worth for case in cases)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = _RIDGE * float(weights @ weights), 2.0 * _RIDGE * weights
        for case in cases:
            logits = case.values @ weights
            odds = np.exp(logits - logits.max())
            odds /= odds.sum()
            value -= case.worth * float(np.log(max(odds[case.target], 1e-300))) / total
            slope += case.worth * (odds @ case.values - case.values[case.target]) / total
        return value, slope

    n = cases[0].values.shape[1]
    found = minimize(loss, np.full(n, 0.5), jac=True, method="L-BFGS-B", bounds=[(_LEAST_WEIGHT, None)] * n, options={"maxiter": 50})
    return np.asarray(found.x, dtype=np.float64)


def _fit_bias(cases: Sequence[_Case], weights: NDArray[np.float64], *, share_found: float) -> float:
    """Choose the bias with which the logistic scores of a list add up to the share of lists that hold their target."""
    logits = [case.values @ weights for case in cases]
    low, high = -40.0, 20.0
    for _ in range(50):
        bias = (low + high) / 2.0
        expected = float(np.mean([(1.0 / (1.0 + np.exp(-(one + bias)))).sum() for one in logits]))
        low, high = (bias, high) if expected < share_found else (low, bias)
    return (low + high) / 2.0


def _read(folder: Path, key: str, n_events: int) -> Calibration | None:
    for path in folder.glob(f"fusion-{key}-*.json"):
        try:
            then = int(path.stem.rpartition("-")[2])
            if abs(n_events - then) <= _STALE * then:
                return Calibration.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, StoreError):
            return None
    return None


def _write(folder: Path, key: str, n_events: int, calibration: Calibration) -> None:
    """Write atomically, then drop older files."""
    path = folder / f"fusion-{key}-{n_events}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".fusion.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(calibration.to_json())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
        for old in folder.glob("fusion-*.json"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError:
        return
