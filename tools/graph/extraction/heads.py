"""A classifier of spans, learned from the hand-written texts of examples.toml: which type of value a span is, or none.

Features are MiniLM's vectors of the span and of the words around it, and a few plain facts (the words beside it, capitals, length).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from scenewise.tools.graph.extraction.spans import Span, candidates
from scenewise.tools.retrieval.encoders import TextEncoder
from scenewise.tools.scene.regression import fit_softmax, log_softmax

NONE = "none"
VERSION = 1
_MARK = re.compile(r"\[(\w+):([^\]]+)\]")
_AROUND = 4
_STRENGTH = 20.0
_MOST_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Examples:
    """Marked texts of one kind, and well-known names by type, casefolded."""

    texts: tuple[str, ...]
    names: Mapping[str, frozenset[str]]


@lru_cache(maxsize=1)
def load_examples() -> Mapping[str, Examples]:
    """The examples by kind of text ("stories", "products")."""
    table = tomllib.loads(files(__package__).joinpath("examples.toml").read_text(encoding="utf-8"))
    return {
        name: Examples(tuple(part["texts"]), {kind: frozenset(listed.split(", ")) - {""} for kind, listed in part["names"].items()})
        for name, part in table.items()
    }


def read_marks(marked: str) -> tuple[str, list[tuple[int, int, str]]]:
    """Take the marks out of a text: the text, and (start, end, type) of each span.

    >>> read_marks("a [color:red] hat")
    ('a red hat', [(2, 5, 'color')])
    """
    text, marks, last = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[last : match.start()]
        marks.append((len(text), len(text) + len(match[2]), match[1]))
        text += match[2]
        last = match.end()
    return text + marked[last:], marks


def label_spans(marked: str) -> list[tuple[Span, str]]:
    """The candidates of a marked text, each with its type or NONE; parts and extensions of a marked span are NONE."""
    text, marks = read_marks(marked)
    exact = {(start, end): kind for start, end, kind in marks}
    return [(span, exact.get((span.offset + span.start, span.offset + span.end), NONE)) for span in candidates(text)]


class SpanHead:
    """The classifier of one kind of text; `train` makes one. `kinds` are its labels, NONE first."""

    def __init__(self, encoder: TextEncoder, examples: Examples, kinds: Sequence[str], arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """arrays: weights float32 (n_features, n_kinds), bias (n_kinds,), and reach (n_kinds,): the most that the words around a span
        spoke for a type against NONE in any example, in log-odds."""
        self._encoder = encoder
        self._names = examples.names
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self.kinds, self.arrays = tuple(kinds), dict(arrays)

    @classmethod
    def train(cls, encoder: TextEncoder, examples: Examples) -> SpanHead:
        """Learn from marked texts. The same texts give the same head on the same machine."""
        labelled = [pair for text in examples.texts for pair in label_spans(text)]
        kinds = (NONE, *sorted({kind for _, kind in labelled} - {NONE}))
        labels = np.array([kinds.index(kind) for _, kind in labelled], dtype=np.int64)
        head = cls(encoder, examples, kinds, {})
        spans = [span for span, _ in labelled]
        alone, around = head._alone(spans), head._around(spans)
        weights, bias = fit_softmax(np.hstack([around, alone]), labels, len(kinds), strength=_STRENGTH)
        speaks = around @ weights[: around.shape[1]]
        head.arrays = {"weights": weights, "bias": bias, "reach": (speaks - speaks[:, :1]).max(axis=0)}
        head._vectors.clear()
        return head

    def log_p(self, spans: Sequence[Span], *, at_least: float = 0.0) -> NDArray[np.float32]:
        """Log-probabilities float32 (n_spans, n_kinds).

        A span that no surroundings known from the examples would carry to a probability of `at_least` for any type is NONE for certain:
        its surroundings, the dearest to encode, are not looked at.
        """
        result = np.full((len(spans), len(self.kinds)), -np.inf, dtype=np.float32)
        result[:, 0] = 0.0
        if not spans:
            return result
        weights, width = self.arrays["weights"], self._encoder.dim
        logits = self._alone(spans) @ weights[width:] + self.arrays["bias"]
        best = (logits - logits[:, :1] + self.arrays["reach"])[:, 1:].max(axis=1)
        rows = np.flatnonzero(best >= np.log(at_least / (1.0 - at_least))) if at_least > 0 else np.arange(len(spans))
        if rows.size:
            around = self._around([spans[row] for row in rows.tolist()])
            result[rows] = log_softmax(logits[rows] + around @ weights[:width])
        if len(self._vectors) > _MOST_KEPT:
            self._vectors.clear()
        return result

    def _alone(self, spans: Sequence[Span]) -> NDArray[np.float32]:
        """What the span itself says, and the plain facts: float32 (n_spans, n_features - dim)."""
        new = [text for text in dict.fromkeys(span.text for span in spans) if text not in self._vectors]
        self._vectors.update(zip(new, self._encoder.encode(new), strict=True))
        vectors = 2.0 * np.stack([self._vectors[span.text] for span in spans])
        return np.hstack([vectors, np.stack([self._known(span) + _plain(span) for span in spans])]).astype(np.float32)

    def _around(self, spans: Sequence[Span]) -> NDArray[np.float32]:
        """What the words around the span say: float32 (n_spans, dim)."""
        around = [_context(span) for span in spans]
        rows = {text: row for row, text in enumerate(dict.fromkeys(around))}
        vectors = self._encoder.encode(list(rows))
        result: NDArray[np.float32] = np.float32(1.4) * vectors[[rows[text] for text in around]]
        return result

    def _known(self, span: Span) -> list[float]:
        """For each type: the span is a well-known name; it ends with one; it is part of one that stands here."""
        text = span.text.casefold()
        tails = [text.split(" ", count)[-1] for count in range(1, text.count(" ") + 1)]
        wider = [f"{span.before[0]} {text}", f"{text} {span.after}"]
        row = []
        for names in self._names.values():
            row += [
                2.0 * _listed(text, names),
                float(any(_listed(tail, names) for tail in tails)),
                float(any(_listed(w, names) for w in wider)),
            ]
        return row


def _listed(name: str, names: frozenset[str]) -> bool:
    return name in names or (name.endswith("s") and name[:-1] in names) or name + "s" in names


def _context(span: Span) -> str:
    left, right = span.sentence[: span.start].split()[-_AROUND:], span.sentence[span.end :].split()[:_AROUND]
    return " ".join([*left, span.text, *right])


_BESIDE = (
    "in",
    "of",
    "for",
    "a",
    "an",
    "the",
    "and",
    "to",
    "with",
    "by",
    "from",
    "on",
    "at",
    "this",
    "our",
    "is",
    "who",
    "about",
    "perfect",
    "his",
    "her",
)


def _plain(span: Span) -> list[float]:
    words = span.text.split()
    row = np.zeros(3 * len(_BESIDE) + 8)
    for place, word in enumerate((*span.before, span.after)):
        if word in _BESIDE:
            row[place * len(_BESIDE) + _BESIDE.index(word)] = 1.0
    row[-8:] = (
        not span.before[0],
        not span.after,
        len(words) == 1,
        len(words) == 3,
        words[0][:1].isupper() and span.start > 0,
        words[-1][:1].isupper() and span.start > 0,
        words[-1].endswith(("ing", "ed", "s")),
        words[-1].endswith(("er", "or", "ist", "man")),
    )
    return row.tolist()
