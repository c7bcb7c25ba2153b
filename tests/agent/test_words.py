"""Whatever moves a score has a name for people; names of items make no links."""

import pytest

from scenewise import Agent
from scenewise.agent.words import SOURCES, unlinked
from scenewise.tools.collaborative import collaborative


def test_every_source_has_words() -> None:
    assert {*collaborative.SOURCES, "trending"} <= {*SOURCES}
    assert len({*SOURCES.values()}) == len(SOURCES)


def test_all_that_a_turn_adds_up_has_words(small_agent: Agent) -> None:
    for message in ("on the train to work", "a funny film under two hours", "date night"):
        for item in small_agent.turn(message, "ann", k=10).items:
            assert {*item.contributions} <= {*SOURCES}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1. [Free](https://a.example/x): a film", "1. [Free] (…): a film"),
        ("![x](//a.example/x.png) www.a.example", "![x] (…) …"),
        ("1. www.a.example/x: a film", "1. …: a film"),
        ("<img src=x> </b> <!-- x -->", "‹img src=x> ‹/b> ‹!-- x -->"),
        ("[a][1] javascript:alert(1) mailto:a@b.example", "[a] [1] …(1) …"),
    ],
)
def test_names_make_no_links(text: str, shown: str) -> None:
    assert unlinked(text) == shown


@pytest.mark.parametrize(
    "text", ["Face//Off", "I <3 You [Deluxe] (1999)", "2 < 3 > 1", "http and www", "Booking.com: a course", "《红楼梦》：一本书"]
)
def test_names_without_links_stay_as_they_are(text: str) -> None:
    assert unlinked(text) == text
