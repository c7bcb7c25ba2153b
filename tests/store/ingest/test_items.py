import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenewise.store import Store
from scenewise.store.errors import InputError, StoreError
from scenewise.store.ingest import ingest, preview
from scenewise.store.types import Item

FULL = (
    "sku;name;description;category;price;release_date;runtime;currency;in_stock;image;mood\n"
    "a1;Lamp;A lamp.;Light|Home;3,50;2001-05-06;95 min;EUR;no;http://x/1.png http://x/2.png;calm; \n"
)


def test_every_field(store: Store, make) -> None:
    path = make("shop.csv", FULL.replace("; \n", "\n"))
    report = ingest(store, path, domain="Shop")
    assert (report.kind, report.read, report.written, report.quarantined) == ("items", 1, 1, {})
    assert report.columns["item_id"] == "sku"
    assert store.items.get("a1") == Item(
        item_id="a1",
        domain="shop",
        title="Lamp",
        text="A lamp.",
        attributes={"genre": ("Light", "Home"), "mood": ("calm",)},
        year=2001,
        duration_min=95.0,
        price_cents=350,
        currency="EUR",
        available=False,
        media=("http://x/1.png", "http://x/2.png"),
    )


def test_recbole_items(store: Store, make) -> None:
    path = make("x.item", "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n1\tToy Story\t1995\tComedy Sci-Fi\n")
    ingest(store, path, domain="movies")
    item = store.items.get("1")
    assert (item.title, item.year, dict(item.attributes)) == ("Toy Story", 1995, {"genre": ("Comedy", "Sci-Fi")})


def test_json_lines_with_lists_and_nested_attributes(store: Store, make) -> None:
    path = make(
        "x.jsonl",
        [{"item_id": 7, "domain": "books", "title": "T", "price_cents": 250, "attributes": {"genre": ["a"]}, "year": None}],
    )
    ingest(store, path)
    item = store.items.get("7")
    assert (item.domain, item.price_cents, item.year, dict(item.attributes)) == ("books", 250, None, {"genre": ("a",)})


def test_parquet(store: Store, tmp_path, quarantined) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame(
        {
            "id": [1, 2, 3, None],
            "title": ["A", "B\0", "C", "D"],
            "price": [1.5, 2.0, float("nan"), 1.0],
            "genres": [["x"], [], ["y"], None],
        }
    ).write_parquet(path)
    report = ingest(store, path, domain="books")
    assert quarantined(report) == [(2, "NUL byte"), (3, "NaN or infinite number"), (4, "missing id")]
    assert store.items.get("1").price_cents == 150
    assert store.items.get("1").attributes["genre"] == ("x",)


BAD = [
    (",t,", "missing id"),
    ("9,,", "missing title"),
    ("9,t,-1", "negative price"),
    ("9,t,NaN", "NaN or infinite number"),
    ("9,t,inf", "NaN or infinite number"),
    ("9,t,dear", "unreadable number"),
    ("9,t", "wrong number of columns"),
    ("9,t,1,2", "wrong number of columns"),
    ("9,a\0b,1", "NUL byte"),
    ("9,\udce9,1", "broken UTF-8"),
    ('9,"t,1', "unclosed quote"),
    (f"9,{'x' * 10_000_000},1", "field over 1 MB"),
    (f"{'9' * 513},t,1", "id over 512 characters"),
]


@pytest.mark.parametrize(("row", "reason"), BAD, ids=[f"{reason}-{number}" for number, (_, reason) in enumerate(BAD)])
def test_a_bad_row_is_put_aside_with_its_line_and_the_rest_is_loaded(store: Store, make, quarantined, row: str, reason: str) -> None:
    content = f"id,title,price\n1,one,1\n{row}\n2,two,2\n".encode(errors="surrogateescape")
    report = ingest(store, make("x.csv", content), domain="books")
    assert quarantined(report) == [(3, reason)]
    assert (report.read, report.written) == (3, 2)
    assert [item.item_id for item in store.items.all()] == ["1", "2"]
    assert report.quarantine_path is not None
    assert report.quarantine_path.parent == store.path / "quarantine"


BAD_JSON = [
    ('{"id": "9", "title": ', "broken JSON"),
    ("[1]", "no JSON object"),
    ("[" * 100_000, "broken JSON"),
    ('{"id": "9", "title": "t", "price": NaN}', "NaN or infinite number"),
    ('{"id": "9", "title": "t", "price": 1e999}', "NaN or infinite number"),
    ('{"id": "9", "title": "a\\u0000b"}', "NUL byte"),
    ('{"id": "9", "title": "\\ud800"}', "broken UTF-8"),
    ('{"id": {"a": [1]}, "title": "t"}', "missing id"),
    ('{"id": true, "title": "t"}', "unreadable id"),
    ('{"id": "9", "title": "t", "runtime": -5}', "negative duration"),
    ('{"id": "9", "title": "t", "year": 99999}', "year out of range"),
    ('{"id": "9", "title": "t", "in_stock": "perhaps"}', "neither yes nor no"),
    (f'{{"id": "9", "title": "{"x" * 1_000_001}"}}', "field over 1 MB"),
    (f'{{"id": "9", "title": "{"x" * 10_000_000}"}}', "field over 1 MB"),
]


