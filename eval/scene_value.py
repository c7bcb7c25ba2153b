"""Does the scene matter? The same factorisation machine told the true scene, the recognised one, and none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np

from scenewise.eval.columns import fields, take, telling
from scenewise.eval.cross_scene import scenes_of
from scenewise.eval.ctr import ALL, SMALL, World, auc_of, labelled, log_loss_of, split, table, tried_settings, uses
from scenewise.eval.dataset import Codes, Dataset
from scenewise.store.types import Moment, Place
from scenewise.tools.collaborative.factorisation import Words
from scenewise.tools.scene.pack import NO_SCENE
from scenewise.tools.scene.recogniser import SceneRecogniser

RECOGNISED, NONE = "recognised scene", "no scene"
_MOST_SCENES = 200
_MONDAY = datetime(2026, 3, 2)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# What words of public sets say of a moment; columns and words that are not here say nothing. Hours are the middle of what is meant.
_HOURS: Mapping[str, float] = MappingProxyType(
    {"sunrise": 6.5, "morning": 9, "noon": 12.5, "afternoon": 15.5, "sunset": 18.5, "evening": 20.5, "night": 23.5}
)
_COARSE_DAYS: Mapping[str, int] = MappingProxyType({"weekday": 2, "workday": 2, "weekend": 5})
_WEATHERS: Mapping[str, str] = MappingProxyType(
    {"sunny": "sunny", "cloudy": "cloudy", "foggy": "cloudy", "drizzle": "rain", "rainy": "rain", "stormy": "rain"}
    | {"sleet": "snow", "snowy": "snow"}
)
_PLACES: Mapping[str, str] = MappingProxyType({"home": "home", "work": "office"})
_COMPANIONS: Mapping[str, str] = MappingProxyType({"alone": "alone", "family": "with my family", "partner": "with my partner"})
# SiTunes writes its words as numbers.
_SITUNES_HOURS: Mapping[str, str] = MappingProxyType({"1": "morning", "2": "afternoon", "3": "evening"})
_SITUNES_WEATHERS: Mapping[str, str] = MappingProxyType({"0": "sunny", "1": "cloudy", "2": "rainy"})


def run(
    dataset: Dataset,
    recogniser: SceneRecogniser,
    columns: Sequence[str],
    *,
    seeds: Sequence[int] = (0, 1, 2),
    tries: int = 2,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Measure AUC and log loss of what each user likes, in a moment whose `columns` are the true scene.

    The recognised scene is what the product's recogniser makes of the same columns turned into a moment; where columns map to nothing it
    knows less. Nothing else of the moment is given to the machine. InputError for a column that is not there.
    """
    scene, names = scenes_of(dataset, columns, most=_MOST_SCENES)
    true = Codes(names, scene.astype(np.int32))
    seen, known = recognised(dataset, recogniser, columns)
    worlds = [_world(dataset, true, seen, seeds[0])]
    if len(worlds[0].target) <= SMALL:
        worlds += [_world(dataset, true, seen, seed) for seed in seeds[1:]]
    measures = {"auc": auc_of, "log_loss": log_loss_of}
    rows = table({"fm": tried_settings("fm", tries)}, worlds, seeds, measures, progress=progress)
    for row in rows:
        row["inputs"] = "true scene" if row["inputs"] == ALL else row["inputs"]
        row.pop("settings", None)
        if "all_minus_this" in row:
            row["true_minus_this"], row["true_minus_this_95"] = row.pop("all_minus_this"), row.pop("all_minus_this_95")
    shares = {name: round(float((seen.code == code).mean()), 4) for code, name in enumerate(seen.names)}
    about = {"name": dataset.name, "events": dataset.arrays.n, "rows": len(worlds[0].target), "true_scene": list(columns)}
    about |= {"true_scenes": len(names), "moment_knows": known, "recognised_shares": shares}
    return {"what": "scene-value", "dataset": about, "rows": rows}


def recognised(dataset: Dataset, recogniser: SceneRecogniser, columns: Sequence[str]) -> tuple[Codes, list[str]]:
    """The scene that the recogniser reads for each event, and the parts of the moment that the columns gave."""
    table_ = np.stack([dataset.context[name].code for name in columns])
    kinds, code = np.unique(table_, axis=1, return_inverse=True)
    names = (*recogniser.pack.names, NO_SCENE)
    scenes, known = [], set()
    for kind in kinds.T:
        words = {c: dataset.context[c].names[v] if v >= 0 else "" for c, v in zip(columns, kind, strict=True)}
        text, moment = moment_of(words, situnes="stage" in dataset.context)
        given = {"words": text, "time": moment.local_time, "place": moment.place, "weather": moment.weather}
        known |= {part for part, value in given.items() if value}
        scenes.append(names.index(recogniser.recognise(text, moment).scene or NO_SCENE))
    return Codes(names, np.array(scenes, dtype=np.int32)[code.ravel()]), sorted(known)


def moment_of(words: Mapping[str, str], *, situnes: bool = False) -> tuple[str, Moment]:
    """Turn a row's context, column to word, into what was said and a moment; who was there is taken as said.

    A day without an hour is taken to be at eight in the evening, an hour without a day on a Wednesday.
    """
    text, day, hour, place, weather = "", None, None, None, None
    for column, word in words.items():
        name, value = column.casefold(), word.casefold()
        if situnes and name in ("time", "weather"):
            value = (_SITUNES_HOURS if name == "time" else _SITUNES_WEATHERS).get(value, "")
        if name in ("daytime", "time"):
            hour = _HOURS.get(value, hour)
        if name in ("time", "isweekend"):
            day = _COARSE_DAYS.get(value) if day is None else day
        if name == "weekday" and value in _DAYS:
            day = _DAYS.index(value)
        if name in ("homework", "location"):
            place = _PLACES.get(value, place)
        if name == "weather":
            weather = _WEATHERS.get(value, weather)
        if name == "companion":
            text = _COMPANIONS.get(value, text)
    time = None
    if day is not None or hour is not None:
        time = _MONDAY + timedelta(days=2 if day is None else day, hours=20 if hour is None else hour)
    return text, Moment(local_time=time, place=Place(place) if place else None, weather=weather)


def _world(dataset: Dataset, true: Codes, seen: Codes, seed: int) -> World:
    rows = labelled(dataset, seed)
    parts = split(dataset, rows, seed)
    columns, moment = fields(dataset, rows)
    plain = {name: column for name, column in columns.items() if name not in moment} | uses(dataset, rows, parts[0])
    scenes = {"scene": Words(true.names, true.code[rows.event]), RECOGNISED: Words(seen.names, seen.code[rows.event])}
    names = telling(take(plain, parts[0]))
    inputs = {ALL: names | {"scene"}, RECOGNISED: names | {RECOGNISED}, NONE: names}
    return World({**plain, **scenes}, rows.target, parts, inputs)
