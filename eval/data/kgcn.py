"""KGCN's and RippleNet's Last.FM: plays (user_artists.dat of HetRec 2011), the entity of an item, and triples over entities."""

from __future__ import annotations

from pathlib import Path

from scenewise.eval.data.assemble import ITEM, USER, VALUE, Graph, Kind, assemble
from scenewise.eval.data.hetrec import read_plays
from scenewise.eval.data.text import find, find_needed, read_table
from scenewise.eval.dataset import Dataset

_LINKS = "item_index2entity_id.txt"


def fits(path: Path) -> bool:
    """Whether the folder says which item is which entity."""
    return path.is_dir() and find(path, _LINKS) is not None


def read(path: Path) -> Dataset:
    """Read it; as in the papers, only items with an entity come in."""
    links = read_table(find_needed(path, _LINKS), separator="\t", names=("item", "entity"))
    entity_of = dict(zip(links["item"].to_list(), links["entity"].to_list(), strict=True))
    plays = read_plays(path).rename({"userID": USER, "artistID": ITEM, "weight": VALUE})
    triples = read_table(find_needed(path, "kg.txt"), separator="\t", names=("head", "relation", "tail"))
    events = plays.filter(plays[ITEM].is_in([*entity_of]))
    return assemble(path.name, events, Kind("play", "music", ordered=False), graph=Graph(triples, entity_of))
