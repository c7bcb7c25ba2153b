"""What an item says of itself, as one text for an encoder, and as fields that a vector search can be narrowed by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from scenewise.store.types import Item
from scenewise.tools.catalogue.constraints import Constraints

MetadataValue = str | int | float | bool | list[str] | None
PUSHED_DOWN = ("genre", "mood", "level", "topic")
"""The attributes that are kept beside the vectors; conditions on others are checked afterwards."""

_TEXT_ATTRIBUTES = ("genre", "mood", "topic")
_UNKNOWN_LOW, _UNKNOWN_HIGH = -1, 1_000_000  # an unknown year or length passes every limit
_MAX_TEXT = 2_000
_MAX_VALUES = 12


def embedding_text(item: Item) -> str:
    """Write an item as one text: title, domain, year, creators, genre, mood, topic, text, in this order, without what is missing.

    >>> from scenewise.store.types import ItemId
    >>> embedding_text(Item(ItemId("m1"), "movies", "Fargo", attributes={"genre": ("Crime", "Drama")}, year=1996))
    'Fargo (movies, 1996). genre: Crime, Drama.'
    """
    kind = f"{item.domain}, {item.year}" if item.year is not None else item.domain
    sentences = [f"{item.title} ({kind})."]
    if creators := item.attributes.get("creator"):
        sentences.append(f"By {', '.join(creators[:_MAX_VALUES])}.")
    named = ((attribute, item.attributes.get(attribute, ())) for attribute in _TEXT_ATTRIBUTES)
    sentences += [f"{attribute}: {', '.join(values[:_MAX_VALUES])}." for attribute, values in named if values]
    return " ".join([*sentences, item.text[:_MAX_TEXT]]).strip()


def hash_text(text: str) -> str:
    """Give a text's fingerprint, 32 hex digits; it changes when the text does."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def metadata_of(item: Item, text_hash: str) -> dict[str, MetadataValue]:
    """Give the fields kept beside an item's vector; a list without members is None, as Chroma keeps no empty lists."""
    fields: dict[str, MetadataValue] = {
        "hash": text_hash,
        "domain": item.domain,
        "year_low": _UNKNOWN_LOW if item.year is None else item.year,
        "year_high": _UNKNOWN_HIGH if item.year is None else item.year,
        "duration_min": float(_UNKNOWN_LOW if item.duration_min is None else item.duration_min),
        "price_cents": _UNKNOWN_LOW if item.price_cents is None else item.price_cents,
        "available": item.available,
    }
    for attribute in PUSHED_DOWN:
        fields[attribute] = sorted({value.casefold() for value in item.attributes.get(attribute, ())}) or None
    return fields


def where_of(constraints: Constraints) -> Mapping[str, object] | None:
    """Write constraints as a Chroma filter, None for none. It lets through at least all that the constraints let through."""
    c = constraints
    parts: list[dict[str, object]] = []
    if c.domains:
        parts.append({"domain": {"$in": sorted(c.domains)}})
    if c.exclude_domains:
        parts.append({"domain": {"$nin": sorted(c.exclude_domains)}})
    if c.min_year is not None:
        parts.append({"year_high": {"$gte": c.min_year}})
    if c.max_year is not None:
        parts.append({"year_low": {"$lte": c.max_year}})
    if c.max_duration_min is not None:
        parts.append({"duration_min": {"$lte": float(c.max_duration_min)}})
    if c.max_price_cents is not None:
        parts.append({"price_cents": {"$lte": c.max_price_cents}})
    if c.available_only:
        parts.append({"available": True})
    parts += [{attribute: {"$not_contains": value}} for attribute in PUSHED_DOWN for value in sorted(c.ban.get(attribute, frozenset()))]
    for attribute in PUSHED_DOWN:
        if values := sorted(c.require.get(attribute, frozenset())):
            parts.append(_any_of([{attribute: {"$contains": value}} for value in values]))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else {"$and": parts}


def _any_of(parts: list[dict[str, object]]) -> dict[str, object]:
    return parts[0] if len(parts) == 1 else {"$or": parts}
