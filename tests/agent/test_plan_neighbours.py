"""Plans from neighbours: the shape is voted on, and the arguments are those of the new message."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenewise.agent.model import Call
from scenewise.agent.plan_neighbours import NeighbourPlanner, read_known
from scenewise.agent.plan_request import PlanRequest
from scenewise.agent.plan_slots import aligned, conditions_of, core
from scenewise.agent.plan_text import Ask
from scenewise.store.errors import InputError
from scenewise.store.store import Store
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.concepts import constraints_from_text
from scenewise.tools.catalogue.mentions import Concepts
from scenewise.tools.retrieval.encoders import default_encoders
from tests.worlds import build_small_store

LIST = ["Vertigo", "Psycho"]
KNOWN = [
    ("anything like Babe please", "like(Babe)", []),
    ("films in the manner of Casablanca", "like(Casablanca)", []),
    ("who directed Psycho", "facts(Psycho)", []),
    ("a gloomy detective story to read", "find(gloomy detective story; books)", []),
    ("a cheerful film about dogs", "find(cheerful dogs; movies)", []),
    ("many thanks", "none", []),
    ("hello there", "none", []),
    ("asdf jkl", "ask(kind)", []),
    ("more like the first one", "like(#1)", LIST),
    ("thanks a lot", "none", LIST),
    ("有没有类似大话西游的电影", "like(大话西游)", []),
    ("谢谢你", "none", []),
    ("推荐一部悬疑小说", "find(悬疑; books)", []),
]


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NeighbourPlanner]:
    folder = tmp_path_factory.mktemp("neighbours")
    build_small_store(folder / "store")
    rows = [
        {"request": {"messages": [{"role": "user", "content": said}], "last_items": items}, "plan": plan} for said, plan, items in KNOWN
    ]
    (folder / "known.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    with Store.open(folder / "store", purpose="test") as store:
        known = read_known(folder / "known.jsonl")
        yield NeighbourPlanner(known, default_encoders(), Catalogue.from_store(store), Concepts.of_store(store))


def ask(message: str, last_items: list[str] | None = None) -> PlanRequest:
    return PlanRequest(({"role": "user", "content": message},), last_items=last_items or ())


@pytest.mark.parametrize(
    ("message", "tool", "arguments"),
    [
        ("anything like Fargo please", "collaborative_candidates", {"like_titles": ["Fargo"]}),
        ("anything like Parasite please", "collaborative_candidates", {"like_titles": ["Parasite"]}),
        ("who directed Vertigo?", "look_up_items", {"titles": ["Vertigo"]}),
        ("有没有类似霸王别姬的电影", "collaborative_candidates", {"like_titles": ["霸王别姬"]}),
        ("推荐一部历史小说", "retrieve", {"query": "历史", "domain": "books"}),
    ],
)
def test_the_new_message_fills_the_plan(planner: NeighbourPlanner, message: str, tool: str, arguments: dict[str, object]) -> None:
    assert planner.plan(ask(message)) == (Call(tool, arguments),)


def test_no_tool_a_question_back_and_an_empty_message(planner: NeighbourPlanner) -> None:
    assert planner.plan(ask("thanks")) == ()
    assert planner.plan(ask("asdf jkl")) == Ask()
    assert planner.plan(ask("  ")) == Ask()


def test_a_place_in_the_last_list_is_its_title(planner: NeighbourPlanner) -> None:
    assert planner.plan(ask("more like the second one", ["Heat", "Alien"])) == (
        Call("collaborative_candidates", {"like_titles": ["Alien"]}),
    )


def test_conditions_come_from_the_new_message(planner: NeighbourPlanner) -> None:
    plan = planner.plan(ask("anything like Fargo please, under 90 minutes, no horror"))
    assert not isinstance(plan, Ask)
    assert dict(plan[-1].arguments) == {"without": ["horror"], "max_duration_min": 90}


def test_neighbours_have_a_list_where_the_request_has_one(planner: NeighbourPlanner) -> None:
    nearest = planner.nearest(ask("thanks", ["Heat"]), k=2)
    assert [bool(known.request.last_items) for known, _ in nearest] == [True, True]


def test_what_stands_where_the_argument_stands() -> None:
    assert aligned("Babe", "anything like Babe", "have you anything like The Third Man? It is late") == "The Third Man"
    assert aligned("Babe", "anything like Babe", "good morning") == ""
    assert aligned("Fargo", "anything like Babe", "anything like Heat") == ""
    assert core("can you find me a sad film please") == "sad"


def test_a_kind_is_a_condition_only_where_it_is_said_to_be_the_only_one(tmp_path: Path) -> None:
    build_small_store(tmp_path / "store")
    with Store.open(tmp_path / "store", purpose="test") as store:
        catalogue, concepts = Catalogue.from_store(store), Concepts.of_store(store)
    for text, domains in [("only books please", ["books"]), ("a book please", None)]:
        assert conditions_of(constraints_from_text(text, catalogue, concepts), text).get("domains") == domains
    unlike = "something that is not an action film"
    assert conditions_of(constraints_from_text(unlike, catalogue, concepts), unlike)["without"][0].startswith("action")


def test_a_line_that_is_no_pair_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"request": {"messages": []}}', encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        read_known(tmp_path / "bad.jsonl")
