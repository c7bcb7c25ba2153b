"""Guess what a file holds and which column is which; what the caller says comes first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rapidfuzz import process

from scenewise.store.errors import InputError
from scenewise.store.ingest.dates import read_time
from scenewise.store.ingest.fields import ATTRIBUTE, ATTRIBUTES, FIELDS, NAMELESS, NEEDED, Synonyms, bare_name, plain_name
from scenewise.store.ingest.quarantine import BadRow
from scenewise.store.ingest.report import KINDS, ColumnGuess, Kind
from scenewise.store.ingest.values import (
    read_cents,
    read_flag,
    read_minutes,
    read_number,
    read_price_cents,
    read_values,
    read_year,
)

_KIND_OF_SUFFIX: Final[Mapping[str, Kind]] = MappingProxyType(
    {".inter": "events", ".item": "items", ".user": "users", ".kg": "edges", ".toml": "scenes"}
)
_READERS: Final[Mapping[str, Callable[[object, str], object]]] = MappingProxyType(
    {
        "time_s": read_time,
        "valid_from": read_time,
        "valid_to": read_time,
        "value": read_number,
        "confidence": read_number,
        "year": read_year,
        "duration_min": read_minutes,
        "price": read_price_cents,
        "price_cents": read_cents,
        "available": read_flag,
    }
)
_TELLING_ROWS = 20  # so many cells overrule a column's name; fewer may all be mistakes
_SHORT_CHARS = 80
_IGNORE = "ignore"


def check_kind(kind: str) -> Kind:
    """Return `kind` where it is one of KINDS; InputError with the nearest name otherwise."""
    for known in KINDS:
        if kind == known:
            return known
    raise InputError(f"There is no kind {kind!r} of file{_nearest(kind, KINDS)}; kinds are {', '.join(KINDS)}.")


def guess_kind(path: Path, header: Sequence[str], mapping: Mapping[str, str] | None = None) -> Kind:
    """Guess a file's kind from its suffix, or its columns and the fields that `mapping` fills; InputError where they do not say."""
    if path.suffix == ".link":
        raise InputError("A .link file says which item is which node of a .kg file: load the .kg file, and pass this one as its links.")
    if kind := _KIND_OF_SUFFIX.get(path.suffix):
        return kind
    order: tuple[Kind, ...] = ("edges", "events", "items", "users")
    for kind in order:
        taken = {*(mapping or {}), *_guess_fields(header, FIELDS[kind], {})}
        if taken.issuperset(NEEDED[kind]):
            return kind
    needs = "; ".join(f"{kind} need {' and '.join(NEEDED[kind])}" for kind in order)
    raise InputError(f"Cannot tell what {path.name} holds from its columns {_listed(header)}: {needs}. Say the kind, or map the columns.")


def guess_columns(
    header: Sequence[str], sample_rows: Sequence[Sequence[object]], kind: Kind, *, mapping: Mapping[str, str] | None = None
) -> ColumnGuess:
    """Decide which column fills which field.

    `mapping` (field -> column) wins over every guess. An empty column leaves its field unfilled; the field "ignore" names columns
    to leave out, with commas between them. Of what no field takes, short texts and lists become attributes of items, and all
    columns become attributes of users. Where none of many sampled cells can be read as a time or a number, the column is not taken for one.

    Raises InputError for an unknown field or column, with the nearest name, and where a needed field has no column.
    """
    if kind == "scenes":
        return ColumnGuess({})
    said, unfilled, dropped = _read_mapping(header, kind, mapping or {})
    synonyms = {field: names for field, names in FIELDS[kind].items() if field not in said and field not in unfilled}
    free = [column for column in header if column not in dropped and column not in said.values()]
    if kind == "items":
        if "price" in said or "price_cents" in said:
            synonyms.pop("price", None)
            synonyms.pop("price_cents", None)
        synonyms |= {ATTRIBUTE + name: names for name, names in ATTRIBUTES.items() if ATTRIBUTE + name not in {*said, *unfilled}}
    sampled = {column: [row[place] for row in sample_rows] for place, column in enumerate(header)}
    columns = said | _guess_fields(free, synonyms, said, fits=lambda field, column: _fits(field, sampled[column]))
    if "price" in columns and "price_cents" in columns:
        del columns["price"]
    missing = [field for field in NEEDED[kind] if field not in columns]
    if missing:
        raise InputError(
            f"No column for {' and '.join(missing)} among {_listed(header)}: name one with a mapping such as {missing[0]}=COLUMN."
        )
    if kind in ("items", "users"):
        rest = [column for column in free if column not in columns.values()]
        columns |= _take_attributes(header, rest, sample_rows, any_text=kind == "users", taken=columns)
    taken = set(columns.values())
    return ColumnGuess(columns, tuple(column for column in header if column not in taken))


