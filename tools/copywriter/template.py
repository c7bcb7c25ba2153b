"""One true sentence about an item, made of its evidence rows without a model.

Patterns are tried from the most telling to the plainest, shuffled within a tier by the item's id and a seed, so that a list does not read
like a form and the same turn always reads the same. Each sentence passes `check_copy`, else the next one is tried.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from scenewise.store.types import Item
from scenewise.tools.copywriter.check import MAX_CHARS, Claim, check_copy
from scenewise.tools.copywriter.evidence import EvidenceRow
from scenewise.tools.copywriter.nouns import TOLD, article, noun_of
from scenewise.tools.copywriter.spans import MAKERS
from scenewise.tools.copywriter.template_zh import sentences_zh
from scenewise.tools.graph.sentences import spoken

STANDALONE = frozenset(
    (
        "soup",
        "salad",
        "dessert",
        "snack",
        "thriller",
        "drama",
        "mystery",
        "film-noir",
        "board game",
        "comedy",
        "musical",
        "documentary",
        "western",
        "memoir",
        "biography",
        "soundtrack",
    )
)
"""Genres that are nouns of their own: "a 1995 thriller", not "a 1995 thriller film"."""

LONG_MIN = 180
"""From here on minutes are no way to say a length."""

_NOUNS_ANYWHERE = frozenset({"board game"})
_NOUN_DOMAINS = frozenset({"movies", "books", "music", "recipes"})

SCENE_PHRASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "study": (" for your studies", " to suit your studies"),
        "travel": (" for your travels", " to suit your travels"),
        "bedtime": (" for bedtime", ", picked for bedtime"),
        "focus at work": (" for focus at work", ", picked for focus at work"),
        "home alone evening": (" for your evening", " to suit your evening"),
        "feeling low": (" for when you are feeling low",),
    }
)
"""Scenes whose names do not read well after "your"."""

TIMED = frozenset({"recipes", "workouts", "courses", "apps"})
"""Domains where the length says more than the year."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A text with its `claims`; `source` is "template" or "model"; `refused` says why a model's text was not taken."""

    text: str
    claims: tuple[Claim, ...]
    source: str
    refused: tuple[str, ...] = ()


