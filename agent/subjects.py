"""Subjects that a message names ("a book about beekeeping", "she loves gardening") and that no item has a word of: the reply says so."""

from __future__ import annotations

import re

from scenewise.agent.intents import RECOMMEND
from scenewise.agent.record import Seen
from scenewise.tools.toolbox import Toolbox

MOST = 3  # words of a subject
_AFTER = re.compile(
    r"\b(?:(?<!what )(?<!how )about|featuring|set in|how to|learn(?: about| to)?|(?:she|he|they|who) (?:loves?|likes?|is into))\s+",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SMALL = frozenset(
    """a an the some any my your our his her its their this that these those it them him me you us one ones something anything everything
    more and or but so for with without in on at to of from by under over about as than then no not please instead too also that's what who
    which where when how is are was were do does did be being been have has had can could would will should really very much new old good
    better best how-to things stuff life people someone somebody play make""".split()  # noqa: SIM905
)
_ENDS = re.compile(r"(?:ings?|ies|ers?|ed|es|s|y)$")


def subjects(text: str) -> list[tuple[str, ...]]:
    """What a message says that it is to be about: up to three words each.

    >>> subjects("a gift for my mum, she loves gardening"), subjects("a film about the deep sea, not too long")
    ([('gardening',)], [('deep', 'sea')])
    >>> subjects("tell me about it"), subjects("I want to learn to play the accordion")
    ([], [('accordion',)])
    """
    found: list[tuple[str, ...]] = []
    for match in _AFTER.finditer(text):
        words: list[str] = []
        for word in re.split(r"(\s+)", re.split(r"[.,;!?()]", text[match.end() :])[0]):
            if not word.strip():
                continue
            if word.casefold() in _SMALL or not _WORD.fullmatch(word):
                if words:
                    break
                continue
            words.append(word.casefold())
            if len(words) == MOST:
                break
        if words and not any(set(words) <= set(one) for one in found):
            found.append(tuple(words))
    return found


def unspoken(seen: Seen, box: Toolbox) -> tuple[str, ...]:
    """The subjects of a request of which no item has any word, by its beginning: "gardening" is in "The Gardener"."""
    if seen.intent != RECOMMEND:
        return ()
    named = (" ".join(words) for words in subjects(seen.text) if not box.store.items.have_any(map(stem, words)))
    return tuple(dict.fromkeys(named))


def stem(word: str) -> str:
    """The word without an ending, where at least three letters stay.

    >>> stem("dinosaurs"), stem("gardening"), stem("taxes"), stem("bus")
    ('dinosaur', 'garden', 'tax', 'bus')
    """
    short = _ENDS.sub("", word)
    return short if len(short) >= 3 and (len(short) > 3 or len(word) - len(short) > 1) else word
