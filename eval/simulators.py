"""Users made by rule, for whole conversations: one who knows what the target is like, and one who only has patience and a few names.

Neither reads the recommender's words: both see the items that are shown, as on a screen. Nobody here names the target: the first kind never
says a word of its title (as iEvaLM asks of its users, Wang et al. 2023), the second never learns what it is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from statistics import median
from typing import Protocol

from scenewise.store.types import Item
from scenewise.tools.dialogue.domain import Context

LEAST_WORDS = 4  # of an utterance that says what is wanted
LOSES_PATIENCE = 0.06  # times the lists seen so far: the chance to leave instead of answering the next one
_FAR_YEARS = 12
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+", "a an and at by for from her his i in is it its me my no not of on or so the their they this to up us we what with you"
    )
)
_PLAIN_GENRES = ("horror", "comedy", "drama", "action", "romance", "animation", "war", "western", "musical", "thriller", "fantasy")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_ENDINGS = ("ly", "ing", "ed", "ous", "ful", "ive")  # of plot words that tell no subject


class Simulator(Protocol):
    """Someone who talks. `say` answers the items last shown, nothing at first, and gives None when leaving."""

    def say(self, shown: Sequence[Item]) -> str | None:
        """The next message, or None."""


def telling(text: str) -> frozenset[str]:
    """The words of a title or a message, casefolded, without small ones.

    >>> sorted(telling("The Lord of the Rings"))
    ['lord', 'rings']
    """
    return frozenset(_WORD.findall(text.casefold())) - _FUNCTION_WORDS


def says_title(message: str, title: str) -> bool:
    """Whether the whole title stands in the message, word for word; never where it has none but small words ("It", "Her")."""
    wanted, said = (f" {' '.join(_WORD.findall(text.casefold()))} " for text in (title, message))
    return bool(telling(title)) and wanted in said


class Attributes:
    """Knows the target's attributes only: opens with one, then says one more each turn, or refuses what is shown by an attribute."""

    def __init__(self, target: Item, rng: random.Random) -> None:
        self._rng, self._secret, self._year = rng, telling(target.title), target.year
        self._noun = "book" if target.domain == "books" else rng.choice(("movie", "film"))
        self._genres = " ".join(map(genre_word, target.attributes.get("genre", ())))
        self._refused: set[str] = set()
        self._facts = self._known(target)
        self._started = False

    def say(self, shown: Sequence[Item]) -> str | None:
        """A wish, a refusal, or both; never None, and never a word of the title."""
        choices = [] if not shown or self._rng.random() > 0.35 else self._refusals(shown)
        while not choices and self._facts:
            kind, value = self._facts.pop(0)
            choices = self._clean(self._phrases(kind, value))
        choices = choices or self._refusals(shown)
        choices = choices or self._clean(["Something else, please.", "No, none of those. What else do you have?", "Others?"])
        self._started = True
        return self._rng.choice(choices or ["Others?"])

    def _known(self, target: Item) -> list[tuple[str, str]]:
        values = {name: [*target.attributes.get(name, ())] for name in ("director", "writer", "star", "genre")}
        genres = self._some(dict.fromkeys(map(genre_word, values["genre"])), 2)
        facts = [("genre", one) for one in genres] + [("star", one) for one in self._some(values["star"], 2)]
        facts += [("director", one) for one in self._some(values["director"], 1)]
        if target.domain == "books":
            facts += [("writer", one) for one in self._some(values["writer"], 1)]
        if target.year:
            facts.append(("decade", f"{target.year // 10 * 10}s"))
        subjects = [word for word in re.findall(r"\b[a-z]{5,}\b", target.text) if not word.endswith(_ENDINGS)]
        facts += [("subject", one) for one in self._some(sorted({*subjects}, key=len, reverse=True)[:4], 1)]
        self._rng.shuffle(facts)
        facts.sort(key=lambda fact: fact[0] != "genre" and self._rng.random() < 0.5)  # many begin with a kind
        return facts

    def _some(self, values: Sequence[str] | dict[str, None], n: int) -> list[str]:
        clean = [value for value in values if value and not telling(value) & self._secret]
        return self._rng.sample(clean, min(n, len(clean)))

    def _refusals(self, shown: Sequence[Item]) -> list[str]:
        """What is wrong with a list as its items' attributes go; each thing once."""
        said: list[str] = []
        years = [item.year for item in shown if item.year]
        if self._year and years and "year" not in self._refused:
            if median(years) <= self._year - _FAR_YEARS:
                said += ["Not that old, please.", "Those are too old. Something newer?", "Do you have something more recent?"]
            elif median(years) >= self._year + _FAR_YEARS:
                said += ["Something older, please.", "Those are all quite new. Have you got something older?"]
        kinds = [genre_word(kind) for item in shown for kind in item.attributes.get("genre", ())]
        wrong = [kind for kind in _PLAIN_GENRES if kinds.count(kind) > 1 and kind[:5] not in self._genres and kind not in self._refused]
        said = self._clean(said)
        if wrong and (not said or self._rng.random() < 0.5):
            kind = self._rng.choice(wrong)
            self._refused.add(kind)
            return self._clean([f"No {kind}.", f"No {kind}, please.", f"I don't want {kind} this time.", f"Anything but {kind}."])
        if said:
            self._refused.add("year")
        return said

    def _phrases(self, kind: str, value: str) -> list[str]:
        noun, a = self._noun, "an" if value[:1] in "aeiou" else "a"
        if kind == "genre" and not self._started:
            return [f"I'm in the mood for {a} {value} {noun}.", f"Can you recommend {a} {value} {noun}?", f"Hi! Any good {value} {noun}s?"]
        openings = {
            "genre": (f"It should be {value}.", f"I'd like {a} {value} {noun}.", f"Some {value} would be good."),
            "star": (
                f"Something with {value}.",
                f"Anything starring {value}?",
                f"{value} is in it, I think.",
                f"I like {value} as an actor.",
            ),
            "director": (f"Something directed by {value}.", f"Do you have {noun}s by {value}?", f"{value} made it."),
            "writer": (f"Something written by {value}.", f"Do you have {noun}s by {value}?", f"{value} wrote it."),
            "decade": (f"Something from the {value}.", f"It should be from the {value}.", f"A {value} {noun}, please."),
            "subject": (
                f"A {noun} about a {value}, maybe.",
                f"The story has to do with {value}.",
                f"There is something about {value} in it.",
            ),
        }
        return [*openings[kind]]

    def _clean(self, sentences: Sequence[str]) -> list[str]:
        return [sentence for sentence in sentences if not telling(sentence) & self._secret]


