"""Build the demo store: films, users, ratings and graph of MovieLens-100k, and a hand-written catalogue of six more domains."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scenewise.store.demo.links import write_links
from scenewise.store.errors import InputError, NotFound
from scenewise.store.ingest import IngestReport, Progress, ingest
from scenewise.store.types import Item

if TYPE_CHECKING:
    from scenewise.store.store import Store

CATALOGUE = Path(__file__).parent / "catalogue"

# The article stands at the end of a title: "Godfather, The", "Enfer, L' (Hell, The)".
_TURNED = re.compile(r"(?:^|(?<=\())([^()]+?), (The|An?|Les?|La|Il|El|Los|Las|Der|Die|Das|Det|O|L')(?=\s*(?:[()]|$))")


def turn_title(title: str) -> str:
    """Put the article of a MovieLens title in front, also in a second title in brackets.

    >>> turn_title("Godfather, The")
    'The Godfather'
    >>> turn_title("Enfer, L' (Hell, The)")
    "L'Enfer (The Hell)"
    """
    return _TURNED.sub(lambda match: f"{match[2]}{'' if match[2].endswith(chr(39)) else ' '}{match[1]}", title)


def build_demo(store: Store, movielens: Path, progress: Progress | None = None, *, titles: Path | None = None) -> dict[str, IngestReport]:
    """Load the folder of MovieLens-100k in RecBole's form (.item, .user, .inter, .kg, .link) and the hand-written catalogue.

    `titles` is the list of films of MovieLens-1M, over which the graph is joined with the films (see `write_links`); without it
    the folder's .link file is taken to hold the ids of its .item file, which is not so in RecBole's own.
    Returns the report of each file: "items", "users", "events" and "edges" of MovieLens, then "catalogue/books" and so on.
    Loading twice changes nothing the second time. Raises NotFound where the folder lacks a file, and what `ingest` raises.
    """
    items, users, events, edges, links = (_find_one(movielens, suffix) for suffix in (".item", ".user", ".inter", ".kg", ".link"))
    if titles is not None:
        links = store.path / "cache" / "films.link"
        write_links(movielens, titles, links)
    reports = {
        "items": ingest(store, items, "items", domain="movies", amend=_turn_item, progress=progress),
        "users": ingest(store, users, "users", progress=progress),
        "events": ingest(store, events, "events", progress=progress),
        "edges": ingest(store, edges, "edges", links=links, progress=progress),
    }
    for path in sorted(CATALOGUE.glob("*.jsonl")):
        reports[f"catalogue/{path.stem}"] = ingest(store, path, "items", progress=progress)
    return reports


def _turn_item(item: Item) -> Item:
    return replace(item, title=turn_title(item.title))


def _find_one(folder: Path, suffix: str) -> Path:
    found = sorted(folder.glob(f"*{suffix}"))
    if not found:
        raise NotFound(f"There is no {suffix} file in {folder}: the folder ml-100k of RecBole's example data is needed.")
    if len(found) > 1:
        raise InputError(f"There are several {suffix} files in {folder}: the demo needs a folder with one data set.")
    return found[0]
