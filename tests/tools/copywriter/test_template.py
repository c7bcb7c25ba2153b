"""Template copy: true by construction, varied, and grammatical."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewise.store.types import Item, ItemId
from scenewise.tools.candidates import Candidate
from scenewise.tools.copywriter import check_copy, evidence_for, template_copy
from scenewise.tools.copywriter.evidence import EvidenceRow
from scenewise.tools.copywriter.nouns import NOUNS
from scenewise.tools.graph import GraphPath

FARGO = Item(
    ItemId("fargo"),
    "movies",
    "Fargo",
    "A car salesman hires two men.",
    {"genre": ("Crime",), "creator": ("Joel Coen",), "topic": ("money",)},
    1996,
    98,
)
SAME_DIRECTOR = GraphPath(
    ("item:x", "entity:m.1", "item:fargo"), ("directed_by", "directed_by"), "by the same director as Blood Simple", 0.8
)
SHARES = GraphPath(("item:x", "entity:m.1", "item:fargo"), ("starring", "starring"), "shares an actor with Heat", 0.5)


def variants(item: Item, rows: tuple[EvidenceRow, ...], locale: str = "en") -> set[str]:
    return {template_copy(item, rows, seed, locale=locale).text for seed in range(40)}


def test_the_same_seed_gives_the_same_text_and_seeds_vary():
    rows = evidence_for(FARGO, path=SAME_DIRECTOR, scene="commute")
    assert template_copy(FARGO, rows, 7) == template_copy(FARGO, rows, 7)
    assert len(variants(FARGO, rows)) >= 5


def test_items_of_one_list_do_not_all_read_alike():
    items = [Item(ItemId(f"i{n}"), "movies", "Fargo", "", FARGO.attributes, 1996) for n in range(20)]
    assert len({template_copy(item, evidence_for(item, path=SAME_DIRECTOR, scene="commute")).text for item in items}) >= 4


def test_what_is_said_of_a_film_with_a_path():
    assert variants(FARGO, evidence_for(FARGO, path=SAME_DIRECTOR)) == {
        "A 1996 crime film by Joel Coen, by the same director as Blood Simple.",
        "A 1996 crime film about money, picked because it is by the same director as Blood Simple.",
        "Fargo: a 1996 crime film, by the same director as Blood Simple.",
    }


def test_a_clause_with_a_verb_keeps_its_grammar():
    assert variants(FARGO, evidence_for(FARGO, path=SHARES)) == {
        "A 1996 crime film by Joel Coen, and it shares an actor with Heat.",
        "A 1996 crime film about money, picked because it shares an actor with Heat.",
        "Fargo: a 1996 crime film, and it shares an actor with Heat.",
    }


@pytest.mark.parametrize(
    ("domain", "minutes", "attributes", "text"),
    [
        ("movies", None, {"genre": ("Sci-Fi",)}, "A 1996 sci-fi film."),
        ("movies", None, {"genre": ("Animation",)}, "A 1996 animation film."),
        ("books", None, {"genre": ("memoir",)}, "A 1996 memoir."),
        ("music", None, {"genre": ("R&B",)}, "A 1996 R&B album."),
        ("recipes", 80.0, {"genre": ("soup",), "cuisine": ("Italian",)}, "An 80-minute Italian soup."),
        ("workouts", 20.0, {"genre": ("yoga",), "level": ("beginner",)}, "A 20-minute beginner yoga workout."),
        ("courses", 6000.0, {"level": ("advanced",)}, "A 1996 advanced course."),
        ("apps", None, {"genre": ("art",)}, "A 1996 art app."),
        ("holidays", None, {}, "A 1996 item."),
    ],
)
def test_each_domain_has_its_noun_and_article(domain, minutes, attributes, text):
    item = Item(ItemId("1"), domain, "", "", attributes, 1996, minutes)
    assert variants(item, evidence_for(item)) == {text}


def test_an_item_of_which_nothing_is_known_still_gets_a_sentence():
    for domain, noun in NOUNS.items():
        item = Item(ItemId("1"), domain, "")
        assert template_copy(item, evidence_for(item)).text.casefold().split()[1].strip(".") in noun.words


@pytest.mark.parametrize(
    ("scene", "words"), [("commute", "commute"), ("feeling_low", "for when you are feeling low"), ("date_night", "date night")]
)
def test_the_scene_is_named(scene, words):
    assert all(words in text for text in variants(FARGO, evidence_for(FARGO, scene=scene)))


def test_what_other_people_did_is_said_where_no_path_is():
    people = (Candidate(ItemId("fargo"), "item_knn", 1.0, "people who liked Heat also liked it"),)
    assert "A 1996 crime film by Joel Coen: people who liked Heat also liked it." in variants(FARGO, evidence_for(FARGO, reasons=people))


def test_chinese_sentences():
    film = Item(ItemId("1"), "movies", "英雄", "", {"genre": ("武侠",), "creator": ("张艺谋",)}, 2002, 99)
    path = GraphPath(("item:x", "entity:m.1", "item:1"), ("directed_by", "directed_by"), "与《十面埋伏》有同一位导演", 0.8)
    assert variants(film, evidence_for(film, path=path, scene="commute"), "zh-CN") == {
        "《英雄》是一部2002年的武侠电影，出自张艺谋，与《十面埋伏》有同一位导演，适合commute，时长99分钟。",
        "一部2002年的武侠电影，出自张艺谋，与《十面埋伏》有同一位导演，适合commute，时长99分钟。",
    }
    bare = Item(ItemId("1"), "books", "")
    assert template_copy(bare, evidence_for(bare), locale="zh").text == "一本书。"


def test_an_english_path_stays_out_of_chinese_copy():
    assert not any("director" in text for text in variants(FARGO, evidence_for(FARGO, path=SAME_DIRECTOR), "zh"))


def test_template_copy_names_its_claims_and_source():
    copy = template_copy(FARGO, evidence_for(FARGO, path=SHARES))
    assert copy.source == "template"
    assert copy.refused == ()
    assert copy.claims == check_copy(copy.text, FARGO, evidence_for(FARGO, path=SHARES)).claims


STRANGE = ["not", "the best", "by", "1999", "<script>x</script>", "https://a.io", "A\x00B", "C++", "!!!", "没有", "Film, The", "ﬁlm"]
odd = st.one_of(
    st.text(max_size=30),
    st.text(min_size=100, max_size=300),
    st.sampled_from(STRANGE),
)
items = st.builds(
    Item,
    st.text(min_size=1, max_size=8).map(ItemId),
    st.one_of(st.sampled_from([*NOUNS, "holidays"]), st.text(max_size=8)),
    odd,
    odd,
    st.dictionaries(
        st.sampled_from(["genre", "creator", "mood", "topic", "level", "cuisine", "director", "Odd Name"]),
        st.lists(odd, max_size=4).map(tuple),
        max_size=5,
    ),
    st.one_of(st.none(), st.integers(-5, 20_000)),
    st.one_of(st.none(), st.floats()),
)
paths = st.one_of(
    st.none(),
    st.sampled_from([SAME_DIRECTOR, SHARES]),
    odd.map(lambda title: GraphPath(("a", "b", "c"), ("in_genre", "in_genre"), f"crime, like {title}", 0.3)),
    odd.map(lambda title: GraphPath(("a", "b", "c"), ("in_genre", "in_genre"), f"与《{title}》同为武侠", 0.3)),
)


@settings(deadline=None, max_examples=300)
@given(
    items, paths, st.one_of(st.none(), st.sampled_from(["commute", "feeling_low"]), odd), st.integers(0, 3), st.sampled_from(["en", "zh"])
)
def test_template_copy_always_passes_the_check(item, path, scene, seed, locale):
    rows = evidence_for(item, path=path, scene=scene, history=(item.title,))
    copy = template_copy(item, rows, seed, locale=locale)
    verdict = check_copy(copy.text, item, rows)
    assert verdict.accepted, (copy.text, verdict.unsupported)
    assert copy.claims == verdict.claims
    assert 0 < len(copy.text) <= 160
