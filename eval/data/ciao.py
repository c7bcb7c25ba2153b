"""Ciao: rating.mat (user, item, category, rating, helpfulness) and trustnetwork.mat (who trusts whom), as in Tang et al. 2012."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scenewise.eval.data.assemble import ITEM, USER, VALUE, Graph, Kind, assemble
from scenewise.eval.dataset import Dataset
from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId


def fits(path: Path) -> bool:
    """Whether it is a MATLAB file, or a folder with the ratings."""
    return (path / "rating.mat").is_file() or path.suffix == ".mat"


def read(path: Path) -> Dataset:
    """Read it; an item's category is an attribute, and trust is triples over entities "user:ID"; no item has an entity."""
    path = path / "rating.mat" if path.is_dir() else path
    rows = _matrix(path, "rating", 4)
    words = rows[:, :3].astype(np.int64).astype(str)
    events = pl.DataFrame({USER: words[:, 0].tolist(), ITEM: words[:, 1].tolist(), VALUE: rows[:, 3].astype(np.float64)})
    category_of = dict(zip(words[:, 1].tolist(), words[:, 2].tolist(), strict=True))
    items = [Item(ItemId(one), "items", one, attributes={"category": (category,)}) for one, category in category_of.items()]
    trust = path.with_name("trustnetwork.mat")
    graph = None
    if trust.is_file():
        ends = _matrix(trust, "trustnetwork", 2).astype(np.int64).astype(str)
        columns = {name: "user:" + pl.Series(ends[:, place].tolist()) for place, name in enumerate(("head", "tail"))}
        graph = Graph(pl.DataFrame({**columns, "relation": pl.repeat("trusts", len(ends), eager=True)}))
    return assemble(path.resolve().parent.name, events, Kind("rating", ordered=False), items=items, graph=graph)


def _matrix(path: Path, name: str, columns: int) -> NDArray[np.generic]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        rows = np.asarray(loadmat(path)[name])
    except (KeyError, OSError, ValueError, TypeError, NotImplementedError, IndexError, MatReadError) as error:
        raise InputError(f"{path.name} is not a MATLAB file with a matrix called {name}.") from error
    if rows.ndim != 2 or rows.shape[1] < columns or not np.issubdtype(rows.dtype, np.number):
        raise InputError(f"The matrix {name} of {path.name} needs {columns} columns of numbers.")
    return rows
