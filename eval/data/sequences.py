"""S3-Rec's files: NAME.txt with a line a user (user, then items in order), and NAME_item2attributes.json with numeric attributes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from scenewise.eval.data.assemble import ITEM, TIME, USER, Kind, assemble
from scenewise.eval.data.text import LINE, find, lines_of_words, read_json, stem
from scenewise.eval.dataset import Dataset
from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId

_ATTRIBUTES = "_item2attributes.json"


def fits(path: Path) -> bool:
    """Whether it is a text file, or a folder with one text file that has attributes beside it."""
    return (path.is_file() and path.name.removesuffix(".gz").endswith(".txt")) or (path.is_dir() and any(_texts(path)))


def read(path: Path) -> Dataset:
    """Read it; an event's time is its place in its user's line."""
    if path.is_dir():
        texts = [*_texts(path)]
        if len(texts) != 1:
            raise InputError(f"The folder {path.name} has {len(texts)} data sets: give the path of one .txt file.")
        path = texts[0]
    beside = find(path.parent, f"{stem(path)}{_ATTRIBUTES}")
    items = [] if beside is None else [*_items(beside)]
    return assemble(stem(path), read_lists(path), Kind("interaction"), items=items)


def read_lists(path: Path) -> pl.DataFrame:
    """Read lines of a user and items: USER, ITEM, TIME (place in the line) and LINE. InputError for a line with a user only."""
    lines = lines_of_words(path)
    lengths = [max(len(words) - 1, 0) for words in lines]
    numbered = pl.Series(range(1, len(lines) + 1), dtype=pl.Int64)
    events = pl.DataFrame({USER: [words[0] if words else "" for words in lines], LINE: numbered, ITEM: [words[1:] for words in lines]})
    events = events.cast({ITEM: pl.List(pl.String)}).filter(pl.Series(lengths) > 0)
    places = pl.int_ranges(0, pl.col(ITEM).list.len()).cast(pl.List(pl.Float64))
    return events.with_columns(places.alias(TIME)).explode(ITEM, TIME)


def _texts(folder: Path) -> Iterator[Path]:
    named = (path for path in sorted(folder.glob("*.txt*")) if path.name.removesuffix(".gz").endswith(".txt"))
    return (path for path in named if find(folder, f"{stem(path)}{_ATTRIBUTES}"))


def _items(path: Path) -> Iterator[Item]:
    held = read_json(path)
    if not isinstance(held, dict) or not all(isinstance(values, list) for values in held.values()):
        raise InputError(f"{path.name} must map an item to a list of attributes.")
    for item_id, values in held.items():
        yield Item(ItemId(item_id), "items", item_id, attributes={"attribute": tuple(map(str, values))})
