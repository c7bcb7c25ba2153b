"""MealRec+ (SIGIR 2024): which meals users chose, in three parts, and which courses make up a meal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from scenewise.eval.data.assemble import ITEM, USER, Kind, assemble
from scenewise.eval.data.text import find, find_needed, read_table
from scenewise.eval.dataset import TEST, TRAIN, VALIDATION, Dataset
from scenewise.store.types import Item, ItemId

_PARTS = {"train": TRAIN, "tune": VALIDATION, "test": TEST}


def fits(path: Path) -> bool:
    """Whether the folder has the meals of users."""
    return path.is_dir() and find(path, "user_meal_train.txt") is not None


def read(path: Path) -> Dataset:
    """Read it; a meal's attributes are its courses and their categories. What users did with single courses is left out."""
    files = {part: find_needed(path, f"user_meal_{name}.txt") for name, part in _PARTS.items()}
    tables = [read_table(file, separator="\t", names=(USER, ITEM)) for file in files.values()]
    part = np.repeat(np.asarray([*files], dtype=np.int8), [len(table) for table in tables])
    items = _meals(path) if find(path, "meal_course.txt") else ()
    return assemble(path.name, pl.concat(tables), Kind("choice", "recipes", ordered=False), items=items, part=part)


def _meals(path: Path) -> Iterator[Item]:
    courses = read_table(find_needed(path, "meal_course.txt"), separator="\t", names=("meal", "course"))
    categories = find(path, "course_category.txt")
    if categories is not None:
        named = read_table(categories, separator="\t", names=("course", "category"))
        courses = courses.join(named.drop("#line"), "course", how="left", maintain_order="left")
    for meal, rows in courses.group_by("meal", maintain_order=True):
        values = {name: rows[name].drop_nulls().unique(maintain_order=True) for name in ("course", "category") if name in rows.columns}
        attributes: dict[str, tuple[str, ...]] = {name: tuple(held.to_list()) for name, held in values.items() if len(held)}
        yield Item(ItemId(str(meal[0])), "recipes", str(meal[0]), attributes=attributes)
