"""One model for all scenes, one that is blind to them, and one for each scene: does any scene lose by sharing?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenewise.eval import protocols
from scenewise.eval.dataset import Dataset
from scenewise.eval.measure import Result, ask
from scenewise.eval.metrics import holm, ndcg, paired_bootstrap
from scenewise.eval.protocols import Question
from scenewise.store.errors import InputError
from scenewise.tools.collaborative.interactions import Interactions, from_columns
from scenewise.tools.collaborative.model import Scores
from scenewise.tools.features import ItemFeatures
from scenewise.tools.ranking.transformer import SequenceTransformer, TransformerConfig

Progress = Callable[[int, int | None], None]
NAMES = ("one, sees the scene", "one, blind to it", "one a scene")
_SHARE = 0.1  # of the events, held back
_LEAST = 50  # questions that a scene needs to be reported apart


def scenes_of(dataset: Dataset, columns: Sequence[str], *, most: int = 12) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    """Make scenes of the moments: the `most` frequent combinations of the columns' values, the others -1.

    Returns their codes, int16 (n_events,), and their names, the most frequent first. InputError for a column that is not there.
    """
    missing = [name for name in columns if name not in dataset.context]
    if missing or not columns:
        raise InputError(f"Scenes are made of columns of the moment; this set has {', '.join(dataset.context) or 'none'}.")
    table = np.stack([dataset.context[name].code for name in columns])
    kinds, code, counts = np.unique(table, axis=1, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    names = [" ".join(dataset.context[c].names[v] if v >= 0 else "?" for c, v in zip(columns, kinds[:, k], strict=True)) for k in order]
    place = np.full(len(counts), -1, dtype=np.int16)
    place[order] = np.arange(len(order))
    return place[code.ravel()], tuple(names)


def hold_back(events: Interactions, seed: int) -> tuple[Interactions, tuple[Question, ...]]:
    """Hold back a tenth of the events at random: what does this user take in this scene? Unlike in the other protocols it may be
    something they had before, which is the usual thing for apps and songs; so nothing is masked."""
    sequences = events.sequences
    users, scenes = sequences.user_of_event(), sequences.scenes
    assert scenes is not None
    held = np.random.default_rng(seed).random(len(users)) < _SHARE
    shape = events.matrix.shape
    train = from_columns(
        users[~held], sequences.rows[~held], sequences.times_s[~held], events.worth[~held], shape=shape, scenes=scenes[~held]
    )
    starts, ordered = train.sequences.starts, train.sequences
    questions = []
    for place in np.flatnonzero(held & (scenes >= 0)).tolist():
        part = slice(starts[users[place]], starts[users[place] + 1])
        if part.start == part.stop or ordered.scenes is None:
            continue
        known = (ordered.rows[part], train.worth[part], ordered.times_s[part], ordered.scenes[part])
        target = sequences.rows[[place]], events.worth[[place]]
        questions.append(Question(int(users[place]), *known, *target, float(sequences.times_s[place]), int(scenes[place])))
    return train, tuple(questions)


def run(
    dataset: Dataset,
    *,
    columns: Sequence[str],
    seeds: Sequence[int] = (0, 1, 2),
    config: TransformerConfig | None = None,
    features: ItemFeatures | None = None,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Measure NDCG@10 by scene of the three, trained alike on the same events. InputError where there are no scenes in the set."""
    codes, names = scenes_of(dataset, columns)
    events = protocols.interactions(dataset, scenes=codes)
    found: list[dict[str, Result]] = []
    asked: list[tuple[Question, ...]] = []
    for seed in seeds:
        train, questions = hold_back(protocols.shuffle_ties(events, seed), seed)
        if not questions:
            raise InputError("No event of this set can be held back: users have too few, or no scene is known.")
        chosen = (config or TransformerConfig()).model_copy(update={"seed": seed})
        found.append(_measure(train, questions, len(names), chosen, features))
        asked.append(questions)
        progress(len(found), len(seeds))
    rows = [_row(found, asked, code, name) for code, name in enumerate(names)]
    rows = [row for row in rows if row["questions"] >= _LEAST]
    for pair in ("against_blind", "against_own"):
        for row, p in zip(rows, holm([row[pair]["p"] for row in rows]), strict=True):
            row[pair]["p_holm"] = p
    return {
        "protocol": {
            "task": "the item of a random tenth of the events, from the user's other events and the scene; whole catalogue, nothing masked",
            "scenes": f"the most frequent combinations of {', '.join(columns)}",
            "models": "the same Transformer, settings and epochs by its own early stopping",
        },
        "dataset": dataset.name,
        "seeds": list(seeds),
        "rows": [*rows, _row(found, asked, None, "all")],
        "cpu_s": {name: round(float(np.mean([one[name].fit_cpu_s for one in found])), 1) for name in NAMES},
        "scenes_that_lose": [row["scene"] for row in rows for pair in ("against_blind", "against_own") if _loses(row[pair])],
    }


