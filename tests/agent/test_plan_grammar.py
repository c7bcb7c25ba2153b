"""The grammar of plans: what a request bears out can be written, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.agent.plan_grammar import WORDS, Word, plan_pattern
from scenewise.agent.plan_request import PlanRequest
from scenewise.agent.plan_text import decode

DOMAINS = ("books", "movies", "health & sport")


def request(text: str, *before: str, listed: tuple[str, ...] = ()) -> PlanRequest:
    """A request of these messages."""
    return PlanRequest(tuple({"role": "user", "content": one} for one in (*before, text)), last_items=listed)


def fits(plan: str, asked: PlanRequest, words: Collection[Word] = WORDS) -> bool:
    """Whether the grammar lets a plan through."""
    return re.fullmatch(plan_pattern(DOMAINS, asked, words=words), plan) is not None


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("something uplifting about people who overcome the odds", "find( uplifting overcome the odds)"),
        ("Does Scarface exist, and if so how violent is it?", "facts( Scarface)"),
        ("anything like Schindler's List, please", "like( Schindler's List)"),
        ('more like "Se7en"!', "like( Se7en)"),
        ("Finished Duolingo's tree. What other apps like it", "like( Duolingo)"),
        ("Finished Duolingo’s tree", "like( Duolingo’s tree)"),
        ("who directed Heat? more by them", "graph( director of Heat)"),
        ("a course on astronomy in less than 5 hours", "find( course on astronomy) max( 300 min)"),
        ("90s romcoms", "find( romcoms; movies) since( 1990) until( 1999)"),
        ("a mug for under $12.50", "find( mug) max( 12.5 usd)"),
        ("not too long, 2h or so, no gore (please)", "not( gore) max( 120 min)"),
        ("想看《冰血暴》那样的悬疑片", "like( 冰血暴) find( 悬疑)"),
        ("a tool like Get Off My Lawn!, please", "like( Get Off My Lawn!)"),
        ("films like ¡Three Amigos!, but new", "like( ¡Three Amigos!)"),
        ("a suspense/thriller", "find( suspense)"),
        ("a suspense/thriller", "find( suspense/thriller)"),
        ("想看汤姆·汉克斯演的", "graph( 汤姆·汉克斯)"),
        ("拍泰坦尼克号的人还拍过什么", "graph( 泰坦尼克号)"),
        ("I hate westerns", "save( dislike genre westerns)"),
        ("only sport", "only( health & sport; books)"),
        ("surprise me", "like()"),
    ],
)
def test_what_the_request_says_can_be_planned(text: str, plan: str) -> None:
    assert fits(plan, request(text))
    assert decode(plan) is not None


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("Does Scarface exist?", "facts( Scare)"),
        ("Does Scarface exist?", "facts( Scarface II)"),
        ("who made Reservoir Dogs", "graph( Reverse Reservoir Dogs)"),
        ("something about dogs and cats", "find( cats dogs)"),
        ("a course in less than 5 hours", "find( course) max( 50 min)"),
        ("90s romcoms", "find( romcoms) since( 1980)"),
        ("romcoms", "find( romcoms) max( 90 min)"),
        ("romcoms", "find( romcoms; podcasts)"),
        ("more like the second one", "like( #2)"),
        ("拍泰坦尼克号的人还拍过什么", "graph( 泰人)"),
    ],
)
def test_what_it_does_not_say_cannot(text: str, plan: str) -> None:
    assert not fits(plan, request(text))


def test_numbers_are_those_of_the_last_list() -> None:
    asked = request("more like the second one", listed=("Heat", "Fargo"))
    assert fits("like( #2)", asked)
    assert not fits("like( #3)", asked)


def test_a_search_may_take_words_of_the_messages_before() -> None:
    asked = request("and for kids?", "a funny film")
    assert fits("find( funny film for kids)", asked)
    assert not fits("not( funny film)", asked)
    assert not fits("save( like genre funny film)", asked)


def test_a_search_joins_pieces_of_two_chinese_messages() -> None:
    asked = request("那适合小孩看的呢", "来点搞笑的")
    assert fits("find( 搞笑适合小孩)", asked)
    assert not fits("find( 搞适合小孩)", request("来点搞笑的适合小孩的"))


def test_of_a_long_chinese_row_any_characters_may_be_taken() -> None:
    assert fits("find( 故事海)", request("我想听一个关于很久很久以前的海边小镇里面发生的各种有趣的故事和那片蓝色的海"))


def test_what_is_asked_about_may_have_been_named_before() -> None:
    assert fits("facts( Abbey Road)", request("ok and who produced it", "how long is Abbey Road"))
    assert fits("graph( #2)", request("more by whoever made the second one", listed=("Heat", "Fargo")))


def test_a_long_message_sets_no_bound_on_the_words() -> None:
    assert fits("find( anything at all)", request("word " * 100))


def test_a_row_of_signs_is_no_argument() -> None:
    asked = request("🎉" * 400)
    assert fits("like()", asked, ())
    assert not fits(f"find( {'🎉' * 20})", asked)


@pytest.mark.parametrize("words", [(), ("none",), ("ask",), ("none", "ask")])
def test_which_words_may_stand_in_a_plans_place_can_be_set(words: tuple[Word, ...]) -> None:
    assert fits("like()", request("hello"), words)
    assert fits("none", request("hello"), words) is ("none" in words)
    assert fits("ask(kind)", request("hello"), words) is ("ask" in words)


@given(st.text(max_size=80), st.text(max_size=40), st.sets(st.sampled_from(sorted(WORDS))))
def test_any_message_gives_a_grammar_whose_marks_stay_its_own(text: str, before: str, words: set[Word]) -> None:
    pattern = re.compile(plan_pattern(DOMAINS, request(text, before), words=words))
    assert pattern.fullmatch("like()")
    assert not pattern.fullmatch("like() drop()")
    assert not pattern.fullmatch("find( a\nb)")
