"""The style: banned words, terms, promises, exclamation marks; and files that are none."""

from pathlib import Path

import pytest

from scenewise import InputError, Item, ItemId, NotFound
from scenewise.tools.copywriter import evidence_for
from scenewise.tools.copywriter.style import Judge, Style, default_style, load_style

DEFAULT = default_style()


def style_of(tmp_path: Path, text: str) -> Style:
    (tmp_path / "style.toml").write_text(text, encoding="utf-8")
    return load_style(tmp_path / "style.toml")


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("A cheap film", True),
        ("CHEAP thrills", True),
        ("A cheapskate film", False),
        ("dirt-cheap", True),
        ("A low\u2011cost film", False),
        ("low cost films", True),
        ("Low-Cost films", True),
        ("ｃｈｅａｐ", True),
        ("最便宜的书", True),
    ],
)
def test_banned_words_are_whole_words_in_any_case(text: str, bad: bool) -> None:
    assert bool(list(Style(banned=("cheap", "low cost", "便宜")).problems(text, "movies"))) is bad


@pytest.mark.parametrize("domain", ["health", "education", "workouts", "recipes", "courses"])
@pytest.mark.parametrize("text", ["Cures a cold", "Guaranteed to work", "The best soup", "100% safe", "保证见效", "clinically proven"])
def test_health_and_education_promise_nothing(domain: str, text: str) -> None:
    assert any("promise" in problem for problem in DEFAULT.problems(text, domain))
    assert not any("promise" in problem for problem in DEFAULT.problems(text, "movies"))


@pytest.mark.parametrize("text", ["A secure course", "A healthy soup", "Bestiary of birds", "A harvest soup"])
def test_words_that_only_look_like_promises_stay(text: str) -> None:
    assert list(DEFAULT.problems(text, "recipes")) == []


def test_a_promise_of_the_items_own_text_is_not_passed_on() -> None:
    tea = Item(ItemId("tea"), "recipes", "Miracle Tea", "It cures every cold there is.", {"genre": ("Tea",)})
    rows = evidence_for(tea)
    judge = Judge(tea, rows, 160, DEFAULT)
    assert any("cures" in problem for problem in judge("It cures every cold there is.").problems)
    assert any("miracle" in problem for problem in judge("Miracle Tea").problems)


def test_terms_are_spelled_as_given_wherever_they_stand() -> None:
    style = Style(terms=("iPhone", "Café\\Bar"))
    assert style.spelled("IPHONE, iphones, iphone.") == "iPhone, iphones, iPhone."
    assert style.spelled("a café\\bar") == "a Café\\Bar"
    assert list(style.problems("an IPHONE", "apps")) == ["a term that is spelled otherwise: iPhone"]
    assert list(style.problems(style.spelled("an IPHONE"), "apps")) == []


def test_exclamation_marks_are_counted_in_any_width() -> None:
    assert list(DEFAULT.problems("Oh!", "movies")) == []
    assert list(DEFAULT.problems("Oh! No！", "movies")) == ["more than 1 exclamation marks"]


def test_a_file_adds_to_the_products_own(tmp_path: Path) -> None:
    style = style_of(tmp_path, 'banned = ["cheap"]\nmax_exclamations = 0\n[promises]\ndomains = ["Apps"]\nwords = ["magic"]\n')
    assert list(style.problems("Cheap!", "movies")) == ["a banned word: cheap", "more than 0 exclamation marks"]
    assert len(list(style.problems("Magic that cures", "apps"))) == 2
    assert list(style.problems("Cures", "courses"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("terms = []\nbanned = cheap", "style.toml is not TOML: .*line 2"),
        ("baned = []", "no key baned; keys are banned, terms"),
        ('banned = "cheap"', "banned: .*list"),
        ("banned = [1]", r"banned\.0: .*string"),
        ('terms = [""]', r"terms\.0: "),
        ("max_exclamations = -1", "max_exclamations: .*greater"),
        ("max_exclamations = true", "max_exclamations: .*integer"),
        ("[promises]\nword = []", r"no key promises\.word"),
    ],
)
def test_a_malformed_file_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        style_of(tmp_path, text)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no style file other\.toml"):
        load_style(tmp_path / "other.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        load_style(tmp_path / "bytes.toml")
