"""Read points in time: unix seconds or milliseconds, ISO 8601, and the day-month-year forms of spreadsheets."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from scenewise.store.ingest.quarantine import BadRow

_EARLIEST_S = -2_208_988_800.0  # 1900-01-01
_MILLISECONDS_FROM = 1e11  # as seconds this is the year 5138, as milliseconds 1973
_SPLIT = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_COMPACT = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_YEAR_FIRST = re.compile(r"^(\d{4})/(\d\d)/(\d\d)")
_ZONE_NAME = re.compile(r"\s*(?:UTC|GMT)$", re.IGNORECASE)


def read_time(value: object, column: str, *, day_first: bool = False) -> float | None:
    """Return unix seconds (UTC where no zone is given), or None where the cell is empty; BadRow "unreadable date" otherwise.

    `day_first` settles what 03/04/2020 means. Dotted dates (03.04.2020) are always day first.

    >>> read_time("1970-01-02", "date")
    86400.0
    """
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).timestamp()
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC).timestamp()
    if value is None or value == "":
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_number(float(value), column)
    if not isinstance(value, str):
        raise BadRow("unreadable date", column)
    text = value.strip()
    return _from_text(text, column, day_first) if text else None


def _from_number(number: float, column: str) -> float:
    if not math.isfinite(number):
        raise BadRow("NaN or infinite number", column)
    while number >= _MILLISECONDS_FROM:  # milli-, micro- and nanoseconds
        number /= 1000.0
    if number < _EARLIEST_S:
        raise BadRow("unreadable date", column)
    return number


def _from_text(text: str, column: str, day_first: bool) -> float:
    if not _COMPACT.fullmatch(text):
        try:
            number = float(text)
        except ValueError:
            pass
        else:
            return _from_number(number, column)
    try:
        if match := _SPLIT.fullmatch(text):
            moment = _from_parts(match, day_first)
        else:
            moment = dt.datetime.fromisoformat(_ZONE_NAME.sub("+00:00", _YEAR_FIRST.sub(r"\1-\2-\3", text)))
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, OverflowError):
        raise BadRow("unreadable date", column) from None
    if seconds < _EARLIEST_S:
        raise BadRow("unreadable date", column)
    return seconds


def _from_parts(match: re.Match[str], day_first: bool) -> dt.datetime:
    first, second = int(match[1]), int(match[3])
    day, month = (first, second) if day_first or match[2] == "." else (second, first)
    hour, minute, second_s = (int(match[part] or 0) for part in (5, 6, 7))
    return dt.datetime(int(match[4]), month, day, hour, minute, second_s, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class DateOrder:
    """How a column's 03/04/2020 is read; `settled` is False where no value of the column decides it."""

    day_first: bool
    settled: bool


def find_order(values: Iterable[object]) -> DateOrder:
    """Decide the order of a column's slashed dates by its first value with a part over 12; month first where there is none."""
    slashed = False
    for value in values:
        match = _SPLIT.fullmatch(value.strip()) if isinstance(value, str) and "/" in value else None
        if match is None or match[2] == ".":
            continue
        slashed = True
        if int(match[1]) > 12 or int(match[3]) > 12:
            return DateOrder(day_first=int(match[1]) > 12, settled=True)
    return DateOrder(day_first=False, settled=not slashed)
