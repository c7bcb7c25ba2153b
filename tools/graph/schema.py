"""The closed list of node types and relations: schema.toml beside this file, which a store may extend with its graph.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scenewise.store.errors import InputError

VERSION = 1
STORE_FILE = "graph.toml"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MAX_BYTES = 1 << 20


class Relation(BaseModel):
    """One relation. `domain` and `range` are node types, `weight` is in (0, 1]; schema.toml says what the others mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weight: float = Field(gt=0, le=1)
    domain: tuple[str, ...] = Field(default=(), max_length=50)
    range: tuple[str, ...] = Field(default=(), max_length=50)
    phrase: str | None = None
    role: str | None = None
    verb: str | None = None
    role_zh: str | None = None
    texts: tuple[str, ...] = ()
    asks: str = ""
    single: bool = False


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    types: dict[str, str] = Field(default_factory=dict, max_length=1000)
    relations: dict[str, Relation] = Field(default_factory=dict, max_length=1000)


@dataclass(frozen=True, slots=True)
class Schema:
    """`types[name]` is the type's parent ("" for none); `relations[name]` what may stand between which."""

    types: Mapping[str, str]
    relations: Mapping[str, Relation]
    version: int = VERSION
    _above: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)

    def is_a(self, kind: str, wanted: str) -> bool:
        """Whether nodes of type `kind` are also of type `wanted`; False for unknown types."""
        return wanted in self._above.get(kind, ())

    def refusal(self, subject: str, relation: str, obj: str) -> str | None:
        """Say in one word why an edge breaks the schema ("relation", "subject", "object"), or None where it does not.

        `subject` and `obj` are nodes ("type:key") or types.
        """
        known = self.relations.get(relation)
        if known is None:
            return "relation"
        for end, wanted, word in ((subject, known.domain, "subject"), (obj, known.range, "object")):
            if not any(self.is_a(end.partition(":")[0], name) for name in wanted):
                return word
        return None

    @property
    def singles(self) -> frozenset[str]:
        """The relations of which a subject can have one object only."""
        return frozenset(name for name, relation in self.relations.items() if relation.single)

    def from_texts(self, domain: str) -> dict[str, str]:
        """Map the relations that the text of an item of this domain may state to the type of their values; sorted by name."""
        return {
            name: relation.range[0]
            for name, relation in sorted(self.relations.items())
            if domain in relation.texts or "*" in relation.texts
        }


@lru_cache(maxsize=1)
def load_schema() -> Schema:
    """Read the schema that ships with the graph."""
    text = files(__package__).joinpath("schema.toml").read_text(encoding="utf-8")
    return make_schema(tomllib.loads(text), name="schema.toml")


def store_schema(store_path: Path) -> Schema:
    """Read the shipped schema and the store's graph.toml, where there is one; InputError says what is wrong with that file."""
    path = store_path / STORE_FILE
    if not path.is_file():
        return load_schema()
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{STORE_FILE} is larger than {_MAX_BYTES} bytes: a schema is a short file")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{STORE_FILE} is not TOML in UTF-8") from error
    return make_schema(table, name=STORE_FILE, base=load_schema())


def make_schema(table: Mapping[str, Any], *, name: str, base: Schema | None = None) -> Schema:
    """Check a table and join it to `base`.

    Raises InputError, with `name` for the file, for unknown keys, another version, a type or relation that `base` has already,
    names that are not lower-case words, an unknown parent, domain or range, and types that descend from themselves.
    """
    try:
        read = _File.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{name}: {'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}") from error
    if read.version != VERSION:
        raise InputError(f"{name} has version {read.version}, and this program reads version {VERSION}")
    types, relations = ({**base.types}, {**base.relations}) if base else ({}, {})
    for known, added in ((types, read.types), (relations, read.relations)):
        for word in added:
            if not _NAME.fullmatch(word):
                raise InputError(f"{name}: {word[:40]!r} is no name: use a to z, 0 to 9 and _, at most 40")
            if word in known:
                raise InputError(f"{name}: {word} is in the schema already; choose another name")
    types |= read.types
    relations |= read.relations
    above = {kind: _lineage(kind, types, name) for kind in types}
    for word, relation in read.relations.items():
        for part in ("domain", "range"):
            ends: tuple[str, ...] = getattr(relation, part)
            unknown = [kind for kind in ends if kind not in types]
            if unknown or not ends:
                raise InputError(f"{name}: {word}: unknown {part} {unknown[0][:40]!r}" if unknown else f"{name}: {word} has no {part}")
    return Schema(MappingProxyType(types), MappingProxyType(relations), read.version, MappingProxyType(above))


def _lineage(kind: str, types: Mapping[str, str], name: str) -> frozenset[str]:
    seen: list[str] = []
    while kind:
        if kind not in types:
            raise InputError(f"{name}: {seen[-1]} descends from {kind[:40]!r}, which is no type")
        if kind in seen:
            raise InputError(f"{name}: the type {kind} descends from itself")
        seen.append(kind)
        kind = types[kind]
    return frozenset(seen)
