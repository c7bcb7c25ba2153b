"""A small LLM chooses instead of writing: spans are proposed by a head, and it says of each what it is, or none.

What comes out is copied from the text by construction. The head's and the LLM's log-odds are joined into one calibrated confidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scenewise.prompts import load
from scenewise.tools.graph.extraction.claims import Claim, Extraction, Text
from scenewise.tools.graph.extraction.heads import NONE, VERSION, SpanHead, load_examples, read_marks
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
    """`reader` is the LLM, or None for the heads alone. `blends` by kind of text ("stories", "products")."""

    def __init__(self, reader: Reader | None, schema: Schema, encoder: TextEncoder, *, blends: Mapping[str, Blend] | None = None) -> None:
        self._reader, self._schema, self._encoder = reader, schema, encoder
        self._blends = blends or {}
        self._heads: dict[str, SpanHead] = {}
        tag = load("choose").tag if reader else "spans"
        self.name = f"{reader.name if reader else encoder.name}@{tag}.{VERSION}"

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
        proposed = [self._proposals(text) for text in texts]
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
            self._heads[section] = SpanHead(self._encoder, load_examples()[section])
        return self._heads[section]

    def _proposals(self, text: Text) -> list[Proposal]:
        section = self.section(text)
        spans = candidates(text.words) if section else []
        if not section or not spans:
            return []
        head, wanted = self._head(section), set(self._schema.from_texts(text.domain).values())
        allowed = np.array([kind == NONE or kind in wanted for kind in head.kinds])
        p = np.where(allowed, np.exp(head.log_p(spans)), 0.0)
        p /= p.sum(axis=1, keepdims=True)
        best = p[:, 1:].argmax(axis=1) + 1
        score = p[np.arange(len(spans)), best]
        kept: list[Proposal] = []
        for row in np.argsort(-score, kind="stable"):
            if score[row] < PROPOSED_FROM or len(kept) == MAX_PROPOSALS:
                break
            if not any(spans[row].overlaps(other.span) for other in kept):
                kept.append(Proposal(spans[row], head.kinds[best[row]], float(score[row])))
        return kept

    def _ask(self, text: Text, span: Span) -> Ask:
        section = self.section(text) or ""
        wanted = sorted(set(self._schema.from_texts(text.domain).values()) & set(load_examples()[section].names))
        system, question = load("choose").messages(marked=marked(span))
        return Ask([system, *_shots(section, tuple(wanted)), question], options=(*wanted, NONE))


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
