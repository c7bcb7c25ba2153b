"""Steam: a zip with game_purchase.dat, game_play.dat (hours) and item_info.dat (names)."""

from __future__ import annotations

import zipfile
from pathlib import Path

from scenewise.eval.data.assemble import ITEM, USER, Kind, assemble
from scenewise.eval.data.text import numbers, read_table
from scenewise.eval.dataset import Dataset
from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId

_LARGEST = 1_000_000_000  # bytes unpacked


def fits(path: Path) -> bool:
    """Whether it is a zip file, or a folder with one."""
    return path.suffix == ".zip" or (path.is_dir() and len([*path.glob("*.zip")]) == 1)


def read(path: Path) -> Dataset:
    """Read it: a purchase is an event; `hours` says how long this user played the game, NaN where never."""
    path = next(path.glob("*.zip"), path) if path.is_dir() else path
    try:
        with zipfile.ZipFile(path) as archive:
            members = {Path(one.filename).name: one for one in archive.infolist() if not one.is_dir()}
            if sum(one.file_size for one in members.values()) > _LARGEST:
                raise InputError(f"{path.name} is too large: it unpacks to more than {_LARGEST} bytes.")
            data = {name: archive.read(one) for name, one in members.items()}
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path.name} cannot be read as a zip file.") from error
    tables = {}
    for name in ("game_purchase.dat", "game_play.dat", "item_info.dat"):
        if name not in data:
            raise InputError(f"{path.name} needs the file {name} in it.")
        tables[name] = read_table(Path(name), separator="\t", data=data[name], quoted=False)
    bought, played, games = tables.values()
    keys = {"User_ID": USER, "Game_ID": ITEM}
    hours = played.with_columns(numbers(played, "Hours").alias("hours")).rename(keys).unique([USER, ITEM], keep="last")
    events = bought.rename(keys).join(hours.select(USER, ITEM, "hours"), [USER, ITEM], how="left", maintain_order="left")
    items = [Item(ItemId(row["Game_ID"]), "games", row["Game Name"]) for row in games.iter_rows(named=True)]
    return assemble(path.stem, events, Kind("purchase", "games", ordered=False), items=items, measures=["hours"])
