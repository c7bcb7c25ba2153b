"""HetRec 2011's Last.FM: artists played, their names, and who is whose friend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from scenewise.eval.data.assemble import ITEM, USER, VALUE, Graph, Kind, assemble
from scenewise.eval.data.text import find, find_needed, need, numbers
from scenewise.eval.dataset import Dataset
from scenewise.store.types import Item, ItemId


def fits(path: Path) -> bool:
    """Whether the folder has plays."""
    return path.is_dir() and find(path, "user_artists.dat") is not None


def read(path: Path) -> Dataset:
    """Read it; the value is the number of plays. Friends are triples over entities "user:ID"; no item has an entity."""
    events = read_plays(path).rename({"userID": USER, "artistID": ITEM, "weight": VALUE})
    friends, names = find(path, "user_friends.dat"), find(path, "artists.dat")
    graph = None
    if friends is not None:
        pairs = need(friends, "userID", "friendID", separator="\t", quoted=False)
        ends = {name: "user:" + pairs[column] for name, column in (("head", "userID"), ("tail", "friendID"))}
        graph = Graph(pl.DataFrame({**ends, "relation": pl.repeat("friend", len(pairs), eager=True)}))
    kind = Kind("play", "music", ordered=False)
    return assemble(path.name, events, kind, items=_artists(names) if names else (), graph=graph)


def read_plays(path: Path) -> pl.DataFrame:
    """Read user_artists.dat of a folder: userID, artistID (words) and weight (Float64)."""
    plays = need(find_needed(path, "user_artists.dat"), "userID", "artistID", "weight", separator="\t", quoted=False)
    return plays.with_columns(numbers(plays, "weight"))


def _artists(path: Path) -> Iterator[Item]:
    for row in need(path, "id", "name", separator="\t", quoted=False).iter_rows(named=True):
        yield Item(ItemId(row["id"]), "music", row["name"] or row["id"])
