from pathlib import Path

import pytest

from scenewise.store.errors import InputError, NotFound
from scenewise.store.ingest.delimited import split_quoted
from scenewise.store.ingest.sources import open_source


def read(path: Path) -> tuple[list[tuple[int, list[object]]], list[tuple[int, str]]]:
    bad: list[tuple[int, str]] = []
    source = open_source(path)
    good = [(line, list(cells)) for line, cells, _ in source.rows(lambda line, what, raw: bad.append((line, what.reason)))]
    assert source.done == source.total
    return good, bad


def make(folder: Path, content: bytes, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|"])
def test_line_ends_bom_and_delimiters(tmp_path: Path, end: bytes, bom: bytes, delimiter: bytes) -> None:
    path = make(tmp_path, bom + end.join([delimiter.join([b"id", b"title"]), delimiter.join([b"1", "Café".encode()])]))
    assert open_source(path).header == ("id", "title")
    assert read(path) == ([(2, ["1", "Café"])], [])


def test_quoted_newlines_keep_the_count_of_lines(tmp_path: Path) -> None:
    path = make(tmp_path, b'id,title\n1,"a\r\nb, ""c"""\n\n2,"d"\n3,"e\n\nf","g\nh"\n4,i\n')
    good, bad = read(path)
    assert good == [(2, ["1", 'a\r\nb, "c"']), (5, ["2", "d"]), (10, ["4", "i"])]
    assert bad == [(6, "wrong number of columns")]


def test_a_stray_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    path = make(tmp_path, b'id,title\n1,"never closed\n2,b\n3,"c"\n4,5" nail\n5,"d"x\n6,"last')
    good, bad = read(path)
    assert good == [(3, ["2", "b"]), (4, ["3", "c"]), (5, ["4", '5" nail'])]
    assert bad == [(2, "unclosed quote"), (6, "unclosed quote"), (7, "unclosed quote")]


def test_tsv_without_quoting(tmp_path: Path) -> None:
    path = make(tmp_path, b'id\ttitle\n1\t"Hello" said\n2\t"quoted, whole"\n3\t"open\n4\td\n', "x.tsv")
    good, bad = read(path)
    assert good == [(2, ["1", '"Hello" said']), (3, ["2", "quoted, whole"]), (4, ["3", '"open']), (5, ["4", "d"])]
    assert bad == []


def test_recbole_headers_and_quotes(tmp_path: Path) -> None:
    path = make(tmp_path, b'item_id:token\tmovie_title:token_seq\n1\t"One\n2\tTwo, "Three"\n', "x.item")
    assert open_source(path).header == ("item_id", "movie_title")
    assert read(path)[0] == [(2, ["1", '"One']), (3, ["2", 'Two, "Three"'])]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1,b,c", "wrong number of columns"),
        (b"1", "wrong number of columns"),
        (b"1,a\0b", "NUL byte"),
        (b'1,"a\0b"', "NUL byte"),
        (b"1,Caf\xe9", "broken UTF-8"),
        (b'1,"Caf\xe9"', "broken UTF-8"),
        (b"1," + b"x" * 1_000_001, "field over 1 MB"),
        (b'1,"' + b"x" * 1_000_001 + b'"', "field over 1 MB"),
        (b"1," + b"x" * 10_000_000, "field over 1 MB"),
        (b'1,"' + b"x" * 10_000_000 + b'"', "field over 1 MB"),
        (b",".join([b"x" * 900_000] * 6), "row over 4 MB"),
    ],
)
def test_bad_rows(tmp_path: Path, row: bytes, reason: str) -> None:
    path = make(tmp_path, b"id,title\n0,before\n" + row + b"\n2,after\n")
    assert read(path) == ([(2, ["0", "before"]), (4, ["2", "after"])], [(3, reason)])


def test_a_huge_quoted_field_of_many_lines_is_one_bad_row(tmp_path: Path) -> None:
    path = make(tmp_path, b'id,title\n1,"' + b"word,word\n" * 1_000_000 + b'"\n2,after\n')
    assert read(path) == ([(1_000_003, ["2", "after"])], [(2, "field over 1 MB")])


def test_many_reopened_quotes_end_in_time(tmp_path: Path) -> None:
    path = make(tmp_path, b"id,title\n" + b'a,"\n' + b'",b,"\n' * 100_000)
    good, bad = read(path)
    assert good == []
    assert len(bad) > 1


def test_a_long_field_within_the_limit_is_kept(tmp_path: Path) -> None:
    text = "y" * 999_999
    assert read(make(tmp_path, f"id,title\n1,{text}\n".encode()))[0] == [(2, ["1", text])]


def test_header_only_and_blank_lines(tmp_path: Path) -> None:
    assert read(make(tmp_path, b"id,title")) == ([], [])
    assert read(make(tmp_path, b"id,title\n\n\r\n")) == ([], [])


def test_columns_without_names_and_doubles(tmp_path: Path) -> None:
    source = open_source(make(tmp_path, b",title,title,\n1,a,b,c\n"))
    assert source.header == ("column_1", "title", "title_2", "column_4")
    assert len(source.notes) == 3


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.csv", b"", "empty"),
        ("x.csv", b"\n1,2\n", "no header"),
        ("x.csv", "id,title\n".encode("utf-16"), "UTF-8"),
        ("x.csv", b"id,Gr\xf6sse\n1,2\n", "UTF-8"),
        ("x.csv", b"id,title\r1,a\r2,b", "carriage return"),
        ("x.csv.gz", b"\x1f\x8b", "unpack"),
        ("x.xlsx", b"PK", "CSV"),
        ("x.parquet", b"no parquet", "Parquet"),
        ("x.jsonl", b"[{}]", "array"),
        ("x.jsonl", b"nothing\n", "no JSON object"),
    ],
)
def test_files_that_cannot_be_read_say_why(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        open_source(make(tmp_path, content, name))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_source(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (b"", [b""]),
        (b",", [b"", b""]),
        (b'"a,b",c', [b"a,b", b"c"]),
        (b'"a""b"', [b'a"b']),
        (b'""', [b""]),
        (b'"a', None),
        (b'"a""', None),
        (b'a"b,c', [b'a"b', b"c"]),
    ],
)
def test_split_quoted(record: bytes, fields: list[bytes] | None) -> None:
    assert split_quoted(record, b",") == fields
