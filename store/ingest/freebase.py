"""Short names for Freebase's film relations, each in one direction.

Freebase states most facts twice: film.film.directed_by (film -> person) and film.director.film (person -> film). Both become
"directed_by" from the film; the second is turned round, so that it falls together with the first.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

# relation -> (short name, whether subject and object change places)
RELATIONS: Final = MappingProxyType(
    {
        "film.film.directed_by": ("directed_by", False),
        "film.director.film": ("directed_by", True),
        "film.film.actor": ("starring", False),
        "film.actor.film": ("starring", True),
        "film.film.written_by": ("written_by", False),
        "film.writer.film": ("written_by", True),
        "film.film.produced_by": ("produced_by", False),
        "film.producer.film": ("produced_by", True),
        "film.film.cinematography": ("cinematography_by", False),
        "film.cinematographer.film": ("cinematography_by", True),
        "film.film.genre": ("in_genre", False),
        "film.film_genre.films_in_this_genre": ("in_genre", True),
        "film.film.country": ("country", False),
        "film.film.language": ("language", False),
        "film.film.subjects": ("about", False),
        "film.film_subject.films": ("about", True),
        "film.film.sequel": ("sequel", False),
        "film.film.prequel": ("sequel", True),
        "film.film.production_companies": ("company", False),
        "film.production_company.films": ("company", True),
        "film.film.rating": ("content_rating", False),
        "film.content_rating.film": ("content_rating", True),
        "film.film.award_won": ("award_won", False),
        "film.film.award_nomination": ("award_nominated", False),
    }
)


_FORWARD: Final = MappingProxyType({short: relation for relation, (short, turned) in RELATIONS.items() if not turned})


def name_relation(relation: str) -> tuple[str, str, bool]:
    """Return a relation's short name, its full name in the direction that is kept, and whether subject and object change places.

    A relation that is not in the table keeps the last part of its name.

    >>> name_relation("film.director.film")
    ('directed_by', 'film.film.directed_by', True)
    >>> name_relation("book.book.editions")
    ('editions', 'book.book.editions', False)
    """
    if relation not in RELATIONS:
        return relation.rsplit(".", 1)[-1] or relation, relation, False
    short, turned = RELATIONS[relation]
    return short, _FORWARD[short], turned
