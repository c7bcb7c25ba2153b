"""The hand-written workouts, courses and apps: complete, consistent and within the controlled words."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

KEYS = (
    "item_id",
    "domain",
    "title",
    "creator",
    "year",
    "genre",
    "mood",
    "topic",
    "level",
    "duration_min",
    "price_cents",
    "currency",
    "text",
)
REQUIRED = {"item_id", "domain", "title", "genre", "mood", "topic", "level", "text"}
PREFIX = {"workouts": "workout-", "courses": "course-", "apps": "app-"}
MOODS = {
    "calm",
    "cosy",
    "dark",
    "dreamy",
    "energetic",
    "epic",
    "focused",
    "funny",
    "hopeful",
    "intense",
    "melancholic",
    "playful",
    "reflective",
    "romantic",
    "suspenseful",
    "tender",
    "uplifting",
    "warm",
}
DOMAINS = pytest.mark.parametrize("domain", sorted(PREFIX))


def read(domain: str) -> list[dict[str, object]]:
    lines = files("scenewise.store.demo").joinpath("catalogue", f"{domain}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def repeated(values: list[str]) -> set[str]:
    return {value for value in values if values.count(value) > 1}


@DOMAINS
def test_each_domain_has_42_items_with_its_own_prefix(domain: str) -> None:
    items = read(domain)
    assert len(items) == 42
    assert all(item["domain"] == domain for item in items)
    slug = PREFIX[domain]
    wrong = [item["item_id"] for item in items if not str(item["item_id"]).startswith(slug)]
    assert wrong == []


def test_ids_are_unique_slugs() -> None:
    ids = [str(item["item_id"]) for domain in PREFIX for item in read(domain)]
    assert repeated(ids) == set()
    assert [i for i in ids if not i.replace("-", "").isalnum() or not i.isascii() or i != i.lower()] == []


@DOMAINS
def test_titles_and_texts_are_not_repeated(domain: str) -> None:
    items = read(domain)
    assert repeated([str(item["title"]).casefold() for item in items]) == set()
    assert repeated([str(item["text"]).casefold() for item in items]) == set()


@DOMAINS
def test_keys_are_known_ordered_and_complete(domain: str) -> None:
    for item in read(domain):
        assert item.keys() >= REQUIRED, item["item_id"]
        assert list(item) == [key for key in KEYS if key in item], item["item_id"]
        assert ("price_cents" in item) == ("currency" in item), item["item_id"]


@DOMAINS
def test_lists_are_short_lower_case_and_without_repeats(domain: str) -> None:
    for item in read(domain):
        for key, longest in (("genre", 3), ("mood", 3), ("topic", 4)):
            values = item[key]
            assert isinstance(values, list), item["item_id"]
            assert 1 <= len(values) <= longest, item["item_id"]
            assert values == [value.strip().lower() for value in values], item["item_id"]
            assert len(set(values)) == len(values), item["item_id"]


@DOMAINS
def test_moods_and_levels_are_controlled(domain: str) -> None:
    for item in read(domain):
        moods = item["mood"]
        assert isinstance(moods, list)
        assert set(moods) <= MOODS, item["item_id"]
        assert item["level"] in {"beginner", "intermediate", "advanced"}, item["item_id"]


@DOMAINS
def test_texts_have_30_to_60_words(domain: str) -> None:
    lengths = {str(item["item_id"]): len(str(item["text"]).split()) for item in read(domain)}
    assert {item_id: n for item_id, n in lengths.items() if not 30 <= n <= 60} == {}


@DOMAINS
def test_numbers_are_possible(domain: str) -> None:
    for item in read(domain):
        year, minutes, cents = item.get("year", 2000), item.get("duration_min", 1), item.get("price_cents", 0)
        assert isinstance(year, int), item["item_id"]
        assert 1800 <= year <= 2025, item["item_id"]
        assert isinstance(minutes, int), item["item_id"]
        assert 1 <= minutes <= 6000, item["item_id"]
        assert isinstance(cents, int), item["item_id"]
        assert cents >= 0, item["item_id"]
        assert item.get("currency", "USD") == "USD", item["item_id"]


def test_every_workout_says_how_long_it_takes() -> None:
    assert [item["item_id"] for item in read("workouts") if "duration_min" not in item] == []


def test_topics_and_genres_join_the_three_domains() -> None:
    for key, least in (("topic", 8), ("genre", 1)):
        words = [{str(v) for item in read(domain) for v in item[key]} for domain in PREFIX]  # type: ignore[attr-defined]
        shared = (words[0] & words[1]) | (words[0] & words[2]) | (words[1] & words[2])
        assert len(shared) >= least, key
