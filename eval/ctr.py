"""Click-through: how well do a factorisation machine and DeepFM tell what is used, or liked, with and without the moment?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from scenewise.eval.columns import Labelled, Places, fields, take, telling
from scenewise.eval.dataset import TEST, TRAIN, VALIDATION, Dataset
from scenewise.eval.metrics import expected_calibration_error
from scenewise.store.errors import InputError
from scenewise.tools.collaborative.factorisation import Columns, Factorisation, FactorisationConfig
from scenewise.tools.collaborative.factorisation.training import auc

Report = Callable[[int, int | None], None]
Split = tuple[Places, Places, Places]  # train, validation, test

SMALL = 20_000  # rows up to which every seed has a split and a tuning of its own, and members are many
_NEGATIVES = 2
_DRAWS = 100
_RESAMPLES = 200
_SETTINGS: Mapping[str, tuple[FactorisationConfig, ...]] = MappingProxyType(
    {
        "lr": tuple(FactorisationConfig(k=0, l2_weights=l2) for l2 in (1e-2, 1e-3, 1e-4, 3e-2, 1e-5, 1e-1)),
        "fm": (
            FactorisationConfig(k=32, l2=3e-3),
            FactorisationConfig(k=8, l2=1e-1, l2_weights=1e-2),
            FactorisationConfig(k=32, l2=3e-3, dropout=0.3, lr=5e-3),
            FactorisationConfig(k=8, l2=3e-2, l2_weights=1e-2),
            FactorisationConfig(k=16, l2=1e-2, l2_weights=1e-3),
            FactorisationConfig(k=16, l2=1e-1, l2_weights=1e-2, dropout=0.5),
        ),
        "deepfm": tuple(
            FactorisationConfig(k=k, hidden=hidden, head_dropout=0.5, l2=l2, l2_weights=l2_weights, lr=lr)
            for k, hidden, l2, l2_weights, lr in (
                (32, (128, 64), 3e-3, 0.0, 3e-3),
                (8, (32,), 1e-1, 1e-2, 3e-3),
                (16, (128, 64), 1e-2, 0.0, 3e-3),
                (8, (32,), 3e-2, 1e-2, 3e-3),
                (32, (256, 128), 1e-2, 0.0, 1e-3),
                (8, (16,), 1e-1, 1e-2, 1e-2),
            )
        ),
    }
)
ALL, NO_MOMENT, NO_COUNTS = "all", "without the moment", "without counts"
MANY, FEW = 5, 3  # members of a machine on small sets, and of one with a head on large ones, where others have one
OF_ITEM, OF_PAIR = "uses of the item", "uses of the item by the user"


@dataclass(frozen=True, eq=False)
class World:
    """One split, ready to fit on: `columns` and `target` (n,), the rows of each part, and the names of each choice of inputs."""

    columns: Columns
    target: NDArray[np.float32]
    split: Split
    inputs: Mapping[str, frozenset[str]]

    def part(self, number: int, names: frozenset[str]) -> tuple[Columns, NDArray[np.float32]]:
        """Return a part's columns of these names, and its targets."""
        rows = self.split[number]
        return take({name: self.columns[name] for name in self.columns if name in names}, rows), self.target[rows]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model said of a test part and what came true, (n,) each, and the CPU time of its training."""

    said: NDArray[np.float32]
    true: NDArray[np.float32]
    cpu_s: float


Measure = Callable[[NDArray[np.float32], NDArray[np.float32]], float]  # of what was said, and what came true


def run(
    dataset: Dataset,
    *,
    model: str = "both",
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    tries: int = 6,
    test_on: str = "",
    progress: Report = lambda done, total: None,
) -> dict[str, Any]:
    """Measure AUC, log loss and calibration and return a table ready for JSON.

    `test_on`, such as "stage=Stage3", names a word of the context whose events are the test part. InputError where `model` or
    `test_on` is not known, or all labels are alike.
    """
    if model not in ("fm", "deepfm", "both"):
        raise InputError("The model is fm, deepfm or both.")
    worlds = [_world(dataset, seeds[0], test_on=test_on)]
    if len(worlds[0].target) <= SMALL and given_part(dataset, test_on) is None:
        worlds += [_world(dataset, seed, test_on=test_on) for seed in seeds[1:]]
    models = {name: settings[:tries] for name, settings in _SETTINGS.items() if name == "lr" or model in (name, "both")}
    measures = {"auc": auc_of, "log_loss": log_loss_of, "ece": _ece}
    rows = table(models, worlds, seeds, measures, progress=progress)
    protocol = _protocol(dataset, worlds[0], len(worlds), test_on, tries)
    return {"what": "ctr", "dataset": about(dataset, worlds[0]), "protocol": protocol, "rows": rows}


def tried_settings(model: str, tries: int) -> tuple[FactorisationConfig, ...]:
    """The first settings that a model ("lr", "fm", "deepfm") may try."""
    return _SETTINGS[model][:tries]


def table(
    models: Mapping[str, Sequence[FactorisationConfig]],
    worlds: Sequence[World],
    seeds: Sequence[int],
    measures: Mapping[str, Measure],
    *,
    best: Callable[..., tuple[float, FactorisationConfig]] = max,
    progress: Report,
) -> list[dict[str, Any]]:
    """Fit every model on every choice of inputs, with the settings whose first measure is `best` on validation, given all inputs.

    Either every seed has a world, tuned by itself, or there is one, where seeds start trainings and what leaves inputs out is fitted
    for the first seed only.
    """
    headline, own, rows, done = next(iter(measures.values())), len(worlds) > 1, [], count(1)
    others = (len(seeds) if own else 1) * (len(worlds[0].inputs) - 1)
    total = sum(len(settings) * len(worlds) + len(seeds) + others for settings in models.values())

    def answer(world: World, config: FactorisationConfig, inputs: str, part: int) -> Answer:
        found = _answer(world, config, inputs, part)
        progress(next(done), total)
        return found

    for name, settings in models.items():
        answers: dict[str, list[Answer]] = {inputs: [] for inputs in worlds[0].inputs}
        chosen: list[FactorisationConfig] = []
        tuning_cpu_s = 0.0
        for number, seed in enumerate(seeds):
            world = worlds[number if own else 0]
            if number < len(worlds):
                tried = [answer(world, config, ALL, VALIDATION) for config in settings]
                tuning_cpu_s += sum(one.cpu_s for one in tried)
                scored = [(headline(one.said, one.true), config) for one, config in zip(tried, settings, strict=True)]
                chosen.append(best(scored, key=lambda pair: pair[0])[1])
            members = MANY if len(world.target) <= SMALL else FEW if chosen[-1].hidden else 1
            config = chosen[-1].model_copy(update={"seed": seed * MANY, "members": members})
            for inputs in [ALL] if number and not own else answers:
                answers[inputs].append(answer(world, config, inputs, TEST))
        rows += [result_row(name, inputs, of, answers[ALL], measures, own=own) for inputs, of in answers.items()]
        settings_words = [config.model_dump(mode="json", exclude_defaults=True) for config in chosen]
        rows[-len(answers)] |= {"tuning_cpu_s": round(tuning_cpu_s, 1), "settings": settings_words}
    return rows


def labelled(dataset: Dataset, seed: int) -> Labelled:
    """Return rows with their labels, 0 or 1.

    Labels and ratings speak for themselves: positive from the middle of the scale on. Where events are all positive, two items are
    drawn for each that its user did not use in the same moment (NFM; He & Chua 2017, section 5.1.1), all items alike.
    """
    arrays, event = dataset.arrays, np.arange(dataset.arrays.n)
    if {*arrays.kind} <= {"label", "rating"}:
        event = event[~np.isnan(arrays.value)]
        values = arrays.value[event]
        rows = Labelled(
            event, arrays.item[event], (values >= (values.min() + values.max()) / 2).astype(np.float32) if len(values) else values
        )
        if len({*rows.target.tolist()}) < 2:
            raise InputError("All labels of this set are alike; a click model needs both kinds.")
        return rows
    drawn = _negatives(dataset, seed)
    return Labelled(
        np.concatenate((event, drawn.event)),
        np.concatenate((arrays.item, drawn.item)),
        np.concatenate((np.ones(len(event), dtype=np.float32), drawn.target)),
    )


def _negatives(dataset: Dataset, seed: int) -> Labelled:
    arrays, rng, n_items = dataset.arrays, np.random.default_rng(seed), len(dataset.arrays.item_ids)
    moment = np.stack([arrays.user, *(column.code for column in dataset.context.values())], axis=1)
    group = np.unique(moment, axis=0, return_inverse=True)[1].ravel().astype(np.int64) * n_items
    used = np.unique(group + arrays.item)
    event = np.repeat(np.arange(arrays.n), _NEGATIVES)
    item = rng.integers(0, n_items, len(event)).astype(np.int32)
    wrong = np.arange(len(event))
    for _ in range(_DRAWS):
        wrong = wrong[np.isin(group[event[wrong]] + item[wrong], used)]
        item[wrong] = rng.integers(0, n_items, len(wrong))
    keep = np.ones(len(event), dtype=bool)
    keep[wrong[np.isin(group[event[wrong]] + item[wrong], used)]] = False  # somebody used nearly everything in this moment
    return Labelled(event[keep], item[keep], np.zeros(int(keep.sum()), dtype=np.float32))


def split(dataset: Dataset, rows: Labelled, seed: int, *, test_on: str = "") -> Split:
    """Return the rows of each part: by `test_on`, else as the set came, else by chance (8:1:1; 7:2:1 above SMALL rows). Where only
    the test part is given, a ninth of the others is for validation."""
    rng, given = np.random.default_rng(seed), given_part(dataset, test_on)
    if given is None:
        ranks = (rng.permutation(len(rows)) + 0.5) / max(len(rows), 1)
        part = np.digitize(ranks, (0.8, 0.9) if len(rows) <= SMALL else (0.7, 0.9))
    else:
        part = given[rows.event].astype(np.int64)
        if not (part == VALIDATION).any():
            part[(part == TRAIN) & (rng.random(len(part)) < 1 / 9)] = VALIDATION
    train, validation, test = (np.flatnonzero(part == number) for number in (TRAIN, VALIDATION, TEST))
    if not len(train) or not len(validation) or not len(test):
        raise InputError("There must be rows to train, to validate and to test on; this set gives too few.")
    return train, validation, test


def given_part(dataset: Dataset, test_on: str = "") -> NDArray[np.int8] | None:
    """Return the part of each event, int8 (n,), by `test_on` or as the set came; None where neither says what to test on."""
    if not test_on:
        return dataset.part if dataset.part is not None and (dataset.part == TEST).any() else None
    column, _, word = test_on.partition("=")
    if column not in dataset.context or word not in dataset.context[column].names:
        raise InputError("What to test on is a column of the context and one of its words, such as stage=Stage3.")
    codes = dataset.context[column]
    return np.where(codes.code == codes.names.index(word), TEST, TRAIN).astype(np.int8)


def _world(dataset: Dataset, seed: int, *, test_on: str) -> World:
    rows = labelled(dataset, seed)
    parts = split(dataset, rows, seed, test_on=test_on)
    columns, moment = fields(dataset, rows)
    columns = {**columns, **uses(dataset, rows, parts[0])}
    names = telling(take(columns, parts[0]))
    inputs = {ALL: names, NO_MOMENT: names - moment, NO_COUNTS: names - {OF_ITEM, OF_PAIR}}
    return World(columns, rows.target, parts, {name: kept for name, kept in inputs.items() if name == ALL or kept != names})


def uses(dataset: Dataset, rows: Labelled, train: Places) -> dict[str, NDArray[np.float32]]:
    """Return the log of 1 and how many positive rows of the training part, but for the row itself, are of its item, and of its item
    and user. (Nothing is counted by user or moment alone: with drawn negatives each has its fixed share of positives, so that what
    is in the training part would tell what is not.)"""
    counted = np.zeros(len(rows), dtype=np.float64)
    counted[train] = rows.target[train]
    pair = dataset.arrays.user[rows.event].astype(np.int64) * len(dataset.arrays.item_ids) + rows.item
    found = {}
    for name, key in ((OF_ITEM, rows.item), (OF_PAIR, pair)):
        group = np.unique(key, return_inverse=True)[1]
        found[name] = np.log1p(np.bincount(group, weights=counted)[group] - counted).astype(np.float32)
    return found


def _answer(world: World, config: FactorisationConfig, inputs: str, part: int) -> Answer:
    begun, names = time.process_time(), world.inputs.get(inputs, world.inputs[ALL])  # a split may lack what is left out
    model = Factorisation(config).fit(*world.part(TRAIN, names), validation=world.part(VALIDATION, names))
    cpu_s = time.process_time() - begun
    columns, true = world.part(part, names)
    return Answer(model.predict(columns), true, cpu_s)


def result_row(
    name: str, inputs: str, of: Sequence[Answer], whole: Sequence[Answer] | None, measures: Mapping[str, Measure], *, own: bool
) -> dict[str, Any]:
    """Average over seeds; the interval of the first measure, and of its difference from `whole`, the answers given all inputs."""
    first, headline = next(iter(measures.items()))
    by_seed = [round(headline(one.said, one.true), 4) for one in of]
    row: dict[str, Any] = {"model": name, "inputs": inputs, "seeds": len(of)}
    row |= {measure: round(float(np.mean([f(one.said, one.true) for one in of])), 4) for measure, f in measures.items()}
    row |= {f"{first}_by_seed": by_seed, f"{first}_95": _interval(_samples(headline, of, own=own), own=own)}
    if whole is not None and inputs != ALL:
        gain = _samples(headline, whole[: len(of)], own=own) - _samples(headline, of, own=own)
        row |= {"all_minus_this": round(float(gain.mean()), 4), "all_minus_this_95": _interval(gain, own=own)}
    return row | {"cpu_s": round(float(np.mean([one.cpu_s for one in of])), 2)}


def _samples(measure: Measure, of: Sequence[Answer], *, own: bool) -> NDArray[np.float64]:
    """Return the measure of each split, or, of a single one, of resampled rows (the same in every call) of the first seed."""
    if own:
        return np.asarray([measure(one.said, one.true) for one in of], dtype=np.float64)
    rng, n = np.random.default_rng(0), len(of[0].true)
    draws = (rng.integers(0, n, n) for _ in range(_RESAMPLES))
    return np.asarray([measure(of[0].said[rows], of[0].true[rows]) for rows in draws], dtype=np.float64)


def _interval(samples: NDArray[np.float64], *, own: bool) -> list[float]:
    """Return the 95% interval of the mean over splits (Student), or the percentile interval of resamples."""
    if not own:
        return [round(float(bound), 4) for bound in np.quantile(samples, (0.025, 0.975))]
    half = float(student.ppf(0.975, len(samples) - 1) * samples.std(ddof=1) / np.sqrt(len(samples)))
    return [round(float(samples.mean()) - half, 4), round(float(samples.mean()) + half, 4)]


def auc_of(said: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    """Area under the ROC curve; true: above 0 is positive."""
    return auc(said, true > 0)


def log_loss_of(said: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    """Mean negative log likelihood; said: probabilities."""
    chance = np.clip(said.astype(np.float64), 1e-7, 1 - 1e-7)
    return float(-np.mean(np.where(true > 0, np.log(chance), np.log1p(-chance))))


def _ece(said: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    return expected_calibration_error(said.astype(np.float64), true > 0)


def _protocol(dataset: Dataset, world: World, n_worlds: int, test_on: str, tries: int) -> dict[str, Any]:
    drawn = not {*dataset.arrays.kind} <= {"label", "rating"}
    shares = "8:1:1" if len(world.target) <= SMALL else "7:2:1"
    by = test_on or ("the set's own" if given_part(dataset) is not None else f"by chance, {shares}")
    return {
        "labels": f"{_NEGATIVES} items for each event, drawn from all items that its user did not use in the same moment (NFM)"
        if drawn
        else "values from the middle of their scale on are positive",
        "split": f"{by}; " + ("one a seed" if n_worlds > 1 else "one for all seeds, which start the trainings; intervals by test rows"),
        "tuning": f"at most {tries} settings a model by AUC on validation, given all inputs, "
        + ("for each split" if n_worlds > 1 else "once"),
        "fitted_on_train_only": "vocabularies, scales, counts of uses; the epoch and the calibration on validation",
        "counts": "how often the item, and the item by the user, was positive in the training part, but for the row itself",
    }


def about(dataset: Dataset, world: World) -> dict[str, Any]:
    """Count what there is, for the head of a table."""
    names = world.inputs[ALL]
    return {
        "name": dataset.name,
        "users": len(dataset.arrays.user_ids),
        "items": len(dataset.arrays.item_ids),
        "rows": len(world.target),
        "parts": [len(part) for part in world.split],
        "mean_target": round(float(world.target.mean()), 4),
        "fields": sorted(names),
        "of_the_moment": sorted(names - world.inputs.get(NO_MOMENT, names)),
    }
