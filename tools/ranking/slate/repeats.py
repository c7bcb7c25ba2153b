"""When an item may come again: rules by domain in repeats.toml, and the words that ask for what is known."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, TypeAdapter, ValidationError

from scenewise.store.errors import InputError
from scenewise.store.types import Event, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.interactions import LIKED, Worth

FILE = "repeats.toml"
DAY_S = 86_400.0
_AGAIN = re.compile(
    r"\b(?:something|anything|one|ones)\s+(?:that\s+)?(?:i|we)\s+(?:already\s+)?know\b|\bre-?(?:watch|read|listen|play)\b"
    r"|\bold favou?rites?\b"
    r"|\b(?:watch|read|hear|listen to|cook|play|repeat)\s+(?:it|that|this|one|some\w*|an?|the|my|our)\b[^.!?]{0,30}?\bagain\b"
    r"|重温|再(?:看|听|读|做|玩)一?(?:遍|次)",
    re.IGNORECASE,
)
_NOT = re.compile(r"(?:\b(?:not?|never|nothing|without|don['’]?t|do not|rather than)\b|不)[^.!?。！？]{0,30}$", re.IGNORECASE)


@dataclass(frozen=True)
class Repeats:
    """Days until an item may come again, by domain ("default" for all others): infinite for never, 0 for free."""

    consumed: Mapping[str, float]
    shown: Mapping[str, float]

    def barred(self, history: Sequence[Event], catalogue: Catalogue, worth: Worth, *, now_s: float) -> NDArray[np.bool_]:
        """Mark what was consumed and may not come yet: bool (n_items,). Of what did not please, nothing comes again."""
        mask = np.zeros(catalogue.n, dtype=np.bool_)
        for item_id, event in latest_of(history).items():
            if (row := catalogue.row(item_id)) is not None:
                days = self.consumed.get(catalogue.items[row].domain, self.consumed["default"])
                mask[row] = _too_soon(now_s - event.time_s, days) or not _pleased(event, worth)
        return mask

    def stale(self, shown_s: Mapping[ItemId, float], catalogue: Catalogue, *, now_s: float) -> frozenset[ItemId]:
        """Name the items shown at unix times `shown_s` that should not come yet."""
        found = {item_id: catalogue.items[row].domain for item_id in shown_s if (row := catalogue.row(item_id)) is not None}
        days = {item_id: self.shown.get(domain, self.shown["default"]) for item_id, domain in found.items()}
        return frozenset(item_id for item_id, limit in days.items() if _too_soon(now_s - shown_s[item_id], limit))


def known_rows(history: Sequence[Event], catalogue: Catalogue, worth: Worth) -> NDArray[np.bool_]:
    """Mark what the user has had and liked: bool (n_items,)."""
    mask = np.zeros(catalogue.n, dtype=np.bool_)
    mask[catalogue.rows(item_id for item_id, event in latest_of(history).items() if _pleased(event, worth))] = True
    return mask


def asks_for_known(text: str) -> bool:
    """Say whether the words ask for something known.

    >>> asks_for_known("something I know"), asks_for_known("let's watch it again"), asks_for_known("never watch it again")
    (True, True, False)
    """
    return any(not _NOT.search(text[: match.start()]) for match in _AGAIN.finditer(text))


def repeats_of(folder: Path) -> Repeats:
    """Read the rules of a store's folder: its repeats.toml over the default one. InputError says what in it is wrong."""
    own = folder / FILE
    return _read(own, own.stat().st_mtime_ns if own.is_file() else 0)


def latest_of(history: Iterable[Event]) -> dict[ItemId, Event]:
    """Return the last event of each item, of a history that is oldest first."""
    return {event.item_id: event for event in history}


def _pleased(event: Event, worth: Worth) -> bool:
    return worth.of(event.kind, event.value) >= LIKED


def _too_soon(age_s: float, days: float) -> bool:
    return days > 0.0 and age_s < days * DAY_S


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    consumed: Literal["never", "free"] | NonNegativeFloat | None = None
    shown: Literal["never", "free"] | NonNegativeFloat | None = None


@lru_cache(maxsize=8)
def _read(own: Path, mtime_ns: int) -> Repeats:
    """Read a store's file as it was at a time (0: there is none) over the default one."""
    files = [Path(__file__).resolve().parent / FILE, *([own] if mtime_ns else [])]
    consumed: dict[str, float] = {}
    shown: dict[str, float] = {}
    for file in files:
        for domain, rule in _rules(file).items():
            for days, value in ((consumed, rule.consumed), (shown, rule.shown)):
                if value is not None:
                    days[domain.casefold()] = {"never": math.inf, "free": 0.0}[value] if isinstance(value, str) else value
    return Repeats(consumed, shown)


def _rules(file: Path) -> dict[str, _Rule]:
    try:
        return TypeAdapter(dict[str, _Rule]).validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"][:2])
        raise InputError(f'{FILE}: {where} cannot be used: a rule is consumed or shown = "never", "free" or a number of days') from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{FILE} is not TOML that can be read: {error}") from error
