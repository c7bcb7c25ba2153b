from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.store import Store
from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.concepts import Concepts, Reading, constraints_from_text
from scenewise.tools.catalogue.constraints import Constraints

VIOLENT = {"crime", "horror", "thriller", "war"}  # of the genres that the catalogue has
SCARY = {"horror", "thriller"}


@pytest.mark.parametrize(
    ("text", "banned"),
    [
        ("nothing violent", VIOLENT),
        ("something romantic but nothing violent", VIOLENT),
        ("a comedy, not scary", SCARY),
        ("no horror or war", {"horror", "war"}),
        ("no horror movies or thrillers", {"horror", "thriller"}),
        ("anything but horror", {"horror"}),
        ("I don't want anything too scary", SCARY),
        ("nothing sad, scary or violent", VIOLENT),
        ("without war, crime", {"war", "crime"}),
        ("not horror, please", {"horror"}),
        ("a violence-free film", VIOLENT),
        ("I never watch horror", {"horror"}),
        ("not in the mood for horror, maybe jazz", {"horror"}),
        ("no movies with violence", VIOLENT),
        ("不要暴力", VIOLENT),
        ("别太吓人", SCARY),
        ("不要恐怖片和战争片", {"horror", "war"}),
        ("除了喜剧都可以", {"comedy"}),
        ("我不喜欢恐怖片", {"horror"}),
        # not negations
        ("why not a comedy", set()),
        ("can't wait to watch a horror movie", set()),
        ("no idea, something funny", set()),
        ("no problem, a comedy then", set()),
        ("I don't mind horror", set()),
        ("it does not need to be a comedy", set()),
        ("it's not a comedy", set()),
        ("it wasn't as funny as I thought", set()),
        ("No that's a funny title", set()),
        ("I don't want to watch War of Horror (2002)", set()),
        ("要不要看恐怖片", set()),
        ("特别恐怖的电影", set()),
        # a ban ends where the list ends
        ("no horror, comedy please", {"horror"}),
        ("not too long and funny", set()),
        ("no war but horror", {"war"}),
    ],
)
def test_negated_words_become_bans(catalogue: Catalogue, concepts: Concepts, text: str, banned: set[str]) -> None:
    reading = constraints_from_text(text, catalogue, concepts)
    assert reading.constraints.ban.get("genre", frozenset()) == banned
    assert not banned & set(reading.wishes.get("genre", {}))


def test_what_is_asked_for_by_name_survives_a_broad_ban(catalogue: Catalogue, concepts: Concepts) -> None:
    reading = constraints_from_text("a crime film, nothing too violent", catalogue, concepts)
    assert reading.constraints.ban["genre"] == VIOLENT - {"crime"}
    assert "crime" in reading.wishes["genre"]


def test_names_can_be_refused(catalogue: Catalogue, concepts: Concepts) -> None:
    assert constraints_from_text("not by Jane Austen", catalogue, concepts).constraints.ban == {"creator": frozenset({"jane austen"})}
    nuts = constraints_from_text("recipes without nuts or lentils", catalogue, concepts)
    assert nuts.constraints.ban == {"topic": frozenset({"lentils"}), "ingredient": frozenset({"lentil"})}


