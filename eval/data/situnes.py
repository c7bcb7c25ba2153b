"""SiTunes (CHIIR 2024): songs rated in situations; a folder with Stage1, Stage2, Stage3 and music_metadata, or one stage's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from scenewise.eval.data.assemble import ITEM, TIME, USER, VALUE, Kind, assemble
from scenewise.eval.data.text import LINE, find, need, numbers, read_json
from scenewise.eval.dataset import Dataset
from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId

_SINCE = ("emo_pre_valence", "emo_pre_arousal")
_ENVIRONMENT = ("weather_pressure", "weather_temperature", "weather_humidity", "longitude", "latitude", "speed")
_WRIST = ("heart_rate", "activity_intensity", "activity_step")
_WORDS = ("stage", "time", "weather", "activity")
_ACTIVITIES = 6
_NO_SOUND = ("", "item_id", "i_id_c", "general_genre", "general_genre_id", "key", "music", "singer", LINE)


def fits(path: Path) -> bool:
    """Whether it is a stage's folder, or the folder of all."""
    return path.is_dir() and bool(_stages(path))


def read(path: Path) -> Dataset:
    """Read every stage there is, told apart by the context `stage`.

    Numbers are what was known before the song was heard: emotion, weather, place, wrist signals (of the half hour before: mean,
    spread and last value, and the share of each activity), and the song's sound. What came after (emotion, preference, for how
    long) is left out. A song's attributes are its genre, key and creator.
    """
    stages = _stages(path)
    if not stages:
        raise InputError(f"The folder {path.name} needs Stage1, Stage2 or Stage3 with interactions.csv.")
    events = pl.concat([_events(stage) for stage in stages], how="diagonal")
    metadata = (path if stages[0] != path else path.resolve().parent) / "music_metadata"
    items, sounds = _songs(metadata) if metadata.is_dir() else ([], pl.DataFrame({ITEM: []}, schema={ITEM: pl.String}))
    events = events.join(sounds, ITEM, how="left", maintain_order="left")
    known = [column for column in events.columns if not column.startswith("#")]
    words = [column for column in known if column in _WORDS]
    measures = [column for column in known if column not in _WORDS]
    return assemble(path.name, events, Kind("rating", "music"), items=items, context=words, measures=measures)


def _stages(path: Path) -> list[Path]:
    folders = [path, *sorted(path.glob("Stage*"))]
    return [folder for folder in folders if folder.name.startswith("Stage") and find(folder, "interactions.csv")]


def _events(folder: Path) -> pl.DataFrame:
    path = find(folder, "interactions.csv") or folder
    table = need(path, "user_id", "item_id", "timestamp", "rating")
    table = table.with_columns(numbers(table, "rating").alias(VALUE), numbers(table, "timestamp").alias(TIME))
    table = table.rename({"user_id": USER, "item_id": ITEM}).with_columns(pl.lit(folder.name).alias("stage"))
    before = [column for column in _SINCE if column in table.columns]
    table = table.with_columns(numbers(table, column) for column in before)
    keep = [USER, ITEM, VALUE, TIME, LINE, "stage", *before]
    situations = [part for part in (_environment(folder, table), _wrist(folder, table)) if part is not None]
    return pl.concat([table.select(keep), *situations], how="horizontal")


def _environment(folder: Path, table: pl.DataFrame) -> pl.DataFrame | None:
    path = find(folder, "env.json")
    if path is None:
        return None
    held: Mapping[str, Mapping[str, Any]] = read_json(path)
    try:
        moments = [held[one] for one in table["inter_id"].to_list()]
        words = {"time": [str(one["time"]) for one in moments], "weather": [str(one["weather"][0]) for one in moments]}
        measured = np.asarray([[*one["weather"][1:4], *one["GPS"]] for one in moments], dtype=np.float64)
        return pl.DataFrame(words).hstack(pl.from_numpy(measured.reshape(-1, len(_ENVIRONMENT)), schema=list(_ENVIRONMENT)))
    except (KeyError, TypeError, ValueError, IndexError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path.name} must have time, weather (4 values) and GPS (3 values) for each inter_id.") from error


def _wrist(folder: Path, table: pl.DataFrame) -> pl.DataFrame | None:
    """Sum up each event's window of (minutes, 4 signals); records are aligned with inter_id, from 1."""
    path = folder / "wrist.npy"
    if not path.is_file():
        return None
    try:
        windows = np.load(path, allow_pickle=False)[table["inter_id"].cast(pl.Int64).to_numpy() - 1].astype(np.float64)
        signals, activity = windows[:, :, : len(_WRIST)], windows[:, :, len(_WRIST)]
    except (ValueError, IndexError, OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path.name} must hold numbers, (events, minutes, 4), a record for each inter_id.") from error
    columns: dict[str, Any] = {}
    for place, name in enumerate(_WRIST):
        one = signals[:, :, place]
        columns |= {f"{name}_mean": one.mean(axis=1), f"{name}_std": one.std(axis=1), f"{name}_last": one[:, -1]}
    shares = np.stack([(activity == code).mean(axis=1) for code in range(_ACTIVITIES)], axis=1)
    columns |= {f"activity_{code}": shares[:, code] for code in range(_ACTIVITIES)}
    return pl.DataFrame(columns | {"activity": shares.argmax(axis=1).astype(str).tolist()})


def _songs(folder: Path) -> tuple[list[Item], pl.DataFrame]:
    """Return the songs, and their sound as columns song_..., by item."""
    path, named = find(folder, "music_info.csv"), find(folder, "music_info_withname.csv")
    names: dict[str, tuple[str, str]] = {}
    if named is not None:
        table = need(named, "i_id_c", "music", "singer")
        names = {_whole(one): (title, singer) for one, title, singer in table.select("i_id_c", "music", "singer").iter_rows()}
    if path is None:
        return [], pl.DataFrame(schema={ITEM: pl.String})
    table = need(path, "item_id", "general_genre")
    items = []
    for row in table.iter_rows(named=True):
        title, singer = names.get(row["item_id"], ("", ""))
        values = {"genre": row["general_genre"], "key": _whole(row.get("key", "")), "creator": singer}
        attributes = {name: (value,) for name, value in values.items() if value}
        items.append(Item(ItemId(row["item_id"]), "music", title or row["item_id"], attributes=attributes))
    sound = [column for column in table.columns if column not in _NO_SOUND]
    measured = [numbers(table, column).alias(f"song_{column}") for column in sound]
    return items, table.select(pl.col("item_id").alias(ITEM), *measured).unique(ITEM, keep="last")


def _whole(number: str) -> str:
    """Write 874.0 as 874: the two lists of songs differ in this."""
    return number.removesuffix(".0")
