"""Training pairs: every text passes the check, parts share no item, and texts vary."""

import random

import pytest

from scenewise.eval.copies.generate import generate, is_dev
from scenewise.eval.copies.grammar import texts_for
from scenewise.eval.copies.sources import Source
from scenewise.eval.copy_proof import strange_words
from scenewise.store.types import Item, ItemId
from scenewise.tools.copywriter import check_copy, evidence_for
from scenewise.tools.copywriter.facts import facts_for, facts_line
from scenewise.tools.graph.paths import GraphPath
from scenewise.tools.scene.pack import default_pack

ALBUM = Item(
    ItemId("blue"),
    "music",
    "Kind of Blue",
    "Davis leads a sextet through five modal pieces.",
    {"genre": ("jazz",), "creator": ("Miles Davis",), "mood": ("calm", "reflective"), "topic": ("night",)},
    1959,
    46,
)
PATH = GraphPath(("item:x", "m", "item:y"), ("directed_by",) * 2, "by the same creator as Time Out", 0.8)
ROWS = evidence_for(ALBUM, path=PATH, scene="commute", history=["Time Out"], asked=["calm, as you asked"])
SOURCE = Source(
    "test", "none", tuple(Item(ItemId(f"a{i}"), "music", f"Album {i}", "", ALBUM.attributes, 1950 + i) for i in range(40)), {}, 1.0
)


def test_every_text_begins_with_the_first_fact_and_the_check_accepts_it() -> None:
    begins = {"why": ("you liked", "since", "because", "by the same", "it's", "here's", "picked")}
    for seed in range(30):
        facts = facts_for(ALBUM, ROWS, seed=seed)
        texts = [text for text, _ in texts_for(facts, "music", random.Random(seed))]
        good = [text for text in texts if check_copy(text, ALBUM, ROWS).accepted]
        assert len(good) >= 0.8 * len(texts) > 0
        if facts[0].kind in ("why", "liked"):
            assert all(text.casefold().startswith(begins["why"]) for text in texts)


def test_facts_begin_with_what_is_personal_more_often_than_not() -> None:
    leads = [facts_for(ALBUM, ROWS, seed=seed)[0].kind for seed in range(200)]
    share = sum(lead in ("why", "liked", "scene", "asked", "people") for lead in leads) / 200
    assert 0.5 < share < 0.75
    assert facts_line(facts_for(ALBUM, ROWS, seed=3)) == facts_line(facts_for(ALBUM, ROWS, seed=3))


def test_pairs_keep_the_parts_apart_and_vary() -> None:
    pairs = list(generate([SOURCE], default_pack(), 120, seed=1))
    assert {pair["item"] for kept, pair in pairs if kept}.isdisjoint(pair["item"] for kept, pair in pairs if not kept)
    assert all(kept == is_dev(pair["item"]) for kept, pair in pairs)
    texts = [pair["completion"] for _, pair in pairs]
    assert max(map(len, texts)) <= 160
    assert len({*texts}) > 100
    assert all(pair["messages"][-1]["content"] for _, pair in pairs)
    assert texts == [pair["completion"] for _, pair in generate([SOURCE], default_pack(), 120, seed=1)]


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("A calm 1959 jazz album by Miles Davis.", []),
        ("A calm 1960 jazz album.", ["1960"]),
        ("A soothing jazz album by John Coltrane.", ["soothing", "John", "Coltrane"]),
        ("For your commute: calm, reflective jazz.", []),
    ],
)
def test_the_second_proof_names_the_strange_words(text: str, strange: list[str]) -> None:
    assert strange_words(text, [row.text for row in ROWS]) == strange
