"""Concepts found in a text: which everyday words of the lexicon stand where, and which of them are negated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from scenewise.tools.catalogue.lexicon import FILE_NAME, Concept, Lexicon, read_lexicon
from scenewise.tools.catalogue.negation import Negation, find_negations
from scenewise.tools.catalogue.words import MAX_TEXT, is_cjk

if TYPE_CHECKING:
    from scenewise.store.store import Store


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept's word at [start, end) of a text; `by_verb`: it only asks for a domain ("to read") and yields to a named one."""

    concept: Concept
    start: int
    end: int
    negated: bool
    by_verb: bool = False

    @property
    def span(self) -> tuple[int, int]:
        """Where the word stands: (start, end)."""
        return self.start, self.end


@dataclass(frozen=True, slots=True, eq=False)
class Concepts:
    """The lexicon, ready to be found in texts."""

    lexicon: Lexicon
    pattern: re.Pattern[str]
    meaning: Mapping[str, tuple[tuple[Concept, bool], ...]]

    @classmethod
    def of(cls, lexicon: Lexicon) -> Concepts:
        """Prepare a lexicon."""
        meaning: dict[str, list[tuple[Concept, bool]]] = {_plain(phrase): [] for phrase in lexicon.ignore}
        for concept in lexicon.concepts:
            for by_verb, terms in ((False, concept.terms), (True, concept.verbs)):
                for term in terms:
                    meaning.setdefault(_plain(term), []).append((concept, by_verb))
        by_length = sorted(meaning, key=lambda term: (-len(term), term))
        pattern = re.compile("|".join(_term_pattern(term) for term in by_length) or r"(?!)", re.IGNORECASE)
        return cls(lexicon, pattern, MappingProxyType({term: tuple(found) for term, found in meaning.items()}))

    @classmethod
    def load(cls, path: Path | None = None) -> Concepts:
        """Read concepts from a file, or those that ship; raises InputError with the line of a mistake, NotFound."""
        return cls.of(read_lexicon(path))

    @classmethod
    def of_store(cls, store: Store) -> Concepts:
        """Read concepts.toml in the store's folder if there is one, else those that ship; raises InputError."""
        own = store.path / FILE_NAME
        return cls.load(own if own.exists() else None)

    def named(self, name: str) -> Concept | None:
        """Find a concept by its name."""
        return next((concept for concept in self.lexicon.concepts if concept.name == name), None)

    def find(self, text: str) -> list[Mention]:
        """Find concepts in a text, in its order, each with whether it is negated ("nothing violent", "不要暴力").

        The longest term wins where terms overlap; a term can belong to several concepts, which are then all found.
        """
        found = self.find_words(text)
        spans = sorted({(start, end) for _, start, end, _ in found})
        nouns = {(start, end) for concept, start, end, _ in found if concept.domains}
        negations = find_negations(text[:MAX_TEXT], spans, nouns=[span in nouns for span in spans])
        by_span: dict[tuple[int, int], Negation | None] = dict(zip(spans, negations, strict=True))
        return [Mention(concept, start, end, by_span[start, end] is not None, by_verb) for concept, start, end, by_verb in found]

    def find_words(self, text: str) -> list[tuple[Concept, int, int, bool]]:
        """Find the terms only, as (concept, start, end, by_verb), without looking at negation."""
        found: list[tuple[Concept, int, int, bool]] = []
        for match in self.pattern.finditer(text[:MAX_TEXT]):
            found += [(concept, match.start(), match.end(), by_verb) for concept, by_verb in self._meanings(match.group())]
        return found

    def find_ignored(self, text: str) -> list[tuple[int, int]]:
        """Find the phrases in which words mean nothing of the kind ("of course"): (start, end)."""
        return [m.span() for m in self.pattern.finditer(text[:MAX_TEXT]) if not self._meanings(m.group())]

    def _meanings(self, written: str) -> Iterable[tuple[Concept, bool]]:
        plain = _plain(written)
        for form in (plain, plain.removesuffix("s")):
            if form in self.meaning:
                return self.meaning[form]
        return ()


def _plain(term: str) -> str:
    return re.sub(r"[\s-]+", " ", term.lower().replace("’", "'")).strip()


def _term_pattern(term: str) -> str:
    if term == "free":
        return r"(?<!-)\bfree\b"  # "nut-free" is about nuts
    written = re.escape(term).replace(r"\ ", r"[\s-]+").replace("'", "['’]")
    if is_cjk(term) or not re.search(r"\w", term):  # emoji stand where they like
        return written
    return rf"\b{written}s?\b" if term[-1:].isalpha() and len(term) > 3 else rf"\b{written}\b"
