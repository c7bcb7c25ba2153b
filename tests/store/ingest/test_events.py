import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from scenewise.store import Store
from scenewise.store.errors import InputError
from scenewise.store.ingest import ingest
from scenewise.store.types import Event, Item, ItemId

NOW_S = 1_700_000_000.0
GOOD = "1000000000"


def test_recbole_ratings(shop: Store, make) -> None:
    path = make("x.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float\r\nu\ta\t4.5\t1000000000\r\n")
    report = ingest(shop, path)
    assert (report.kind, report.written) == ("events", 1)
    assert shop.events.of_user("u") == [Event("u", "a", "rating", 4.5, 1e9)]


def test_kinds_and_missing_values(shop: Store, make) -> None:
    path = make("x.csv", "user,item,action,date\nu,a,view,2001-09-09T01:46:40Z\nu,b,,2001-09-09 01:46:41\n")
    ingest(shop, path, kind_of_event="play")
    assert shop.events.of_user("u") == [Event("u", "a", "view", None, 1e9), Event("u", "b", "play", None, 1e9 + 1)]


def test_without_a_column_of_times(shop: Store, make) -> None:
    report = ingest(shop, make("x.csv", "user,item,weight\nu,a,3\n"))
    assert shop.events.of_user("u") == [Event("u", "a", "rating", 3.0, 0.0)]
    assert "1970-01-01" in report.notes[0]


BAD = [
    (f",a,1,{GOOD}", "missing id"),
    (f"u,,1,{GOOD}", "missing id"),
    (f"u,z,1,{GOOD}", "unknown item"),
    (f"u,a,nan,{GOOD}", "NaN or infinite number"),
    (f"u,a,-inf,{GOOD}", "NaN or infinite number"),
    (f"u,a,good,{GOOD}", "unreadable number"),
    ("u,a,1,", "missing time"),
    ("u,a,1,yesterday", "unreadable date"),
    ("u,a,1,nan", "NaN or infinite number"),
    ("u,a,1,1700090000", "date in the future"),
    ("u,a,1,2999-01-01", "date in the future"),
    ("u,a,1", "wrong number of columns"),
    (f"u,a\0,1,{GOOD}", "NUL byte"),
    (f"u\udce9,a,1,{GOOD}", "broken UTF-8"),
    (f"{'u' * 600},a,1,{GOOD}", "id over 512 characters"),
]


@pytest.mark.parametrize(("row", "reason"), BAD, ids=[f"{reason}-{number}" for number, (_, reason) in enumerate(BAD)])
def test_a_bad_row_is_put_aside_with_its_line_and_the_rest_is_loaded(shop: Store, make, quarantined, row: str, reason: str) -> None:
    content = f"user,item,rating,ts\nu,a,1,{GOOD}\n{row}\nu,b,2,{GOOD}\n".encode(errors="surrogateescape")
    report = ingest(shop, make("x.csv", content), now_s=NOW_S)
    assert quarantined(report) == [(3, reason)]
    assert (report.read, report.written) == (3, 2)
    assert shop.events.count() == 2


def test_an_event_within_a_day_of_now_is_kept(shop: Store, make) -> None:
    assert ingest(shop, make("x.csv", "user,item,rating,ts\nu,a,1,1700080000\n"), now_s=NOW_S).written == 1


def test_the_raw_row_is_kept(shop: Store, make) -> None:
    report = ingest(shop, make("x.csv", f"user,item,rating,ts\nu,z,1,{GOOD}\n"))
    assert report.quarantine_path is not None
    assert json.loads(report.quarantine_path.read_text()) == {
        "line": 2,
        "reason": "unknown item",
        "column": "item",
        "row": f"u,z,1,{GOOD}",
    }


def test_a_late_value_settles_the_order_of_dates(shop: Store, make) -> None:
    rows = "".join(f"u,a,1,02/01/{year}\n" for year in range(1970, 2020)) * 30
    report = ingest(shop, make("x.csv", f"user,item,rating,date\n{rows}u,b,1,13/01/2020\n"))
    assert report.quarantined == {}
    assert report.notes == ()
    assert shop.events.of_user("u")[0].time_s == 86_400.0


def test_dates_of_either_order_are_month_first_and_said(shop: Store, make) -> None:
    report = ingest(shop, make("x.csv", "user,item,rating,date\nu,a,1,01/02/1970\n"))
    assert shop.events.of_user("u")[0].time_s == 86_400.0
    assert "'date' may be month first or day first" in report.notes[0]


