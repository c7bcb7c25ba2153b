"""What each relation of the graph weighs, and how it reads in a sentence; the table is schema.toml."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scenewise.tools.graph.schema import Relation, load_schema

UNKNOWN = Relation(weight=0.3)
SILENT = frozenset({"in_domain", "content_rating", "award_nominated"})
"""Relations that never explain anything to a person: true of half the catalogue, or not a reason."""

ATTRIBUTE_RELATIONS: Mapping[str, str] = MappingProxyType(
    {
        "creator": "created_by",
        "director": "directed_by",
        "writer": "written_by",
        "genre": "in_genre",
        "mood": "has_mood",
        "topic": "about",
    }
)


def relation_of(attribute: str) -> str:
    """Name the relation of an item's attribute.

    >>> relation_of("genre"), relation_of("skill level")
    ('in_genre', 'has_skill_level')
    """
    return ATTRIBUTE_RELATIONS.get(attribute) or "has_" + "_".join(attribute.casefold().split())


def describe(relation: str) -> Relation:
    """Look the relation up in the shipped schema; one that is not in it gets a middling weight and no phrase of its own."""
    return load_schema().relations.get(relation, UNKNOWN)


def role_of(relation: str, *, locale: str = "en") -> str:
    """Name the node at the far end of the relation, as a noun.

    >>> role_of("directed_by"), role_of("has_skill_level")
    ('director', 'skill level')
    """
    known = describe(relation)
    role = known.role_zh if locale == "zh" else known.role
    if role:
        return role
    words = relation.removeprefix("has_").removeprefix("in_").removesuffix("_by").removesuffix("_of")
    return words.replace("_", " ")
