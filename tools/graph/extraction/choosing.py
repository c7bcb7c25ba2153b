"""A small LLM chooses instead of writing: spans are proposed by a head, and it says of each what it is, or none.

What comes out is copied from the text by construction. The head's and the LLM's log-odds are joined into one calibrated confidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenewise.prompts import load
from scenewise.tools.graph.extraction.claims import Claim, Extraction, Text
from scenewise.tools.graph.extraction.heads import NONE, VERSION, SpanHead, load_examples, read_marks
from scenewise.tools.graph.extraction.keeping import kept_head
from scenewise.tools.graph.extraction.reader import Answer, Ask, Reader
from scenewise.tools.graph.extraction.spans import Span, candidates
from scenewise.tools.graph.schema import Schema
from scenewise.tools.retrieval.encoders import TextEncoder

PROPOSED_FROM = 0.1
MAX_PROPOSALS = 40
_EVIDENCE = 90
_SHOTS = 8
_FLOOR = 1e-4


@dataclass(frozen=True, slots=True)
class Blend:
    """Log-odds of "this edge is true" = bias + head * log-odds of the head + llm * log-odds of the LLM; kept from `threshold` on."""

    bias: float = 0.0
    head: float = 1.0
    llm: float = 0.0
    threshold: float = 0.5

    def confidence(self, head: float, llm: float | None) -> float:
        """Join two probabilities to one; `llm` is None where it was not asked."""
        odds = self.bias + self.head * log_odds(head) + (self.llm * log_odds(llm) if llm is not None else 0.0)
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A span, the type that the head gives it, and the probabilities by head and LLM (None: not asked)."""

    span: Span
    kind: str
    head: float
    llm: float | None = None


def log_odds(p: float) -> float:
    """log(p / (1 - p)), p held between _FLOOR and 1 - _FLOOR."""
    p = max(_FLOOR, min(1.0 - _FLOOR, p))
    return math.log(p / (1.0 - p))


class ChoosingExtractor:
    """`reader` is the LLM, or None for the heads alone. `blends` by kind of text ("stories", "products").

    The heads are kept in the folder `cache`; without one they are learned anew.
    """

    def __init__(
        self,
        reader: Reader | None,
        schema: Schema,
        encoder: TextEncoder,
        *,
        blends: Mapping[str, Blend] | None = None,
        cache: Path | None = None,
    ) -> None:
        self._reader, self._schema, self._encoder = reader, schema, encoder
        self._blends, self._cache = blends or {}, cache
        self._heads: dict[str, SpanHead] = {}
        tag = load("choose").tag if reader else "spans"
        weights = sorted({blend.llm for blend in self._blends.values()} - {0.0}) if reader else []
        self.name = "-".join([f"{reader.name if reader else encoder.name}@{tag}.{VERSION}", *(f"w{weight:g}" for weight in weights)])

    def extract(self, texts: Sequence[Text]) -> list[Extraction]:
        """Read texts. Raises ModelError where the LLM cannot be reached."""
        found = []
        for text, (proposals, answers) in zip(texts, self.propose(texts), strict=True):
            relations = {kind: name for name, kind in self._schema.from_texts(text.domain).items()}
            blend = self._blends.get(self.section(text) or "", Blend())
            scored = [(p, blend.confidence(p.head, p.llm)) for p in proposals]
            claims = tuple(
                Claim(relations[p.kind], p.kind, p.span.text, evidence(p.span), round(c, 4)) for p, c in scored if c >= blend.threshold
            )
            error = next((a.error for a in answers if a.error), "")
            found.append(Extraction(claims, sum(a.tokens_in for a in answers), sum(a.tokens_out for a in answers), error))
        return found

    def propose(self, texts: Sequence[Text]) -> list[tuple[list[Proposal], list[Answer]]]:
        """Propose spans that do not overlap, likeliest first, and let the LLM choose; before any threshold."""
        proposed = self._all_proposals(texts)
        if self._reader is None:
            return [(proposals, []) for proposals in proposed]
        asks = [self._ask(text, p.span) for text, proposals in zip(texts, proposed, strict=True) for p in proposals]
        answers = self._reader.answer(asks) if asks else []
        answers = [*answers, *(Answer(error="no answer") for _ in range(len(asks) - len(answers)))]
        result, at = [], 0
        for proposals in proposed:
            own = answers[at : at + len(proposals)]
            at += len(proposals)
            chosen = [
                Proposal(p.span, p.kind, p.head, a.shares.get(p.kind, 0.0) if a.shares else None)
                for p, a in zip(proposals, own, strict=True)
            ]
            result.append((chosen, own))
        return result

    def section(self, text: Text) -> str | None:
        """The kind of text whose examples know most of the types that may be stated; None where they know none."""
        wanted = set(self._schema.from_texts(text.domain).values())
        known = {name: len(wanted & set(examples.names)) for name, examples in load_examples().items()}
        best = max(known, key=lambda name: known[name])
        return best if known[best] else None

    def _head(self, section: str) -> SpanHead:
        if section not in self._heads:
            self._heads[section] = kept_head(section, self._encoder, self._cache)
        return self._heads[section]

    def _all_proposals(self, texts: Sequence[Text]) -> list[list[Proposal]]:
        """The proposals of each text; all spans of a kind of text go through its head at once."""
        sections = [self.section(text) for text in texts]
        spans = [candidates(text.words) if section else [] for text, section in zip(texts, sections, strict=True)]
        proposals: list[list[Proposal]] = [[] for _ in texts]
        for section in sorted({one for one in sections if one}):
            head, least = self._head(section), self._least(section)
            rows = [row for row, one in enumerate(sections) if one == section]
            log_p = head.log_p([span for row in rows for span in spans[row]], at_least=least)
            ends = np.cumsum([len(spans[row]) for row in rows])
            for row, part in zip(rows, np.split(log_p, ends[:-1]), strict=True):
                wanted = set(self._schema.from_texts(texts[row].domain).values())
                proposals[row] = _propose(spans[row], part, head.kinds, wanted, least)
        return proposals

    def _least(self, section: str) -> float:
        """The head's probability from which a span is proposed: without an LLM, from where it would be kept."""
        blend = self._blends.get(section, Blend())
        if self._reader is not None or blend.head <= 0:
            return PROPOSED_FROM
        odds = (log_odds(blend.threshold) - blend.bias) / blend.head
        return max(PROPOSED_FROM, min(1.0 - _FLOOR, 1.0 / (1.0 + math.exp(-odds)) - _FLOOR))

    def _ask(self, text: Text, span: Span) -> Ask:
        section = self.section(text) or ""
        wanted = sorted(set(self._schema.from_texts(text.domain).values()) & set(load_examples()[section].names))
        system, question = load("choose").messages(marked=marked(span))
        return Ask([system, *_shots(section, tuple(wanted)), question], options=(*wanted, NONE))


