"""A scene pack: the scenes there are, as a person writes them in a TOML file."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

from rapidfuzz import process

from scenewise.store.errors import InputError, NotFound

NO_SCENE = "none"
_TOP_KEYS = ("scene", "in_parts", "no_scene")
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_T = TypeVar("_T")
_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"^\s*(?:\"([^\"]+)\"|'([^']+)'|([A-Za-z0-9_-]+))\s*[.=]")
_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_TWICE = re.compile(r"Cannot declare \('scene', '([^']+)'\) twice")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SceneDef:
    """One scene: how it is said (`examples`, and `also_said` for the reader of words alone), how it shows (the signals), and what suits it.

    `hours` are (start, end) pairs of the local clock, from 0 to 24; a pair with start > end runs over midnight. `weekdays` are
    0 (Monday) to 6. `speed_mps` is (least, most) in metres a second. `domains` are weights: 1 neutral, 0 never. A signal left
    empty says nothing.
    """

    name: str
    description: str
    examples: tuple[str, ...]
    also_said: tuple[str, ...] = ()
    device: tuple[str, ...] = ()
    hours: tuple[tuple[float, float], ...] = ()
    weekdays: tuple[int, ...] = ()
    places: tuple[str, ...] = ()
    speed_mps: tuple[float, float] | None = None
    network: tuple[str, ...] = ()
    weather: tuple[str, ...] = ()
    domains: Mapping[str, float] = field(default_factory=_nothing)
    prefer: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    ban: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    max_duration_min: float | None = None


@dataclass(frozen=True)
class ScenePack:
    """The scenes in the order of the file; `version` is a hash of all they say. `in_parts` are the domains whose items are taken a
    piece at a time (books, courses), so that the minutes of a moment do not rule them out. `no_scene` are requests that are of no scene."""

    scenes: tuple[SceneDef, ...]
    version: str
    in_parts: frozenset[str] = frozenset()
    no_scene: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The scenes' names, in the order of the file."""
        return tuple(scene.name for scene in self.scenes)

    def get(self, name: str) -> SceneDef:
        """Return the scene of that name, whose words may be joined by "_" or blanks; NotFound names the nearest one."""
        wanted = name.replace("_", " ").strip().casefold()
        for scene in self.scenes:
            if scene.name == wanted:
                return scene
        raise NotFound(f"There is no such scene{_nearest(wanted, self.names)}")


