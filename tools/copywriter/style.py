"""The style that copy is held to, as a person writes it in a TOML file, and the judge of a text: length, evidence, style.

Style is absolute: a banned word is refused in a title too, and an item whose only name breaks the style is called by its kind.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints, ValidationError

from scenewise.store.errors import InputError, NotFound
from scenewise.store.types import Item
from scenewise.tools.copywriter.check import Claim, check_copy
from scenewise.tools.copywriter.evidence import EvidenceRow

_Words = list[Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=80)]]


class _Promises(BaseModel):
    model_config = ConfigDict(extra="forbid")
    domains: _Words = []
    words: _Words = []


class _Written(BaseModel):
    """A style file; every key may be left out."""

    model_config = ConfigDict(extra="forbid")
    banned: _Words = []
    terms: _Words = []
    max_exclamations: Annotated[StrictInt, Field(ge=0, le=100)] | None = None
    promises: _Promises = _Promises()


@dataclass(frozen=True)
class Style:
    """`banned` words stand in no text, `terms` as they are spelled here, `promises` in no text of `domains`."""

    banned: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    max_exclamations: int = 1
    promises: tuple[str, ...] = ()
    domains: frozenset[str] = frozenset()

    def spelled(self, text: str) -> str:
        """The text with every term as it is to be spelled.

        >>> Style(terms=("iPhone",)).spelled("An IPHONE case for the iphone")
        'An iPhone case for the iPhone'
        """
        for term, pattern in self._terms:
            text = pattern.sub(term.replace("\\", r"\\"), text)
        return text

    def problems(self, text: str, domain: str) -> Iterator[str]:
        """Say what of a text is against the style; the words are the style's own, never the text's."""
        plain = unicodedata.normalize("NFKC", text)
        for word, pattern in self._banned:
            if pattern.search(plain):
                yield f"a banned word: {word}"
        for word, pattern in self._promises if domain.casefold() in self.domains else ():
            if pattern.search(plain):
                yield f"a promise that {domain.casefold()} may not make: {word}"
        for term, pattern in self._terms:
            if any(found.group() != term for found in pattern.finditer(text)):
                yield f"a term that is spelled otherwise: {term}"
        if plain.count("!") > self.max_exclamations:
            yield f"more than {self.max_exclamations} exclamation marks"

    @cached_property
    def _banned(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        return tuple(_patterns(self.banned))

    @cached_property
    def _promises(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        return tuple(_patterns(self.promises))

    @cached_property
    def _terms(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        return tuple(_patterns(self.terms))


def _patterns(words: Iterable[str]) -> Iterator[tuple[str, re.Pattern[str]]]:
    """A pattern a word: whole words in any case, blanks and hyphens alike; Han characters wherever they stand."""
    for word in words:
        plain = unicodedata.normalize("NFKC", word)
        body = r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", plain)))
        before = r"(?<![^\W_])" if plain[0].isalnum() and plain[0].isascii() else ""
        after = r"(?![^\W_])" if plain[-1].isalnum() and plain[-1].isascii() else ""
        yield word, re.compile(f"{before}{body}{after}", re.IGNORECASE)


@cache
def default_style() -> Style:
    """The style that comes with the product."""
    return _style((files("scenewise.tools.copywriter") / "style.toml").read_text(encoding="utf-8"), "style.toml", Style())


def load_style(path: Path | None) -> Style:
    """Read a style file, None for the default alone.

    Raises NotFound where there is no file, InputError naming the key or the line that is wrong.
    """
    if path is None:
        return default_style()
    try:
        return _style(path.read_text(encoding="utf-8"), path.name, default_style())
    except FileNotFoundError as error:
        raise NotFound(f"there is no style file {path.name}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: cannot be read as UTF-8 text") from error


def _style(text: str, name: str, below: Style) -> Style:
    try:
        written = _Written.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            known = ", ".join(_Written.model_fields)
            raise InputError(f"{name}: there is no key {key}; keys are {known}, and promises has words and domains") from error
        raise InputError(f"{name}: {key}: {first['msg'].casefold()}") from error
    words = written.promises
    return Style(
        banned=(*below.banned, *written.banned),
        terms=(*below.terms, *written.terms),
        max_exclamations=below.max_exclamations if written.max_exclamations is None else written.max_exclamations,
        promises=(*below.promises, *words.words),
        domains=below.domains | {domain.casefold() for domain in words.domains},
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A text as it is spelled, the claims that rows bear out, and what is wrong with it; nothing: it may be shown."""

    text: str
    claims: tuple[Claim, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judge:
    """What every text of one item and channel must pass. `taken` are the texts that it must not equal."""

    item: Item
    rows: Sequence[EvidenceRow]
    max_chars: int
    style: Style
    taken: set[str] = field(default_factory=set)

    def __call__(self, text: str) -> Judged:
        """Judge one text; a scene is named only where a row gives it."""
        text = self.style.spelled(text)
        verdict = check_copy(text, self.item, self.rows, max_chars=self.max_chars)
        problems = [*verdict.unsupported, *self.style.problems(text, self.item.domain)]
        if text in self.taken:
            problems.append("the same as another variant")
        return Judged(text, verdict.claims, tuple(problems))
