"""A small world for tests: the hand-written catalogue, fourteen films, and users whose taste is plain to see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from scenewise.store.demo.build import CATALOGUE
from scenewise.store.ingest import ingest
from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, Moment, Place, UserId

FILMS = (
    ("film-alien", "Alien", 1979, ("Horror", "Sci-Fi", "Thriller"), "Ridley Scott", 117),
    ("film-blade-runner", "Blade Runner", 1982, ("Film-Noir", "Sci-Fi"), "Ridley Scott", 117),
    ("film-fargo", "Fargo", 1996, ("Crime", "Drama", "Thriller"), "Joel Coen", 98),
    ("film-raising-arizona", "Raising Arizona", 1987, ("Comedy",), "Joel Coen", 94),
    ("film-toy-story", "Toy Story", 1995, ("Animation", "Children's", "Comedy"), "John Lasseter", 81),
    ("film-babe", "Babe", 1995, ("Children's", "Comedy", "Drama"), "Chris Noonan", 91),
    ("film-psycho", "Psycho", 1960, ("Horror", "Thriller"), "Alfred Hitchcock", 109),
    ("film-vertigo", "Vertigo", 1958, ("Mystery", "Thriller"), "Alfred Hitchcock", 128),
    ("film-casablanca", "Casablanca", 1942, ("Drama", "Romance", "War"), "Michael Curtiz", 102),
    ("film-sleepless", "Sleepless in Seattle", 1993, ("Comedy", "Romance"), "Nora Ephron", 105),
    ("film-duck-soup", "Duck Soup", 1933, ("Comedy", "War"), "Leo McCarey", 69),
    ("film-star-wars", "Star Wars", 1977, ("Action", "Adventure", "Sci-Fi"), "George Lucas", 121),
    ("film-2001", "2001: A Space Odyssey", 1968, ("Drama", "Mystery", "Sci-Fi"), "Stanley Kubrick", 149),
    ("film-singin", "Singin' in the Rain", 1952, ("Musical", "Romance"), "Stanley Donen", 103),
)
TASTES = {
    "ann": ("film-alien", "film-blade-runner", "film-star-wars"),
    "ben": ("film-alien", "film-star-wars", "film-2001"),
    "cat": ("film-blade-runner", "film-star-wars", "film-2001", "film-alien"),
    "dan": ("film-toy-story", "film-babe", "film-raising-arizona"),
    "eve": ("film-toy-story", "film-babe", "film-singin", "film-sleepless"),
    "fay": ("film-fargo", "film-psycho", "film-vertigo"),
    "gus": ("film-casablanca", "film-sleepless", "film-singin"),
    "hal": ("film-fargo", "film-raising-arizona", "film-duck-soup"),
}
START_S = 1_700_000_000.0


def films() -> Iterator[Item]:
    """The films, with a sentence of text each."""
    for item_id, title, year, genres, creator, minutes in FILMS:
        yield Item(
            ItemId(item_id),
            "movies",
            title,
            text=f"A {year} film by {creator}.",
            attributes={"genre": genres, "creator": (creator,)},
            year=year,
            duration_min=minutes,
        )


def build_small_store(path: Path) -> None:
    """Write the small world to a new store."""
    with Store.open(path, create=True, purpose="test") as store:
        store.items.upsert(films())
        for file in sorted(CATALOGUE.glob("*.jsonl")):
            ingest(store, file, "items")
        store.events.add(
            Event(UserId(user), ItemId(item), "rating", 5.0, START_S + place)
            for user, liked in TASTES.items()
            for place, item in enumerate(liked)
        )


def write_jsonl(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def build_crowd_store(path: Path, *, users: int = 80) -> None:
    """Write a store of 24 items in two domains and users who walk through one domain in order, in the evening or on the way."""
    evening = Moment(device="tv", local_time=datetime(2025, 6, 14, 20, 30), place=Place("home"))
    ways = Moment(device="phone", local_time=datetime(2025, 6, 16, 8, 10), place=Place("train"))
    with Store.open(path, create=True, purpose="test") as store:
        store.items.upsert(
            Item(ItemId(f"{domain[0]}{place:02}"), domain, f"{domain} number {place}", attributes={"genre": (f"kind {place % 4}",)})
            for domain in ("movies", "books")
            for place in range(12)
        )
        store.events.add(
            Event(
                UserId(f"u{user:03}"),
                ItemId(f"{'mb'[user % 2]}{(user // 2 + step) % 12:02}"),
                "play",
                None,
                START_S + 1000 * step + user,
                (evening, ways)[user % 2] if user % 3 else None,
            )
            for user in range(users)
            for step in range(6)
        )
