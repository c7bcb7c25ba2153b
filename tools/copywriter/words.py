"""Cut copy and evidence into comparable tokens, and know the words that claim nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_HAN}]|\d+(?:[.,]\d+)+[^\W_{_HAN}]*|[^\W_{_HAN}]+(?:['’][^\W_{_HAN}]+)*[+#]*")
_HAN_CHAR = re.compile(rf"[{_HAN}]")
_BREAK = re.compile(r"[,.;:!?()\"“”«»《》「」，。；：！？、（）…\n]|\s[-–]+\s|—")
_STOP = re.compile(r"[.!?:。！？：…\"“《(（]|[-–—]\s|—")
PLURAL = ("ies", "es", "s")
ARTICLES = frozenset({"a", "an", "the"})


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or Han character. `folded` is casefolded, `singular` without a plural's ending, `lemma` also without -ing or -ed;
    `broken` says that punctuation stands before it, `opens` that a sentence or a quotation begins with it."""

    text: str
    folded: str
    singular: str
    lemma: str
    start: int
    end: int
    broken: bool
    opens: bool

    @property
    def is_han(self) -> bool:
        """Whether it is one Han or kana character."""
        return _HAN_CHAR.fullmatch(self.text) is not None

    @property
    def is_capital(self) -> bool:
        """Whether it is written like a name."""
        return self.text[0].isupper()

    @property
    def is_number(self) -> bool:
        """Whether it is a number, in digits or in words."""
        return any(character.isdigit() for character in self.text) or self.folded in closed_words()["numbers"]

    @property
    def is_strict(self) -> bool:
        """Whether it changes what its neighbours say, so that it may only be quoted together with them."""
        return self.is_number or self.is_negation or self.is_absolute

    @property
    def is_negation(self) -> bool:
        """Whether it turns what follows into its opposite."""
        return self.folded in closed_words()["negations"] or self.folded.endswith(("n't", "less"))

    @property
    def is_absolute(self) -> bool:
        """Whether it is a superlative, a comparative, or speaks of all or none."""
        return self.folded in closed_words()["absolutes"] or (len(self.folded) > 5 and self.folded.endswith("est"))


def normalise(text: str) -> str:
    """Bring look-alike forms (full-width digits, ligatures) into one and blanks to single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def lemma_of(folded: str, endings: tuple[str, ...] = ("ing", "ies", "ed", "es", "s")) -> str:
    """Take off a possessive, a plural, -ing or -ed where enough of the word is left: a comparison key, not a real lemma.

    >>> [lemma_of(word) for word in ("salesmen's", "films", "driving", "stopped", "news", "boss")]
    ['salesmen', 'film', 'driv', 'stop', 'news', 'boss']
    """
    word = re.sub(r"['’]s?$", "", folded)
    for ending in endings:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < (3 if ending == "ies" else 4) or (ending == "s" and stem.endswith(("s", "u"))):
            continue
        if ending == "ies":
            return stem + "y"
        if ending in {"ing", "ed"} and stem[-1] == stem[-2] and stem[-1] not in "lsz":
            return stem[:-1]
        return stem.removesuffix("e")
    if word.endswith("ie"):
        return word[:-2] + "y"
    return word.removesuffix("e") if len(word) > 3 else word


def tokenize(text: str) -> tuple[Token, ...]:
    """Cut a text that `normalise` has seen. Hyphens part words without a break; commas, stops, brackets and dashes break."""
    tokens: list[Token] = []
    last = 0
    for match in _TOKEN.finditer(text):
        gap = text[last : match.start()]
        folded = match.group().casefold().replace("’", "'")
        broken = bool(tokens) and _BREAK.search(gap) is not None
        opens = not tokens or _STOP.search(gap) is not None
        tokens.append(Token(match.group(), folded, lemma_of(folded, PLURAL), lemma_of(folded), match.start(), match.end(), broken, opens))
        last = match.end()
    return tuple(tokens)


@lru_cache(maxsize=16_384)
def cut(text: str) -> tuple[Token, ...]:
    """Normalise and tokenize what evidence says, which comes back in turn after turn."""
    return tokenize(normalise(text))


@cache
def closed_words() -> Mapping[str, frozenset[str]]:
    """Read neutral.txt, once: group -> words."""
    groups: dict[str, frozenset[str]] = {}
    for line in files(__package__).joinpath("neutral.txt").read_text(encoding="utf-8").splitlines():
        name, colon, words = line.partition(":")
        if colon and not line.startswith("#"):
            groups[name] = groups.get(name, frozenset()) | frozenset(words.split())
    return groups