@pytest.mark.parametrize(
    ("text", "only", "added"),
    [
        ("a book", {"books"}, set()),
        ("recommend me some music", {"music"}, set()),
        ("music for my workout", {"music"}, set()),
        ("workout music", {"music"}, set()),
        ("a movie and some music as well", {"movies"}, {"music"}),
        ("a movie, and a recipe too", {"movies"}, {"recipes"}),
        ("also some music", set(), {"music"}),
        ("something to read on the train", {"books"}, set()),
        ("an app to learn python", {"apps"}, set()),
        ("a book or a movie", {"books", "movies"}, set()),
        ("a book, not too long", {"books"}, set()),
        ("a course about music", {"courses"}, set()),
        ("I just finished a book, what movie should I watch", {"movies"}, set()),
        ("something like the movie Alien", set(), set()),
        ("I read the book and didn't see the movie", set(), set()),
        ("it was a very good book", set(), set()),
        ("it has great music", set(), set()),
        ("a movie based on a Stephen King novel", {"movies"}, set()),
        ("of course", set(), set()),
        ("a not too scary movie", {"movies"}, set()),
        ("no horror movies", set(), set()),
        ("推荐几本书，再来点音乐", {"books"}, {"music"}),
        ("做饭时听的音乐", {"music"}, set()),
        ("推荐一部不太吓人的电影", {"movies"}, set()),
        ("date night tonight", set(), set()),
        ("一部老电影", {"movies"}, set()),
        ("有什么新书", {"books"}, set()),
        ("my kids adore dinosaurs, what could we watch", {"movies"}, set()),
        ("what shall we eat", {"recipes"}, set()),
        ("dinner for two", {"recipes"}, set()),
        ("music for a dinner for two", {"music"}, set()),
        ("how about an app instead", {"apps"}, set()),
        ("what about a book", {"books"}, set()),
        ("a book then, what do I watch anyway", {"books"}, set()),
    ],
)
def test_kinds_asked_for(catalogue: Catalogue, concepts: Concepts, text: str, only: set[str], added: set[str]) -> None:
    reading = constraints_from_text(text, catalogue, concepts)
    assert (set(reading.domains_only), set(reading.domains_added)) == (only, added)
    assert reading.constraints.domains == (frozenset(only | added) if only else frozenset())


def test_spans_of_years_are_alternatives_unless_they_meet(catalogue: Catalogue, concepts: Concepts) -> None:
    either = constraints_from_text("from the 70s or the 90s", catalogue, concepts).constraints
    assert (either.min_year, either.max_year) == (1970, 1999)
    both = constraints_from_text("after 1990 and before 2000", catalogue, concepts).constraints
    assert (both.min_year, both.max_year) == (1991, 1999)


def test_a_description_of_what_is_refused_does_not_refuse_the_kind(catalogue: Catalogue, concepts: Concepts) -> None:
    for text in ("no movies with violence", "no books by Jane Austen", "I don't want to watch anything sad", "not a fan of that movie"):
        assert constraints_from_text(text, catalogue, concepts).constraints.exclude_domains == frozenset()


def test_kinds_refused(catalogue: Catalogue, concepts: Concepts) -> None:
    reading = constraints_from_text("no movies or books, only music", catalogue, concepts)
    assert reading.constraints.exclude_domains == {"movies", "books"}
    assert reading.constraints.domains == {"music"}


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("something funny", {"genre": {"comedy"}, "mood": {"funny"}}),
        ("calm jazz", {"genre": {"jazz"}, "mood": {"calm"}}),
        ("not too long", {"duration": {"short"}, "topic": {"quick"}}),
        ("an old film", {"year": {"old"}}),
        ("by John Coltrane", {"creator": {"john coltrane"}}),
        ("something like War and Peace", {}),
        ('something like "Horror Stories"', {}),
        ("a long day", {}),
        ("", {}),
    ],
)
def test_wishes(catalogue: Catalogue, concepts: Concepts, text: str, wishes: dict[str, set[str]]) -> None:
    reading = constraints_from_text(text, catalogue, concepts)
    assert {attribute: set(values) for attribute, values in reading.wishes.items()} == wishes
    assert reading.constraints == Constraints(domains=reading.constraints.domains)


@pytest.mark.parametrize(
    ("text", "loved"),
    [
        ("I love jazz", False),
        ("my kids love dinosaurs", False),
        ("we'd really love some jazz", False),
        ("My sister loves horror", False),
        ("a song about love", True),
        ("the story of my first love", True),
        ("I love songs about love", True),
        ("love", True),
    ],
)
def test_to_love_is_not_to_ask_for_love(tmp_path: Path, concepts: Concepts, text: str, loved: bool) -> None:
    with Store.open(tmp_path / "store", create=True) as store:
        store.items.upsert([Item(ItemId("a"), "music", "Blue", "", {"topic": ("Love",), "genre": ("Jazz", "Horror")})])
        reading = constraints_from_text(text, Catalogue.from_store(store), concepts)
    assert ("love" in reading.wishes.get("topic", ())) == loved


