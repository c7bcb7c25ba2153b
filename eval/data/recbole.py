"""RecBole's atomic files: NAME.inter, and beside it NAME.item, NAME.user, NAME.kg and NAME.link; tabs, typed headers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from scenewise.eval.data.assemble import ITEM, TIME, USER, VALUE, Graph, Kind, assemble, split_columns
from scenewise.eval.data.text import LINE, find, numbers, read_table, stem
from scenewise.eval.dataset import Dataset
from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId

_GENRES = ("genre", "genres", "class")  # what RecBole's sets call it; their values stand between blanks or |
_TITLES = ("movie_title", "title", "name", "item_name", "product_name")
_TEXTS = ("description", "plot", "summary")


def fits(path: Path) -> bool:
    """Whether it is an .inter file, or a folder with one."""
    return any(path.glob("*.inter*")) if path.is_dir() else path.name.removesuffix(".gz").endswith(".inter")


def read(path: Path, *, titles: Path | None = None) -> Dataset:
    """Read it; what .user says of a user is context of each of their events, under its own name.

    A .link file may hold ids of another set than .item: RecBole's ml-100k.link holds those of MovieLens' later sets. `titles` is
    then the list of titles by those ids (movies.csv, or an .item file), over which links are joined, with the year.
    """
    path = _find_inter(path)
    table = read_atomic(path, "user_id", "item_id")[0]
    events = table.rename({"user_id": USER, "item_id": ITEM})
    for column, name in (("rating", VALUE), ("timestamp", TIME)):
        if column in events.columns:
            events = events.with_columns(numbers(events, column).alias(name)).drop(column)
    people = _beside(path, "user")
    if people is not None:
        known = read_atomic(people, "user_id")[0].drop(LINE).rename({"user_id": USER})
        clash = {*known.columns} & {*events.columns} - {USER}
        events = events.join(known.drop(clash).unique(USER, keep="last"), USER, how="left", maintain_order="left")
        events = events.with_columns(pl.col(known.columns).fill_null(""))
    named = [column for column in events.columns if not column.startswith("#")]
    events, words, measures = split_columns(events, named)
    things = _beside(path, "item")
    items = {} if things is None else {str(item.item_id): item for item in _items(things, "items")}
    kind = Kind("rating" if VALUE in events.columns else "interaction", ordered=TIME in events.columns)
    graph = _graph(path, items, titles)
    return assemble(stem(path), events, kind, items=items.values(), graph=graph, context=words, measures=measures)


def read_atomic(path: Path, *needed: str) -> tuple[pl.DataFrame, Mapping[str, str]]:
    """Read one atomic file: its table without types in the names, and the type of each column. InputError for other columns."""
    table = read_table(path, separator="\t", quoted=False)
    named = {column: column.rpartition(":") for column in table.columns if column != LINE}
    kinds = {name or kind: kind for name, _, kind in named.values()}
    if not {*needed} <= {*kinds} or len(kinds) < len(named):
        raise InputError(f"{path.name} needs the columns {', '.join(needed)}, each name once.")
    return table.rename({column: name or kind for column, (name, _, kind) in named.items()}), kinds


def _find_inter(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.inter*"))
    if len(found) != 1:
        raise InputError(f"The folder {path.name} has {len(found)} .inter files: give the path of one.")
    return found[0]


def _beside(path: Path, ending: str) -> Path | None:
    return find(path.parent, f"{stem(path)}.{ending}")


def _items(path: Path, domain: str) -> Iterator[Item]:
    """Read an .item file: a title, a text and a year where a column is called so; every other column is an attribute."""
    table, kinds = read_atomic(path, "item_id")
    title = next((column for column in table.columns if column in _TITLES), "item_id")
    text = next((column for column in table.columns if column in _TEXTS), None)
    year = next((column for column in table.columns if "year" in column), None)
    others = [column for column in kinds if column not in ("item_id", title, text, year)]
    for row in table.unique("item_id", keep="last", maintain_order=True).iter_rows(named=True):
        values = {("genre" if column in _GENRES else column): _values(row[column], column, kinds[column]) for column in others}
        yield Item(
            ItemId(row["item_id"]),
            domain,
            row[title] or row["item_id"],
            row[text] if text else "",
            {name: held for name, held in values.items() if held},
            find_year(row[year]) if year else None,
        )


def _values(cell: str, column: str, kind: str) -> tuple[str, ...]:
    if kind.endswith("_seq") or column in _GENRES:
        return tuple(dict.fromkeys(word for word in re.split(r"[|\s]+", cell) if word))
    return (cell,) if cell else ()


def find_year(cell: str) -> int | None:
    """Find four figures that stand alone."""
    found = re.search(r"(?<!\d)\d{4}(?!\d)", cell)
    return int(found[0]) if found else None


def _graph(path: Path, items: Mapping[str, Item], titles: Path | None) -> Graph | None:
    facts, links = _beside(path, "kg"), _beside(path, "link")
    if facts is None or links is None:
        return None
    triples = read_atomic(facts, "head_id", "relation_id", "tail_id")[0]
    link = read_atomic(links, "item_id", "entity_id")[0]
    entity_of = dict(zip(link["item_id"].to_list(), link["entity_id"].to_list(), strict=True))
    if titles is not None:
        id_of = {title_key(title): other for other, title in _titles(titles)}
        keyed = ((str(item.item_id), title_key(f"{item.title} ({item.year})")) for item in items.values())
        entity_of = {one: entity_of[id_of[key]] for one, key in keyed if id_of.get(key) in entity_of}
    triples = triples.rename({"head_id": "head", "relation_id": "relation", "tail_id": "tail"})
    return Graph(triples, entity_of)


def _titles(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the first column (an id) and "title (year)" of a list of titles."""
    table = read_table(path, quoted=path.suffix == ".csv")
    names = [column.partition(":")[0] for column in table.columns]
    title = next((place for place, name in enumerate(names) if name in _TITLES), 1)
    year = next((place for place, name in enumerate(names) if "year" in name), None)
    for row in table.iter_rows():
        yield row[0], row[title] if year is None else f"{row[title]} ({row[year]})"


def title_key(title: str) -> tuple[str, str]:
    """Bring a title and its year, "Title (Year)", into the form in which lists are compared: no case, accents, articles at the end.

    >>> title_key("Usual Suspects, The (1995)") == title_key("The usual suspects (1995)")
    True
    """
    year = re.findall(r"\((\d{4})\)", title)
    bare = re.sub(r"\([^)]*\)", "", title)
    bare = re.sub(r"^\s*(.*), (the|a|an|les?|la|il|el|l')\s*$", r"\2 \1", bare, flags=re.IGNORECASE)
    plain = "".join(char for char in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(char)).casefold()
    return re.sub(r"[^a-z0-9]", "", plain), year[-1] if year else ""
