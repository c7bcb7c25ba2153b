"""Generated conversations: what counts as a failure, and that there is none without an LLM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import pytest

from scenewise import Agent, ItemId, Turn
from scenewise.agent.record import PlannedCall, TurnItem
from scenewise.eval.turns import FOLLOW_UPS, OPENERS, askers, generate_cases, problems, report, run_turns

NOW = datetime(2025, 10, 6, 12, 30)
KNOWN = {ItemId("a"), ItemId("b")}


def entry(item_id: str, copy: str = "A film.") -> TurnItem:
    """An item of a list."""
    return TurnItem(
        item_id=ItemId(item_id),
        domain="movies",
        title=f"Film {item_id}",
        score=0.5,
        reason="suits party",
        copy=copy,
        copy_source="template",
        claims=(),
        evidence=(),
        contributions={},
    )


def turn(*items: TurnItem) -> Turn:
    """A turn in which all is well."""
    lines = [f"{place}. {item.title}: {item.copy}" for place, item in enumerate(items, 1)]
    return Turn(
        turn_id="t",
        conversation_id="c",
        user_id=None,
        message="a film",
        time_s=0.0,
        reply="\n".join(["Here is what I would pick:", *lines]),
        items=items,
        intent="recommend",
        scene=None,
        scene_probability=0.0,
        signals=(),
        plan=(
            PlannedCall("retrieve", {"query": "film"}, "model", "run"),
            PlannedCall("retrieve", {}, "model", "refused", "not in the request"),
        ),
        llm_rounds=2,
        timings_ms={"plan": 10.0, "compose": 20.0, "perceive": 1.0, "act": 2.0, "rank": 3.0, "verify": 4.0, "remember": 5.0, "total": 45.0},
    )


GOOD = turn(entry("a"), entry("b"))


def test_a_good_turn_has_no_problem() -> None:
    assert list(problems(GOOD, KNOWN)) == []


def test_an_answer_without_a_list_is_no_problem() -> None:
    assert list(problems(replace(turn(), reply="Nothing fits all of that."), KNOWN)) == []


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda good: replace(turn(), reply=" \n "), "no_answer"),
        (lambda good: turn(entry("a"), entry("from-nowhere")), "outside_catalogue"),
        (lambda good: replace(good, reply=good.reply.replace("Film b", "Film c")), "copy_and_list_disagree"),
        (lambda good: replace(good, reply=good.reply.rsplit("\n", 1)[0]), "copy_and_list_disagree"),
        (lambda good: replace(good, items=good.items[::-1]), "copy_and_list_disagree"),
        (lambda good: turn(entry("a"), entry("b", copy="")), "copy_and_list_disagree"),
        (lambda good: replace(good, plan=(PlannedCall("retrieve", {}, "model", "failed"),)), "plan_not_executable"),
        (lambda good: replace(good, plan=(PlannedCall("retrieve", {}, "policy", "planned"),)), "plan_not_executable"),
        (lambda good: replace(good, degraded=("planning: no tool call in the answer",)), "plan_not_executable"),
        (lambda good: replace(good, llm_rounds=4), "more_than_three_rounds"),
        (lambda good: turn(entry("a"), entry("a")), "an_item_twice"),
    ],
)
def test_each_failure_is_found_and_only_it(spoil: Callable[[Turn], Turn], problem: str) -> None:
    assert list(problems(spoil(GOOD), KNOWN)) == [problem]


def test_an_explanation_need_not_repeat_the_list() -> None:
    explained = replace(GOOD, intent="explain", reply="Number 2, Film b: suits party.", items=GOOD.items[1:])
    assert list(problems(explained, KNOWN)) == []


def test_several_failures_are_all_found() -> None:
    bad = replace(turn(entry("x"), entry("x")), llm_rounds=4)
    assert set(problems(bad, KNOWN)) == {"outside_catalogue", "more_than_three_rounds", "an_item_twice"}


def test_the_report_counts_by_hand() -> None:
    slow = replace(GOOD, timings_ms={**GOOD.timings_ms, "total": 130.0}, degraded=("writing: too slow",))
    result = report([GOOD, slow], ["no_answer: t", "no_answer: u"], seed=4)
    assert result["turns"] == 2
    assert result["failures"]["no_answer"] == 2
    assert sum(result["failures"].values()) == 2
    assert result["own_ms"]["p50"] == 57.5  # of 15 and 100
    assert result["model_calls"] == 4
    assert result["model_calls_run"] == 2
    assert result["copy_by_model"] == 0.0
    assert result["degraded"] == {"writing: too slow": 1}


def test_cases_are_the_same_for_the_same_seed() -> None:
    users = ["ann", "ben"]
    cases = generate_cases(60, users, seed=7, now=NOW)
    assert cases == generate_cases(60, users, seed=7, now=NOW)
    assert cases != generate_cases(60, users, seed=8, now=NOW)
    assert cases[:20] == generate_cases(20, users, seed=7, now=NOW)


def test_cases_are_conversations_of_all_kinds_of_users() -> None:
    cases = generate_cases(300, ["ann", "ben"], seed=1, now=NOW)
    assert len(cases) == 300
    assert cases[0].first
    assert all(case.message in (OPENERS if case.first else FOLLOW_UPS) for case in cases)
    users = {case.user_id for case in cases}
    assert None in users
    assert "ann" in users
    assert any(user is not None and user.startswith("new-") for user in users)
    for before, case in pairwise(cases):
        assert case.first or case.user_id == before.user_id
    assert all(abs((case.moment.local_time - NOW).days) <= 7 for case in cases if case.moment.local_time)


def test_who_is_named_is_somebody(small_agent: Agent) -> None:
    small_agent.turn("surprise me")
    assert "anonymous" in small_agent.store.users.ids()
    assert "anonymous" not in askers(small_agent)
    assert not any(run_turns(small_agent, 20, seed=5, now=NOW)["failures"].values())


def test_a_run_without_an_llm_has_no_failure(small_agent: Agent) -> None:
    now = datetime.fromtimestamp(1_760_000_000)
    done: list[int] = []
    result = run_turns(small_agent, 12, seed=2, now=now, progress=lambda n, total: done.append(n))
    assert result["turns"] == 12
    assert not any(result["failures"].values()), result["failed_turns"]
    assert result["llm_rounds_max"] == 0
    assert result["lists"] > 0
    assert done == list(range(1, 13))
