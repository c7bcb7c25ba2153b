"""Attribute values found in free text: "something by Ursula Le Guin, maybe fantasy" names a creator and a genre."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rapidfuzz import fuzz, process

from scenewise.tools.catalogue.words import cut, grams, is_cjk, key, key_of

_LONGEST = 12  # words; in Chinese every character is one
_NEAR = 60.0


@dataclass(frozen=True, slots=True)
class ValueMention:
    """A value (casefolded) of an attribute, written in a text at [start, end)."""

    attribute: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The attribute values of a catalogue: `shown` attribute -> casefolded value -> display form."""

    shown: Mapping[str, Mapping[str, str]]
    by_key: Mapping[str, tuple[tuple[str, str], ...]]

    @classmethod
    def of(cls, shown: Mapping[str, Mapping[str, str]], *, before: Values | None = None) -> Values:
        """Index display forms by attribute and casefolded value; what `before` has need not be read again."""
        by_key: dict[str, list[tuple[str, str]]] = {}
        known = {pair: name for name, pairs in before.by_key.items() for pair in pairs} if before is not None else {}
        for attribute, forms in shown.items():
            for value in forms:
                if name := known.get((attribute, value)) or key_of(value):
                    by_key.setdefault(name, []).append((attribute, value))
        return cls(shown, MappingProxyType({name: tuple(pairs) for name, pairs in by_key.items()}))

    def find(self, text: str) -> list[ValueMention]:
        """Find values written out in a text, in its order; longer names win over shorter ones inside them.

        One place can name values of several attributes. Names of one or two Latin letters are not looked for: they are more often
        plain words.
        """
        words = cut(text)
        taken = [False] * len(words)
        found: list[ValueMention] = []
        for first, end in grams(words, _LONGEST):
            if any(taken[first:end]):
                continue
            name = key([word.plain for word in words[first:end]])
            pairs = self.by_key.get(name)
            if pairs is None or (len(name) < 3 and not (is_cjk(name) and len(name) > 1)):
                continue
            taken[first:end] = [True] * (end - first)
            found += [ValueMention(attribute, value, words[first].start, words[end - 1].end) for attribute, value in pairs]
        return sorted(found, key=lambda mention: (mention.start, mention.attribute, mention.value))

    def nearest(self, attribute: str, value: str, k: int = 3) -> list[str]:
        """Name the display forms closest to a value that is not there, best first; may be empty."""
        forms = self.shown.get(attribute, {})
        close = process.extract(value.casefold(), list(forms), scorer=fuzz.WRatio, limit=k, score_cutoff=_NEAR)
        return [forms[name] for name, _, _ in close]
