"""Templates by channel: always one that fits, the same for the same seed, and nothing in it that no row says."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewise.eval.copy_proof import strange_words
from scenewise.store.types import Item, ItemId
from scenewise.tools.copywriter import check_copy, evidence_for
from scenewise.tools.copywriter.channels import CHANNELS, LOCALES, MAX_CHARS, TONES, write_template
from scenewise.tools.copywriter.nouns import NOUNS
from scenewise.tools.copywriter.style import Judge, Judged, Style, default_style
from scenewise.tools.copywriter.template import taste_clause
from scenewise.tools.graph import GraphPath

FARGO = Item(
    ItemId("fargo"),
    "movies",
    "Fargo",
    "A car salesman hires two men.",
    {"genre": ("Crime",), "creator": ("Joel Coen",), "topic": ("money",), "mood": ("dark",)},
    1996,
    98,
    1499,
    "USD",
)
PATH = GraphPath(("item:x", "entity:m.1", "item:fargo"), ("directed_by", "directed_by"), "by the same director as Blood Simple", 0.8)
ROWS = evidence_for(FARGO, path=PATH, scene="date_night", history=("Blood Simple",), tastes=("by Joel Coen, whom you like",), most=16)

words = st.text(alphabet=string.ascii_letters + string.digits + " ,.:!?'\"&$€<>/()-—éß中文电影。《》\n\u200b\U0001f600", max_size=120)
items = st.builds(
    Item,
    item_id=st.just(ItemId("i")),
    domain=st.sampled_from([*NOUNS, "shoes", "health"]),
    title=st.one_of(words, st.text(max_size=200), st.just("x" * 300)),
    text=st.one_of(words, st.text(max_size=800)),
    attributes=st.dictionaries(
        st.sampled_from(["genre", "creator", "mood", "topic", "level", "price", "taste"]), st.lists(words, max_size=3).map(tuple)
    ),
    year=st.one_of(st.none(), st.integers(-5, 20_000)),
    duration_min=st.one_of(st.none(), st.floats(0, 1e7)),
    price_cents=st.one_of(st.none(), st.integers(0, 10**13)),
    currency=st.one_of(st.none(), st.sampled_from(["USD", "eur", "CHF", "coins"])),
)


def written(item: Item, rows=None, *, style: Style | None = None, taken: set[str] | None = None, channel="card", **options) -> Judged:
    """What a template says of an item."""
    rows = evidence_for(item) if rows is None else rows
    judge = Judge(item, rows, MAX_CHARS[channel], style or default_style(), set() if taken is None else taken)
    return write_template(judge, channel=channel, **options)


@given(item=items, channel=st.sampled_from(CHANNELS), tone=st.sampled_from(TONES), locale=st.sampled_from(LOCALES), seed=st.integers())
@settings(max_examples=300, deadline=None)
def test_any_item_gets_a_text_that_fits_and_that_its_rows_bear_out(item: Item, channel, tone, locale, seed: int) -> None:
    rows = evidence_for(item)
    found = written(item, rows, channel=channel, tone=tone, locale=locale, seed=seed)
    assert 0 < len(found.text) <= MAX_CHARS[channel]
    assert found == written(item, rows, channel=channel, tone=tone, locale=locale, seed=seed)
    verdict = check_copy(found.text, item, rows, max_chars=MAX_CHARS[channel])
    assert verdict.accepted
    assert found.claims == verdict.claims != ()
    assert list(default_style().problems(found.text, item.domain)) == []


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("tone", TONES)
def test_a_second_proof_finds_no_strange_word(channel, tone) -> None:
    for seed in range(60):
        text = written(FARGO, ROWS, channel=channel, tone=tone, seed=seed).text
        assert strange_words(text, [*(row.text for row in ROWS), FARGO.title]) == [], text


@pytest.mark.parametrize("channel", CHANNELS)
def test_variants_differ_as_long_as_there_is_something_else_to_say(channel) -> None:
    taken: set[str] = set()
    for variant in range(5):
        text = written(FARGO, ROWS, channel=channel, taken=taken, seed=variant).text
        assert text
        assert text not in taken
        taken.add(text)


def test_a_headline_names_the_item_and_does_not_end_like_a_sentence() -> None:
    for channel in ("title", "email_subject"):
        texts = {written(FARGO, ROWS, channel=channel, seed=seed).text for seed in range(40)}
        assert len(texts) >= 3
        assert all("Fargo" in text and not text.endswith(".") for text in texts), texts


def test_a_push_message_names_the_item() -> None:
    assert all("Fargo" in written(FARGO, ROWS, channel="push", seed=seed).text for seed in range(40))


def test_subject_lines_say_why_they_come() -> None:
    texts = {written(FARGO, ROWS, channel="email_subject", seed=seed).text for seed in range(40)}
    assert {"Because you liked Blood Simple: Fargo", "For your date night: Fargo"} & texts
    assert "By Joel Coen, whom you like: Fargo" in texts


def test_a_tone_opens_a_text() -> None:
    rows = evidence_for(FARGO)
    assert any(written(FARGO, rows, tone="playful", seed=seed).text.startswith("How about a") for seed in range(20))
    assert any(written(FARGO, rows, tone="warm", seed=seed).text.startswith("Here's a") for seed in range(20))
    assert not any(written(FARGO, rows, seed=seed).text.startswith(("How about", "Here's")) for seed in range(20))


def test_a_description_goes_on_with_what_the_rows_say() -> None:
    text = written(FARGO, ROWS, channel="description").text
    assert "A car salesman hires two men." in text
    assert "It runs 98 minutes." in text
    assert "$14.99" in text


def test_a_title_that_is_too_long_is_left_out_and_never_cut() -> None:
    item = Item(ItemId("long"), "movies", "The " + "very " * 30 + "long way home", "", {}, 1999)
    assert written(item, channel="title").text == "A 1999 film"


def test_a_price_is_exact_or_not_said() -> None:
    assert check_copy("A film for $14.99.", FARGO, ROWS).accepted
    for text in ("A film for $14.98.", "A film for €14.99.", "A film for 14.99 euros.", "A film for only $14.99.", "A $15 film."):
        assert not check_copy(text, FARGO, ROWS).accepted, text


def test_a_taste_is_said_whole() -> None:
    rows = evidence_for(FARGO, tastes=(taste_clause("genre", "Crime", "movies"),))
    assert check_copy("Crime, which you like: a 1996 film.", FARGO, rows).accepted
    assert not check_copy("Romance, which you like: a 1996 film.", FARGO, rows).accepted
    assert not check_copy("Crime, which you like: a 1996 film.", FARGO, evidence_for(FARGO)).accepted


def test_chinese_templates_are_chinese() -> None:
    rows = evidence_for(FARGO, tastes=(taste_clause("creator", "Joel Coen", "movies", locale="zh"),))
    for channel in CHANNELS:
        text = written(FARGO, rows, channel=channel, locale="zh").text
        assert any("\u4e00" <= char <= "\u9fff" for char in text)
        assert len(text) <= MAX_CHARS[channel]
    assert {written(FARGO, rows, channel="title", locale="zh").text, "Fargo"} != {"Fargo"}


def test_where_a_style_bans_everything_nothing_is_said() -> None:
    style = Style(banned=("fargo", "film", "movie", "crime", "coen", "money", "dark", "you", "1996"))
    assert written(FARGO, style=style).text == ""
