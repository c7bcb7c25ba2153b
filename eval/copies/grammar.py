"""A grammar of short recommendations: facts in, English text out, with many frames and no word that the facts do not bear out.

A text begins with the first fact, tells two to four of them, and stops. What a frame cannot say of the facts at hand it leaves to others.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from scenewise.tools.copywriter.facts import Fact
from scenewise.tools.copywriter.nouns import ADJECTIVES, article
from scenewise.tools.copywriter.spans import shared_part
from scenewise.tools.copywriter.template import stands_alone

Facts = Mapping[str, Fact]
PLURAL_GENRES = frozenset({"short stories", "essays", "party games", "games", "fairy tales", "letters"})


def texts_for(facts: Sequence[Fact], domain: str, rng: random.Random, tries: int = 60) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield texts that begin with the first fact, each with the kinds of facts that it tells."""
    known = {fact.kind: fact for fact in facts}
    lead = facts[0].kind
    frames = FRAMES.get("why" if lead in ("why", "liked") else lead, FRAMES["thing"])
    if lead in ("why", "liked"):
        frames += LINKED * 2  # what joins the two says more than that one was liked
    for _ in range(tries):
        phrases = Phrases(known, domain, rng)
        parts = rng.choice(frames)(phrases)
        if all(parts):
            yield _joined(parts), phrases.told


def _joined(parts: Sequence[str]) -> str:
    """Put the parts together, with a capital where a sentence begins."""
    said: list[str] = []
    for part in parts:
        part = part.strip()
        begins = not said or said[-1] in (".", "?")
        said += [part[:1].upper() + part[1:] if begins else part] if part else []
    return re.sub(r" +([,.:;?])", r"\1", " ".join(said))


