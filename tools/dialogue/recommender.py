"""Recommending out of a conversation: signals of every item, the best few hundred as candidates, and a learned fusion of the signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError
from scenewise.tools.collaborative.model import Scorer
from scenewise.tools.dialogue.domain import Context, Domain, Example, Float
from scenewise.tools.dialogue.mentions import Mentions, NameFinder
from scenewise.tools.dialogue.past import Past
from scenewise.tools.dialogue.reranker import Reranker, RerankerConfig
from scenewise.tools.dialogue.signals import LOGARITHMIC, Signals
from scenewise.tools.retrieval.encoders import TextEncoder

_CANDIDATES = 320
_BATCH = 64
_SMALL = 1e-4  # added before a logarithm
_BELOW = 1e3  # how far what is no candidate is below
PLAIN = {
    "past.all": 1.0,
    "past.last": 1.0,
    "graph.fact_of_last": 0.2,
    "graph.people_of_last": 0.02,
    "graph.walk": 10.0,
    "past.popular": 0.5,
}
"""The plain heuristic: co-occurrence with what was mentioned, plus neighbours in the graph, by weights set by hand."""
_PROPOSE = {
    **dict.fromkeys(("past.all", "past.reply", "past.basket", "past.popular", "graph.walk"), 60),
    **dict.fromkeys(("ratings.item_knn", "ratings.ease"), 60),
    **dict.fromkeys(("past.last", "past.entities", "meaning.last", "meaning.recent", "graph.people_of_last", "graph.fact_of_last"), 40),
    "words.recent": 30,
    "graph.kinds": 20,
    "meaning.item_recent": 20,
    "course.near": 10,
    "words.title": 10,
    "words.plot": 10,
}


@dataclass(frozen=True, eq=False)
class Candidates:
    """Of n contexts: `rows` int64 (n, k) item rows, `signals` float32 (n, k, n_names), `plain` float32 (n, n_items), the plain heuristic's
    scores."""

    names: tuple[str, ...]
    rows: NDArray[np.int64]
    signals: Float
    plain: Float

    def relevant(self, targets: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
        """Mark the candidates that are among a context's target rows: bool (n, k)."""
        marked = [np.isin(one, told) for one, told in zip(self.rows, targets, strict=True)]
        return np.asarray(marked, dtype=np.bool_).reshape(self.rows.shape)

    def scores(self, of_candidates: Float) -> Float:
        """Spread scores of candidates, float32 (n, k), over all items, the rest below them by the plain heuristic: float32 (n, n_items)."""
        told: Float = self.plain - self.plain.max(axis=1, keepdims=True) - _BELOW
        np.put_along_axis(told, self.rows, of_candidates, axis=1)
        return told


class DialogueRecommender:
    """Learns what is recommended next from past conversations over one domain.

    `encoder` reads utterances and items' texts; `ratings` are models fitted over the domain's items and `rated` float32 (n_items,) how
    often each was rated.
    """

    def __init__(
        self,
        domain: Domain,
        encoder: TextEncoder,
        *,
        ratings: Mapping[str, Scorer] | None = None,
        rated: Float | None = None,
        config: RerankerConfig | None = None,
    ) -> None:
        self._domain, self._encoder = domain, encoder
        self._finder = NameFinder(domain)
        self._signals = Signals(domain, encoder.encode(domain.texts), ratings or {}, rated)
        self._reranker = Reranker(config)
        self._past: Past | None = None

    def fit(self, examples: Sequence[Example], *, progress: Callable[[], None] = lambda: None) -> DialogueRecommender:
        """Learn. A training row's signals never see its own conversation. InputError where there is no example."""
        self.remember(examples)
        found = self.candidates([example.context for example in examples], progress=progress)
        self._reranker.fit(found.signals, found.relevant([self._domain.rows(example.targets) for example in examples]))
        return self

    def remember(self, examples: Sequence[Example]) -> None:
        """Take conversations as the past, the part of `fit` before the fusion is learned. InputError where there is none."""
        if not examples:
            raise InputError("There are no conversations to learn from.")
        said = Mentions.of([example.context for example in examples], self._domain, self._finder)
        self._past = Past(self._domain, examples, said, finder=self._finder, vectors=self._vectors(said))

    def scores(self, contexts: Sequence[Context]) -> Float:
        """Score every item of the domain for each context: float32 (n, n_items), higher is better; what a context names is not masked.

        The past rows of a context's own dialogue are left out. InputError before fit.
        """
        found = self.candidates(contexts)
        return found.scores(self._reranker.scores(found.signals))

    def candidates(self, contexts: Sequence[Context], *, progress: Callable[[], None] = lambda: None) -> Candidates:
        """Find candidates with their signals. InputError before fit."""
        parts = []
        for start in range(0, len(contexts), _BATCH):
            parts.append(self._candidates(contexts[start : start + _BATCH]))
            progress()
        names = parts[0].names if parts else ()
        return Candidates(names, *(np.concatenate([getattr(part, of) for part in parts]) for of in ("rows", "signals", "plain")))

    def _vectors(self, said: Mentions) -> tuple[Float, Float]:
        return self._encoder.encode(said.last_text), self._encoder.encode(said.recent_text)

    def _all(self, contexts: Sequence[Context]) -> dict[str, Float]:
        if self._past is None:
            raise InputError("Fit the recommender before it is asked.")
        said = Mentions.of(contexts, self._domain, self._finder)
        vectors = self._vectors(said)
        return self._past.signals(said, vectors) | self._signals.signals(said, vectors)

    def _candidates(self, contexts: Sequence[Context]) -> Candidates:
        signals = self._all(contexts)
        plain = np.sum([weight * signals[name] for name, weight in PLAIN.items()], axis=0).astype(np.float32)
        proposing = [(signals[name], n) for name, n in _PROPOSE.items() if name in signals]
        rows = np.stack([_round_robin([(values[i], n) for values, n in proposing], plain[i]) for i in range(len(contexts))])
        columns = []
        for name, values in signals.items():
            column = np.take_along_axis(values, rows, axis=1)
            columns.append(np.log(np.maximum(column, 0) + _SMALL) if name.startswith(LOGARITHMIC) else column)
        return Candidates((*signals,), rows, np.stack(columns, axis=-1), plain)


def _round_robin(proposals: Sequence[tuple[Float, int]], plain: Float) -> NDArray[np.int64]:
    """Take the first of each signal, then the second, ...; where they give too few, the plain heuristic's best: int64 (k,)."""
    size = min(_CANDIDATES, len(plain))
    queues = []
    for values, n in proposals:
        best = np.argpartition(-values, n)[:n] if n < len(values) else np.arange(len(values))
        best = best[values[best] > 0]
        queues.append(best[np.lexsort((best, -values[best]))])
    turns = np.concatenate([np.arange(len(queue)) for queue in queues]) if queues else np.zeros(0, dtype=np.int64)
    named = np.concatenate(queues)[np.argsort(turns, kind="stable")] if queues else np.zeros(0, dtype=np.int64)
    ordered = np.concatenate((named, np.argsort(-plain, kind="stable")))
    _, first = np.unique(ordered, return_index=True)
    return np.asarray(ordered[np.sort(first)[:size]], dtype=np.int64)
