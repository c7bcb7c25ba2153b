"""The hand-written books, albums and recipes: complete, unique, and in the words that the scenes and bans use."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

PREFIX = {"books": "book-", "music": "album-", "recipes": "recipe-"}
AT_LEAST = {"books": 50, "music": 48, "recipes": 46}
YEARS = {"books": (1800, 2022), "music": (1955, 2022)}
# fmt: off
ORDER = ("item_id", "domain", "title", "creator", "year", "genre", "mood", "topic",
         "cuisine", "diet", "level", "duration_min", "text")
MOODS = {"calm", "cosy", "dark", "dreamy", "energetic", "epic", "focused", "funny", "hopeful", "intense", "melancholic",
         "playful", "reflective", "romantic", "suspenseful", "tender", "uplifting", "warm"}
# fmt: on
REQUIRED = {"item_id", "domain", "title", "genre", "mood", "topic", "duration_min", "text"}
MADE = REQUIRED | {"creator", "year"}
COURSES = {"main", "breakfast", "dessert", "soup", "salad", "snack"}
DIETS = {"vegetarian", "vegan", "gluten-free"}
VIOLENT = {"crime", "horror", "thriller", "war", "western"}
MEAT_AND_FISH = {"meat", "beef", "pork", "chicken", "lamb", "fish", "seafood"}
LIMITS = {"creator": (1, 4), "genre": (1, 3), "mood": (1, 3), "topic": (1, 4), "cuisine": (1, 2), "diet": (1, 3)}

in_each_domain = pytest.mark.parametrize("domain", list(PREFIX))


@cache
def lines(domain: str) -> tuple[dict[str, Any], ...]:
    text = files("scenewise.store.demo").joinpath("catalogue", f"{domain}.jsonl").read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.splitlines())


@in_each_domain
def test_there_are_enough_items_and_each_says_its_domain(domain: str) -> None:
    assert len(lines(domain)) >= AT_LEAST[domain]
    assert {line["domain"] for line in lines(domain)} == {domain}


@in_each_domain
def test_ids_are_unique_slugs(domain: str) -> None:
    ids = [line["item_id"] for line in lines(domain)]
    assert len(set(ids)) == len(ids)
    for item_id in ids:
        slug = item_id.removeprefix(PREFIX[domain])
        assert slug != item_id
        assert all(part.isascii() and part.isalnum() and part == part.lower() for part in slug.split("-")), item_id


@in_each_domain
def test_titles_are_unique_within_a_domain(domain: str) -> None:
    titles = [line["title"].casefold() for line in lines(domain)]
    assert sorted(set(titles)) == sorted(titles)


@in_each_domain
def test_keys_are_complete_known_and_in_order(domain: str) -> None:
    recipes = domain == "recipes"
    required = REQUIRED | {"cuisine", "level"} if recipes else MADE
    allowed = required | {"diet"} if recipes else required
    for line in lines(domain):
        assert required <= set(line) <= allowed, line["item_id"]
        assert list(line) == [key for key in ORDER if key in line], line["item_id"]


@in_each_domain
def test_lists_hold_a_few_clean_distinct_values(domain: str) -> None:
    for line in lines(domain):
        for key, (fewest, most) in LIMITS.items():
            values = line.get(key)
            if values is None:
                continue
            assert fewest <= len(values) <= most, (line["item_id"], key)
            assert len(set(values)) == len(values), (line["item_id"], key)
            assert all(value and value == value.strip() for value in values), (line["item_id"], key)
            if key in {"genre", "mood", "topic", "diet"}:
                assert all(value == value.lower() for value in values), (line["item_id"], key)


@in_each_domain
def test_moods_come_from_the_agreed_words(domain: str) -> None:
    for line in lines(domain):
        assert set(line["mood"]) <= MOODS, line["item_id"]


@in_each_domain
def test_years_and_durations_are_plausible(domain: str) -> None:
    shortest, longest = {"books": (60, 1500), "music": (20, 120), "recipes": (5, 1440)}[domain]
    for line in lines(domain):
        assert shortest <= line["duration_min"] <= longest, line["item_id"]
        if domain in YEARS:
            first, last = YEARS[domain]
            assert first <= line["year"] <= last, line["item_id"]


@in_each_domain
def test_texts_are_two_or_three_sentences_of_thirty_to_sixty_words(domain: str) -> None:
    for line in lines(domain):
        assert 30 <= len(line["text"].split()) <= 60, line["item_id"]
        assert len(re.findall(r"[.!?](?=\s|$)", line["text"])) in {2, 3}, line["item_id"]
        assert line["text"][-1] == ".", line["item_id"]
        assert line["text"] == line["text"].strip(), line["item_id"]


@in_each_domain
def test_violent_genres_are_marked_by_mood_too(domain: str) -> None:
    """So that "nothing violent" holds whether a ban names genres or moods; a cosy mystery may go unmarked."""
    for line in lines(domain):
        if VIOLENT & set(line["genre"]) and "cosy" not in line["mood"]:
            assert {"dark", "intense"} & set(line["mood"]), line["item_id"]


def test_recipes_use_known_courses_levels_and_diets() -> None:
    for line in lines("recipes"):
        assert set(line["genre"]) <= COURSES, line["item_id"]
        assert line["level"] in {"easy", "medium", "demanding"}, line["item_id"]
        assert set(line.get("diet", ())) <= DIETS, line["item_id"]


def test_a_diet_agrees_with_what_is_in_the_dish() -> None:
    for line in lines("recipes"):
        diet, topics = set(line.get("diet", ())), set(line["topic"])
        assert "vegan" not in diet or "vegetarian" in diet, line["item_id"]
        assert "vegan" not in diet or not {"eggs", "cheese"} & topics, line["item_id"]
        assert "vegetarian" not in diet or not MEAT_AND_FISH & topics, line["item_id"]
        assert "gluten-free" not in diet or not {"bread", "pasta"} & topics, line["item_id"]