class Phrases:
    """The phrases of one text. Each may be said once: what has been told is not told again."""

    def __init__(self, facts: Facts, domain: str, rng: random.Random) -> None:
        self._facts, self._domain, self.rng, self._told = facts, domain, rng, set[str]()

    @property
    def told(self) -> frozenset[str]:
        """The kinds of facts that have been told."""
        return frozenset(self._told & self._facts.keys())

    def has(self, kind: str) -> bool:
        """Whether there is such a fact that has not been told."""
        return kind in self._facts and kind not in self._told

    def value(self, kind: str, place: int = 0) -> str:
        """A fact's value, "" where there is none (left)."""
        values = self._facts[kind].values if self.has(kind) else ()
        self._told.add(kind)
        return values[place] if place < len(values) else ""

    def maybe(self, share: float, make: Callable[[], str]) -> str:
        """A phrase in this share of texts, else a blank."""
        return (make() if self.rng.random() < share else "") or " "

    def noun(self, *, least: int = 2) -> str:
        """What it is, without its article: "calm 1959 jazz album". At least so many facts, where there are."""
        size, noun = self._facts["thing"].values
        ready = [kind for kind in ("mood", "level", "diet", "cuisine", "genre") if self.has(kind)]
        ready += ["size"] if size and "thing" not in self._told else []
        ready = [kind for kind in ready if kind == "size" or self._facts[kind].values[0] != "medium"]
        weights = {"genre": 6.0, "size": 2.0, "cuisine": 4.0, "mood": 2.0}
        ready.sort(key=lambda kind: self.rng.random() ** (1 / weights.get(kind, 1.0)), reverse=True)
        chosen = ready[: least + (self.rng.random() < 0.35)]
        words = [self.short_mood()] if "mood" in chosen else []
        words += [size] if "size" in chosen else []
        words += [self.value(kind) for kind in ("level", "diet", "cuisine") if kind in chosen]
        genre = self.value_of_genre(noun) if "genre" in chosen else ""
        self._told |= {"thing"}
        if genre.startswith("of "):
            return " ".join([*filter(None, words), noun, genre])
        alone = genre.split()[-1:] == [noun] or stands_alone(genre, self._domain) or (genre != "" and noun == "item")
        return " ".join(filter(None, [*words, ADJECTIVES.get(genre, genre), "" if alone else noun]))

    def short_mood(self) -> str:
        """One mood, or two, before a noun."""
        moods = [mood for mood in self._facts["mood"].values if " " not in mood]
        self._told.add("mood")
        return " and ".join(moods) if len(moods) > 1 and self.rng.random() < 0.2 else self.rng.choice(moods or [""])

    def value_of_genre(self, noun: str) -> str:
        """A genre, or two where the second is a noun ("crime thriller"); "of short stories" where it is a plural."""
        values = self._facts["genre"].values
        self._told.add("genre")
        first = values[0] if self.rng.random() < 0.8 else self.rng.choice(values)
        if first in PLURAL_GENRES:  # "a book of essays"
            return f"of {first}" if noun == "book" else next((value for value in values if value not in PLURAL_GENRES), "")
        nouns = [stands_alone(value, self._domain) for value in values]
        if nouns == [False, True] and self.rng.random() < 0.45:
            return f"{ADJECTIVES.get(values[0], values[0])} {values[1]}"
        return first

    def a_noun(self, *, least: int = 2) -> str:
        """What it is, with its article."""
        noun = self.noun(least=least)
        return f"{article(noun)} {noun}"

    def full(self, share: float = 0.6) -> str:
        """What it is with a maker, a topic or a piece of equipment, perhaps."""
        return f"{self.a_noun()} {self.tail(share)}"

    def tail(self, share: float = 0.6) -> str:
        """Who made it, or what it is about."""
        said = []
        if self.has("topic") and self.rng.random() < share * 0.6:
            topics = self._facts["topic"].values
            self._told.add("topic")
            said.append(f"about {' and '.join(topics) if self.rng.random() < 0.4 else topics[0]}")
        if self.has("maker") and self.rng.random() < share:
            said.append(self.maker())
        if self.has("equipment") and self.rng.random() < share:
            said.append(f"with {_with_article(self.value('equipment'))}")
        return " ".join(said)

    def maker(self) -> str:
        """By whom; one name, or both."""
        names = self._facts["maker"].values if self.has("maker") else ()
        self._told.add("maker")
        return f"by {' and '.join(names) if self.rng.random() < 0.5 else names[0]}" if names else ""

    def from_maker(self) -> str:
        """The maker, as a text begins: "from Miles Davis"."""
        return self.maker().replace("by ", "from ", 1)

    def for_scene(self) -> str:
        """ "for your commute", "to suit your date night"."""
        if not self.has("scene"):
            return ""
        name, *clauses = self._facts["scene"].values
        self._told.add("scene")
        if name.split()[0].endswith("ing") and name != "feeling low":
            clauses = [*clauses, f"while you are {name}"]
        return self.rng.choice([*clauses, clauses[0], clauses[0]]).strip()

    def scene_opening(self) -> str:
        """The scene at the beginning of a text."""
        if not self.has("scene"):
            return ""
        name, first, *_ = self._facts["scene"].values
        self._told.add("scene")
        if name == "feeling low":
            return first.strip()
        if name.split()[0].endswith("ing"):
            return self.rng.choice([f"for when you are {name}", f"while you are {name}", f"when you are {name}"])
        ways = [first.strip(), first.strip()]
        if name in ("commute", "lunch break", "date night"):
            ways.append(f"on your {name}")
        return self.rng.choice([*ways, "during your workout"] if name == "workout" else ways)

    def why(self) -> str:
        """The path, as it reads after "it is" or a comma."""
        path = self._facts["why"].values[0] if self.has("why") else ""
        self._told |= {"why"} | ({"maker"} if path.startswith("by the same") else set())
        return path

    def why_clause(self) -> str:
        """The path at the end of a sentence."""
        path = self.why()
        if path.startswith(("shares ", "has ")):
            return f", and it {path}"
        return f", {path.partition(', ')[2]}" if ", like " in path and self.rng.random() < 0.8 else f", {path}" if path else ""

    def shared(self) -> str:
        """What it shares with what the user liked, for a text that names that; "" where the path has no such form."""
        if not (self.has("why") and "liked" in self._facts):
            return ""
        shared = shared_part(self._facts["why"].values[0])
        if shared is None or f"you liked {shared[1]}" != self._facts["liked"].values[0]:
            return ""
        moods = self._facts["mood"].values if "mood" in self._facts else ()
        if shared[0].startswith("also ") and not shared[0].startswith("also about ") and shared[0].removeprefix("also ") not in moods:
            return ""  # "also dark" is English, "also war" is not
        self.why()
        return shared[0]

    def shared_after(self) -> str:
        """The same, as it reads after a noun: "by the same director", "with Tom Hanks"."""
        shared = self.shared()
        return "" if shared.startswith("also ") else shared

    def shared_is(self) -> str:
        """The same, as it reads after "is": "by the same director", "also calm"."""
        shared = self.shared()
        return "" if shared.startswith("with ") else shared

    def liked(self) -> str:
        """ "you liked Heat"."""
        return self.value("liked")

    def like_title(self) -> str:
        """ "like Heat", where the path ends so."""
        path = self._facts["why"].values[0] if self.has("why") else ""
        self._told.add("why")
        return f"like {path.partition(', like ')[2]}" if ", like " in path else ""

    def people(self) -> str:
        """What other people did, as a sentence."""
        return "" if self.has("people") and self._facts["people"].values[0].startswith("close to") else self.value("people")

    def close(self) -> str:
        """ "close to what people who liked Ran chose"."""
        return self.value("people") if self.has("people") and self._facts["people"].values[0].startswith("close to") else ""

    def people_this(self) -> str:
        """What other people did, before a noun: "people who liked Heat also liked this"."""
        people = self.people()
        return f"{people.removesuffix(' it')} this" if people.endswith(" it") else ""

    def moods(self) -> str:
        """ "calm and dreamy"."""
        moods = self._facts["mood"].values if self.has("mood") else ()
        self._told.add("mood")
        return " and ".join(moods) if len(moods) > 1 or self.rng.random() < 0.3 else ""

    def asked(self) -> str:
        """What of the request it answers; a genre that was asked for is then not said again."""
        self._told |= {"genre"} if self.has("asked") and not self._facts["asked"].values[0].startswith(("within", "about")) else set()
        return self.value("asked")

    def minutes(self) -> str:
        """ "within your 25 minutes", where that is what was asked."""
        return self.asked() if self.has("asked") and self._facts["asked"].values[0].startswith("within") else ""

    def wanted(self) -> str:
        """ "the jazz you asked for", where that is what was asked."""
        return "" if not self.has("asked") or self._facts["asked"].values[0].startswith("within") else self.asked()

    def quote(self) -> str:
        """A sentence of the item's own text, as it stands."""
        return self.value("quote")


