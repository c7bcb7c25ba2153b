"""The hand-written cases are whole: format, counts, no two alike, arguments only of tools that are required."""

import json
from collections import Counter
from pathlib import Path

import pytest

from scenewise.eval.plan_cases import CASES, read_cases
from scenewise.eval.plan_score import plain, telling
from scenewise.store.errors import InputError, NotFound

LEAST = {"zh": 60, "follow-up": 60, "no-tool": 40, "hostile": 40, "ask": 15, "several": 25, "taste": 25, "near-miss": 25, "shop": 5}


def test_there_are_enough_cases_of_every_sort() -> None:
    cases = read_cases()
    counts = Counter(tag for case in cases for tag in case.tags)
    assert len(cases) >= 330
    assert {tag: counts[tag] for tag, least in LEAST.items() if counts[tag] < least} == {}
    assert sum(bool(case.request.last_items) and "follow-up" in case.tags for case in cases) >= 60


def test_tags_say_what_is_expected() -> None:
    for case in read_cases():
        assert ("no-tool" in case.tags) == case.expect.no_tool, case.case_id
        assert ("ask" in case.tags) == case.expect.ask, case.case_id
        assert ("taste" in case.tags) == ("update_profile" in case.expect.required), case.case_id
        assert ("follow-up" in case.tags) == (len(case.request.messages) > 1), case.case_id
        assert case.request.messages[-1]["role"] == "user", case.case_id
        if "near-miss" in case.tags:
            assert "update_profile" not in case.expect.required | case.expect.allowed, case.case_id


def test_ids_and_messages_are_each_its_own() -> None:
    cases = read_cases()
    assert len({case.case_id for case in cases}) == len(cases)
    said = Counter(tuple(plain(one["content"]) for one in case.request.messages) for case in cases)
    assert [messages for messages, n in said.items() if n > 1] == []


def test_halves_are_about_even_and_cover_all() -> None:
    halves = Counter(case.half for case in read_cases())
    assert set(halves) == {"dev", "test"}
    assert min(halves.values()) > 0.4 * sum(halves.values())


def test_the_accepted_query_can_be_made_of_the_conversation() -> None:
    for case in read_cases():
        spoken = " ".join(one["content"] for one in case.request.messages)
        for wanted in case.expect.args.get("retrieve", ()):
            accepted = wanted["query"] if isinstance(wanted["query"], list) else [wanted["query"]]
            assert any(set(telling(text)) <= set(telling(spoken)) for text in accepted), case.case_id


@pytest.mark.parametrize(
    "change",
    [
        {"required": ["wipe_catalogue"]},
        {"required": [], "no_tool": False},
        {"no_tool": True},
        {"required": ["retrieve"], "args": {"query_graph": {"value": "jazz"}}},
        {"args": {"retrieve": {"colour": "red"}}},
    ],
)
def test_a_case_that_contradicts_itself_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    row = json.loads(CASES.read_text(encoding="utf-8").splitlines()[0])
    row["expect"] = {"required": ["retrieve"], "allowed": [], "args": {}, "no_tool": False, "ask": False} | change
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        read_cases(file)


def test_a_file_that_is_not_there_or_has_no_such_half(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_cases(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="no cases"):
        read_cases(CASES, "middle")
