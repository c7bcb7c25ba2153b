"""Labelled rows for click models: CSV with a column `label` (Frappe_x1 and its like), or libfm text (label index:1 index:1 ...)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from scenewise.eval.data.assemble import ITEM, USER, VALUE, Kind, assemble, split_columns
from scenewise.eval.data.events import NAMES, header
from scenewise.eval.data.text import LINE, first_line, lines_of_words, need, numbers, stem
from scenewise.eval.dataset import TEST, TRAIN, VALIDATION, Dataset
from scenewise.store.errors import InputError

_PARTS = {"train": TRAIN, "valid": VALIDATION, "validation": VALIDATION, "test": TEST}


def fits(path: Path) -> bool:
    """Whether the file, or the parts in the folder (train, valid, test), have a column `label` or libfm's pairs."""
    return any("label" in header(file) or _is_libfm(file) for _, file in _files(path))


def read(path: Path) -> Dataset:
    """Read it: the value is 1 for a positive label, else 0. Columns called user and item (libfm: the first two) are those; a set
    without them has one of each. The files of a folder are parts."""
    files = _files(path)
    if not files:
        raise InputError(f"The folder {path.name} needs train, valid or test as .csv or .libfm.")
    tables = [_read_libfm(file) if _is_libfm(file) else need(file, "label") for _, file in files]
    if len({tuple(table.columns) for table in tables}) > 1:
        raise InputError("All parts must have the same columns.")
    part = np.repeat(np.asarray([part for part, _ in files], dtype=np.int8), [len(table) for table in tables])
    labels = pl.concat([(numbers(table, "label") > 0).cast(pl.Float64) for table in tables])
    table = pl.concat(tables).drop("label").with_columns(labels.alias(VALUE))
    for role in (USER, ITEM):
        column = next((name for name in table.columns if name.lower() in NAMES[role]), None)
        table = table.with_columns(pl.lit("all").alias(role) if column is None else pl.col(column).alias(role))
        table = table if column is None else table.drop(column)
    table, words, measures = split_columns(table, [column for column in table.columns if not column.startswith("#")])
    kind = Kind("label", ordered=False)
    return assemble(stem(path), table, kind, context=words, measures=measures, part=None if path.is_file() else part)


def _files(path: Path) -> list[tuple[int, Path]]:
    """List the file itself, or the parts in a folder: files with train, valid or test as a word of their names."""
    if path.is_file():
        return [(TRAIN, path)]
    named = [(path.name.lower().removesuffix(".gz").split("."), path) for path in sorted(path.iterdir())]
    texts = [(words, path) for words, path in named if words[-1] in ("csv", "libfm", "txt")]
    return sorted((part, path) for words, path in texts for word, part in _PARTS.items() if word in words)


def _is_libfm(path: Path) -> bool:
    words = first_line(path).split()
    return len(words) > 1 and all(":" in word for word in words[1:])


def _read_libfm(path: Path) -> pl.DataFrame:
    """Read libfm text; the place in the line is the column. InputError for lines of different lengths and for other values than 1."""
    rows = [(number, words) for number, words in enumerate(lines_of_words(path), 1) if words]
    width = max(len(rows[0][1]) if rows else 0, 3)
    columns = ["label", "user", "item", *(f"field_{place}" for place in range(2, width - 1))]
    for number, words in rows:
        if len(words) != width or not all(word.endswith(":1") for word in words[1:]):
            raise InputError(
                f"{path.name}, line {number}: a label and at least two pairs index:1, as many as in the first line, are needed."
            )
    held = zip(*((label, *(pair[:-2] for pair in pairs)) for _, (label, *pairs) in rows), strict=True)
    frame = pl.DataFrame({name: [*words] for name, words in zip(columns, held, strict=True)})
    return frame.with_columns(pl.Series(LINE, [number for number, _ in rows]))
