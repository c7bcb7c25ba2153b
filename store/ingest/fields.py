"""The fields that each kind of file can fill, and the column names that people give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from scenewise.store.ingest.report import Kind

NAMELESS: Final = re.compile(r"column_\d+")  # what readers call a column that has no name
ATTRIBUTE: Final = "attributes."

_THINGS = (
    *("item", "movie", "film", "book", "song", "track", "artist", "album", "recipe", "meal", "course", "app", "game", "product"),
    *("article", "video", "workout", "exercise", "restaurant", "hotel"),
)
_THING_IDS = tuple(name for thing in _THINGS for name in (f"{thing}_id", f"{thing}id"))
_CODES = ("sku", "asin", "parent_asin", "isbn", "isbn13")

Synonyms = Mapping[str, tuple[str, ...]]

# field -> column names, best first; compared after `plain_name`
ITEM_FIELDS: Final[Synonyms] = MappingProxyType(
    {
        "item_id": ("item_id", "id", *_THING_IDS, *_CODES, "uuid", "slug", "item"),
        "domain": ("domain",),
        "title": ("title", "name", "headline"),
        "text": (
            *("text", "description", "overview", "summary", "plot", "synopsis", "abstract", "details", "about"),
            *("short_desc", "instructions", "body"),
        ),
        "year": (
            *("year", "release_year", "publication_year", "year_of_publication", "year_of_release", "published_year"),
            *("release_date", "publication_date"),
        ),
        "duration_min": (
            *("duration_min", "duration", "runtime", "runtime_min", "run_time", "length_min", "minutes", "duration_minutes"),
            *("duration_s", "duration_sec", "duration_seconds", "duration_ms", "duration_h", "duration_hours"),
        ),
        "price_cents": ("price_cents", "amount_cents"),
        "price": ("price", "list_price", "unit_price", "retail_price"),
        "currency": ("currency", "currency_code"),
        "available": ("available", "in_stock", "is_available", "availability"),
        "media": (
            *(
                "media",
                "image",
                "images",
                "image_url",
                "img",
                "poster",
                "poster_url",
                "thumbnail",
                "picture_url",
                "cover",
                "icon",
            ),
            *("icon", "image_link", "url"),
        ),
    }
)
ATTRIBUTES: Final[Synonyms] = MappingProxyType(
    {
        "genre": ("genre", "genres", "category", "categories", "class", "classes"),
        "creator": ("creator", "creators", "author", "authors", "artist", "artists", "director", "directors", "developer"),
        "mood": ("mood", "moods"),
        "level": ("level", "difficulty"),
        "topic": ("topic", "topics", "subject", "subjects", "tags", "keywords"),
        "brand": ("brand", "brands"),
        "language": ("language", "languages"),
    }
)
EVENT_FIELDS: Final[Synonyms] = MappingProxyType(
    {
        "user_id": (
            *("user_id", "user", "uid", "userid", "customer_id", "customer", "reviewer_id", "member_id"),
            *("visitor_id", "account_id"),
        ),
        "item_id": ("item_id", "item", "iid", *_THING_IDS, *_CODES, "product", "movie", "book", "song", "track", "artist", "app"),
        "value": (
            *("value", "rating", "score", "stars", "overall", "weight", "count", "cnt", "plays", "play_count", "hours", "clicks"),
            *("review_score"),
        ),
        "time_s": (
            *("time_s", "timestamp", "time", "ts", "unix_time", "unix_review_time", "datetime", "date_time", "date"),
            *("created_at", "event_time", "rated_at", "review_time"),
        ),
        "kind": ("kind", "event", "event_type", "action", "behavior", "behaviour", "type"),
    }
)
USER_FIELDS: Final[Synonyms] = MappingProxyType({"user_id": (*EVENT_FIELDS["user_id"], "id")})
EDGE_FIELDS: Final[Synonyms] = MappingProxyType(
    {
        "subject": ("subject", "head", "head_id", "from", "src", "source"),
        "relation": ("relation", "relation_id", "predicate", "rel", "edge", "label"),
        "object": ("object", "tail", "tail_id", "to", "dst", "target"),
        "source": ("source",),
        "evidence": ("evidence",),
        "confidence": ("confidence",),
        "denied": ("denied",),
        "valid_from": ("valid_from", "valid_from_s"),
        "valid_to": ("valid_to", "valid_to_s"),
    }
)
FIELDS: Final[Mapping[Kind, Synonyms]] = MappingProxyType(
    {"items": ITEM_FIELDS, "events": EVENT_FIELDS, "users": USER_FIELDS, "edges": EDGE_FIELDS}
)
NEEDED: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {
        "items": ("item_id", "title"),
        "events": ("user_id", "item_id"),
        "users": ("user_id",),
        "edges": ("subject", "relation", "object"),
    }
)

_UNIT_MINUTES = MappingProxyType(
    {"ms": 1 / 60_000, "s": 1 / 60, "sec": 1 / 60, "seconds": 1 / 60, "h": 60.0, "hours": 60.0, "min": 1.0, "minutes": 1.0}
)


def plain_name(column: str) -> str:
    """Bring a column's name into one form: "movieId", "Movie ID" and "movie_id:token" are all movie_id."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column.strip())
    return re.sub(r"\W+", "_", name.casefold()).strip("_")


def bare_name(plain: str) -> str:
    """Drop the thing's own name from the front of a plain name: movie_title is title, course_difficulty is difficulty."""
    head, _, rest = plain.partition("_")
    return rest if rest and head in _THINGS else plain


def minutes_per_unit(column: str) -> float:
    """Return what one unit of a duration column is in minutes, from its name's last word: duration_ms is in milliseconds."""
    return _UNIT_MINUTES.get(plain_name(column).rsplit("_", 1)[-1], 1.0)