def _measure(
    train: Interactions, questions: tuple[Question, ...], n: int, config: TransformerConfig, features: ItemFeatures | None
) -> dict[str, Result]:
    blind = config.model_copy(update={"scenes": False})
    begun = time.process_time()
    seeing = SequenceTransformer(config, features).fit(train.matrix, train.sequences)
    middle = time.process_time()
    pooled = SequenceTransformer(blind, features).fit(train.matrix, train.sequences)
    end = time.process_time()
    own = [SequenceTransformer(blind, features).fit(part.matrix, part.sequences) for part in (_only(train, code) for code in range(n))]
    costs = (middle - begun, end - middle, time.process_time() - end)

    def answer_seeing(question: Question) -> Scores:
        return seeing.scores_in(question.rows, question.worth, scene=question.scene, scenes=question.scenes)

    def answer_own(question: Question) -> Scores:
        assert question.scenes is not None
        here = question.scenes == question.scene
        return own[question.scene].scores_in(question.rows[here], question.worth[here])

    def answer_blind(question: Question) -> Scores:
        return pooled.scores_in(question.rows, question.worth)

    out: dict[str, Result] = {}
    for name, answer, cost in zip(NAMES, (answer_seeing, answer_blind, answer_own), costs, strict=True):
        out[name] = ask(answer, questions, lists=False, mask=False)
        out[name].fit_cpu_s = cost
    return out


def _only(train: Interactions, code: int) -> Interactions:
    """Keep the events of one scene, without its name."""
    sequences = train.sequences
    here = sequences.scenes == code
    columns = (sequences.user_of_event()[here], sequences.rows[here], sequences.times_s[here], train.worth[here])
    return from_columns(*columns, shape=train.matrix.shape)


def _row(found: Sequence[dict[str, Result]], asked: Sequence[tuple[Question, ...]], code: int | None, name: str) -> dict[str, Any]:
    """Compare the three in one scene (in all where `code` is None), question by question over all seeds."""

    def values(model: str) -> NDArray[np.float64]:
        return np.asarray(
            [
                ndcg(ranks, 10)
                for one, questions in zip(found, asked, strict=True)
                for ranks, question in zip(one[model].ranks, questions, strict=True)
                if code is None or question.scene == code
            ],
            dtype=np.float64,
        )

    seeing, blind, own = map(values, NAMES)
    row: dict[str, Any] = {"scene": name, "questions": len(seeing)}
    if not len(seeing):
        return row
    row |= {model: round(float(one.mean()), 5) for model, one in zip(NAMES, (seeing, blind, own), strict=True)}
    return row | {
        "against_blind": asdict(paired_bootstrap(seeing, blind, n_resamples=2_000)),
        "against_own": asdict(paired_bootstrap(seeing, own, n_resamples=2_000)),
    }


def _loses(difference: dict[str, float]) -> bool:
    return difference["mean"] < 0 and difference["p_holm"] < 0.05