def template_copy(item: Item, rows: Sequence[EvidenceRow], seed: int = 0, *, locale: str = "en", with_title: bool = True) -> Copy:
    """Write one sentence of at most 160 characters, in Chinese where `locale` begins with "zh", else in English.

    Without `with_title` it does not begin with the title, for places where that stands beside it.
    The same item, rows, seed and locale always give the same text, and `check_copy` accepts it.
    """
    digest = hashlib.blake2b(f"{seed}:{item.item_id}".encode(errors="surrogatepass"), digest_size=8).digest()
    rng = random.Random(int.from_bytes(digest, "big"))
    by_id = {row.row_id: row for row in rows if with_title or row.row_id != "title"}
    write = sentences_zh if locale.casefold().startswith("zh") else _sentences
    text, claims = "", tuple[Claim, ...]()
    for text in write(item, by_id, rng):
        if len(text) > MAX_CHARS:
            continue
        verdict = check_copy(text, item, rows)
        if verdict.accepted:
            claims = verdict.claims
            break
    return Copy(text, claims, "template")


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of an English sentence; empty where there is no evidence. Those after `plain_thing` bring their own leading blank, `liked`,
    `taste` and `price` do not."""

    title: str
    thing: str
    plain_thing: str
    maker: str
    topic: str
    scene: str
    why: str
    because: str
    people: str
    text: str
    liked: str
    taste: str
    price: str


def _sentences(item: Item, rows: Mapping[str, EvidenceRow], rng: random.Random) -> Iterator[str]:
    """Yield sentences from the most telling to one that always holds."""
    parts = parts_of(item, rows, rng)
    said = f"{parts.title}: {parts.thing}" if parts.title else ""
    head = capital(parts.thing)
    tiers: tuple[list[tuple[str, ...]], ...] = (
        [
            (head, parts.maker, parts.scene, parts.why),
            (head, parts.maker, parts.scene, parts.because),
            (said, parts.maker, parts.scene, parts.why),
        ],
        [(head, parts.scene, parts.why), (head, parts.maker, parts.why), (head, parts.topic, parts.because), (said, parts.why)],
        [(head, parts.topic, parts.maker, parts.scene), (said, parts.maker, parts.scene)],
        [(head, parts.why), (head, parts.because)],
        [(head, parts.scene)],
        [(head, parts.maker, parts.people), (head, parts.people)],
        [(head, parts.maker, parts.text), (head, parts.maker, parts.topic), (head, parts.topic)],
        [(head, parts.maker), (head, parts.text)],
    )
    for tier in tiers:
        for pattern in rng.sample(tier, len(tier)):
            if all(pattern):
                yield ended("".join(pattern))
    yield ended(head)
    yield ended(f"{capital(parts.plain_thing)} picked for you")


def parts_of(item: Item, rows: Mapping[str, EvidenceRow], rng: random.Random) -> Parts:
    """Cut rows, by id, into what sentences are made of, with chance where there is a choice."""
    noun = noun_of(item.domain).words[0]
    path = rows["path"].values if "path" in rows else ()
    topics = _values(rows, "topic")
    makers, tastes = _values(rows, "creator"), _values(rows, "taste")
    return Parts(
        title=next(iter(_values(rows, "title")), ""),
        thing=_thing(item, rows, rng),
        plain_thing=f"{article(noun)} {noun}",
        maker=f" by {_joined(makers[:2])}" if makers else "",
        topic=f" about {rng.choice(topics)}" if topics and item.domain in TOLD else "",
        scene=_scene(rows, rng),
        why=why_clause(path[-1]) if path else "",
        because=because_clause(path[0]) if path else "",
        people=f": {rows['people'].text}" if "people" in rows else "",
        text=f". {rows['text.1'].text}" if "text.1" in rows else "",
        liked=next(iter(_values(rows, "history")), ""),
        taste=rng.choice(tastes) if tastes else "",
        price=next(iter(_values(rows, "price")), ""),
    )


def _thing(item: Item, rows: Mapping[str, EvidenceRow], rng: random.Random) -> str:
    """Name the kind of thing: "a dark 1996 crime film"."""
    noun = noun_of(item.domain).words[0]
    genre = spoken(next(iter(_values(rows, "genre")), ""))
    moods = [mood for mood in _values(rows, "mood") if " " not in mood]
    words = [rng.choice(moods)] if moods and rng.random() < 0.6 else []
    if item.domain in TIMED and item.duration_min is not None and item.duration_min <= LONG_MIN:
        words += [length.replace(" minutes", "-minute").replace(" minute", "-minute") for length in _values(rows, "duration")]
    elif item.domain not in {"recipes", "workouts"}:
        words += _values(rows, "year")
    words += _values(rows, "level")[:1] if item.domain in {"courses", "workouts"} else []
    words += _values(rows, "cuisine")[:1] if item.domain == "recipes" else []
    if genre:
        words.append(genre)
    last = genre.casefold().split()[-1:]
    if last != [noun] and not stands_alone(genre, item.domain):
        words.append("dish" if item.domain == "recipes" else noun)
    return f"{article(words[0])} {' '.join(words)}"


def stands_alone(genre: str, domain: str) -> bool:
    """Whether a genre names a thing of the domain: a book may be a thriller, a course on comedy is no comedy.

    >>> stands_alone("crime thriller", "books"), stands_alone("comedy", "courses")
    (True, False)
    """
    words = genre.casefold()
    known = words in STANDALONE or (" " in words and words.split()[-1] in STANDALONE)
    return known and (domain in _NOUN_DOMAINS or words in _NOUNS_ANYWHERE)


def asked_clause(name: str, value: str, domain: str) -> str:
    """Say that an item has the genre, mood or topic that was asked for.

    >>> asked_clause("genre", "Comedy", "movies"), asked_clause("topic", "love", "books")
    ('the comedy you asked for', 'about love, as you asked')
    """
    value = spoken(value)
    if name == "genre" and stands_alone(value, domain):
        return f"the {value} you asked for"
    return f"{'about ' if name == 'topic' else ''}{value}, as you asked"


def taste_clause(name: str, value: str, domain: str, *, locale: str = "en") -> str:
    """Say that an item has a value that the reader likes.

    >>> taste_clause("genre", "Comedy", "movies"), taste_clause("creator", "Joel Coen", "movies"), taste_clause("mood", "calm", "music")
    ('the comedy you like', 'by Joel Coen, whom you like', 'calm, which you like')
    """
    if locale == "zh":
        return f"{'出自' if name in MAKERS else '关于' if name == 'topic' else '有'}你喜欢的{value}"
    value = spoken(value)
    if name in MAKERS:
        return f"by {value}, whom you like"
    if name == "genre" and stands_alone(value, domain):
        return f"the {value} you like"
    return f"{'about ' if name == 'topic' else ''}{value}, which you like"


def _scene(rows: Mapping[str, EvidenceRow], rng: random.Random) -> str:
    if "scene" not in rows:
        return ""
    return rng.choice(scene_clauses((rows["scene"].values or (rows["scene"].text,))[0]))


def scene_clauses(name: str) -> tuple[str, ...]:
    """Ways to say that an item is for a scene: " for your date night", " for when you are cooking"."""
    if name in SCENE_PHRASES:
        return SCENE_PHRASES[name]
    if name.split()[0].endswith("ing"):
        return (f" for when you are {name}",)
    return (f" for your {name}", f" to suit your {name}", f", picked for your {name}")


def why_clause(path: str) -> str:
    """A path as the end of a sentence: ", like Heat", ", and it shares an actor with Heat"."""
    return f", and it {path}" if path.startswith(("shares ", "has ")) else f", {path}"


def because_clause(path: str) -> str:
    """A path as the reason of a choice: ", picked because it is by the same director as Heat"."""
    return f", picked because it {path}" if path.startswith(("shares ", "has ")) else f", picked because it is {path}"


def _values(rows: Mapping[str, EvidenceRow], row_id: str) -> list[str]:
    return [value for value in rows[row_id].values if len(value) <= 60] if row_id in rows else []


def _joined(names: Sequence[str]) -> str:
    return " and ".join(names)


def capital(text: str) -> str:
    """Begin with a capital."""
    return text[:1].upper() + text[1:]


def ended(text: str) -> str:
    """End as a sentence ends."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
