"""What an extractor says, and the proof each claim must pass before it becomes an edge."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from scenewise.tools.graph.schema import Schema

MAX_VALUE, MAX_EVIDENCE, MAX_CLAIMS = 60, 400, 200
"""Characters of a value and of an evidence span, and claims a text."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text about one item: its node, the item's domain, the words."""

    node: str
    domain: str
    words: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One edge as an extractor proposes it; nothing of it is trusted. `kind` is the value's node type."""

    relation: str
    kind: str
    value: str
    evidence: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Extraction:
    """What came of one text: claims, tokens read and written, and why it failed where it did ("" where it did not)."""

    claims: tuple[Claim, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    error: str = ""


class Extractor(Protocol):
    """Reads texts. `name` ("model@version") goes into every edge's source: another name means that texts are read anew."""

    @property
    def name(self) -> str:
        """Model and version of what it is asked, for records."""

    def extract(self, texts: Sequence[Text]) -> list[Extraction]:
        """Read texts: one Extraction a text, in order. A text that cannot be read has `error` and does not spoil the others.

        Raises ModelError where no text can be read.
        """


def normalise(text: str) -> str:
    """Write compatible characters one way (NFKC) and every run of blanks as one; letters and their case stay.

    >>> normalise("  Caf\\u0065\\u0301\\n\\u00a0noir ")
    'Café noir'
    """
    return " ".join(unicodedata.normalize("NFKC", text).split())


def prove(claims: Iterable[Claim], text: Text, schema: Schema) -> tuple[list[Claim], Counter[str]]:
    """Keep the claims that can be proved, each edge once with its best confidence, and count the others by reason.

    Reasons: "no evidence", "not in the text", "value not in the evidence", "too long", "relation", "subject", "object",
    "not for this kind of item", "confidence", "too many", "twice". Order of what is kept: as claimed.
    """
    allowed, words = schema.from_texts(text.domain), normalise(text.words)
    kept: dict[tuple[str, str, str], Claim] = {}
    refused: Counter[str] = Counter()
    for number, claim in enumerate(claims):
        value, evidence = normalise(claim.value), normalise(claim.evidence)
        reason = "too many" if number >= MAX_CLAIMS else _refusal(claim, value, evidence, words, allowed, text, schema)
        key = (claim.relation, claim.kind, value.casefold())
        if reason is None and key in kept:
            reason = "twice"
            if claim.confidence <= kept[key].confidence:
                refused[reason] += 1
                continue
        if reason not in (None, "twice"):
            refused[str(reason)] += 1
            continue
        if reason:
            refused[reason] += 1
        kept[key] = Claim(claim.relation, claim.kind, value, evidence, claim.confidence)
    return list(kept.values()), refused


def _refusal(claim: Claim, value: str, evidence: str, words: str, allowed: dict[str, str], text: Text, schema: Schema) -> str | None:
    if not value or not evidence:
        return "no evidence"
    if len(value) > MAX_VALUE or len(evidence) > MAX_EVIDENCE:
        return "too long"
    if broken := schema.refusal(text.node, claim.relation, claim.kind):
        return broken
    if claim.relation not in allowed:
        return "not for this kind of item"
    if not 0 < claim.confidence <= 1:
        return "confidence"
    if evidence not in words:
        return "not in the text"
    return None if value in evidence else "value not in the evidence"
