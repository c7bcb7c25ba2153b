"""Read one cell. Cells come as text from delimited files, and as typed values from JSON lines and Parquet."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from scenewise.store.ingest.dates import read_time
from scenewise.store.ingest.quarantine import BadRow

ID_CHARS = 512
_MOST_CENTS = 10**15
_PRICE = re.compile(r"[$€£¥]?\s*(-?[\d.,]+)\s*(?:[$€£¥]|[A-Za-z]{3})?")
_MINUTES = re.compile(r"(\d+(?:\.\d+)?)\s*(?:min|mins|minutes)\.?", re.IGNORECASE)
_FIRST_YEAR, _LAST_YEAR = -4_000, 2_200
_YES = frozenset({"1", "true", "t", "yes", "y", "available", "in stock", "instock", "active"})
_NO = frozenset({"0", "false", "f", "no", "n", "unavailable", "out of stock", "outofstock", "inactive", "discontinued"})
_PLACEHOLDERS = frozenset({"", "(no genres listed)", "n/a", "nan", "null", "unknown"})


def read_text(value: object) -> str:
    """Return a cell as text without blanks around it; a missing cell is "", and a list is joined by blanks."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (list, tuple)):
        return " ".join(read_text(part) for part in value)
    if isinstance(value, (dict, bytes)):
        raise BadRow("unreadable text")
    return str(value)


def read_id(value: object, column: str) -> str:
    """Return an id; BadRow where it is missing, too long, or no text and no number."""
    if isinstance(value, float) and not math.isfinite(value):
        raise BadRow("NaN or infinite number", column)
    if isinstance(value, (bool, list, tuple, dict, bytes)):
        raise BadRow("unreadable id", column)
    text = read_text(value)
    if not text:
        raise BadRow("missing id", column)
    if len(text) > ID_CHARS:
        raise BadRow(f"id over {ID_CHARS} characters", column)
    return text


def read_number(value: object, column: str) -> float | None:
    """Return a finite number, or None where the cell is empty; BadRow otherwise."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise BadRow("unreadable number", column)
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise BadRow("unreadable number", column) from None
    if not math.isfinite(number):
        raise BadRow("NaN or infinite number", column)
    return number


def read_price_cents(value: object, column: str) -> int | None:
    """Return a price given in whole units ("3.50", "3,50", "$1,234.50", "free") in hundredths, rounded half up."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise BadRow("unreadable number", column)
    text = str(value).strip()
    if text.casefold() == "free":
        return 0
    match = _PRICE.fullmatch(text)
    try:
        price = Decimal(_plain_decimal(match[1]) if match else text)
    except InvalidOperation:
        raise BadRow("unreadable number", column) from None
    if not price.is_finite():
        raise BadRow("NaN or infinite number", column)
    if price < 0:
        raise BadRow("negative price", column)
    if price * 100 > _MOST_CENTS:
        raise BadRow("number out of range", column)
    return int((price * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _plain_decimal(text: str) -> str:
    """Turn "1,234.50", "1.234,50" and "3,50" into a plain decimal number."""
    if "," in text and "." in text:
        decimal = max(text.rfind(","), text.rfind("."))
        return re.sub(r"[.,]", "", text[:decimal]) + "." + text[decimal + 1 :]
    if re.fullmatch(r"-?\d+,\d{1,2}", text):
        return text.replace(",", ".")
    return text.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+", text) else text


def read_cents(value: object, column: str) -> int | None:
    """Return a price already given in hundredths."""
    number = read_number(value, column)
    if number is None:
        return None
    if number < 0:
        raise BadRow("negative price", column)
    if number > _MOST_CENTS:
        raise BadRow("number out of range", column)
    return round(number)


def read_flag(value: object, column: str) -> bool:
    """Return yes or no; an empty cell is yes."""
    if isinstance(value, bool):
        return value
    text = read_text(value).casefold()
    if not text or text in _YES:
        return True
    if text in _NO:
        return False
    raise BadRow("neither yes nor no", column)


def read_values(value: object, *, on: str = "[|;]") -> tuple[str, ...]:
    """Split a cell of several values, without doubles and placeholders such as "n/a". `on` is the pattern between values.

    >>> read_values("Action|Sci-Fi; Action")
    ('Action', 'Sci-Fi')
    """
    parts: Iterable[object]
    if value is None:
        return ()
    if isinstance(value, (list, tuple)):
        parts = value
    elif isinstance(value, str):
        parts = re.split(on, value)
    else:
        parts = (value,)
    kept: dict[str, str] = {}
    for part in parts:
        text = read_text(part)
        if text.casefold() not in _PLACEHOLDERS:
            kept.setdefault(text.casefold(), text)
    return tuple(kept.values())


def read_year(value: object, column: str) -> int | None:
    """Return the year of a year or a date, or None where the cell is empty."""
    try:
        number = read_number(value, column)
    except BadRow as bad:
        if bad.reason != "unreadable number":
            raise
        seconds = read_time(value, column)
        return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC).year
    if number is None:
        return None
    if not _FIRST_YEAR <= number <= _LAST_YEAR or not number.is_integer():
        raise BadRow("year out of range", column)
    return int(number)


def read_minutes(value: object, column: str, *, unit_min: float = 1.0) -> float | None:
    """Return a duration in minutes; `unit_min` is what one unit of the column is in minutes. "95 min" is read as well."""
    if isinstance(value, str) and (match := _MINUTES.fullmatch(value.strip())):
        value, unit_min = match[1], 1.0
    number = read_number(value, column)
    if number is not None and number < 0:
        raise BadRow("negative duration", column)
    return None if number is None else number * unit_min
