"""What real files have: repeated rows, rows out of order, ids of two kinds, holes, byte order marks, broken lines."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from scenewise.eval.data import read
from scenewise.store.errors import InputError, ScenewiseError

HEAD = "user,item,rating,timestamp\n"


def file(folder: Path, text: str | bytes, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_repeated_and_unordered_events_come_as_they_stand(tmp_path: Path) -> None:
    arrays = read(file(tmp_path, f"{HEAD}u,x,4,90\nu,x,4,90\nu,y,1,10\n")).arrays
    assert arrays.time_s.tolist() == [90, 90, 10]
    assert arrays.item.tolist() == [0, 0, 1]


def test_times_in_the_future_come_as_they_stand(tmp_path: Path) -> None:
    assert read(file(tmp_path, f"{HEAD}u,x,4,9e10\n")).arrays.time_s.tolist() == [9e10]


def test_ids_are_words(tmp_path: Path) -> None:
    arrays = read(file(tmp_path, f"{HEAD}7,x,,1\n007,x,,2\n7.0,x,,3\nuser seven,x,,4\n")).arrays
    assert arrays.user_ids == ("007", "7", "7.0", "user seven")


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64, pl.String])
def test_ids_that_are_numbers_in_one_file_and_words_in_another_are_the_same(tmp_path: Path, dtype: type[pl.DataType]) -> None:
    pl.DataFrame({"user": [12, 7], "item": ["x", "y"]}).cast({"user": dtype}).write_parquet(tmp_path / "log.parquet")
    names = {"12", "7"} if dtype != pl.String else {str(one) for one in pl.Series([12, 7]).cast(pl.String)}
    assert {*read(tmp_path / "log.parquet").arrays.user_ids} == names


@pytest.mark.parametrize("hole", ["", "NaN", "NA", "null", " "])
def test_missing_values_are_nan(tmp_path: Path, hole: str) -> None:
    value = read(file(tmp_path, f"{HEAD}u,x,{hole},1\nu,y,2.5,2\n")).arrays.value
    assert np.isnan(value).tolist() == [True, False]


@pytest.mark.parametrize("quoted", ["x", '"x"'])
def test_marks_and_line_ends_of_other_systems(tmp_path: Path, quoted: str) -> None:
    data = read(file(tmp_path, f"\ufeff{HEAD}u,{quoted},4,1\n\nv,{quoted},5,2".replace("\n", "\r\n")))
    assert data.arrays.user_ids == ("u", "v")
    assert data.arrays.item_ids == ("x",)
    assert data.arrays.time_s.tolist() == [1, 2]


@pytest.mark.parametrize("quoted", ["secret", '"secret"'])
@pytest.mark.parametrize("row", ["{},x", "{},x,4,1,2", "{},x,many,1", "{},x,inf,1", "{},x,4,noon", "{},x,4,", "{},,4,1", ",{},4,1"])
def test_rows_that_do_not_fit_are_named_by_their_line(tmp_path: Path, row: str, quoted: str) -> None:
    with pytest.raises(InputError, match=r"(?i)\bline 4\b") as caught:
        read(file(tmp_path, f"{HEAD}u,y,4,1\n\n{row.format(quoted)}\n"))
    assert not {"secret", "many", "noon"} & {*str(caught.value).replace(":", " ").split()}


@pytest.mark.parametrize("name", ["x.inter", "x.csv", "x.txt", "x.parquet", "x.zip", "x.mat", "frappe.csv"])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00\x01", gzip.compress(b"user,item\nu,x\n")[:-9]])
@pytest.mark.parametrize("format", ["auto", "csv", "recbole", "sequences", "ctr"])
def test_empty_and_broken_files_are_refused(tmp_path: Path, name: str, content: bytes, format: str) -> None:
    with pytest.raises(InputError):
        read(file(tmp_path, content, name), format)


@pytest.mark.parametrize("text", ["user,item\n", "user,user\n1,2\n", "who,what\n1,2\n", 'user,item\n"u,x\n'])
def test_tables_without_what_is_needed_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        read(file(tmp_path, text), "csv")


@pytest.mark.parametrize("row", ["1 0:1", "1 0:1 2:3", "one 0:1 2:1"])
def test_libfm_lines_that_do_not_fit_are_named(tmp_path: Path, row: str) -> None:
    with pytest.raises(InputError, match=r"(?i)line 2"):
        read(file(tmp_path, f"1 0:1 2:1\n{row}\n", "x.libfm"))


@pytest.mark.parametrize(
    "format", ["frappe", "movielens", "kgcn", "kgat", "hetrec", "mealrec", "situnes", "steam", "ciao", "parquet", "store"]
)
def test_every_reader_refuses_an_empty_folder(tmp_path: Path, format: str) -> None:
    with pytest.raises(ScenewiseError):
        read(tmp_path, format)