def _propose(spans: Sequence[Span], log_p: NDArray[np.float32], kinds: Sequence[str], wanted: set[str], least: float) -> list[Proposal]:
    if not spans:
        return []
    allowed = np.array([kind == NONE or kind in wanted for kind in kinds])
    p = np.where(allowed, np.exp(log_p), 0.0)
    p /= p.sum(axis=1, keepdims=True)
    best = p[:, 1:].argmax(axis=1) + 1
    score = p[np.arange(len(spans)), best]
    kept: list[Proposal] = []
    for row in np.argsort(-score, kind="stable"):
        if score[row] < least or len(kept) == MAX_PROPOSALS:
            break
        if not any(spans[row].overlaps(other.span) for other in kept):
            kept.append(Proposal(spans[row], kinds[best[row]], float(score[row])))
    return kept


def _shots(section: str, wanted: tuple[str, ...]) -> list[dict[str, str]]:
    shots: list[dict[str, str]] = []
    turn = (*wanted, NONE)
    for example in load_examples()[section].texts:
        if len(shots) >= 2 * _SHOTS:
            break
        text, marks = read_marks(example)
        kind = turn[len(shots) // 2 % len(turn)]
        places = {(start, end) for start, end, _ in marks}
        for span in candidates(text):
            here = next((k for s, e, k in marks if (s, e) == (span.offset + span.start, span.offset + span.end)), NONE)
            free = here != NONE or not any(s < span.offset + span.end and span.offset + span.start < e for s, e in places)
            if here == kind and free:
                shots += [{"role": "user", "content": marked(span)}, {"role": "assistant", "content": kind}]
                break
    return shots


def marked(span: Span, around: int = 60) -> str:
    """The span in brackets with the words beside it, in one line."""
    left, right = span.sentence[: span.start][-around:], span.sentence[span.end :][:around]
    left = left.partition(" ")[2] if span.start > around else left
    right = right.rpartition(" ")[0] if len(span.sentence) - span.end > around else right
    return " ".join(f"{left}[{span.text}]{right}".split())


def evidence(span: Span) -> str:
    """The words around the span as they stand in the text, whole words only."""
    start, end = max(0, span.start - _EVIDENCE), min(len(span.sentence), span.end + _EVIDENCE)
    left = span.sentence[start : span.start]
    right = span.sentence[span.end : end]
    if start:
        left = left.partition(" ")[2]
    if end < len(span.sentence):
        right = right.rpartition(" ")[0]
    return (left + span.sentence[span.start : span.end] + right).strip()