@pytest.mark.parametrize(("row", "reason"), BAD_JSON, ids=[f"{reason}-{number}" for number, (_, reason) in enumerate(BAD_JSON)])
def test_bad_json_lines(store: Store, make, quarantined, row: str, reason: str) -> None:
    first = json.dumps({"id": "1", "title": "one", "price": 1, "runtime": 5, "year": 1990, "in_stock": True})
    report = ingest(store, make("x.jsonl", f'{first}\n{row}\n{{"id": "2", "title": "two"}}\n'), domain="books")
    assert quarantined(report) == [(2, reason)]
    assert [item.item_id for item in store.items.all()] == ["1", "2"]


def test_an_odd_year_does_not_cost_the_item(store: Store, make) -> None:
    report = ingest(store, make("x.csv", "id,title,year\n1,one,TBA\n"), domain="books")
    assert store.items.get("1").year is None
    assert "1 rows have no year" in report.notes[0]


def test_a_missing_domain(store: Store, make, quarantined) -> None:
    with pytest.raises(InputError, match="domain"):
        ingest(store, make("x.csv", "id,title\n1,one\n"))
    report = ingest(store, make("y.csv", "id,title,domain\n1,one,\n2,two,Music\n"))
    assert quarantined(report) == [(2, "missing domain")]
    assert store.items.get("2").domain == "music"


def test_a_file_with_a_long_name_and_two_loads_within_a_second(store: Store, make) -> None:
    path = make("é" * 120 + ".csv", "id,title\n,t\n")
    paths = {ingest(store, path, domain="books").quarantine_path for _ in range(3)}
    assert len(paths) == 3


def test_a_quarantine_that_cannot_be_written(store: Store, make) -> None:
    (store.path / "quarantine").rmdir()
    (store.path / "quarantine").write_text("in the way")
    with pytest.raises(StoreError, match="check the disk"):
        ingest(store, make("x.csv", "id,title\n,t\n"), domain="books")


def test_header_only_is_fine(store: Store, make) -> None:
    report = ingest(store, make("x.csv", "id,title\n"), domain="books")
    assert (report.read, report.written, report.quarantine_path) == (0, 0, None)


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_twice_is_once_and_the_last_sound_row_of_an_id_counts(store: Store, make, batch_rows: int) -> None:
    path = make("x.csv", "id,title,price\n1,old,1\n2,two,2\n1,new,1\n3,three,3\n1,bad,-1\n")
    first = ingest(store, path, domain="books", batch_rows=batch_rows)
    assert (first.read, first.written, first.unchanged) == (5, 3, 0)
    assert (first.quarantined, first.skipped) == ({"negative price": 1}, {"earlier row of an id that comes again": 1})
    assert "1 ids come more than once" in first.notes[0]
    revision, items = store.revision(), list(store.items.all())
    assert [item.title for item in items] == ["new", "two", "three"]
    second = ingest(store, path, domain="books", batch_rows=batch_rows)
    assert (second.read, second.written, second.unchanged, second.quarantined) == (5, 0, 3, first.quarantined)
    assert (store.revision(), list(store.items.all())) == (revision, items)


def test_a_changed_row_is_written_again(store: Store, make) -> None:
    ingest(store, make("x.csv", "id,title\n1,one\n2,two\n"), domain="books")
    report = ingest(store, make("x.csv", "id,title\n1,one\n2,TWO\n"), domain="books")
    assert (report.written, report.unchanged) == (1, 1)


def test_preview_says_what_would_be_taken(make) -> None:
    seen = preview(make("x.csv", "id,title,colour,stock,\n1,one,red,7,8\n"))
    assert seen.kind == "items"
    assert seen.columns == {"item_id": "id", "title": "title", "attributes.colour": "colour"}
    assert seen.ignored == ("stock", "column_5")
    assert "Column 5" in seen.notes[0]


def test_keys_that_come_late_are_named(store: Store, make) -> None:
    rows: list[dict[str, object]] = [{"id": str(n), "title": "t"} for n in range(1_000)]
    report = ingest(store, make("x.jsonl", [*rows, {"id": "x", "title": "t", "late": "y"}]), domain="books")
    assert report.written == 1_001
    assert "'late'" in report.notes[0]


def test_no_message_holds_a_cell(store: Store, make) -> None:
    with pytest.raises(InputError) as caught:
        ingest(store, make("x.csv", "alpha,beta\nsecret,secret\n"))
    assert "secret" not in str(caught.value)


def quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.dictionaries(cells.map(str.strip), st.tuples(cells, st.text("ab\n\r,\";|\t' é", max_size=20)), min_size=1, max_size=8))
def test_what_is_written_as_csv_comes_back(tmp_path_factory, rows: dict[str, tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("csv")
    lines = [",".join(map(quote, (item_id, title, text))) for item_id, (title, text) in rows.items()]
    path = folder / "x.csv"
    path.write_bytes("\r\n".join(["id,title,text", *lines]).encode())
    with Store.open(folder / "store", create=True) as store:
        report = ingest(store, path, domain="books")
        assert (report.written, report.quarantined) == (len(rows), {})
        found = {item.item_id: (item.title, item.text) for item in store.items.all()}
    assert found == {item_id: (title.strip(), text.strip()) for item_id, (title, text) in rows.items()}
