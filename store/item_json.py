"""Items as a person or a program writes them: one JSON object, a list of them, or one a line. Whatever is not an item is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import MappingProxyType
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StrictBool, StrictInt, StringConstraints, ValidationError

from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId

MAX_BYTES = 64_000_000
"""Larger files are for `scenewise ingest`, which reads them in batches."""

_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]
_Text = Annotated[str, StringConstraints(max_length=1_000_000)]
_Values = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=10_000)]], Field(max_length=1_000)]


class WrittenItem(BaseModel):
    """The fields of `Item`; what is left out is as there."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"item_id": "b-1", "domain": "books", "title": "Emma", "attributes": {"genre": ["novel"]}}]},
    )

    item_id: _Name
    domain: _Name
    title: _Text
    text: _Text = ""
    attributes: dict[_Name, _Values] = {}
    year: Annotated[StrictInt, Field(ge=-9_999, le=9_999)] | None = None
    duration_min: Annotated[FiniteFloat, Field(ge=0)] | None = None
    price_cents: Annotated[StrictInt, Field(ge=0, le=10**15)] | None = None
    currency: _Name | None = None
    available: StrictBool = True
    media: _Values = []

    def item(self) -> Item:
        """The item as the store takes it."""
        given = self.model_dump() | {"item_id": ItemId(self.item_id), "media": tuple(self.media)}
        return Item(**given | {"attributes": MappingProxyType({name: tuple(values) for name, values in self.attributes.items()})})


def read_items(data: bytes) -> list[Item]:
    """Read items; of an id that comes twice the last counts. Raises InputError, which names the line or place and the field."""
    if len(data) > MAX_BYTES:
        raise InputError(f"more than {MAX_BYTES // 1_000_000} MB of items: load them with `scenewise ingest`")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("items are read as UTF-8 text, and this is none") from error
    return list({item.item_id: item for item in (_read(place, found) for place, found in _objects(text))}.values())


def item_json(item: Item) -> dict[str, Any]:
    """Write an item as `read_items` reads it."""
    attributes = {name: list(values) for name, values in item.attributes.items()}
    plain = {name: getattr(item, name) for name in ("item_id", "domain", "title", "text", "year", "duration_min", "price_cents")}
    return plain | {"currency": item.currency, "available": item.available, "attributes": attributes, "media": list(item.media)}


def _objects(text: str) -> Iterator[tuple[str, object]]:
    """Take a text apart into JSON values, each with where it stands."""
    try:
        whole = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        whole = None
    if whole is not None:
        yield from ((f"item {number}", one) for number, one in enumerate(whole, 1)) if isinstance(whole, list) else (("the item", whole),)
        return
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise InputError("there is no item here: write one as a JSON object, or one a line")
    for number, line in lines:
        try:
            yield f"line {number}", json.loads(line, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise InputError(f"line {number} is no JSON: write an item as one JSON object, or one a line") from error


def _read(place: str, found: object) -> Item:
    if not isinstance(found, dict):
        raise InputError(f"{place} is no JSON object: an item has item_id, domain, title and perhaps more")
    try:
        return WrittenItem.model_validate(found).item()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field, known = ".".join(map(str, first["loc"][:1])), ", ".join(WrittenItem.model_fields)
        if first["type"] == "extra_forbidden":
            raise InputError(f"{place}: an item has no such field; it has {known}") from error
        raise InputError(f"{place}: {field}: {first['msg'].casefold()}") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
