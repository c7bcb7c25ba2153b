from __future__ import annotations

import re
from pathlib import Path

import pytest

from scenewise.store.errors import InputError, NotFound
from scenewise.store.store import Store
from scenewise.tools.catalogue.concepts import Concepts
from scenewise.tools.catalogue.lexicon import parse_lexicon, read_lexicon

GOOD = '[[concept]]\nname = "green"\nterms = ["Green"]\nattributes = { Mood = ["FRESH"] }\n'


def test_the_lexicon_that_ships_can_be_read_and_every_domain_has_words() -> None:
    lexicon = read_lexicon()
    domains = {domain for concept in lexicon.concepts for domain in concept.domains}
    assert domains == {"movies", "books", "music", "recipes", "workouts", "courses", "apps"}
    assert all(concept.terms or concept.verbs for concept in lexicon.concepts)


def test_values_are_casefolded() -> None:
    (green,) = parse_lexicon(GOOD).concepts
    assert green.attributes == {"Mood": ("fresh",)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + '\n[[concept]]\nname = "x"\ntersm = ["y"]\n', "line 8: there is no setting 'tersm'; did you mean 'terms'"),
        (GOOD + 'opposite = "gren"\n', "line 5: no concept is named 'gren'; did you mean 'green'"),
        (GOOD + GOOD, "line 6: the name 'green' is taken"),
        (GOOD + "max_price_cents = -1\n", "line 5: 'max_price_cents'"),
        (GOOD + 'domains = "movies"\n', "line 5: 'domains'"),
        ('[[concept]]\nterms = ["a"]\n', "line 1: 'name'"),
        ("[[concept]\n", "not valid TOML"),
        ('ignored = ["a"]\n' + GOOD, "line 1: there is no setting 'ignored'; did you mean 'ignore'"),
    ],
)
def test_mistakes_are_named_with_their_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        parse_lexicon(text)


def test_a_store_can_bring_its_own_concepts(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s", create=True) as store:
        assert Concepts.of_store(store).named("violent") is not None
        (store.path / "concepts.toml").write_text(GOOD, encoding="utf-8")
        own = Concepts.of_store(store)
    assert own.named("violent") is None
    assert [mention.concept.name for mention in own.find("something GREEN")] == ["green"]


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_lexicon(tmp_path / "nothing.toml")


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("🎬🍿 with 👨‍👩‍👧 tonight?", {"movies"}),
        ("🎧 for the bus", {"music"}),
        ("🏃‍♀️", {"workouts"}),
        ("😀🎉", set()),
        ("📚or🎬", {"books", "movies"}),
    ],
)
def test_emoji_name_kinds_of_items(text: str, kinds: set[str]) -> None:
    assert {mention.concept.name for mention in Concepts.load().find(text)} == kinds
