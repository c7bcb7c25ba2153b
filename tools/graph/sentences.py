"""Words for a connection between two items.

A clause reads after "it is"; or it starts with "shares" or "has" and reads after "it".
"""

from __future__ import annotations

from dataclasses import dataclass

from scenewise.tools.graph.relations import describe, role_of

SERIES = frozenset({"sequel"})
_SAME = {"in_genre": "in the same genre as", "about": "about the same subject as", "starring": "shares an actor with"}
_OPEN_ENDS = ("by", "of", "to", "from", "on")
_FILM_GENRES = (
    "action adventure animation children's comedy crime documentary drama fantasy film-noir horror musical mystery romance "
    "sci-fi thriller war western"
)


def spoken(genre: str) -> str:
    """Write a genre as inside a sentence: MovieLens' ones small, names and initials as they are.

    >>> spoken("Comedy"), spoken("French"), spoken("R&B")
    ('comedy', 'French', 'R&B')
    """
    return genre.casefold() if genre.casefold() in _FILM_GENRES.split() else genre


@dataclass(frozen=True, slots=True)
class Link:
    """What joins two items: the candidate's `relation` to a node, the liked item's `other_relation`, and the node's name."""

    relation: str
    other_relation: str
    value: str | None = None


def clause(link: Link, title: str, *, locale: str = "en") -> str:
    """Say how the candidate is joined to the item called `title`.

    >>> clause(Link("directed_by", "directed_by"), "Fargo")
    'by the same director as Fargo'
    >>> clause(Link("in_genre", "in_genre", "science fiction"), "Alien")
    'science fiction, like Alien'
    >>> clause(Link("written_by", "directed_by"), "Heat")
    'written by the director of Heat'
    """
    if locale == "zh":
        return _clause_zh(link, title)
    if link.relation != link.other_relation:
        return _mixed(link, title)
    known = describe(link.relation)
    role = role_of(link.relation)
    if link.value is None:
        if link.relation in _SAME:
            return f"{_SAME[link.relation]} {title}"
        return f"by the same {role} as {title}" if known.verb else f"has the same {role} as {title}"
    if known.phrase:
        value = spoken(link.value) if link.relation == "in_genre" else link.value
        return f"{known.phrase.format(value=value)}, like {title}"
    return f"shares an actor, {link.value}, with {title}" if role == "star" else f"shares its {role}, {link.value}, with {title}"


def _mixed(link: Link, title: str) -> str:
    known = describe(link.relation)
    role = role_of(link.other_relation)
    whose = f"{'the' if role == 'director' else 'a'} {role} of {title}"
    if known.verb:
        return f"{known.verb} {whose}"
    if link.relation == "starring":
        return f"has {whose} among its stars"
    return f"shares {link.value} with {title}" if link.value else f"shares a name with {title}"


def direct(relation: str, title: str, *, candidate_is_subject: bool, locale: str = "en") -> str:
    """Say how the candidate is joined to an item by one edge between the two.

    >>> direct("sequel", "Alien", candidate_is_subject=True)
    'from the same series as Alien'
    >>> direct("inspired_by", "Dune", candidate_is_subject=True)
    'inspired by Dune'
    """
    if locale == "zh":
        return f"与《{title}》同属一个系列" if relation in SERIES else f"与《{title}》直接相关"
    if relation in SERIES:
        return f"from the same series as {title}"
    words = relation.replace("_", " ")
    if candidate_is_subject and words.split()[-1] in _OPEN_ENDS:
        return f"{words} {title}"
    return f"connected with {title}"


def liked(value: str, relation: str, *, locale: str = "en") -> str:
    """Say that the candidate has something that the user likes.

    >>> liked("science fiction", "in_genre"), liked("Joel Coen", "directed_by")
    ('science fiction, which you like', 'directed by Joel Coen, whom you like')
    """
    if locale == "zh":
        return f"有你喜欢的{role_of(relation, locale='zh')}：{value}"
    known = describe(relation)
    whom = "whom" if known.verb else "which"
    if known.phrase:
        return f"{known.phrase.format(value=spoken(value) if relation == 'in_genre' else value)}, {whom} you like"
    return f"has {value}, {whom} you like, as its {role_of(relation)}"


def chosen(scene: str, times: float, *, locale: str = "en") -> str:
    """Say that people choose the candidate in a scene, and how much more often than by chance.

    >>> chosen("date night", 2.0)
    'chosen for date night 2.0 times as often as by chance'
    """
    return (
        f"在{scene}中被选择的次数是随机的{times:.1f}倍" if locale == "zh" else f"chosen for {scene} {times:.1f} times as often as by chance"
    )


def suited(values: str, scene: str, *, locale: str = "en") -> str:
    """Say that the candidate has what a scene asks for."""
    return f"{values}，适合{scene}" if locale == "zh" else f"{values}, which suits {scene}"


def nearby(value: str, relation: str, near: str, title: str, *, locale: str = "en") -> str:
    """Say that the candidate's value lies close to one that the liked item has."""
    value, near = spoken(value), spoken(near)
    if locale == "zh":
        return f"{value}，与《{title}》的{near}相近"
    return f"{value}, close to {near}, the {role_of(relation)} of {title}"


def bridge(first: str, second: str, *, locale: str = "en") -> str:
    """Join two clauses over the item in the middle, which ends the first."""
    if locale == "zh":
        return f"{first}，而后者{second}"
    return f"{first}, which {second}" if second.startswith(("shares ", "has ")) else f"{first}, which is {second}"


def _clause_zh(link: Link, title: str) -> str:
    role = role_of(link.relation, locale="zh")
    if link.relation != link.other_relation:
        return f"与《{title}》有共同的人物"
    if link.value is None:
        one_person = describe(link.relation).verb is not None or link.relation == "starring"
        return f"与《{title}》有{'同一位' if one_person else '相同的'}{role}"
    if link.relation in {"in_genre", "has_mood"}:
        return f"与《{title}》同为{link.value}"
    return f"与《{title}》有相同的{role}：{link.value}"
