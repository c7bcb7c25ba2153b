"""`scenewise recommend --explain`: what each item's score is made of, for people at 80 columns and for programs."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scenewise import ItemId, TurnItem
from scenewise.agent.record import SourceScore
from scenewise.service.render import explanation, show_explanations

ITEM = TurnItem(
    item_id=ItemId("i"),
    domain="movies",
    title="Alien",
    score=1.0 / (1.0 + math.exp(6.001)),
    reason="",
    copy="",
    copy_source="template",
    claims=(),
    evidence=(),
    contributions={"ease": 0.5, "bias": -8.0, "scene_ban": -1.0, "own_signal": 2.5, "tie_break": -0.001},
    sources=(SourceScore("ease", 12.3456, 2), SourceScore("graph", 0.000296, 56)),
)


def shown(*items: TurnItem, width: int = 80) -> list[str]:
    """The lines on a terminal without colours."""
    file = io.StringIO()
    show_explanations(items, Console(file=file, width=width, emoji=False, highlight=False))
    return [line.rstrip() for line in file.getvalue().split("\n")]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_parts_come_strongest_first_and_add_up() -> None:
    told = explanation(ITEM)
    assert [part["name"] for part in told["parts"]] == ["own_signal", "scene_ban", "ease", "tie_break", "bias"]
    assert sum(part["value"] for part in told["parts"]) == pytest.approx(told["log_odds"]) == pytest.approx(-6.001)
    assert told["score"] == pytest.approx(1.0 / (1.0 + math.exp(-told["log_odds"])))
    assert {part["name"]: part["words"] for part in told["parts"]}["scene_ban"] == "what the scene rules out"


def test_the_table_by_hand() -> None:
    lines = shown(ITEM)
    assert lines[2] == "1. Alien movies"
    assert [cells(line) for line in lines[3:10]] == [
        ["what", "name", "adds", "rank", "raw score"],
        ["own signal", "own_signal", "+2.50"],
        ["what the scene rules out", "scene_ban", "-1.00"],
        ["items liked together (EASE)", "ease", "+0.50", "2", "12.3"],
        ["the knowledge graph", "graph", "+0.00", "56", "0.000296"],
        ["where every item starts", "bias", "-8.00"],
        ["score 0.002", "total", "-6.00"],
    ]
    assert not any("probability" in line for line in lines)


def test_the_propensity_is_told_when_the_list_was_drawn() -> None:
    lines = shown(replace(ITEM, propensity=0.125), replace(ITEM, propensity=1.0))
    assert [line.strip() for line in lines if "probability" in line] == [
        "drawn for this place with probability 0.125 (exploration)",
        "drawn for this place with probability 1 (exploration)",
    ]


def test_a_list_without_items_has_nothing_to_explain() -> None:
    assert shown() == [""]


@pytest.mark.parametrize("text", ["[red]x[/red]", "a\x1b[2Jb", "[/]", "long " * 60])
def test_any_text_is_shown_as_text_within_80_columns(text: str) -> None:
    odd = replace(ITEM, title=text, domain=text, contributions={text: 1.0}, sources=(SourceScore(text, 1.0, 1),))
    lines = shown(odd)
    assert not any("\x1b" in line for line in lines)
    assert all(len(line) <= 80 for line in lines)
    assert any("+1.00" in line for line in lines)


def test_recommend_explains_for_people(run: Callable[..., Any], own_store: Path) -> None:
    result = run("recommend", "--store", own_store, "--user", "ann", "--text", "only films please", "-k", "2", "--explain")
    assert result.exit_code == 0
    assert result.stdout.count("raw score") == 2
    assert "where every item starts" in result.stdout


def test_recommend_explains_for_programs(read: Callable[..., Any], own_store: Path) -> None:
    record = read("recommend", "--store", own_store, "--user", "ann", "--text", "only films please", "-k", "2", "--explain")
    assert len(record["items"]) == 2
    for item in record["items"]:
        told = item["explanation"]
        assert {part["name"]: part["value"] for part in told["parts"]} == item["contributions"]
        assert told["score"] == item["score"] == pytest.approx(1.0 / (1.0 + math.exp(-told["log_odds"])))
        assert all(set(source) == {"source", "score", "rank"} for source in item["sources"])
        assert item["propensity"] == 1.0
    plain = read("recommend", "--store", own_store, "--user", "ann", "--text", "only films please", "-k", "2")
    assert all("explanation" not in item and item["sources"] for item in plain["items"])
