"""MovieLens as CSV (ml-latest-small and its like), with the film graph of ReDial (genres, people, plots) joined over the IMDb id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from scenewise.eval.data.assemble import ITEM, TIME, USER, VALUE, Graph, Kind, assemble
from scenewise.eval.data.recbole import find_year
from scenewise.eval.data.text import find, find_needed, need, numbers, read_json
from scenewise.eval.dataset import Dataset
from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId

_PEOPLE = ("director", "writer", "star")
_FILES = ("id2info.json", "entity2id.json", "kg.json")


def fits(path: Path) -> bool:
    """Whether the folder has ratings and films."""
    return path.is_dir() and find(path, "ratings.csv") is not None and find(path, "movies.csv") is not None


def read(path: Path, *, graph: Path | None = None) -> Dataset:
    """Read it. `graph` is the folder of the film graph; without it, `redial-kg` beside the set's folder where there is one."""
    events = need(find_needed(path, "ratings.csv"), "userId", "movieId", "rating", "timestamp")
    events = events.with_columns(numbers(events, "rating").alias(VALUE), numbers(events, "timestamp").alias(TIME))
    events = events.rename({"userId": USER, "movieId": ITEM})
    imdb_of = _imdb_ids(path)
    beside = path.resolve().parent / "redial-kg"
    folder = graph or (beside if beside.is_dir() else None)
    films = {} if folder is None else _films(folder)
    items = _items(find_needed(path, "movies.csv"), imdb_of, films)
    joined = None if folder is None else _graph(folder, imdb_of, films)
    return assemble(path.name, events, Kind("rating", "movies"), items=items, graph=joined)


def _imdb_ids(path: Path) -> Mapping[str, str]:
    links = find(path, "links.csv")
    if links is None:
        return {}
    table = need(links, "movieId", "imdbId")
    return dict(zip(table["movieId"].to_list(), table["imdbId"].str.strip_prefix("tt").str.zfill(7).to_list(), strict=True))


def _films(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return what the graph's folder says of each film, by the number of its IMDb id."""
    held = read_json(find_needed(folder, _FILES[0]))
    if not isinstance(held, dict) or not all(isinstance(film, dict) and isinstance(film.get("name"), str) for film in held.values()):
        raise InputError(f"{_FILES[0]} must map an id to a film with a name.")
    return {str(film.get("imdb_id", "")).removeprefix("tt").zfill(7): film for film in held.values()}


def _items(path: Path, imdb_of: Mapping[str, str], films: Mapping[str, Mapping[str, Any]]) -> Iterator[Item]:
    for row in need(path, "movieId", "title", "genres").iter_rows(named=True):
        film = films.get(imdb_of.get(row["movieId"], ""), {})
        genres = [genre for genre in row["genres"].split("|") if not genre.startswith("(")]
        attributes = {"genre": genres} | {role: film.get(role) or [] for role in _PEOPLE}
        known = {name: tuple(map(str, values)) for name, values in attributes.items() if values}
        title = row["title"].strip()
        text = str(film.get("plot") or "")
        yield Item(ItemId(row["movieId"]), "movies", title or row["movieId"], text, known, find_year(title[-6:]))


def _graph(folder: Path, imdb_of: Mapping[str, str], films: Mapping[str, Mapping[str, Any]]) -> Graph:
    """Entities keep their numbers, as words; a film's entity is the one of its name."""
    entity2id, kg = (read_json(find_needed(folder, name)) for name in _FILES[1:])
    try:
        facts = [(head, str(relation), str(tail)) for head, edges in kg.items() for relation, tail in edges]
        entity_of = {item: str(entity2id[films[imdb]["name"]]) for item, imdb in imdb_of.items() if imdb in films}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{_FILES[2]} must map an entity to [relation, entity] pairs, {_FILES[1]} a name to an entity.") from error
    return Graph(pl.DataFrame(facts, schema=dict.fromkeys(("head", "relation", "tail"), pl.String), orient="row"), entity_of)
