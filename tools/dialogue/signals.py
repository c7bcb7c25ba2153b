"""Signals of every item for a context, by name "group.signal": the graph, ratings, texts, time, and the conversation's own course."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import csr_matrix

from scenewise.tools.collaborative.model import Scorer
from scenewise.tools.dialogue.domain import Domain, Float
from scenewise.tools.dialogue.mentions import Mentions, sparse, title_words
from scenewise.tools.dialogue.past import Words
from scenewise.tools.tfidf import tfidf, unit_lengths

GROUPS = ("past", "words", "meaning", "graph", "ratings", "item", "course", "talk")
LOGARITHMIC = ("past.", "words.", "meaning.last", "meaning.recent", "graph.walk", "graph.people", "ratings.")
_DAMPING, _STEPS = 0.7, 7
_ASKS = {
    "new": frozenset({"new", "newer", "recent", "recently", "latest"}),
    "old": frozenset({"old", "older", "classic", "classics", "oldie"}),
    "who": frozenset({"who", "starred", "stars", "director", "directed", "wrote", "actors"}),
    "other": frozenset({"other", "else", "another", "more", "similar", "anything", "others"}),
}


class Signals:
    """What is known without past conversations. `vectors`: float32 (n_items, dim) of the items' texts; `ratings`: models fitted over the
    domain's items, `rated` float32 (n_items,) how often each was rated."""

    def __init__(self, domain: Domain, vectors: Float, ratings: Mapping[str, Scorer], rated: Float | None) -> None:
        self._domain, self._vectors, self._ratings = domain, vectors, ratings
        self._rated = np.zeros(len(domain.items), dtype=np.float32) if rated is None else np.log1p(rated)
        self._relations = {name: domain.facts(frozenset({name})) for name in domain.relation_names}
        self._facts = domain.facts()
        names = [title_words(domain.names[item]) for item in domain.items.tolist()]
        place = {word: at for at, word in enumerate(sorted({word for one in names for word in one}))}
        self._place = place
        self._titles = tfidf(sparse(({place[word]: 1.0 for word in sorted(one)} for one in names), (len(names), max(len(place), 1))))
        self._plots = Words(domain.texts)
        middle = float(np.nanmedian(domain.years)) if np.isfinite(domain.years).any() else 2000.0
        self._years = np.nan_to_num(domain.years, nan=middle).astype(np.float32)

    def signals(self, asked: Mentions, vectors: tuple[Float, Float]) -> dict[str, Float]:
        """Every signal of every item: float32 (n, n_items) each."""
        items, last = csr_matrix(asked.all[:, self._domain.items]), csr_matrix(asked.last[:, self._domain.items])
        found = self._graph(asked, items, last) | self._text(asked, items, vectors) | self._course(asked, items, last)
        found |= {f"ratings.{name}": _folded(model, items, len(self._years)) for name, model in self._ratings.items()}
        if self._ratings:
            found["ratings.count"] = np.exp(np.broadcast_to(self._rated, items.shape))
        shape = items.shape
        return {name: np.asarray(np.broadcast_to(values, shape), dtype=np.float32) for name, values in found.items()}

    def _graph(self, asked: Mentions, items: csr_matrix, last: csr_matrix) -> dict[str, Float]:
        people, kinds = self._domain.alike
        found = {f"graph.{name}": (asked.all @ facts.T).toarray() for name, facts in self._relations.items()}
        start = asked.all.toarray().T
        start = (start / np.maximum(start.sum(axis=0), 1e-9)).astype(np.float32)  # (n_entities, n)
        visits = start
        for _ in range(_STEPS):  # Walker holds a store's facts and asks one question; this is a batch over bare triples
            visits = _DAMPING * (self._domain.steps @ visits) + (1 - _DAMPING) * start
        return found | {
            "graph.fact_of_last": (asked.last @ self._facts.T).toarray(),
            "graph.people": (items @ people @ people.T).toarray(),
            "graph.people_of_last": (last @ people @ people.T).toarray(),
            "graph.kinds": (items @ kinds @ kinds.T).toarray(),
            "graph.kinds_of_last": (last @ kinds @ kinds.T).toarray(),
            "graph.walk": visits[self._domain.items].T,
            "graph.degree": np.log1p(np.diff(self._facts.indptr)),
        }

    def _text(self, asked: Mentions, items: csr_matrix, vectors: tuple[Float, Float]) -> dict[str, Float]:
        named = [{self._place[word]: 1.0 for word in sorted(title_words(text)) if word in self._place} for text in asked.recent_text]
        return {
            "words.title": (sparse(named, (len(named), len(self._place) or 1)) @ self._titles.T).toarray(),
            "words.plot": (self._plots(asked.recent_text) @ self._plots.rows.T).toarray(),
            "meaning.item": vectors[0] @ self._vectors.T,
            "meaning.item_recent": vectors[1] @ self._vectors.T,
            "meaning.items_named": np.asarray(unit_lengths(items) @ self._vectors) @ self._vectors.T,
            "item.same_title": (items @ self._titles @ self._titles.T).toarray(),
        }

    def _course(self, asked: Mentions, items: csr_matrix, last: csr_matrix) -> dict[str, Float]:
        words = [{word.lower() for word in text.replace("?", " ").split()} for text in asked.recent_text]
        asks = {name: np.asarray([[not told.isdisjoint(one)] for one in words], dtype=np.float32) for name, told in _ASKS.items()}
        decade = (self._years - 2000.0) / 10.0
        weight = np.asarray(items.sum(axis=1)).reshape(-1, 1)
        mean = np.asarray(items @ self._years).reshape(-1, 1) / np.maximum(weight, 1e-9)
        counts = {"utterances": [len(one.utterances) for one in asked.contexts], "items": np.diff(asked.seen.indptr)}
        counts["entities"] = np.diff(asked.all.indptr)
        return (
            {
                "item.years_apart": np.where(weight > 0, -np.abs(mean - self._years) / 10.0, -1.0),
                "item.decade": decade,
                "item.asked_new": asks["new"] * decade,
                "item.asked_old": asks["old"] * decade,
                "course.near": asked.near.toarray(),
                "course.named": asked.seen.toarray(),
                "course.times": asked.count.toarray(),
                "course.named_last": last.toarray(),
                "talk.question": np.asarray([["?" in text] for text in asked.last_text], dtype=np.float32),
                "talk.item_last": np.asarray(last.sum(axis=1) > 0, dtype=np.float32).reshape(-1, 1),
            }
            | {f"talk.{name}": values for name, values in asks.items()}
            | {f"talk.{name}": np.log1p(np.asarray(values, dtype=np.float32)).reshape(-1, 1) for name, values in counts.items()}
        )


def _folded(model: Scorer, items: csr_matrix, n_items: int) -> Float:
    """Ask a model for each context's items, weighted as they were said: float32 (n, n_items)."""
    rows = (slice(start, end) for start, end in zip(items.indptr[:-1], items.indptr[1:], strict=True))
    told = [model.scores(items.indices[row].astype(np.int32), items.data[row].astype(np.float32)) for row in rows]
    return np.stack(told) if told else np.zeros((0, n_items), dtype=np.float32)
