"""What the commands share: how errors end them, how JSON and progress are printed, how a moment is read from options."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scenewise.service.bootstrap import SetupFailed, show_bar
from scenewise.store.errors import InputError, ScenewiseError
from scenewise.store.types import Moment, Place
from scenewise.tools.scene.signals import NETWORKS, WEATHERS

SETUP_FAILED, QUARANTINED = 8, 9
"""What a command ends with beside the errors' own codes; 0 is success, 1 another error, 130 Ctrl-C."""

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)

_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_NAME = TextColumn("{task.description}", markup=False)


def plain(text: str) -> str:
    """A user's, an item's or a file's text on one line, without what a terminal would obey: control characters, direction marks."""
    return _UNSHOWN.sub(" ", text)


def safe(text: str) -> str:
    """`plain` for use inside rich markup."""
    return escape(plain(text))


def print_json(data: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")


@contextmanager
def clear_errors(as_json: bool = False) -> Iterator[None]:
    """End the command with one sentence and a meaningful exit code, never a traceback."""
    try:
        yield
    except (ScenewiseError, SetupFailed) as error:
        fail(str(error), code=error.exit_code if isinstance(error, ScenewiseError) else SETUP_FAILED, as_json=as_json)
    except KeyboardInterrupt:
        fail("stopped", code=130, as_json=as_json)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; nothing to say and nobody to say it to
        raise typer.Exit(0) from None
    except OSError as error:
        fail(f"{error.filename or 'the system'}: {error.strerror or error}", code=1, as_json=as_json)


def fail(message: str, *, code: int, as_json: bool) -> NoReturn:
    """Print the error and leave."""
    if as_json:
        print_json({"error": message, "exit_code": code})
    else:
        err.print(f"[bold red]error:[/] {safe(message)}")
    raise typer.Exit(code)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on stderr for work that reports (done, total)."""
    columns = (_NAME, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=False) as progress:
        task = progress.add_task(plain(label), total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def step_bar(*, short: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr for work that reports (what, done, total).

    Where stderr is no terminal: lines now and then, and nothing for `short` work, whose lines would only be in the way of a program.
    """
    if not err.is_terminal:
        yield (lambda what, done, total: None) if short else show_bar
        return
    columns = (_NAME, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as progress:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            label = plain(what.split(":")[0])
            task = tasks.setdefault(label, progress.add_task(label, total=total) if label not in tasks else tasks[label])
            progress.update(task, description=plain(what), completed=done, total=total)

        yield report


def read_moment(
    device: str | None,
    time: str | None,
    place: str | None,
    locale: str,
    minutes: float | None,
    *,
    network: str | None = None,
    weather: str | None = None,
) -> Moment:
    """Make a Moment of command-line options; InputError says which one cannot be read."""
    if network is not None and network.casefold() not in NETWORKS:
        raise InputError(f"--network is one of {', '.join(NETWORKS)}")
    if weather is not None and weather.casefold() not in WEATHERS:
        raise InputError(f"--weather is one of {', '.join(WEATHERS)}")
    return Moment(device, read_time(time), read_place(place), locale, minutes, network, weather)


def read_time(text: str | None) -> datetime | None:
    """ "now", "HH:MM" (today) or ISO 8601, as the user's wall clock."""
    if text is None:
        return None
    if text == "now":
        return datetime.now()
    try:
        if len(text) <= 5 and ":" in text:
            clock = datetime.strptime(text, "%H:%M")
            return datetime.now().replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise InputError("--time is read as 18:30, 2026-05-01T18:30 or now") from error


def read_place(text: str | None) -> Place | None:
    """ "home", "train", ... or "latitude,longitude", each with an optional "@speed" in metres a second."""
    if not text:
        return None
    name, _, speed_text = text.partition("@")
    try:
        speed = float(speed_text) if speed_text else None
        parts = name.split(",")
        if len(parts) == 2:
            latitude, longitude = float(parts[0]), float(parts[1])
            if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
                raise InputError("--place has coordinates that are not on the Earth: latitude is -90 to 90, longitude -180 to 180")
            return Place(latitude=latitude, longitude=longitude, speed_mps=speed)
    except ValueError as error:
        raise InputError("--place is a word such as home or train, or latitude,longitude; a speed follows as @1.4") from error
    return Place(type=name or None, speed_mps=speed)
