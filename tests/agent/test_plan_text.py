from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.agent.model import Call
from scenewise.agent.plan_grammar import plan_pattern
from scenewise.agent.plan_text import ACTIONS, ATTRIBUTES, ORDER, Ask, Planned, decode, encode, plain

DOMAINS = ("books", "movies", "music")
words = st.text(alphabet="abcdefgh '&,.:é狗0", min_size=1, max_size=20).map(plain).filter(bool)
titles = st.lists(words, min_size=1, max_size=3)
years = st.integers(1000, 2100)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "domains": st.lists(st.sampled_from(DOMAINS), min_size=1, max_size=3, unique=True),
        "without": titles,
        "max_duration_min": st.integers(1, 9999),
        "max_price": st.integers(1, 9999),
        "min_year": years,
        "max_year": years,
    },
).filter(bool)
calls = st.one_of(
    st.one_of(st.just({}), titles.map(lambda names: {"like_titles": names})).map(lambda a: Call("collaborative_candidates", a)),
    words.map(lambda value: Call("query_graph", {"value": value})),
    words.map(lambda query: Call("retrieve", {"query": query})),
    st.tuples(words, st.sampled_from(DOMAINS)).map(lambda pair: Call("retrieve", {"query": pair[0], "domain": pair[1]})),
    titles.map(lambda names: Call("look_up_items", {"titles": names})),
    conditions.map(lambda arguments: Call("filter_catalogue", arguments)),
    st.tuples(st.sampled_from(ACTIONS), st.sampled_from(ATTRIBUTES), words).map(
        lambda said: Call("update_profile", dict(zip(("action", "attribute", "value"), said, strict=True)))
    ),
)
plans = st.lists(calls, max_size=2, unique_by=lambda call: call.name).map(
    lambda some: tuple(sorted(some, key=lambda call: ORDER.index(call.name)))
)


def parts(text: str) -> int:
    return text.count("(")


@given(plans)
def test_what_is_written_is_read_again(plan: Planned) -> None:
    text = encode(plan)
    if parts(text) <= 6:
        assert decode(text) == plan
        assert re.fullmatch(plan_pattern(DOMAINS), text)


@given(plans, st.integers(0, 200))
def test_a_plan_that_is_cut_off_keeps_its_complete_calls(plan: tuple[Call, ...], at: int) -> None:
    text = encode(plan)
    read = decode(text[:at])
    whole = re.findall(r"\w+\([^()]*\)", text[:at])
    assert (read is None) == (not whole and text[:at] != "none")
    assert isinstance(read, tuple | None)
    for call in read or ():
        assert call.name in {one.name for one in plan}


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading(text: str) -> None:
    read = decode(text, ["Heat"])
    assert read is None or isinstance(read, Ask | tuple)


def test_numbers_stand_for_titles_of_the_last_list() -> None:
    last = ["Heat", "Fargo"]
    assert decode("like(#2) save(dislike item #1)", last) == (
        Call("collaborative_candidates", {"like_titles": ["Fargo"]}),
        Call("update_profile", {"action": "dislike", "attribute": "item", "value": "Heat"}),
    )
    assert decode("facts(#7)", last) is None


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("max(90 min)", {"max_duration_min": 90}),
        ("max(12.5 usd)", {"max_price": 12.5}),
        ("since(1990) until(1999)", {"min_year": 1990, "max_year": 1999}),
        ("not(horror) not(war)", {"without": ["horror", "war"]}),
        ("only(movies; books) not(sad)", {"domains": ["movies", "books"], "without": ["sad"]}),
    ],
)
def test_several_conditions_are_one_call(text: str, arguments: dict[str, object]) -> None:
    assert decode(text) == (Call("filter_catalogue", arguments),)


def test_a_question_back_stands_alone() -> None:
    assert decode("ask(kind)") == Ask("kind")
    assert encode(Ask()) == "ask(kind)"
    assert decode("none") == ()
    assert decode("") is None


def test_the_marks_of_a_plan_cannot_come_from_a_name() -> None:
    assert encode((Call("query_graph", {"value": "a) save(like genre x"}),)) == "graph( a save like genre x)"
