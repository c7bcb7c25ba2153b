"""Concepts: everyday words and what they mean in a catalogue, read from concepts.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rapidfuzz import process

from scenewise.store.errors import InputError, NotFound

Attributes = Mapping[str, tuple[str, ...]]
FILE_NAME = "concepts.toml"


@dataclass(frozen=True, slots=True)
class Concept:
    """What a group of words means; the fields are explained at the head of concepts.toml. Values are casefolded."""

    name: str
    terms: tuple[str, ...]
    verbs: tuple[str, ...]
    attributes: Attributes
    wish_also: Attributes
    ban_also: Attributes
    excludes: Attributes
    requires: Attributes
    domains: frozenset[str]
    max_duration_min: Mapping[str, float]
    max_price_cents: int | None
    opposite: str | None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All concepts, and the phrases in which their words mean nothing of the kind ("of course")."""

    concepts: tuple[Concept, ...]
    ignore: tuple[str, ...]


class _ConceptEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    terms: list[str] = []
    verbs: list[str] = []
    attributes: dict[str, list[str]] = {}
    wish_also: dict[str, list[str]] = {}
    ban_also: dict[str, list[str]] = {}
    excludes: dict[str, list[str]] = {}
    requires: dict[str, list[str]] = {}
    domains: list[str] = []
    max_duration_min: dict[str, int | float] = {}
    max_price_cents: int | None = Field(default=None, ge=0)
    opposite: str | None = None

    def concept(self) -> Concept:
        return Concept(
            name=self.name,
            terms=tuple(self.terms),
            verbs=tuple(self.verbs),
            attributes=_folded(self.attributes),
            wish_also=_folded(self.wish_also),
            ban_also=_folded(self.ban_also),
            excludes=_folded(self.excludes),
            requires=_folded(self.requires),
            domains=frozenset(self.domains),
            max_duration_min=MappingProxyType({domain: float(limit) for domain, limit in self.max_duration_min.items()}),
            max_price_cents=self.max_price_cents,
            opposite=self.opposite,
        )


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    ignore: list[str] = []
    foods: list[str] = []
    concept: list[_ConceptEntry]


def read_lexicon(path: Path | None = None) -> Lexicon:
    """Read a file of concepts; without a path, the one that ships.

    Raises NotFound where there is no such file, and InputError naming the line where it is not valid.
    """
    try:
        source = files(__package__).joinpath(FILE_NAME) if path is None else path
        text = source.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}; leave the path out to use the concepts that ship.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{FILE_NAME} cannot be read; it must be a text file in UTF-8.") from error
    return parse_lexicon(text)


def parse_lexicon(text: str) -> Lexicon:
    """Read concepts from TOML text; raises InputError naming the line where it is not valid."""
    try:
        entries = _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{FILE_NAME} is not valid TOML: {error}") from error
    except ValidationError as error:
        raise InputError(_explain(text, error)) from error
    names = [entry.name for entry in entries.concept]
    for index, entry in enumerate(entries.concept):
        if entry.name in names[:index]:
            raise InputError(f"{FILE_NAME} line {_line_of(text, index, 'name')}: the name {entry.name!r} is taken; choose another.")
        if entry.opposite is not None and entry.opposite not in names:
            line = _line_of(text, index, "opposite")
            raise InputError(f"{FILE_NAME} line {line}: no concept is named {entry.opposite!r}{_did_you_mean(entry.opposite, names)}.")
    foods = (_food(names) for names in entries.foods)
    return Lexicon((*(entry.concept() for entry in entries.concept), *foods), tuple(entries.ignore))


def _food(names: str) -> Concept:
    """A thing to eat by all its names, "coriander, cilantro, 香菜": whoever refuses one of them wants no dish that names any."""
    terms = [name.strip() for name in names.split(",")]
    return _ConceptEntry(name=f"food {terms[0]}", terms=terms, ban_also={"ingredient": terms}).concept()


def _folded(attributes: Mapping[str, list[str]]) -> Attributes:
    return MappingProxyType({attribute: tuple(value.casefold() for value in values) for attribute, values in attributes.items()})


def _explain(text: str, error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place: tuple[Any, ...] = first["loc"]
    fields = list(_ConceptEntry.model_fields) if place[0] == "concept" and len(place) > 1 else list(_File.model_fields)
    index = place[1] if len(place) > 1 and isinstance(place[1], int) and place[0] == "concept" else None
    wrong = str(place[2] if index is not None and len(place) > 2 else place[0])
    line = _line_of(text, index, wrong)
    if first["type"] == "extra_forbidden":
        return f"{FILE_NAME} line {line}: there is no setting {wrong!r}{_did_you_mean(wrong, fields)}."
    return f"{FILE_NAME} line {line}: {wrong!r}: {first['msg']}."


def _line_of(text: str, index: int | None, key: str) -> int:
    """Find the line of a key in the `index`-th [[concept]] table, or in the whole file; else that of the table's head."""
    heads = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*concept\s*\]\]", line)]
    start = heads[index] if index is not None and index < len(heads) else 1
    end = heads[index + 1] if index is not None and index + 1 < len(heads) else 1 << 30
    for number, line in enumerate(text.splitlines(), 1):
        if start <= number < end and re.match(rf"\s*\[*\s*[\"']?{re.escape(key)}\b", line):
            return number
    return start


def _did_you_mean(wrong: str, names: list[str]) -> str:
    near = process.extractOne(wrong, names, score_cutoff=60.0)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(names)}"
