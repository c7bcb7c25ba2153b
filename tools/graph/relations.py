"""What each relation of the graph weighs, and how it reads in a sentence.

Weights are a hand-set prior of how much a shared node says about taste: a shared director says more than a shared language.
Rarity (inverse document frequency) comes on top, from the data; so a weight only ranks relations of equally rare nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Relation:
    """`weight` in (0, 1]. `phrase` reads after "is" and holds {value}; `role` names the node from the item's side ("director");
    `verb` is the participle before it ("directed by"). Both are None where the node is not a person."""

    weight: float
    phrase: str | None = None
    role: str | None = None
    verb: str | None = None
    role_zh: str | None = None


RELATIONS: Mapping[str, Relation] = MappingProxyType(
    {
        "created_by": Relation(1.0, "by {value}", "creator", "made by", "创作者"),
        "directed_by": Relation(1.0, "directed by {value}", "director", "directed by", "导演"),
        "sequel": Relation(1.0),
        "written_by": Relation(0.9, "written by {value}", "writer", "written by", "编剧"),
        "about": Relation(0.8, "about {value}", "subject", None, "主题"),
        "fits": Relation(0.6, "often chosen for {value}", "moment", None, "场景"),
        "starring": Relation(0.6, None, "star", None, "主演"),
        "in_genre": Relation(0.5, "{value}", "genre", None, "类型"),
        "has_mood": Relation(0.5, "{value}", "mood", None, "情绪"),
        "prefers": Relation(0.5),
        "produced_by": Relation(0.4, "produced by {value}", "producer", "produced by", "制片人"),
        "cinematography_by": Relation(0.4, "shot by {value}", "cinematographer", "shot by", "摄影师"),
        "related_to": Relation(0.4),
        "company": Relation(0.25, None, "production company", None, "制作公司"),
        "award_won": Relation(0.2, None, "award", None, "奖项"),
        "suits": Relation(0.2),
        "award_nominated": Relation(0.1, None, "award nomination", None, "提名"),
        "from_decade": Relation(0.1, "from the {value}", "decade", None, "年代"),
        "language": Relation(0.08, None, "language", None, "语言"),
        "has_language": Relation(0.08, None, "language", None, "语言"),
        "country": Relation(0.08, None, "country", None, "国家"),
        "has_country": Relation(0.08, None, "country", None, "国家"),
        "content_rating": Relation(0.05, None, "age rating", None, "分级"),
        "in_domain": Relation(0.05, None, "kind", None, "类别"),
    }
)
UNKNOWN = Relation(0.3)
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
    """Look the relation up; one that is not in the table gets a middling weight and no phrase of its own."""
    return RELATIONS.get(relation, UNKNOWN)


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
