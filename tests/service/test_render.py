"""A turn on the terminal: everything of a user, an item or a model is text, and nothing else."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from scenewise import ItemId, Turn, TurnItem, UserId
from scenewise.agent.record import PlannedCall
from scenewise.service import console as c
from scenewise.service.render import show_turn

HOSTILE = [
    "[red]x[/red]",
    "[link=http://evil.example]x[/link]",
    "[/]",
    "[/bold]",
    "[bold",
    "back\\",
    "\\[red]",
    ":heart:",
    "a\x1b[2Jb",
    "\x1b]8;;x\x07y",
]


def make_turn(text: str, *, items: bool = True) -> Turn:
    """A turn with this text wherever one can be."""
    item = TurnItem(ItemId(text), text, text, 0.5, text, text, "model", ((text, ("genre",)),), (("genre", text),), {"ease": 0.5})
    return Turn(
        turn_id="t",
        conversation_id="c",
        user_id=UserId(text),
        message=text,
        time_s=0.0,
        reply=f"{text}\n1. {text}",
        items=(item,) if items else (),
        intent="recommend",
        scene=text,
        scene_probability=0.9,
        signals=(("words", text, 1.0),),
        plan=(PlannedCall(text, {"query": text}, "model", "run", text, 3, 1.0), PlannedCall("retrieve", {}, "policy", "failed", text)),
        llm_rounds=2,
        timings_ms={"perceive": 1.0, "total": 1234.0},
        notes=(text,),
        degraded=(text,),
        model=text,
    )


def shown(turn: Turn, **options: bool) -> str:
    """The turn as a terminal of 400 columns gets it, without colours."""
    file = io.StringIO()
    show_turn(turn, Console(file=file, width=400, emoji=False, highlight=False), **options)
    return file.getvalue()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("items", [True, False])
def test_hostile_text_is_shown_as_text(text: str, items: bool) -> None:
    told = shown(make_turn(text, items=items))
    assert not any(char in told for char in "\x1b\x07")
    words = c.plain(text).strip("\\ ")
    assert told.count(words) >= 7


def test_a_terminal_with_colours_gets_none_from_a_title() -> None:
    file = io.StringIO()
    show_turn(make_turn("\x1b[31mred [red]x[/red]"), Console(file=file, width=400, force_terminal=True, color_system="truecolor"))
    assert "\x1b[31mred" not in file.getvalue()
    assert "[31mred [red]x[/red]" in file.getvalue()


def test_what_a_turn_shows() -> None:
    told = shown(make_turn("word"))
    assert "scene   word 90%   signals: words +100% (word)" in told
    assert "plan    model  word(query='word') ran 3 candidates, 1 ms; word" in told
    assert "        policy retrieve() failed word" in told
    assert "0.50" in told
    assert "word (model)" in told
    assert "time    1.23 s: perceive 1 ms   word, 2 LLM rounds, 0 tokens" in told
    assert "degraded: word" in told
    assert "note    word" in told


def test_details_can_be_left_out() -> None:
    told = shown(make_turn("word"), details=False)
    assert "scene" not in told
    assert "time" not in told
    assert "word (model)" in told


def test_a_reply_without_a_list_keeps_its_lines() -> None:
    assert "word\n1. word" in shown(make_turn("word", items=False))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_turn_comes_back_out_of_its_record(text: str) -> None:
    for turn in (make_turn(text), make_turn(text, items=False)):
        assert Turn.from_record(json.loads(json.dumps(turn.to_record()))) == turn
    record = make_turn(text).to_record()
    for later in ("completion_tokens", "artefact", "prompts"):  # what records of earlier versions lack
        del record[later]
    assert shown(Turn.from_record(record)) == shown(make_turn(text))
