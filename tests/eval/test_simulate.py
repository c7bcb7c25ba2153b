"""Simulated users: what they may say, what is counted, and whole conversations with the agent on a small made-up store."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from worlds import films

from scenewise import Agent, Item, ItemId
from scenewise.eval.data.dialogues import read_domain
from scenewise.eval.simulate import (
    TURNS,
    Answer,
    Case,
    Talk,
    _strange,
    _summary,
    agent_system,
    choices_of,
    draw_cases,
    list_system,
    read_items,
    run,
    talk,
)
from scenewise.eval.simulators import Attributes, Patience, says_title, telling
from scenewise.store.errors import InputError
from scenewise.tools.dialogue.domain import Context, Example

FILMS = {film.item_id: film for film in films()}
ASKED = Context("d", ("Hi!", "Hello, what do you like?", "I want a scary movie for tonight"), ("Psycho",))
WAR = Item(
    ItemId("war"),
    "movies",
    "The War of the Old Worlds",
    "A quiet farmer watches soldiers from another planet.",
    {"genre": ("war", "action"), "star": ("Gene Old", "Ann Robinson"), "director": ("Byron Haskin",)},
    1953,
)


def everything_said(user: Attributes | Patience, shown: Sequence[Item], turns: int = 12) -> list[str]:
    found = []
    for turn in range(turns):
        said = user.say(shown if turn else ())
        if said is None:
            break
        found.append(said)
    return found


@pytest.mark.parametrize("seed", range(40))
def test_who_knows_attributes_never_says_a_word_of_the_title(seed: int) -> None:
    shown = [FILMS[ItemId("film-toy-story")], FILMS[ItemId("film-babe")], FILMS[ItemId("film-alien")]]
    said = everything_said(Attributes(WAR, random.Random(seed)), shown)
    assert len(said) == 12  # never leaves
    assert not any(telling(message) & {"war", "old", "worlds"} for message in said)
    assert any(word in " ".join(said) for word in ("action", "Ann Robinson", "Byron Haskin", "1950s"))


def test_who_knows_attributes_refuses_only_what_the_target_is_not() -> None:
    old = [FILMS[ItemId("film-duck-soup")], FILMS[ItemId("film-casablanca")]]  # both are of war, from 1933 and 1942
    new = Item(ItemId("n"), "movies", "Nova", "", {"genre": ("Horror",)}, 2015)
    said = " ".join(message for seed in range(30) for message in everything_said(Attributes(new, random.Random(seed)), old))
    assert "war" in said
    assert any(words in said for words in ("old", "newer", "recent"))
    assert "No horror" not in said
    assert "older" not in said


def test_patience_runs_out_and_the_same_seed_says_the_same() -> None:
    lengths = [len(everything_said(Patience(ASKED, (), random.Random(seed)), [WAR], 60)) for seed in range(30)]
    assert max(lengths) < 60
    assert len({*lengths}) > 3
    one, other = (everything_said(Patience(ASKED, (("item", "Psycho"),), random.Random(3)), [WAR]) for _ in range(2))
    assert one == other


def test_patience_opens_with_the_first_words_that_ask_and_uses_each_name_once() -> None:
    opened = [Patience(ASKED, (), random.Random(seed)).say(()) for seed in range(20)]
    assert "I want a scary movie for tonight" in opened
    talks = [everything_said(Patience(ASKED, (("person", "Uma Thurman"),), random.Random(seed)), [WAR], 8) for seed in range(60)]
    assert max(sum("Uma Thurman" in message for message in one) for one in talks) == 1


@pytest.mark.parametrize(
    ("message", "title", "whole"),
    [("have you got toy story?", "Toy Story", True), ("a story of a toy", "Toy Story", False), ("is it in here?", "It", False)],
)
def test_titles_are_found_word_for_word(message: str, title: str, whole: bool) -> None:
    assert says_title(message, title) is whole


def test_a_conversation_ends_where_the_target_is_shown() -> None:
    case = Case(ASKED, WAR, ())
    items = {ItemId(f"i{i}"): Item(ItemId(f"i{i}"), "movies", f"Film {i}") for i in range(9)} | {WAR.item_id: WAR}
    shows = list_system(lambda _: [*items], 4)(random.Random(0))
    held = talk(case, Attributes(WAR, random.Random(0)), shows, items)
    assert held.found == 3  # the tenth of ten, four a turn
    assert [len(answer.items) for _, answer in held.lines] == [4, 4, 2]
    never = talk(case, Attributes(WAR, random.Random(0)), lambda _: Answer(()), items)
    assert (never.found, never.left, len(never.lines)) == (0, False, TURNS)


def test_the_summary_by_hand() -> None:
    case = Case(ASKED, WAR, ())
    a, b = (Answer((ItemId("x"), ItemId("y"))), Answer((ItemId("x"), ItemId("war"))))
    told = _summary(
        [
            Talk(case, (("an action film", a), ("from the 1950s", b)), 2, left=False),
            Talk(case, (("The war of the old worlds!", a),), 0, left=True),
        ]
    )
    assert [told[f"success@{t}"][0] for t in (1, 2, 5)] == [0.0, 0.5, 0.5]
    assert told["mean_turns"][0] == 1.5
    assert told["left"] == 0.5
    assert told["leak"] == {"whole_title": 0.5, "a_word_of_it": pytest.approx(1 / 3, abs=1e-4)}
    assert told["facts_of_the_target_said"] == 1.5  # action and 1950s; war
    assert told["items_shown_again"] == 0.125  # one of four, none of two


def test_a_reply_that_names_what_is_not_there_is_strange() -> None:
    assert list(_strange("Here:\n1. Alien: a film.\n2. Aliens 9: a film.", {"Alien"})) == ["Aliens 9: a film."]
    assert list(_strange("Here:\n1. 2001: A Space Odyssey: a film.", {"2001: A Space Odyssey"})) == []


def write_graph(folder: Path) -> Path:
    names = {"Heat (1995)": 0, "Big": 1, "Cars": 2, "comedy": 3, "crime": 4, "Al Pacino": 5, "Ann Lee": 6}
    info = {"7": {"name": "Heat (1995)", "plot": "A thief and a detective."}}
    graph = {"0": [[0, 4], [1, 5]], "1": [[0, 3]], "2": [[0, 3], [3, 6]]}
    for name, value in {"entity2id": names, "item_ids": [0, 1, 2], "kg": graph, "id2info": info}.items():
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    return folder


def test_the_graph_becomes_a_catalogue_and_dialogues_cases(tmp_path: Path) -> None:
    domain = read_domain(write_graph(tmp_path))
    items = read_items(domain, tmp_path)
    assert items[0] == Item(ItemId("0"), "movies", "Heat", "A thief and a detective.", {"genre": ("crime",), "star": ("Al Pacino",)}, 1995)
    assert [item.domain for item in items] == ["movies", "movies", "books"]
    examples = [
        Example(Context("a", ("hi",), ("Big", "Al Pacino", "crime", "nobody")), ("Big", "Cars")),
        Example(Context("b", ("hi",), ("Big",)), ("Big",)),
    ]
    assert draw_cases(domain, items, examples, 9, 0) == [
        Case(examples[0].context, items[2], (("item", "Big"), ("person", "Al Pacino"), ("genre", "crime")))
    ]
    assert choices_of(domain, examples).toarray().tolist() == [[0, 1, 1], [0, 1, 0]]
    with pytest.raises(InputError):
        draw_cases(domain, items, examples[1:], 9, 0)


def test_the_agent_talks_with_both_and_beats_chance(small_agent: Agent) -> None:
    items = [item for item_id in small_agent.store.items.ids() if (item := small_agent.store.items.get(item_id)) is not None]
    targets = ("film-psycho", "film-star-wars", "film-singin")
    cases = [Case(ASKED, FILMS[ItemId(name)], (("genre", "Horror"),)) for name in targets]
    order = [item.item_id for item in items]
    systems = {"agent": agent_system(small_agent, 5), "random": list_system(lambda rng: rng.sample(order, len(order)), 5)}
    done: list[int] = []
    result, talks = run(cases, items, systems, seed=1, progress=lambda n, _: done.append(n))
    assert done == list(range(1, 13))
    assert result["agent"]["out_of_catalogue_rate"] == 0.0
    assert result["agent"]["errors"] == {}
    assert result["found"]["agent, attributes"]["success@5"][0] > result["found"]["random, attributes"]["success@5"][0]
    assert result["found"]["agent, attributes"]["leak"] == {"whole_title": 0.0, "a_word_of_it": 0.0}
    assert np.isfinite(result["agent"]["own_ms"]["p95"])
    assert {*talks} == {f"{system}, {user}" for system in systems for user in ("attributes", "patience")}
    assert json.loads(json.dumps(result)) == result
