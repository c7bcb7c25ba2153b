"""Plans are scored as docs/planning.md says, and the figures are those counted by hand."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scenewise.agent.model import Call
from scenewise.agent.plan_request import PlanRequest
from scenewise.agent.settings import Settings
from scenewise.eval.plan import figures, report, run, share
from scenewise.eval.plan_cases import PlanCase, read_cases
from scenewise.eval.plan_planners import as_planned, outcome_of
from scenewise.eval.plan_run import Options, measure
from scenewise.eval.plan_score import Outcome, is_right, score
from scenewise.eval.plan_turns import CaseReader, RulesPlanner
from scenewise.store.errors import InputError, NotFound
from scenewise.store.store import Store
from scenewise.tools.retrieval.encoders import default_encoders
from scenewise.tools.toolbox import Toolbox
from tests.worlds import build_small_store

NOW_S = 1_777_888_800.0
THRILLER: dict[str, Any] = {
    "required": ["retrieve", "filter_catalogue"],
    "allowed": ["query_graph"],
    "args": {
        "retrieve": {"query": ["thriller"], "domain": ["movies", None]},
        "filter_catalogue": {"without": "violence", "max_duration_min": 120},
    },
}
RIGHT = (Call("retrieve", {"query": "thriller film"}), Call("filter_catalogue", {"without": ["violent"], "max_duration_min": 120.0}))


def make(tmp_path: Path, expect: dict[str, Any], message: str = "a thriller under two hours, not violent", **more: Any) -> PlanCase:
    row = {"id": "c", "messages": [{"role": "user", "content": message}], "expect": expect, "tags": ["en"]} | more
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    return read_cases(file)[0]


def test_a_plan_that_is_whole(tmp_path: Path) -> None:
    found = score(make(tmp_path, THRILLER), Outcome(RIGHT))
    assert (found.whole, found.hits, found.misses, found.extras) == (True, 2, 0, 0)
    assert (found.args_right, found.args_given) == (4, 4)  # the kind may be left out


def test_allowed_tools_neither_help_nor_hurt_and_others_do(tmp_path: Path) -> None:
    case = make(tmp_path, THRILLER)
    assert score(case, Outcome((*RIGHT, Call("query_graph", {"value": "x"})))).whole
    extra = score(case, Outcome((*RIGHT, Call("update_profile", {"action": "like", "attribute": "genre", "value": "thriller"}))))
    assert (extra.whole, extra.extras, extra.no_cause) == (False, 1, True)


def test_a_missing_call_has_all_its_arguments_wrong(tmp_path: Path) -> None:
    found = score(make(tmp_path, THRILLER), Outcome(RIGHT[:1]))
    assert (found.hits, found.misses, found.args_right, found.args_given, found.whole) == (1, 1, 2, 4, False)


def test_several_calls_of_one_tool_are_compared_one_to_one(tmp_path: Path) -> None:
    expect = {"required": ["retrieve"], "args": {"retrieve": [{"query": "jazz"}, {"query": "stew"}]}}
    case = make(tmp_path, expect, "jazz and a stew")
    jazz, stew = Call("retrieve", {"query": "jazz"}), Call("retrieve", {"query": "stew"})
    assert score(case, Outcome((stew, jazz))).whole
    assert score(case, Outcome((jazz,))).args_right == 1
    assert score(case, Outcome((jazz, jazz))).args_right == 1


def test_conditions_in_two_calls_are_one(tmp_path: Path) -> None:
    split = (RIGHT[0], Call("filter_catalogue", {"without": ["violence"]}), Call("filter_catalogue", {"max_duration_min": 120}))
    assert score(make(tmp_path, THRILLER), Outcome(split)).whole


def test_no_tool_and_a_question_back(tmp_path: Path) -> None:
    thanks = make(tmp_path, {"no_tool": True}, "thanks")
    assert score(thanks, Outcome()).whole
    assert not score(thanks, Outcome(ask=True)).whole
    assert not score(thanks, Outcome((Call("collaborative_candidates", {}),))).whole
    assert not score(thanks, Outcome(readable=False)).whole
    asked = make(tmp_path, {"ask": True}, "get me one")
    assert score(asked, Outcome(ask=True)).whole
    assert not score(asked, Outcome()).whole


@pytest.mark.parametrize(
    ("key", "accepted", "value", "right"),
    [
        ("like_titles", ["Heat", "Fargo"], ["fargo", "heat"], True),
        ("like_titles", ["Heat", "Fargo"], ["Heat"], False),
        ("like_titles", ["Heat"], ["Heat", "Fargo"], False),
        ("like_titles", [["Pulp Fiction", "pulp fictoin"]], ["pulp fictoin"], True),
        ("titles", "The Rock", ["rock"], True),
        ("titles", ["Schindler's List"], ["Schindlers List"], True),
        ("without", ["horror"], ["horrors"], True),
        ("without", ["horror"], ["humor"], False),
        ("without", ["horror"], [], False),
        ("value", "汤姆·汉克斯", "汤姆汉克斯", True),
        ("value", ["Tom Hanks"], "Hanks", False),
        ("value", "Tom Hanks", None, False),
        ("max_price", 20, 20.0, True),
        ("max_price", 20, 21, False),
        ("min_year", [1990, 1991], 1991, True),
        ("domain", ["books", None], "movies", False),
        ("query", "funny film for kids", "funny kids", True),
        ("query", "funny", "hilarious", False),
        ("query", "funny", "funny space film", False),
        ("query", "funny", "please find me something funny", True),
    ],
)
def test_arguments(key: str, accepted: Any, value: Any, right: bool) -> None:
    request = PlanRequest(({"role": "user", "content": "a funny film"}, {"role": "user", "content": "and for kids?"}))
    assert is_right(key, accepted, value, request) is right


def test_chinese_queries_are_compared_by_character() -> None:
    request = PlanRequest(({"role": "user", "content": "想看轻松的爱情喜剧"},))
    assert is_right("query", "爱情喜剧", "轻松的爱情喜剧", request)
    assert not is_right("query", "爱情喜剧", "喜剧", request)
    assert not is_right("query", "喜剧", "恐怖喜剧", request)


def test_figures_are_those_counted_by_hand(tmp_path: Path) -> None:
    wants, thanks, asks = make(tmp_path, THRILLER), make(tmp_path, {"no_tool": True}), make(tmp_path, {"ask": True})
    cases = [wants, wants, thanks, thanks, asks]
    taste = Call("update_profile", {"action": "like", "attribute": "genre", "value": "x"})
    outcomes = [Outcome(RIGHT), Outcome(RIGHT[:1]), Outcome(), Outcome((taste,)), Outcome(readable=False)]
    found = figures(cases, [score(case, outcome) for case, outcome in zip(cases, outcomes, strict=True)])
    assert found["whole"]["value"] == 0.4
    assert found["executable"]["value"] == 0.8
    assert found["tool_f1"]["value"] == 0.75  # 3 found, 1 missed, 1 too many
    assert found["arguments"]["value"] == 0.75
    assert found["no_tool"]["value"] == 0.5
    assert found["question_back"]["value"] == 0.8
    assert (found["question_back"]["precision"], found["question_back"]["recall"]) == (None, 0.0)
    assert found["update_without_cause"]["value"] == 0.2
    low, high = found["tool_f1"]["95%"]
    assert low <= 0.75 <= high


def test_share_of_nothing_and_report_by_tag(tmp_path: Path) -> None:
    assert share([])["value"] is None
    case = make(tmp_path, {"no_tool": True}, split="dev")
    found = report([case], [Outcome()])
    assert found["by_tag"]["en"]["n"] == found["by_half"]["dev"]["n"] == 1


class Silent:
    """Plans nothing, ever."""

    name = "silent"

    def plan(self, case: PlanCase) -> Outcome:
        return Outcome(seconds=0.5, tokens=3)


def test_misses_of_the_test_half_are_not_shown(tmp_path: Path) -> None:
    cases = [make(tmp_path, THRILLER, split="dev", id="a"), make(tmp_path, THRILLER, split="test", id="b")]
    found = run(cases, Silent(), progress=lambda done, total: None)
    assert [miss["id"] for miss in found["misses"]] == ["a"]
    assert (found["seconds"]["p50"], found["completion_tokens_mean"], found["all"]["whole"]["value"]) == (0.5, 3.0, 0.0)


def test_other_writings_of_a_plan() -> None:
    assert as_planned(Call("filter_catalogue", {"domains": [], "ban_genre": ["Horror"]})).arguments == {"without": ["Horror"]}
    assert not outcome_of(None, 0.0).readable


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolbox]:
    path = tmp_path_factory.mktemp("plan") / "store"
    build_small_store(path)
    with Store.open(path, purpose="test") as store:
        yield Toolbox.open(store, default_encoders())


def test_rules_plan_what_the_words_name(box: Toolbox, tmp_path: Path) -> None:
    rules = RulesPlanner(CaseReader(box, now_s=NOW_S))
    like = rules.plan(make(tmp_path, THRILLER, "something like Fargo"))
    assert [(call.name, call.arguments) for call in like.calls] == [("collaborative_candidates", {"like_titles": ["Fargo"]})]
    assert rules.plan(make(tmp_path, THRILLER, "thank you")).calls == ()
    shorter = rules.plan(make(tmp_path, THRILLER, "something shorter", last_items=["Fargo", "No Such Film At All"]))
    assert [(call.name, call.arguments) for call in shorter.calls] == [("collaborative_candidates", {})]
    assert not rules.plan(make(tmp_path, THRILLER, "x" * 9_000)).readable


def test_the_policy_drops_what_the_request_does_not_bear_out(box: Toolbox, tmp_path: Path) -> None:
    reader, case = CaseReader(box, now_s=NOW_S), make(tmp_path, THRILLER, "something like Fargo")
    planted = Outcome((Call("collaborative_candidates", {"like_titles": ["Fargo"]}), Call("look_up_items", {"titles": ["Psycho"]})))
    assert [call.name for call in reader.limited(case, planted).calls] == ["collaborative_candidates"]


def test_options_that_do_not_go_together(box: Toolbox) -> None:
    settings = Settings(llm_off=True)
    for options, error in [(Options("oracle"), InputError), (Options("knn"), NotFound), (Options("llm"), NotFound)]:
        with pytest.raises(error):
            measure(box, options, settings, now_s=NOW_S, progress=lambda done, total: None)
