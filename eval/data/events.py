"""One table of events, CSV or Parquet, with a header: user, item and, where there are, value, time and the circumstances."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import polars as pl

from scenewise.eval.data.assemble import ITEM, TIME, USER, VALUE, Kind, assemble, split_columns
from scenewise.eval.data.text import LINE, first_line, numbers, read_table, stem
from scenewise.eval.dataset import Dataset
from scenewise.store.errors import InputError

NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        USER: ("user", "user_id", "userid", "uid"),
        ITEM: ("item", "item_id", "itemid", "iid", "movieid", "movie_id", "product_id"),
        VALUE: ("value", "rating", "score", "weight", "count", "cnt"),
        TIME: ("timestamp", "time_s", "unix_time", "datetime", "ts"),
    }
)
"""How a column may be called, in any case; the first name that is there counts. Other columns are circumstances."""
_TEXT = (".csv", ".tsv", ".dat")


def fits_csv(path: Path) -> bool:
    """Whether it is a delimited file whose header names a user and an item, or a folder with one file, which is such."""
    file = only(path, _TEXT)
    return file is not None and {USER, ITEM} <= {*_found(header(file))}


def fits_parquet(path: Path) -> bool:
    """Whether it is a Parquet file, or a folder with one."""
    return only(path, (".parquet",)) is not None


def fits_carskit(path: Path) -> bool:
    """Whether the header begins as CARSKit's do: userid, itemid, rating."""
    file = only(path, _TEXT)
    return file is not None and [name.lower() for name in header(file)[:3]] == ["userid", "itemid", "rating"]


def read_csv(path: Path) -> Dataset:
    """Read delimited text; InputError where no column is called user or item (see NAMES)."""
    file = only(path, _TEXT) or path
    return _read(stem(file), read_table(file))


def read_carskit(path: Path) -> Dataset:
    """Read CARSKit's one table: `NA` means rated without this circumstance."""
    file = only(path, _TEXT) or path
    table = read_table(file)
    circumstances = [column for column in table.columns if column != LINE]
    return _read(path.name if path.is_dir() else stem(file), table.with_columns(pl.col(circumstances).replace("NA", "")))


def read_parquet(path: Path) -> Dataset:
    """Read Parquet; ids may be words or whole numbers. InputError as for CSV."""
    file = only(path, (".parquet",)) or path
    try:
        table = pl.read_parquet(file, glob=False)
        whole = [name for name, kind in table.schema.items() if kind.is_float() and name.lower() in NAMES[USER] + NAMES[ITEM]]
        table = table.with_columns(pl.col(whole).cast(pl.Int64, strict=True))  # ids that pandas made floats
        table = table.with_columns(pl.col(pl.Datetime, pl.Date).dt.epoch("ms") / 1000).cast(pl.String)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{file.name} cannot be read as Parquet with columns of words, numbers or times.") from error
    return _read(stem(file), table.fill_null("").with_row_index(LINE, offset=1))


def only(path: Path, endings: tuple[str, ...]) -> Path | None:
    """Find the one file of these endings (also with .gz): `path` itself, or the only one in the folder."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found = [file for file in files if file.is_file() and file.name.lower().removesuffix(".gz").endswith(endings)]
    return found[0] if len(found) == 1 else None


def header(path: Path) -> list[str]:
    """Read the names in a delimited file's first line."""
    first = first_line(path)
    return [name.strip('"') for name in first.split(max("\t,;|", key=first.count))]


def _found(columns: list[str]) -> Mapping[str, str]:
    lower = {column.lower(): column for column in columns}
    return {role: lower[name] for role, names in NAMES.items() for name in names[::-1] if name in lower}


def _read(name: str, table: pl.DataFrame) -> Dataset:
    found = _found(table.columns)
    if not {USER, ITEM} <= {*found}:
        raise InputError(f"The columns user and item are needed; their names may be {', '.join(NAMES[USER] + NAMES[ITEM])}.")
    events = table.rename({column: role for role, column in found.items()})
    if VALUE in found:
        events = events.with_columns(numbers(events, VALUE))
    if TIME in found:
        events = events.with_columns(_times(events))
    events, words, measures = split_columns(events, [column for column in events.columns if not column.startswith("#")])
    kind = Kind("rating" if found.get(VALUE, "").lower() == "rating" else "interaction", ordered=TIME in found)
    return assemble(name, events, kind, context=words, measures=measures)


def _times(events: pl.DataFrame) -> pl.Series:
    """Read unix seconds, or dates and times as ISO 8601 writes them (UTC where they name no zone)."""
    if events[TIME].str.contains(r"^\d{4}-\d\d-\d\d").all() and len(events):
        try:
            return events[TIME].str.to_datetime(time_zone="UTC").dt.epoch("ms").cast(pl.Float64) / 1000
        except pl.exceptions.PolarsError as error:
            raise InputError("The times are neither unix seconds nor all of one ISO 8601 form.") from error
    return numbers(events, TIME)
