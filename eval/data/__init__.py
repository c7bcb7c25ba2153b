"""Readers of public formats, one a module: a path becomes a Dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from scenewise.eval.data import ciao, ctr, events, frappe, hetrec, kgat, kgcn, mealrec, movielens, recbole, saved, sequences, situnes, steam
from scenewise.eval.dataset import Dataset
from scenewise.store.errors import InputError, NotFound


@dataclass(frozen=True, slots=True)
class Format:
    """Whether a path looks like it, how to read it, and what else its reader takes."""

    fits: Callable[[Path], bool]
    read: Callable[..., Dataset]
    options: tuple[str, ...] = ()


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "store": Format(saved.fits, saved.read),
        "recbole": Format(recbole.fits, recbole.read, ("titles",)),
        "frappe": Format(frappe.fits, frappe.read),
        "movielens": Format(movielens.fits, movielens.read, ("graph",)),
        "kgcn": Format(kgcn.fits, kgcn.read),
        "ctr": Format(ctr.fits, ctr.read),
        "frappe_x1": Format(ctr.fits, ctr.read),
        "kgat": Format(kgat.fits, kgat.read),
        "hetrec": Format(hetrec.fits, hetrec.read),
        "mealrec": Format(mealrec.fits, mealrec.read),
        "situnes": Format(situnes.fits, situnes.read),
        "steam": Format(steam.fits, steam.read),
        "ciao": Format(ciao.fits, ciao.read),
        "carskit": Format(events.fits_carskit, events.read_carskit),
        "parquet": Format(events.fits_parquet, events.read_parquet),
        "csv": Format(events.fits_csv, events.read_csv),
        "sequences": Format(sequences.fits, sequences.read),
    }
)
"""By name, in the order in which "auto" asks them."""


def read(path: Path, format: str = "auto", **options: Path) -> Dataset:
    """Read a public set. `format` is a name of FORMATS; "auto" goes by the names and headers of the file or folder. Options are paths:
    `titles` for "recbole", `graph` for "movielens" (see there).

    Repeated events, events out of order and times in the future come as they stand. NotFound where there is nothing at `path`;
    InputError where no format fits, or something does not fit the format: its file and line are named, its content never shown.
    """
    if not path.exists():
        raise NotFound(f"There is nothing at the path that ends in {path.name}.")
    if format != "auto" and format not in FORMATS:
        raise InputError(f"There is no format of this name: choose auto or one of {', '.join(FORMATS)}.")
    name = format if format != "auto" else next((one for one, known in FORMATS.items() if known.fits(path)), None)
    if name is None:
        raise InputError(f"{path.name} is of no format that is known: give one of {', '.join(FORMATS)}.")
    if not {*options} <= {*FORMATS[name].options}:
        raise InputError(f"The format {name} takes {', '.join(FORMATS[name].options) or 'no options'}, not {', '.join(options)}.")
    return FORMATS[name].read(path, **options)