def load_pack(path: Path | str) -> ScenePack:
    """Read a pack from a TOML file.

    Raises InputError, which says which line is wrong and what was probably meant, and NotFound where there is no file.
    """
    path = Path(path)
    try:
        return parse_pack(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError as error:
        raise NotFound(f"There is no scene file {path.name}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: cannot be read as UTF-8 text") from error


def default_pack() -> ScenePack:
    """Read the pack that comes with the product."""
    return parse_pack((files("scenewise.tools.scene") / "scenes.toml").read_text(encoding="utf-8"), "scenes.toml")


def read_pack(path: Path) -> ScenePack:
    """Read a store's scenes.toml where there is one, else the default pack."""
    return load_pack(path) if path.is_file() else default_pack()


def parse_pack(text: str, file: str = "scenes.toml") -> ScenePack:
    """Read a pack from the text of a TOML file; `file` is what errors call it."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _TOML_LINE.search(str(error))
        # "end of document" has no line of its own
        line = int(at.group(1)) if at else max(1, len(text.rstrip().splitlines()))
        twice = _TWICE.search(str(error))
        what = f"duplicate scene {twice.group(1)!r}" if twice else f"this is not TOML: {_TOML_LINE.sub('', str(error)).strip()}"
        raise InputError(f"{file}:{line}: {what}") from error
    reader = _Reader(file, text)
    for key in table:
        if key not in _TOP_KEYS:
            raise reader.error(f"unknown key {key!r}{_nearest(key, _TOP_KEYS)}", None, key)
    in_parts = frozenset(reader.texts(table, "in_parts", _folded))
    no_scene = reader.texts(table, "no_scene", _texts) if "no_scene" in table else default_pack().no_scene
    tables = table.get("scene")
    if not isinstance(tables, dict) or not tables:
        raise InputError(f"{file}:1: there is no scene: write one as [scene.NAME]")
    scenes = tuple(reader.scene(name, body) for name, body in tables.items())
    said = repr((scenes, sorted(in_parts), no_scene))
    return ScenePack(scenes, hashlib.sha256(said.encode()).hexdigest()[:16], in_parts, no_scene)


class _Reader:
    """Checks one file's tables; it knows the text only to find the line of what is wrong."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines = text.splitlines()

    def scene(self, name: str, body: object) -> SceneDef:
        if not isinstance(body, dict):
            raise self.error(f"scene {name!r} must be a table: write [scene.{name}]", None, name)
        if not _NAME.fullmatch(name) or name == NO_SCENE:
            raise self.error(f"a scene cannot be named {name!r}: use small letters, digits and _, and not {NO_SCENE!r}", name, None)
        values: dict[str, Any] = {}
        for key, value in body.items():
            if key not in _FIELDS:
                raise self.error(f"unknown key {key!r} in scene {name!r}{_nearest(key, tuple(_FIELDS))}", name, key)
            try:
                values[key] = _FIELDS[key](value)
            except _Wrong as wrong:
                raise self.error(f"{key!r} in scene {name!r} {wrong}", name, key) from None
        for key in ("description", "examples"):
            if not values.get(key):
                raise self.error(f"scene {name!r} needs {key!r}", name, None)
        return SceneDef(name=name.replace("_", " "), **values)

    def texts(self, table: dict[str, Any], key: str, read: Callable[[object], tuple[str, ...]]) -> tuple[str, ...]:
        try:
            return read(table.get(key, []))
        except _Wrong as wrong:
            raise self.error(f"{key!r} {wrong}", None, key) from None

    def error(self, message: str, scene: str | None, key: str | None) -> InputError:
        return InputError(f"{self.file}:{self._line(scene, key)}: {message}")

    def _line(self, scene: str | None, key: str | None) -> int:
        """Find the line of a key of a scene (given as `key =` or as the head of a table), else of the scene, else the first."""
        inside, found = "", 1
        for number, line in enumerate(self.lines, 1):
            if head := _HEADER.match(line):
                inside = re.sub(r"\s*\.\s*", ".", head.group(1).replace('"', ""))
                wanted = ".".join(part for part in (f"scene.{scene}" if scene else None, key) if part)
                if inside == wanted or inside.startswith(f"{wanted}."):
                    return number
                if scene and inside == f"scene.{scene}":
                    found = number
            elif key and (written := _KEY.match(line)) and key in written.groups() and (not scene or inside == f"scene.{scene}"):
                return number
        return found


class _Wrong(Exception):
    """A value that cannot be used; the text goes on after the key's name."""


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong("must be a text that is not empty")
    return value.strip()


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _Wrong('must be a list of texts, like ["a", "b"]')
    return tuple(dict.fromkeys(_text(entry) for entry in value))


def _folded(value: object) -> tuple[str, ...]:
    return tuple(text.casefold() for text in _texts(value))


def _hours(value: object) -> tuple[tuple[float, float], ...]:
    return tuple(_span(text) for text in _texts(value))


def _span(text: str) -> tuple[float, float]:
    edges = [_clock(part) for part in text.split("-")]
    if len(edges) != 2 or None in edges or edges[0] == edges[1]:
        raise _Wrong(f'has {text!r}: hours are written "7-9", "7:30-9:30" or, over midnight, "21-3", from 0 to 24')
    return cast("tuple[float, float]", tuple(edges))


def _clock(text: str) -> float | None:
    match = re.fullmatch(r"\s*(\d{1,2})(?::([0-5]\d))?\s*", text)
    hour = int(match.group(1)) + int(match.group(2) or 0) / 60 if match else 25
    return hour if hour <= 24 else None


def _weekdays(value: object) -> tuple[int, ...]:
    days: set[int] = set()
    for text in _texts(value):
        if text.casefold() not in _DAYS:
            raise _Wrong(f'has {text!r}: weekdays are "mon" to "sun", "workdays" or "weekend"{_nearest(text, tuple(_DAYS))}')
        days.update(_DAYS[text.casefold()])
    return tuple(sorted(days))


def _number(value: object, *, least: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < float("inf"):
        raise _Wrong(f"must be a number of at least {least:g}")
    return float(value)


def _speed(value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise _Wrong("must be [least, most] in metres a second")
    least, most = (_number(entry) for entry in value)
    if least >= most:
        raise _Wrong("must be [least, most] in metres a second, least first")
    return least, most


def _table(read: Callable[[object], _T]) -> Callable[[object], Mapping[str, _T]]:
    def read_table(value: object) -> Mapping[str, _T]:
        if not isinstance(value, dict):
            raise _Wrong("must be a table, like { name = value }")
        result: dict[str, _T] = {}
        for key, entry in value.items():
            try:
                result[key.casefold()] = read(entry)
            except _Wrong as wrong:
                raise _Wrong(f"at {key!r} {wrong}") from None
        return MappingProxyType(result)

    return read_table


def _positive(value: object) -> float:
    return _number(value, least=1.0)


def _nearest(word: str, known: tuple[str, ...]) -> str:
    found = process.extractOne(word.casefold(), known, score_cutoff=60)
    return f"; did you mean {found[0]!r}?" if found else f"; known: {', '.join(known)}"


_DAYS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {name: (day,) for day, name in enumerate(DAY_NAMES)}
    | {"monday": (0,), "tuesday": (1,), "wednesday": (2,), "thursday": (3,), "friday": (4,), "saturday": (5,), "sunday": (6,)}
    | {"workdays": (0, 1, 2, 3, 4), "weekend": (5, 6)}
)
_FIELDS: Mapping[str, Callable[[object], Any]] = MappingProxyType(
    {
        "description": _text,
        "examples": _texts,
        "also_said": _texts,
        "device": _folded,
        "hours": _hours,
        "weekdays": _weekdays,
        "places": _folded,
        "speed_mps": _speed,
        "network": _folded,
        "weather": _folded,
        "domains": _table(_number),
        "prefer": _table(_texts),
        "ban": _table(_texts),
        "max_duration_min": _positive,
    }
)
