import datetime as dt

import pytest

from scenewise.store.ingest.dates import DateOrder, find_order, read_time
from scenewise.store.ingest.quarantine import BadRow

# 2001-09-09T01:46:40Z is 1,000,000,000; 2020-01-02T00:00:00Z is 1,577,923,200
JAN_2 = 1_577_923_200.0


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("1000000000", 1e9),
        ("1000000000.5", 1e9 + 0.5),
        (1_000_000_000, 1e9),
        ("1000000000000", 1e9),
        (1_000_000_000_250, 1e9 + 0.25),
        ("1000000000000000000", 1e9),
        ("2001-09-09T01:46:40Z", 1e9),
        ("2001-09-09 01:46:40", 1e9),
        ("2001-09-09 01:46:40 UTC", 1e9),
        ("2001-09-09T03:46:40+02:00", 1e9),
        ("2020-01-02", JAN_2),
        ("2020/01/02", JAN_2),
        ("20200102", JAN_2),
        ("02.01.2020", JAN_2),
        ("2.1.2020 01:00", JAN_2 + 3600),
        ("01/02/2020", JAN_2),
        ("1/2/2020 01:00:05", JAN_2 + 3605),
        (dt.date(2020, 1, 2), JAN_2),
        (dt.datetime(2020, 1, 2), JAN_2),
        (dt.datetime(2020, 1, 2, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))), JAN_2),
        ("100", 100.0),
        ("", None),
        (" ", None),
        (None, None),
    ],
)
def test_forms(cell: object, seconds: float | None) -> None:
    assert read_time(cell, "time") == seconds


def test_day_first_only_moves_slashed_dates() -> None:
    assert read_time("02/01/2020", "time", day_first=True) == JAN_2
    assert read_time("2020-01-02", "time", day_first=True) == JAN_2


@pytest.mark.parametrize("cell", ["yesterday", "2020-13-01", "31/31/2020", "30.02.2020", "1850-01-01", True, [1], "-9e12", "nan", 1e999])
def test_unreadable(cell: object) -> None:
    with pytest.raises(BadRow):
        read_time(cell, "time")


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["01/02/2020", "13/02/2020"], DateOrder(day_first=True, settled=True)),
        (["01/02/2020", "02/13/2020"], DateOrder(day_first=False, settled=True)),
        (["01/02/2020", "03/04/2020"], DateOrder(day_first=False, settled=False)),
        (["2020-01-02", "25.12.2020", "1000000000", None, 7], DateOrder(day_first=False, settled=True)),
        ([], DateOrder(day_first=False, settled=True)),
    ],
)
def test_order(cells: list[object], order: DateOrder) -> None:
    assert find_order(cells) == order
