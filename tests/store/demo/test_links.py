"""The join of films and graph goes over titles, since the two files of RecBole use different ids."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from scenewise.store.demo.links import MISSING_IDS, write_links
from scenewise.store.errors import InputError

ITEMS = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n50\tStar Wars\t1977\tSci-Fi\n1\tToy Story\t1995\tComedy\n"
)
LINKS = "item_id:token\tentity_id:token\n1\tm.toy\n2\tm.jumanji\n50\tm.usual\n"
TITLES = "item_id:token\tmovie_title:token\trelease_year:float\tgenre:token\nToy Story (1995)\tToy Story\t1995\tComedy\nJumanji (1995)\tJumanji\t1995\tX\n"


def test_films_are_joined_by_title_not_by_id(tmp_path: Path) -> None:
    (tmp_path / "ml-100k.item").write_text(ITEMS)
    (tmp_path / "ml-100k.link").write_text(LINKS)
    (tmp_path / "titles").write_text(TITLES)
    assert write_links(tmp_path, tmp_path / "titles", tmp_path / "out.link") == 1
    assert (tmp_path / "out.link").read_text() == "item_id:token\tentity_id:token\n1\tm.toy\n"


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ml-100k.item").write_text("a:token\n1\n")
    with pytest.raises(InputError, match="movie_title"):
        write_links(tmp_path, tmp_path / "titles", tmp_path / "out.link")


def test_the_missing_ids_agree_with_movielens_own_list(set_up_home: Path) -> None:
    """The oracle is MovieLens' list of ids and titles, which is not part of this repository."""
    own = Path(__file__).resolve().parents[4] / "shared" / "data" / "movies" / "ml-latest-small" / "movies.csv"
    if not own.is_file():
        pytest.skip("../shared/data/movies/ml-latest-small is absent")
    with own.open(encoding="utf-8") as file:
        title_of = {int(row["movieId"]): plain(row["title"]) for row in csv.DictReader(file)}
    titles = set_up_home / "data" / "ml-1m-titles" / "ml-1m.item"
    rows = titles.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
    ids = [number for number in range(1, 1683) if number not in MISSING_IDS]
    pairs = [(title_of[number], plain(row.split("\t")[1])) for number, row in zip(ids, rows, strict=False) if number in title_of]
    same = sum(a.startswith(b[:6]) or b.startswith(a[:6]) for a, b in pairs)
    assert len(pairs) > 1_000
    assert same / len(pairs) > 0.98


def plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\([^)]*\)|, (the|a|an)\b|^(the|a|an) ", "", title.casefold()))
