"""KGAT's folder: train.txt and test.txt with a line a user (user, then items), and kg_final.txt (head relation tail), where item i is
entity i."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from scenewise.eval.data.assemble import ITEM, TIME, Graph, Kind, assemble
from scenewise.eval.data.sequences import read_lists
from scenewise.eval.data.text import find, find_needed, read_table
from scenewise.eval.dataset import TEST, TRAIN, Dataset


def fits(path: Path) -> bool:
    """Whether the folder has both parts."""
    return path.is_dir() and find(path, "train.txt") is not None and find(path, "test.txt") is not None


def read(path: Path) -> Dataset:
    """Read it; the order within a line says nothing."""
    parts = [read_lists(find_needed(path, f"{name}.txt")) for name in ("train", "test")]
    part = np.repeat(np.asarray([TRAIN, TEST], dtype=np.int8), [len(one) for one in parts])
    events = pl.concat(parts).drop(TIME)
    facts = find(path, "kg_final.txt")
    graph = None
    if facts is not None:
        triples = read_table(facts, separator=" ", names=("head", "relation", "tail"))
        graph = Graph(triples, {one: one for one in events[ITEM].unique().to_list()})
    return assemble(path.name, events, Kind("interaction", ordered=False), graph=graph, part=part)
