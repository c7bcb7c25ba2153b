"""Names to fill into requests: titles of many catalogues, and people. Only names are taken, so that copying is learned and no catalogue."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenewise.store.demo.build import CATALOGUE, turn_title

HERE = Path(__file__).resolve().parent
_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_WRITABLE = re.compile(r"[^()\[\]{};|\"#\n]{2,48}")


@dataclass(frozen=True, slots=True)
class Pools:
    """`titles`, `people` and `topics` by domain, `moods` of all; `words` is words.toml; `absent` names what was looked for and not
    found."""

    titles: Mapping[str, tuple[str, ...]]
    people: Mapping[str, tuple[str, ...]]
    words: Mapping[str, Any]
    topics: Mapping[str, tuple[str, ...]]
    moods: tuple[str, ...]
    absent: tuple[str, ...] = ()


def read_words(name: str = "words.toml") -> dict[str, Any]:
    """Read a word list of this folder."""
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def read_pools(data: Path | None) -> Pools:
    """Gather names from the demo's catalogue and from the folders of `data` that are there."""
    titles: dict[str, list[str]] = {}
    people: dict[str, list[str]] = {}
    topics: dict[str, tuple[str, ...]] = {}
    moods: set[str] = set()
    for path in sorted(CATALOGUE.glob("*.jsonl")):
        items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        titles[path.stem] = [item["title"] for item in items]
        people[path.stem] = [name for item in items for name in item.get("creator", ())]
        topics[path.stem] = tuple(sorted({topic for item in items for topic in item.get("topic", ())}))
        moods.update(mood for item in items for mood in item.get("mood", ()))
    absent = []
    for name, read in _SOURCES.items():
        try:
            if data is None:
                raise FileNotFoundError(name)
            read(data, titles, people)
        except FileNotFoundError:
            absent.append(name)
    writable = {domain: tuple(sorted({*filter(_is_writable, values)})) for domain, values in titles.items()}
    named = {domain: tuple(sorted({*filter(_is_writable, values)})) for domain, values in people.items()}
    words, rng = read_words(), random.Random(0)
    if "movies" not in writable:  # without public data no film is known by name: made-up ones serve, as they do for a share of all names
        writable["movies"] = tuple(sorted({made_up_title(words, rng) for _ in range(400)}))
    if "movies" not in named:
        named["movies"] = tuple(sorted({made_up_name(words, rng) for _ in range(400)}))
    return Pools(writable, named, words, topics, tuple(sorted(moods)), tuple(absent))


def made_up_title(words: Mapping[str, Any], rng: random.Random) -> str:
    """A title that no catalogue has to hold."""
    a, b, c = (rng.choice(words["general"][f"title_{part}"]) for part in "abc")
    return rng.choice((f"The {a} {b}", f"{a} {b}", f"{b} {c}", f"The {b} {c}", f"{a} {b} {c}"))


def made_up_name(words: Mapping[str, Any], rng: random.Random) -> str:
    """A name of a person whom nobody has to know."""
    return f"{rng.choice(words['general']['first'])} {rng.choice(words['general']['last'])}"


def _is_writable(name: str) -> bool:
    return _WRITABLE.fullmatch(name) is not None and any(char.isalpha() for char in name)


def _open(path: Path) -> io.TextIOBase:
    return io.TextIOWrapper(gzip.open(path), encoding="utf-8")


def _movielens(data: Path, titles: dict[str, list[str]], people: dict[str, list[str]]) -> None:
    with (data / "movies" / "ml-latest-small" / "movies.csv").open(encoding="utf-8", newline="") as file:
        titles.setdefault("movies", []).extend(turn_title(_YEAR.sub("", row["title"])) for row in csv.DictReader(file))


def _redial_graph(data: Path, titles: dict[str, list[str]], people: dict[str, list[str]]) -> None:
    with _open(data / "movies" / "redial-kg" / "id2info.json.gz") as file:
        films: Iterable[Mapping[str, Any]] = json.load(file).values()
    for film in films:
        titles.setdefault("movies", []).append(_YEAR.sub("", film["name"]))
        people.setdefault("movies", []).extend((*film["director"][:1], *film["star"][:2]))


def _coursera(data: Path, titles: dict[str, list[str]], people: dict[str, list[str]]) -> None:
    with _open(data / "education" / "coursera" / "courses.csv.gz") as file:
        titles.setdefault("courses", []).extend(" ".join(row["course_title"].split()) for row in csv.DictReader(file))


def _retail(data: Path, titles: dict[str, list[str]], people: dict[str, list[str]]) -> None:
    with _open(data / "shopping" / "retail-demo" / "products.yaml.gz") as file:
        titles.setdefault("products", []).extend(line.partition(":")[2].strip(" '\"\n") for line in file if re.match(r"[ -]*name:", line))


def _steam(data: Path, titles: dict[str, list[str]], people: dict[str, list[str]]) -> None:
    with zipfile.ZipFile(data / "shopping" / "steam" / "steam.zip") as archive:
        lines = archive.read("steam/item_info.dat").decode("utf-8", "replace").splitlines()[1:]
    titles.setdefault("apps", []).extend(line.partition("\t")[2].strip() for line in lines)


_SOURCES = {
    "movies/ml-latest-small": _movielens,
    "movies/redial-kg": _redial_graph,
    "education/coursera": _coursera,
    "shopping/retail-demo": _retail,
    "shopping/steam": _steam,
}