@pytest.mark.parametrize("batch_rows", [1, 3, 100])
def test_twice_is_once(shop: Store, make, batch_rows: int) -> None:
    path = make("x.csv", f"user,item,rating,ts\nu,a,1,{GOOD}\nu,b,2,{GOOD}\nu,a,1,{GOOD}\nv,z,1,{GOOD}\nv,c,3,{GOOD}\n")
    first = ingest(shop, path, batch_rows=batch_rows)
    assert (first.read, first.written, first.unchanged, first.quarantined) == (5, 3, 1, {"unknown item": 1})
    revision = shop.revision()
    second = ingest(shop, path, batch_rows=batch_rows)
    assert (second.read, second.written, second.unchanged, second.quarantined) == (5, 0, 4, {"unknown item": 1})
    assert (shop.revision(), shop.events.count()) == (revision, 3)
    assert first.quarantine_path != second.quarantine_path


def test_another_value_for_an_event_is_taken_and_said(shop: Store, make) -> None:
    ingest(shop, make("x.csv", f"user,item,rating,ts\nu,a,1,{GOOD}\n"))
    report = ingest(shop, make("x.csv", f"user,item,rating,ts\nu,a,5,{GOOD}\n"))
    assert shop.events.of_user("u")[0].value == 5.0
    assert "another value" in report.notes[0]


def test_parquet_and_json_lines_agree_with_csv(shop: Store, make, tmp_path: Path) -> None:
    ingest(shop, make("x.csv", f"user_id,item_id,rating,timestamp\n7,a,1.5,{GOOD}\n"))
    pl.DataFrame({"user_id": [7], "item_id": ["a"], "rating": [1.5], "timestamp": [1_000_000_000]}).write_parquet(tmp_path / "x.parquet")
    assert ingest(shop, tmp_path / "x.parquet").unchanged == 1
    rows = [{"user_id": 7, "item_id": "a", "rating": 1.5, "timestamp": "2001-09-09T01:46:40Z"}]
    assert ingest(shop, make("x.jsonl", rows)).unchanged == 1


def test_progress_rises_to_the_size_of_the_file(shop: Store, make) -> None:
    path = make("x.csv", "user,item,rating,ts\n" + "".join(f"u,a,1,{1_000_000_000 + n}\n" for n in range(10)))
    heard: list[tuple[int, int | None]] = []
    ingest(shop, path, batch_rows=3, progress=lambda done, total: heard.append((done, total)))
    size = path.stat().st_size
    assert len(heard) == 4
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert heard[-1] == (size, size)


def test_wrong_arguments(shop: Store, make) -> None:
    path = make("x.csv", "user,item\n")
    with pytest.raises(InputError, match="'events'"):
        ingest(shop, path, "event")
    with pytest.raises(InputError, match="at least one row"):
        ingest(shop, path, batch_rows=0)


CHILD = """
import sys
from pathlib import Path
from scenewise.store import Store
from scenewise.store.ingest import ingest
with Store.open(sys.argv[1]) as store:
    ingest(store, Path(sys.argv[2]), batch_rows=500, progress=lambda done, total: print(done, flush=True))
"""


@pytest.mark.slow
def test_a_kill_leaves_whole_batches_and_a_second_load_completes(tmp_path: Path) -> None:
    rows, batch = 60_000, 500
    path = tmp_path / "x.csv"
    path.write_text("user,item,rating,ts\n" + "".join(f"u{n % 97},a,1,{1_000_000_000 + n}\n" for n in range(rows)))
    with Store.open(tmp_path / "store", create=True) as store:
        store.items.upsert([Item(ItemId("a"), "books", "A")])
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for batches_heard in (1, 7, 20):
        command = [sys.executable, "-c", CHILD, str(tmp_path / "store"), str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
            assert child.stdout is not None
            for _ in range(batches_heard):
                assert child.stdout.readline()
            time.sleep(0.01)
            child.send_signal(signal.SIGKILL)
        with Store.open(tmp_path / "store") as store:
            times = [event.time_s for user in store.users.ids() for event in store.events.of_user(user)]
            assert batches_heard * batch <= len(times) < rows
            assert len(times) % batch == 0
            assert sorted(times) == [1e9 + n for n in range(len(times))]
            assert store.find_damage() == []
    with Store.open(tmp_path / "store") as store:
        assert ingest(store, path).written == rows - len(times)
        assert store.events.count() == rows
