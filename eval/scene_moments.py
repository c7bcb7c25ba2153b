"""How well scenes are recognised on the gold set of moments: with all signals, without each, abstaining, by language."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from scenewise.eval.scene_texts import expected_calibration_error
from scenewise.store.errors import InputError, NotFound
from scenewise.store.types import Moment, Place
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.scene.hints import merge_moment, moment_hints
from scenewise.tools.scene.pack import NO_SCENE, ScenePack
from scenewise.tools.scene.reading import SceneReading
from scenewise.tools.scene.recogniser import SceneRecogniser

_THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Case:
    """What is said in which moment, and the scene a person would name (None: none); `decided_by` is text, context or both."""

    text: str
    moment: Moment
    scene: str | None
    decided_by: str


def read_moments(path: Path, split: str) -> list[Case]:
    """Read the cases of a half ("dev" or "test"), or "all". Raises NotFound and InputError."""
    if not path.is_file():
        raise NotFound(f"there is no file {path.name}: give the moments with --file")
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        cases = [_case(row) for row in rows if split in ("all", row["split"])]
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} cannot be read: each line is a JSON object as in eval/scene/README.md") from error
    if not cases:
        raise InputError(f"{path.name} has no cases of the half {split!r}")
    return cases


def _case(row: Mapping[str, Any]) -> Case:
    place = Place(row.get("place"), speed_mps=row.get("speed")) if {"place", "speed"} & row.keys() else None
    time = datetime.fromisoformat(row["time"]) if "time" in row else None
    more = {name: row[name] for name in ("network", "weather") if name in row}
    moment = Moment(row.get("device"), time, place, row["lang"], row.get("available_min"), **more)
    return Case(row["text"], moment, row["scene"] and row["scene"].replace("_", " "), row["decided_by"])


# What is left out of a case, by name; words leave with their hints.
WITHOUT: Mapping[str, Callable[[Case], Case]] = MappingProxyType(
    {
        "all signals": lambda case: case,
        "without words": lambda case: replace(case, text=""),
        "without device": lambda case: _change(case, device=None),
        "without time": lambda case: _change(case, local_time=None),
        "without place": lambda case: _change(case, place=case.moment.place and replace(case.moment.place, type=None)),
        "without speed": lambda case: _change(case, place=case.moment.place and replace(case.moment.place, speed_mps=None)),
        "without weather": lambda case: _change(case, weather=None),
        "words alone": lambda case: replace(case, moment=Moment(locale=case.moment.locale)),
    }
)


def _change(case: Case, **parts: Any) -> Case:
    return replace(case, moment=replace(case.moment, **parts))


def run(
    cases: Sequence[Case],
    pack: ScenePack,
    encoders: Encoders,
    *,
    tune: bool = True,
    seed: int = 0,
    progress: Callable[[int, int | None], None],
) -> dict[str, Any]:
    """Train on the pack's examples alone, read every case as a turn does, and measure."""
    if unknown := {case.scene for case in cases if case.scene} - {*pack.names}:
        raise InputError(f"{len(unknown)} scenes of the cases are not in the pack: measure with the pack they were written for")
    recogniser = SceneRecogniser(pack, encoders)
    tuned = recogniser.train(tune=tune, seed=seed).is_tuned
    readings: dict[str, list[SceneReading]] = {name: [] for name in WITHOUT}
    for done, case in enumerate(cases, 1):  # all of a case at once: the vectors of its words are kept
        for name, change in WITHOUT.items():
            readings[name].append(_read(recogniser, change(case)))
        progress(done, len(cases))
    result: dict[str, Any] = {"n_cases": len(cases), "tuned": tuned, "seed": seed, "pack": pack.version}
    result["signals"] = {name: measure(cases, read) for name, read in readings.items()}
    parts = {"en": "lang", "zh": "lang", "text": "decided_by", "context": "decided_by", "both": "decided_by"}
    for part, field in parts.items():
        rows = [i for i, case in enumerate(cases) if part in (case.decided_by, case.moment.locale)]
        if rows:
            by = result.setdefault("by_" + field, {})
            by[part] = measure([cases[i] for i in rows], [readings["all signals"][i] for i in rows])
    result["abstention"] = abstention(cases, readings["all signals"])
    return result


def _read(recogniser: SceneRecogniser, case: Case) -> SceneReading:
    hints = moment_hints(case.text, now=case.moment.local_time)
    return recogniser.recognise(case.text, merge_moment(case.moment, hints) if case.text else case.moment)


def measure(cases: Sequence[Case], readings: Sequence[SceneReading]) -> dict[str, Any]:
    """Accuracy and macro-F1 over the scenes and none; calibration of the likeliest answer; how none is found."""
    truth = np.array([case.scene or NO_SCENE for case in cases])
    said = np.array([reading.scene or NO_SCENE for reading in readings])
    names = np.unique(truth)
    f1 = [2 * ((said == name) & (truth == name)).sum() / ((said == name).sum() + (truth == name).sum()) for name in names]
    best = [max(reading.probabilities.items(), key=lambda pair: pair[1]) for reading in readings]
    confidence, right = np.array([p for _, p in best]), np.array([name for name, _ in best]) == truth
    none = truth == NO_SCENE
    return {
        "n": len(cases),
        "macro_f1": round(float(np.mean(f1)), 4),
        "accuracy": round(float((said == truth).mean()), 4),
        "ece": expected_calibration_error(confidence, right),
        "none_recall": round(float((said == truth)[none].mean()), 4) if none.any() else None,
        "none_precision": round(float(none[said == NO_SCENE].mean()), 4) if (said == NO_SCENE).any() else None,
    }


def abstention(cases: Sequence[Case], readings: Sequence[SceneReading]) -> list[dict[str, float]]:
    """How many cases are answered where the likeliest answer must reach a threshold, and how many of those answers are right."""
    best = [max(reading.probabilities.items(), key=lambda pair: pair[1]) for reading in readings]
    right = np.array([name == (case.scene or NO_SCENE) for case, (name, _) in zip(cases, best, strict=True)])
    confidence = np.array([p for _, p in best])
    rows = []
    for threshold in _THRESHOLDS:
        answered = confidence >= threshold
        accuracy = round(float(right[answered].mean()), 4) if answered.any() else 0.0
        rows.append({"threshold": threshold, "coverage": round(float(answered.mean()), 4), "accuracy": accuracy})
    return rows
