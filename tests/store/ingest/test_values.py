import doctest

import pytest

from scenewise.store.ingest import dates, delimited, freebase, values
from scenewise.store.ingest.quarantine import BadRow


@pytest.mark.parametrize("module", [dates, delimited, freebase, values])
def test_doctests(module) -> None:
    assert doctest.testmod(module).attempted > 0
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("cell", "cents"),
    [
        ("3.50", 350),
        ("3,50", 350),
        ("$1,234.50", 123_450),
        ("1.234,50 €", 123_450),
        ("1,234", 123_400),
        ("7 USD", 700),
        ("free", 0),
        ("0.005", 1),
        (3.2, 320),
        (7, 700),
        ("", None),
        (None, None),
    ],
)
def test_prices(cell: object, cents: int | None) -> None:
    assert values.read_price_cents(cell, "price") == cents


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("-1", "negative price"),
        ("NaN", "NaN or infinite number"),
        (float("inf"), "NaN or infinite number"),
        ("cheap", "unreadable number"),
        ("7 or 8", "unreadable number"),
        (True, "unreadable number"),
        ("1" * 30, "number out of range"),
    ],
)
def test_bad_prices(cell: object, reason: str) -> None:
    with pytest.raises(BadRow, match=reason) as caught:
        values.read_price_cents(cell, "price")
    assert caught.value.column == "price"


@pytest.mark.parametrize(("cell", "number"), [("4.5", 4.5), (" 4 ", 4.0), (3, 3.0), ("", None), (None, None), ("1e3", 1000.0)])
def test_numbers(cell: object, number: float | None) -> None:
    assert values.read_number(cell, "value") == number


@pytest.mark.parametrize("cell", ["nan", "-inf", float("nan"), 10**400, "five", [1], {}])
def test_bad_numbers(cell: object) -> None:
    with pytest.raises(BadRow):
        values.read_number(cell, "value")


@pytest.mark.parametrize(("cell", "text"), [(" a ", "a"), (7, "7"), (7.0, "7"), (7.5, "7.5"), ("0012", "0012")])
def test_ids(cell: object, text: str) -> None:
    assert values.read_id(cell, "id") == text


@pytest.mark.parametrize("cell", [None, "", "  ", "x" * 513, float("nan"), True, ["a"], {"a": 1}, b"a"])
def test_bad_ids(cell: object) -> None:
    with pytest.raises(BadRow):
        values.read_id(cell, "id")


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("Action|Drama", ("Action", "Drama")),
        ("Action; action ;Drama", ("Action", "Drama")),
        (["Joel Coen", " ", None], ("Joel Coen",)),
        ("(no genres listed)", ()),
        ("N/A", ()),
        (None, ()),
        ("Rock, Pop & Soul", ("Rock, Pop & Soul",)),
    ],
)
def test_lists(cell: object, kept: tuple[str, ...]) -> None:
    assert values.read_values(cell) == kept


@pytest.mark.parametrize(("cell", "year"), [("1995", 1995), (1995.0, 1995), ("1995-10-30", 1995), ("-300", -300), ("", None)])
def test_years(cell: object, year: int | None) -> None:
    assert values.read_year(cell, "year") == year


@pytest.mark.parametrize(
    ("cell", "unit_min", "minutes"), [("95", 1.0, 95.0), ("95 min", 1 / 60, 95.0), (120, 1 / 60, 2.0), ("", 1.0, None)]
)
def test_durations(cell: object, unit_min: float, minutes: float | None) -> None:
    assert values.read_minutes(cell, "duration", unit_min=unit_min) == minutes


@pytest.mark.parametrize(("cell", "flag"), [("yes", True), ("0", False), ("", True), (None, True), (False, False), ("Out of stock", False)])
def test_flags(cell: object, flag: bool) -> None:
    assert values.read_flag(cell, "available") is flag


def test_a_flag_that_is_neither() -> None:
    with pytest.raises(BadRow, match="neither yes nor no"):
        values.read_flag("perhaps", "available")