class Patience:
    """Works from a dialogue's own words and names: rejects items without saying why, drops a name now and then, rambles, mistypes, leaves.

    `named` are kind ("item", "person" or "genre") and name, in the order of the dialogue.
    """

    def __init__(self, context: Context, named: Sequence[tuple[str, str]], rng: random.Random) -> None:
        self._rng, self._named, self._lists = rng, [*dict.fromkeys(named)], 0
        self._opening = self._first(context)
        self._strayed = False

    def say(self, shown: Sequence[Item]) -> str | None:
        """A reaction to what is shown; None once patience is lost."""
        if not self._lists:
            self._lists = 1
            return self._mistyped(self._opening)
        if self._rng.random() < LOSES_PATIENCE * self._lists:
            return None
        self._lists += 1
        return self._mistyped(self._reaction(shown))

    def _first(self, context: Context) -> str:
        """What the person who was recommended to (the last to speak) said first that is more than a greeting."""
        own = [said for said in reversed(context.utterances[::-1][::2]) if len(said.split()) >= LEAST_WORDS]
        asked = next((said for said in own if not re.match(r"\W*(hi|hello|hey)\b.{0,25}$", said, re.IGNORECASE)), None)
        return asked or (self._wish() or "Can you recommend me something good?")

    def _reaction(self, shown: Sequence[Item]) -> str:
        chance = self._rng.random()
        if self._strayed:
            self._strayed = False
            return f"No, wait, back to the first idea: {self._opening}"
        if chance < 0.1:
            return self._rng.choice(
                (
                    "What's the weather like tomorrow?",
                    "Sorry, my cat just walked over the keyboard.",
                    "lol",
                    "I had pizza tonight, it was great.",
                )
            )
        if chance < 0.2:
            self._strayed = True
            kind = self._rng.choice(_PLAIN_GENRES)
            return self._rng.choice((f"Actually, maybe {kind} instead.", f"Hmm, I've changed my mind: something with more {kind}."))
        if chance < 0.5 and (wish := self._wish()):
            return wish
        if not shown:
            return self._rng.choice(("So what do you recommend?", "Just show me some, please."))
        title = self._rng.choice(shown).title
        return self._rng.choice(
            (
                "seen it",
                "I've already seen the first one.",
                f"We watched {title} last week, what else?",
                "not that one",
                f"Not {title}, please.",
                "nah, none of these",
                "something else",
                "Show me something different.",
                "Do you have others?",
            )
        )

    def _wish(self) -> str:
        """A name of the dialogue that was not used yet, as a wish; empty where none is left."""
        if not self._named:
            return ""
        kind, name = self._named.pop(0)
        if kind == "item":
            return self._rng.choice((f"I really liked {name}.", f"Something like {name}?", f"More like {name}, please."))
        if kind == "person":
            return self._rng.choice((f"Anything with {name}?", f"I like {name}.", f"What else has {name} done?"))
        word = genre_word(name)
        return self._rng.choice((f"I like {word}.", f"Something in the way of {word}.", f"Got any {word}?"))

    def _mistyped(self, message: str) -> str:
        """One message in five with two letters of a word turned round, or one lost."""
        words = message.split(" ")
        long = [place for place, word in enumerate(words) if len(word) > 4 and word.isalpha()]
        if not long or self._rng.random() >= 0.2:
            return message
        place = self._rng.choice(long)
        word, at = words[place], self._rng.randrange(1, len(words[place]) - 1)
        turned = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        words[place] = self._rng.choice((turned, word[:at] + word[at + 1 :]))
        return " ".join(words)


def genre_word(genre: str) -> str:
    """A kind as people say it.

    >>> genre_word("Family (Film genre) #395"), genre_word("Romance Film"), genre_word("sci-fi")
    ('family', 'romance', 'sci-fi')
    """
    return re.sub(r"\s*[(#].*| (?:film|movie)s?$", "", genre.strip().casefold()).strip()
