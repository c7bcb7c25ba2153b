"""What the commands share: reading a moment, ending with a code, and text that a terminal cannot be fooled with."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from scenewise import Busy, InputError, ModelError, NotAllowed, NotFound, Place, ScenewiseError, StoreError
from scenewise.service import console as c
from scenewise.service.bootstrap import SetupFailed


def test_a_time_of_day_is_todays() -> None:
    before = datetime.now().date()
    read = c.read_time("18:30")
    assert read is not None
    assert (read.hour, read.minute, read.second, read.microsecond) == (18, 30, 0, 0)
    assert read.date() in (before, datetime.now().date())
    early = c.read_time("7:05")
    assert early is not None
    assert (early.hour, early.minute) == (7, 5)


def test_now_and_nothing() -> None:
    now = c.read_time("now")
    assert now is not None
    assert abs(datetime.now() - now) < timedelta(seconds=5)
    assert c.read_time(None) is None


def test_iso_times_are_the_wall_clock_whatever_their_zone() -> None:
    assert c.read_time("2026-05-01T18:30") == datetime(2026, 5, 1, 18, 30)
    assert c.read_time("2026-05-01T18:30+09:00") == datetime(2026, 5, 1, 18, 30)
    assert c.read_time("2026-05-01") == datetime(2026, 5, 1)


@pytest.mark.parametrize("text", ["25:00", "18:60", "", "noon", "18", ":", "1:2:3", "2026-13-01", "2026-05-01T99:00", "-1:30", "١٨:٣٠x"])
def test_other_times_are_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(InputError, match="18:30"):
        c.read_time(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("home", Place(type="home")),
        ("train@22", Place(type="train", speed_mps=22.0)),
        ("@1.4", Place(speed_mps=1.4)),
        ("52.5,13.4", Place(latitude=52.5, longitude=13.4)),
        (" -33.9, 151.2@0", Place(latitude=-33.9, longitude=151.2, speed_mps=0.0)),
        ("90,-180", Place(latitude=90.0, longitude=-180.0)),
        ("", None),
        (None, None),
    ],
)
def test_places(text: str | None, place: Place | None) -> None:
    assert c.read_place(text) == place


@pytest.mark.parametrize("text", ["91,0", "0,181", "nan,0", "0,inf", "home@fast", "52,east", "1,2@x"])
def test_impossible_places_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--place"):
        c.read_place(text)


CODES: list[tuple[BaseException, int]] = [
    (InputError("x"), 2),
    (NotFound("x"), 3),
    (NotAllowed("x"), 4),
    (Busy("x"), 5),
    (ModelError("x", reason="y"), 6),
    (StoreError("x"), 7),
    (SetupFailed("x"), 8),
    (ScenewiseError("x"), 1),
    (FileExistsError(17, "File exists", "/a"), 1),
    (KeyboardInterrupt(), 130),
]


@pytest.mark.parametrize(("error", "code"), CODES)
def test_every_error_has_its_code_and_its_json(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, c.clear_errors(True):
        raise error
    assert left.value.exit_code == code
    shown = json.loads(capsys.readouterr().out)
    assert shown["exit_code"] == code
    assert shown["error"]


def test_an_error_that_is_ours_by_mistake_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), c.clear_errors(True):
        raise ZeroDivisionError


def test_an_error_is_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), c.clear_errors():
        raise InputError("no file [red]a[/red][/b].csv\x1b[2J")
    shown = capsys.readouterr()
    assert "[red]a[/red][/b].csv" in shown.err
    assert "\x1b[2J" not in shown.err
    assert shown.out == ""


@given(st.text())
def test_safe_text_has_no_markup_and_no_control(text: str) -> None:
    plain = c.plain(text)
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in plain)
    assert Text.from_markup(f"<{c.safe(text)} >", emoji=False).plain.replace("\\", "") == f"<{plain} >".replace("\\", "")


@pytest.mark.parametrize("name", ["[b]x[]", "[/b]", "[link=file:///]x[/link]", ":heart:", "\x1b[2Jx"])
def test_progress_bars_take_any_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with c.progress_bar(name) as progress:
        progress(1, 2)
    shown = capsys.readouterr().err
    assert c.plain(name) in shown
    assert "\x1b[2J" not in shown


def test_steps_are_told_line_by_line_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with c.step_bar() as steps:
        steps("demo data: downloading", 0, 2)
        steps("demo data: ready", 2, 2)
    assert capsys.readouterr().err == "0/2 demo data: downloading\n2/2 demo data: ready\n"
