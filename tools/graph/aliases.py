"""Names that mean the same across domains, read once from aliases.toml beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Aliases:
    """`same[attribute][name]` is the name to use; `related` pairs nodes that lie close to each other."""

    same: Mapping[str, Mapping[str, str]]
    related: tuple[tuple[str, str], ...]

    def canonical(self, attribute: str, value: str) -> str:
        """Give the value's casefolded common name, blanks collapsed."""
        key = " ".join(value.casefold().split())
        return self.same.get(attribute, {}).get(key, key)


def load_aliases(merged: Mapping[str, Mapping[str, str]] | None = None) -> Aliases:
    """Read the table that ships with the graph; `merged` adds names by type (`resolution.alias_table` makes it of a store's merges)."""
    table = tomllib.loads(files(__package__).joinpath("aliases.toml").read_text(encoding="utf-8"))
    related = tuple((left, right) for left, rights in table["related"].items() for right in rights)
    same = {kind: {**names, **table["same"].get(kind, {})} for kind, names in (merged or {}).items()}
    return Aliases(same=table["same"] | same, related=related)