def test_a_kind_that_is_asked_for_is_no_subject(tmp_path: Path, concepts: Concepts) -> None:
    with Store.open(tmp_path / "store", create=True) as store:
        store.items.upsert(
            [Item(ItemId("a"), "courses", "Making Films", "", {"topic": ("Film", "Music")}), Item(ItemId("b"), "movies", "B")]
        )
        catalogue = Catalogue.from_store(store)
    assert not constraints_from_text("a film for tonight", catalogue, concepts).wishes
    assert dict(constraints_from_text("a course about film", catalogue, concepts).wishes) == {"topic": {"film": 1.0}}
    assert not constraints_from_text("dinner for two", catalogue, concepts).domains_only, "a shop without recipes has dinner plates"
    assert dict(constraints_from_text("a course about music", catalogue, concepts).wishes) == {"topic": {"music": 1.0}}


def test_for_kids_bans_what_is_not_for_them(catalogue: Catalogue, concepts: Concepts) -> None:
    reading = constraints_from_text("for my kids, something animated", catalogue, concepts)
    assert {"horror", "war", "crime", "thriller"} == reading.constraints.ban["genre"]
    assert {"animation", "children's"} <= set(reading.wishes["genre"])


def test_diets_are_demands_where_recipes_are_asked_for(catalogue: Catalogue, concepts: Concepts) -> None:
    recipe = constraints_from_text("a vegetarian recipe", catalogue, concepts)
    assert recipe.constraints.require == {"diet": frozenset({"vegetarian"})}
    assert [i.item_id for i, ok in zip(catalogue.items, catalogue.allowed(recipe.constraints), strict=True) if ok] == ["r1"]
    anything = constraints_from_text("something vegetarian", catalogue, concepts)
    assert anything.constraints.require == {}
    assert anything.constraints.ban == {"topic": frozenset({"beef"}), "ingredient": frozenset({"beef"})}


def test_two_demands_on_one_attribute_are_not_taken_as_alternatives(catalogue: Catalogue, concepts: Concepts) -> None:
    reading = constraints_from_text("a gluten-free vegetarian recipe", catalogue, concepts)
    assert len(reading.constraints.require["diet"]) == 1
    assert [said.name for said in reading.left_out] == ["diet"]


def said_by(reading: Reading, text: str) -> dict[str, str]:
    return {said.name: text[said.start : said.end] for said in reading.said}


def test_every_condition_has_its_words(catalogue: Catalogue, concepts: Concepts) -> None:
    text = "A funny movie from the 90s, under 2 hours, no horror, and some music as well"
    reading = constraints_from_text(text, catalogue, concepts)
    assert said_by(reading, text) == {
        "only movies or music": "music",
        "from 1990 on, until 1999": "the 90s",
        "at most 120 min": "under 2 hours",
        "no genre Horror": "no horror",
    }
    assert {name for said in reading.said for name in said.name.split(", ")} == set(catalogue.describe(reading.constraints))


def test_short_is_a_limit_only_where_one_kind_is_asked_for(catalogue: Catalogue, concepts: Concepts) -> None:
    assert constraints_from_text("a short movie", catalogue, concepts).constraints.max_duration_min == 100
    assert constraints_from_text("something short", catalogue, concepts).constraints.max_duration_min is None
    assert constraints_from_text("a short movie, I have 30 minutes", catalogue, concepts).constraints.max_duration_min == 30


def test_concepts_find_gives_spans_and_negation(concepts: Concepts) -> None:
    text = "Nothing violent, but funny"
    found = {mention.concept.name: mention for mention in concepts.find(text)}
    assert set(found) == {"violent", "funny"}
    assert found["violent"].negated
    assert not found["funny"].negated
    assert text[slice(*found["violent"].span)] == "violent"


WORDS = (
    "no,not,nothing,without,horror,scary,war,funny,a,movie,book,music,too,long,.,or,and,but,as well,不要,恐怖,的,电影,under 2 hours,90s,$5"
)
words = st.sampled_from([",", *WORDS.split(",")])


@given(st.lists(words, max_size=14).map(" ".join) | st.text(max_size=40))
def test_any_text_can_be_read_and_every_span_lies_in_it(catalogue: Catalogue, concepts: Concepts, text: str) -> None:
    reading = constraints_from_text(text, catalogue, concepts)
    assert all(0 <= said.start < said.end <= len(text) for said in (*reading.said, *reading.left_out))
    assert all(not set(reading.wishes.get(name, {})) & values for name, values in reading.constraints.ban.items())
    named = {name for said in reading.said for name in said.name.split(", ")}
    assert bool(named) == bool(catalogue.describe(reading.constraints))
