"""When an item may come again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scenewise.store.errors import InputError
from scenewise.store.types import Event, Item, ItemId, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.interactions import Worth
from scenewise.tools.ranking.slate.repeats import DAY_S, asks_for_known, known_rows, repeats_of

DOMAINS = ("apps", "books", "courses", "movies", "music", "recipes", "shoes", "workouts")
CATALOGUE = Catalogue.from_items(Item(ItemId(domain), domain, "") for domain in DOMAINS)
WORTH = Worth({"rating": 5.0})
NOW_S = 100 * DAY_S


def had(domain: str, *, days_ago: float = 0.0, kind: str = "use", value: float | None = None) -> Event:
    return Event(UserId("u"), ItemId(domain), kind, value, NOW_S - days_ago * DAY_S)


def barred(folder: Path, *history: Event) -> set[str]:
    mask = repeats_of(folder).barred(history, CATALOGUE, WORTH, now_s=NOW_S)
    return {domain for domain, hit in zip(DOMAINS, mask.tolist(), strict=True) if hit}


def test_the_default_table(tmp_path: Path) -> None:
    assert barred(tmp_path, *map(had, DOMAINS)) == {"books", "courses", "movies", "recipes", "shoes", "workouts"}
    assert barred(tmp_path, *(had(domain, days_ago=2) for domain in DOMAINS)) == {"books", "courses", "movies", "recipes", "shoes"}
    assert barred(tmp_path, *(had(domain, days_ago=99) for domain in DOMAINS)) == {"books", "courses", "movies", "shoes"}
    assert barred(tmp_path, had("nothing"), had("recipes", days_ago=-1)) == {"recipes"}


def test_what_did_not_please_never_comes_again(tmp_path: Path) -> None:
    assert barred(tmp_path, had("music", kind="rating", value=2.0), had("apps", kind="skip"), had("recipes", days_ago=50)) == {
        "music",
        "apps",
    }
    assert barred(tmp_path, had("music", kind="rating", value=2.0), had("music", kind="rating", value=5.0)) == set()


def test_a_store_has_rules_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "repeats.toml"
    own.write_text('[movies]\nconsumed = 30\n[Shoes]\nconsumed = "free"\n[music]\nconsumed = "never"\nshown = "never"\n')
    assert barred(tmp_path, had("movies", days_ago=29), had("shoes"), had("music", days_ago=99)) == {"movies", "music"}
    assert barred(tmp_path, had("movies", days_ago=31)) == set()
    rules = repeats_of(tmp_path)
    assert rules.stale({ItemId("music"): 0.0, ItemId("movies"): NOW_S - 1, ItemId("apps"): NOW_S}, CATALOGUE, now_s=NOW_S) == {
        "music",
        "movies",
    }
    own.write_text('[movies]\nconsumed = "free"\n')
    os.utime(own, ns=(1, 1))
    assert barred(tmp_path, had("movies")) == set()
    own.unlink()
    assert barred(tmp_path, had("movies")) == {"movies"}


def test_what_was_shown_lately_is_stale_where_it_may_not_come_twice(tmp_path: Path) -> None:
    rules = repeats_of(tmp_path)
    lately = dict.fromkeys(map(ItemId, (*DOMAINS, "nothing")), NOW_S - 60)
    assert rules.stale(lately, CATALOGUE, now_s=NOW_S) == {"books", "courses", "movies", "shoes"}
    assert rules.stale(lately, CATALOGUE, now_s=NOW_S + DAY_S) == frozenset()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("movies = 3", "movies"),
        ("[movies]\nconsumed = -1", "movies.consumed"),
        ('[movies]\nconsumed = "sometimes"', "movies.consumed"),
        ("[movies]\neaten = 1", "movies.eaten"),
        ("[movies]\nconsumed = nan", "movies.consumed"),
        ("[movies", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "repeats.toml").write_text(text)
    with pytest.raises(InputError, match=rf"repeats\.toml.*{says}"):
        repeats_of(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "repeats.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="repeats"):
        repeats_of(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "Something I know, please",
        "one that we already know",
        "let's rewatch something",
        "an old favourite",
        "I want to watch that film again",
        "我想再看一遍",
        "重温经典",
    ],
)
def test_words_that_ask_for_what_is_known(text: str) -> None:
    assert asks_for_known(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "not something I know",
            "I don't want to rewatch anything",
            "never play that song again",
            "it is raining again",
            "something I do not know",
        ),
        *("make me laugh again", "I want to read more again", "movies I have seen: Alien", "", "不想再看一遍"),
    ],
)
def test_words_that_do_not(text: str) -> None:
    assert not asks_for_known(text)


def test_known_is_what_was_liked() -> None:
    history = [
        had("music"),
        had("movies", kind="rating", value=5.0),
        had("books", kind="rating", value=1.0),
        had("apps"),
        had("apps", kind="skip"),
    ]
    mask = known_rows(history, CATALOGUE, WORTH)
    assert {domain for domain, hit in zip(DOMAINS, mask.tolist(), strict=True) if hit} == {"music", "movies"}