def _with_article(thing: str) -> str:
    return thing if thing.endswith("s") else f"{article(thing)} {thing}"


Frame = Callable[[Phrases], Sequence[str]]


def _scene_or_tail(p: Phrases) -> str:
    return p.maybe(0.55, p.for_scene)


LINKED: tuple[Frame, ...] = (
    lambda p: (p.liked(), ", and this", p.noun(), "is", p.shared_is(), "."),
    lambda p: (p.liked(), ", and this is", p.a_noun(), p.shared_after(), _scene_or_tail(p), "."),
    lambda p: ("since", p.liked(), ", maybe this", p.noun(), "?", "it's", p.shared_is(), "."),
    lambda p: (p.liked(), "; this", p.noun(), "is", p.shared_is(), "."),
    lambda p: (p.liked(), ", so here is", p.a_noun(), p.shared_after(), _scene_or_tail(p), "."),
    lambda p: (p.liked(), ": here's", p.a_noun(), p.shared_after(), "."),
    lambda p: ("since", p.liked(), ":", p.a_noun(), p.shared_after(), _scene_or_tail(p), "."),
    lambda p: ("since", p.liked(), ", try", p.a_noun(), p.shared_after(), "."),
)
"""Frames that name what the user liked, and what the item shares with it."""

FRAMES: Mapping[str, tuple[Frame, ...]] = {
    "why": (
        lambda p: ("because", p.liked(), ":", p.full(0.8), _scene_or_tail(p), "."),
        lambda p: (p.liked(), "?", "then this", p.noun(), "might suit", "you."),
        lambda p: (p.liked(), ".", "here is", p.full(0.8), _scene_or_tail(p), "."),
        lambda p: (p.liked(), "; this is", p.full(0.8), _scene_or_tail(p), "."),
        lambda p: ("since", p.liked(), ", here's", p.full(0.9), "."),
        lambda p: (
            _starts(p.why(), "by ", "from ", "written ", "directed ", "in the same", "about the same"),
            ":",
            p.full(0.7),
            _scene_or_tail(p),
            ".",
        ),
        lambda p: ("it's", _starts(p.why(), "by ", "from ", "written ", "directed "), ":", p.full(0.7), "."),
        lambda p: ("here's", p.a_noun(), _starts(p.why(), "by ", "from ", "written ", "directed "), _scene_or_tail(p), "."),
        lambda p: ("picked because it", _starts(p.why(), "shares ", "has "), ":", p.full(0.5), "."),
        lambda p: ("it", _starts(p.why(), "shares ", "has "), ":", p.full(0.6), "."),
        lambda p: ("it", _starts(p.why(), "shares ", "has "), ", and it suits", _scene_noun(p), "."),
        lambda p: (p.like_title(), ":", p.full(0.7), _scene_or_tail(p), "."),
        lambda p: (p.like_title(), ", this is", p.full(0.7), _scene_or_tail(p), "."),
        lambda p: (p.like_title(), ", it's", p.a_noun(), ", and it suits", _scene_noun(p), "."),
    ),
    "people": (
        lambda p: (p.close(), ":", p.full(0.8), _scene_or_tail(p), "."),
        lambda p: ("it's", p.close(), ":", p.full(0.8), "."),
        lambda p: (p.close(), ", and it suits", _scene_noun(p), ":", p.full(0.7), "."),
        lambda p: ("here's something", p.close(), ":", p.full(0.8), "."),
        lambda p: (p.close(), ", here's", p.full(0.8), _scene_or_tail(p), "."),
        lambda p: (p.people(), ":", p.full(0.7), _scene_or_tail(p), "."),
        lambda p: (p.people_this(), p.noun(), p.tail(0.7), "."),
        lambda p: (p.people_this(), p.noun(), ", and it suits", _scene_noun(p), "."),
        lambda p: (p.people(), ".", "it's", p.full(0.8), "."),
        lambda p: (p.people(), ".", "here is", p.full(0.7), _scene_or_tail(p), "."),
        lambda p: (p.people(), ", so", "here's", p.full(0.7), "."),
        lambda p: (p.people(), ".", "maybe this", p.noun(), "suits", _scene_noun(p), "."),
    ),
    "scene": (
        lambda p: (p.scene_opening(), ":", p.full(0.8), "."),
        lambda p: (p.scene_opening(), ",", p.full(0.8), "."),
        lambda p: (p.scene_opening(), ", try", p.full(0.7), "."),
        lambda p: (p.scene_opening(), ", here's", p.full(0.8), "."),
        lambda p: (p.scene_opening(), ", maybe", p.full(0.8), "."),
        lambda p: (p.scene_opening(), ", something", p.moods(), ":", p.full(0.7), "."),
        lambda p: (p.scene_opening(), ": something", p.moods(), p.maybe(0.8, p.maker), "."),
        lambda p: (p.scene_opening(), ":", p.a_noun(), p.why_clause(), "."),
        lambda p: (p.scene_opening(), ":", p.a_noun(), ".", p.quote(), "."),
        lambda p: (p.scene_opening(), ":", p.full(0.6), ", and", p.people(), "."),
        lambda p: (p.scene_opening(), ",", p.full(0.6), ",", p.minutes(), "."),
    ),
    "asked": (
        lambda p: (p.wanted(), ":", p.full(0.8), _scene_or_tail(p), "."),
        lambda p: ("here is", _starts(p.wanted(), "the "), ":", p.full(0.7), "."),
        lambda p: (p.wanted(), ": here's", p.full(0.7), _scene_or_tail(p), "."),
        lambda p: (p.wanted(), ":", p.a_noun(), p.why_clause(), "."),
        lambda p: (p.wanted(), ":", p.full(0.7), ", picked because", p.liked(), "."),
        lambda p: (p.minutes(), ":", p.full(0.8), _scene_or_tail(p), "."),
        lambda p: ("it fits", p.minutes(), ":", p.full(0.8), "."),
        lambda p: ("here's something", p.minutes(), ":", p.full(0.8), _scene_or_tail(p), "."),
        lambda p: (p.minutes(), ", here's", p.full(0.8), "."),
        lambda p: (p.minutes(), ":", p.a_noun(), p.why_clause(), "."),
    ),
    "maker": (
        lambda p: (p.from_maker(), ":", p.a_noun(), _scene_or_tail(p), "."),
        lambda p: (p.from_maker(), ", here's", p.a_noun(), _scene_or_tail(p), "."),
        lambda p: (p.from_maker(), ":", p.a_noun(), p.why_clause(), "."),
        lambda p: (p.from_maker(), ":", p.a_noun(), ".", p.quote(), "."),
        lambda p: (p.from_maker(), "comes", p.a_noun(), _scene_or_tail(p), "."),
        lambda p: (p.from_maker(), ",", p.a_noun(), p.tail(0.9), "."),
        lambda p: (p.from_maker(), ",", p.a_noun(), _scene_or_tail(p), "."),
        lambda p: ("how about something", p.maker(), "?", p.full(0.9), _scene_or_tail(p), "."),
    ),
    "mood": (
        lambda p: (p.moods(), ":", p.full(0.7), _scene_or_tail(p), "."),
        lambda p: ("something", p.moods(), p.for_scene(), ":", p.full(0.7), "."),
        lambda p: ("here's something", p.moods(), ":", p.full(0.8), "."),
        lambda p: (p.moods(), ", this", p.noun(), "suits", _scene_noun(p), "."),
        lambda p: (p.moods(), ", and it suits", _scene_noun(p), ":", p.full(0.7), "."),
        lambda p: (p.moods(), ":", p.a_noun(), p.why_clause(), "."),
    ),
    "quote": (
        lambda p: (p.quote(), ".", p.full(0.7), _scene_or_tail(p), "."),
        lambda p: (p.quote(), ":", p.full(0.7), _scene_or_tail(p), "."),
        lambda p: (p.quote(), ".", "maybe", p.for_scene(), "?"),
        lambda p: (p.quote(), ".", "it's", p.full(0.7), "."),
        lambda p: (p.quote(), ".", "it might suit", _scene_noun(p), "."),
        lambda p: (p.quote(), ".", "here's", p.a_noun(), p.for_scene(), "."),
    ),
    "thing": (
        lambda p: (p.full(0.8), _scene_or_tail(p), "."),
        lambda p: (p.full(0.8), p.why_clause(), "."),
        lambda p: (p.full(0.6), ", and", p.people(), "."),
        lambda p: (p.full(0.6), ":", p.people(), "."),
        lambda p: (p.full(0.6), ",", p.close(), "."),
        lambda p: (p.full(0.6), ", picked because it's", p.close(), "."),
        lambda p: ("how about", p.full(0.7), _scene_or_tail(p), "?"),
        lambda p: ("here's", p.full(0.8), _scene_or_tail(p), "."),
        lambda p: ("maybe", p.full(0.8), p.for_scene(), "?"),
        lambda p: (p.a_noun(), ":", _plain_start(p.quote()), "."),
        lambda p: (p.full(0.5), ".", p.quote(), "."),
        lambda p: (p.a_noun(), p.maker(), ", and it suits", _scene_noun(p), "."),
        lambda p: (p.full(0.7), ", picked because", p.liked(), "."),
        lambda p: ("this is", p.full(0.8), ",", p.moods(), "."),
        lambda p: ("try", p.full(0.8), _scene_or_tail(p), "."),
        lambda p: (p.full(0.7), ",", p.minutes(), "."),
        lambda p: (p.full(0.7), ",", p.moods(), p.maybe(0.5, p.for_scene), "."),
    ),
}


def _starts(text: str, *ways: str) -> str:
    return text if text.startswith(ways) else ""


def _scene_noun(p: Phrases) -> str:
    """The scene after "suits"."""
    said = p.for_scene()
    return said.removeprefix("for ") if said.startswith("for your") else ""


def _plain_start(quote: str) -> str:
    """A quotation after a colon: its first word small, where that is an article or a pronoun."""
    first, _, rest = quote.partition(" ")
    return (
        f"{first.casefold()} {rest}"
        if first in ("A", "An", "The", "It", "Its", "In", "With", "Some", "Whoever", "His", "Her", "There", "Each", "Most")
        else quote
    )