def _guess_fields(
    header: Iterable[str], synonyms: Synonyms, taken: Mapping[str, str], *, fits: Callable[[str, str], bool] = lambda *_: True
) -> dict[str, str]:
    plain: dict[str, str] = {}
    for column in header:
        plain.setdefault(plain_name(column), column)
    bare: dict[str, str] = {}
    for name, column in plain.items():
        bare.setdefault(bare_name(name), column)
    used = set(taken.values())
    found: dict[str, str] = {}
    for field, names in synonyms.items():
        for name in (field, *names):
            match = plain.get(plain_name(name)) or (bare.get(name) if name != "id" else None)
            if match is not None and match not in used and fits(field, match):
                found[field] = match
                used.add(match)
                break
    return found


def _fits(field: str, cells: Sequence[object]) -> bool:
    """Whether a column of this name can be this field: a column "Time" that is "Weekend" or "Weekday" throughout holds no times."""
    read = _READERS.get(field)
    filled = [cell for cell in cells if cell not in (None, "")]
    return read is None or len(filled) < _TELLING_ROWS or any(_reads(read, cell) for cell in filled)


def _reads(read: Callable[[object, str], object], cell: object) -> bool:
    try:
        read(cell, "")
    except BadRow as bad:
        return not bad.reason.startswith("unreadable")
    return True


def _read_mapping(header: Sequence[str], kind: Kind, mapping: Mapping[str, str]) -> tuple[dict[str, str], set[str], set[str]]:
    said: dict[str, str] = {}
    unfilled: set[str] = set()
    dropped: set[str] = set()
    for given, column in mapping.items():
        if given == _IGNORE:
            dropped |= {_find_column(header, name.strip()) for name in column.split(",")}
            continue
        field = _find_field(given, kind)
        if column == "":
            unfilled.add(field)
        else:
            said[field] = _find_column(header, column)
    return said, unfilled, dropped


def _find_field(given: str, kind: Kind) -> str:
    if given in FIELDS[kind]:
        return given
    if kind in ("items", "users"):
        name = given.removeprefix(ATTRIBUTE)
        if given != name and plain_name(name):
            return ATTRIBUTE + plain_name(name)
        if kind == "items" and name in ATTRIBUTES:
            return ATTRIBUTE + name
    known = [*FIELDS[kind], *((ATTRIBUTE + name for name in ATTRIBUTES) if kind == "items" else ())]
    raise InputError(f"There is no field {given!r} in {kind}{_nearest(given, known)}; fields are {', '.join(known)}, {_IGNORE}.")


def _find_column(header: Sequence[str], given: str) -> str:
    if given in header:
        return given
    bare_type = given.rsplit(":", 1)[0]
    if bare_type in header:
        return bare_type
    raise InputError(f"There is no column {given!r}{_nearest(given, header)}; columns are {_listed(header)}.")


def _nearest(given: str, known: Sequence[str]) -> str:
    best = process.extractOne(given, known, score_cutoff=50.0)
    return f" (nearest is {best[0]!r})" if best else ""


def _listed(header: Sequence[str]) -> str:
    return ", ".join(repr(column[:60]) for column in header[:40]) + (" and more" if len(header) > 40 else "")


def _take_attributes(
    header: Sequence[str], rest: Sequence[str], sample: Sequence[Sequence[object]], *, any_text: bool, taken: Mapping[str, str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in rest:
        place = header.index(column)
        name = plain_name(column).removeprefix("attributes_")
        field = next((field for field in (ATTRIBUTE + bare_name(name), ATTRIBUTE + name) if field not in {*taken, *found}), None)
        if not name or field is None or NAMELESS.fullmatch(column):
            continue
        if any_text or _is_short_text([row[place] for row in sample]):
            found[field] = column
    return found


def _is_short_text(values: Iterable[object]) -> bool:
    """Whether a column holds short texts or lists of them: no numbers, no addresses, no prose."""
    filled = [value for value in values if value not in (None, "", [])]
    if not filled or not all(isinstance(value, (str, list)) for value in filled):
        return False
    parts = [part for value in filled for part in read_values(value)]
    short = all(len(part) <= _SHORT_CHARS and "://" not in part for part in parts)
    return bool(parts) and short and not all(_is_number(part) for part in parts)


def _is_number(text: str) -> bool:
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False
