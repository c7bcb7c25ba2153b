"""What was recommended after similar contexts: neighbours among past turns, never those of the same conversation.

Leaving a row's own conversation out is what makes signals of training rows as honest as those of new ones, so that a fusion can learn
from them (a leave-one-out estimate, as in stacking: Wolpert 1992).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from scenewise.tools.dialogue.domain import Domain, Example, Float
from scenewise.tools.dialogue.mentions import REPLY, Mentions, NameFinder, sparse, words_of
from scenewise.tools.tfidf import idf_of, unit_lengths

_CLOSE = 0.06  # temperature of the weights of neighbours by meaning


class Words:
    """Texts as TF-IDF rows over the words that at least two of the learned texts share; `rows` are theirs."""

    def __init__(self, texts: Sequence[str]) -> None:
        bags = [{word.lower() for word in words_of(text)} for text in texts]
        known = sorted(word for word, n in Counter(word for bag in bags for word in bag).items() if n > 1)
        self._place = {word: place for place, word in enumerate(known)}
        self._idf = idf_of(self._rows(texts))
        self.rows = self(texts)

    def __call__(self, texts: Sequence[str]) -> csr_matrix:
        """csr float32 (n_texts, n_words), rows of length 1."""
        return unit_lengths(csr_matrix(self._rows(texts) @ diags_array(self._idf)))

    def _rows(self, texts: Sequence[str]) -> csr_matrix:
        bags = ({word.lower() for word in words_of(text)} for text in texts)
        # sorted: sums of floats depend on their order, and that of a set on the process
        return sparse(({self._place[w]: 1.0 for w in sorted(bag) if w in self._place} for bag in bags), (len(texts), len(self._place)))


class Past:
    """Past turns with what was recommended; `vectors` float32 (n, dim) twice: of the last utterance and of the last three."""

    def __init__(
        self, domain: Domain, examples: Sequence[Example], said: Mentions, finder: NameFinder, vectors: tuple[Float, Float]
    ) -> None:
        self._said, self._vectors = said, vectors
        size = (len(examples), len(domain.items))
        self._items = domain.items
        told = [dict.fromkeys(domain.rows(example.targets), 1.0) for example in examples]
        self.targets = sparse(told, size)
        replies = [[int(domain.row_of[e]) for e in finder.find(example.reply) if domain.row_of[e] >= 0] for example in examples]
        self._told = sparse([dict.fromkeys(reply, REPLY) | one for reply, one in zip(replies, told, strict=True)], size)
        self._dialogue = {one: at for at, one in enumerate(dict.fromkeys(example.context.dialogue for example in examples))}
        places = [self._dialogue[example.context.dialogue] for example in examples]
        self._rows_of = sparse(({place: 1.0} for place in places), (len(examples), len(self._dialogue) + 1)).T.tocsr()
        self._all, self._last = _ones(said.all), _ones(said.last)
        self._idf = idf_of(said.all)
        self._entities = unit_lengths(csr_matrix(said.all @ diags_array(self._idf)))
        self._words, self._recent = Words(said.last_text), Words(said.recent_text)
        self._baskets = _ones(csr_matrix(self._rows_of[:-1] @ (self.targets + said.seen)))

    def signals(self, asked: Mentions, vectors: tuple[Float, Float]) -> dict[str, Float]:
        """What the past says of every item: float32 (n, n_items) each, none of it from the asked contexts' own conversations."""
        dialogues = np.asarray([self._dialogue.get(one.dialogue, len(self._dialogue)) for one in asked.contexts])
        own = csr_matrix(self._rows_of[dialogues])
        found = {
            "past.last": self._chance(asked.last, self._last, self.targets, own),
            "past.last_any": self._chance(asked.last, self._all, self.targets, own),
            "past.all": self._chance(asked.all, self._all, self.targets, own),
            "past.reply": self._chance(asked.all, self._all, self._told, own),
            "past.rare": self._chance(csr_matrix(asked.all @ diags_array(self._idf)), self._all, self.targets, own, prior=0.5),
            "past.entities": self._near(unit_lengths(csr_matrix(asked.all @ diags_array(self._idf))), self._entities, own, power=3),
            "past.basket": self._together(asked, dialogues),
            "past.popular": np.asarray((self.targets.sum(axis=0) - own @ self.targets) / max(self.targets.shape[0], 1)),
            "words.last": self._near(self._words(asked.last_text), self._words.rows, own, power=4),
            "words.recent": self._near(self._recent(asked.recent_text), self._recent.rows, own, power=4),
        }
        for name, ours, theirs in zip(("last", "recent"), vectors, self._vectors, strict=True):
            close = ours @ theirs.T
            close[own.nonzero()] = -1.0
            weights = np.exp((close - close.max(axis=1, keepdims=True)) / _CLOSE)
            weights[own.nonzero()] = 0.0
            found[f"meaning.{name}"] = (self.targets.T @ (weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)).T).T
        return {name: np.asarray(values, dtype=np.float32) for name, values in found.items()}

    def _chance(self, asked: csr_matrix, past: csr_matrix, targets: csr_matrix, own: csr_matrix, *, prior: float = 2.0) -> Float:
        """sum over mentions of weight x (times the item followed it) / (times it was named + prior), own conversation left out."""
        entries = asked.tocoo()
        named = np.bincount(past.indices, minlength=past.shape[1])[entries.col]
        of_own = (own @ past).toarray()[entries.row, entries.col]
        shrunk = csr_matrix((entries.data / (named - of_own + prior), (entries.row, entries.col)), shape=asked.shape)
        return np.asarray((_without(csr_matrix(shrunk @ past.T), own) @ targets).toarray(), dtype=np.float32)

    def _near(self, asked: csr_matrix, past: csr_matrix, own: csr_matrix, *, power: int) -> Float:
        close = _without(csr_matrix(asked @ past.T), own)
        close.data = close.data**power
        total = np.maximum(np.asarray(close.sum(axis=1)), 1e-6)
        return np.asarray((close @ self.targets).toarray() / total, dtype=np.float32)

    def _together(self, asked: Mentions, dialogues: NDArray[np.int64]) -> Float:
        """Items named in the same past conversations; long ones count less."""
        length = 1.0 / np.log2(2.0 + np.diff(self._baskets.indptr))
        own = sparse(({int(d): 1.0} if d < len(length) else {} for d in dialogues), (len(dialogues), len(length)))
        counts = np.bincount(self._baskets.indices, minlength=self._baskets.shape[1]) - (own @ self._baskets).toarray()
        rarity = 1.0 / np.sqrt(counts + 1.0)  # (n, n_items): were the own conversation counted, targets of training rows would look busier
        items = csr_matrix(asked.all[:, self._items].multiply(rarity))
        shared = _without(csr_matrix(items @ self._baskets.T), own)
        return np.asarray((shared @ diags_array(length) @ self._baskets).toarray() * rarity, dtype=np.float32)


def _ones(matrix: csr_matrix) -> csr_matrix:
    ones = matrix.copy()
    ones.data = np.ones_like(ones.data)
    return ones


def _without(close: csr_matrix, own: csr_matrix) -> csr_matrix:
    kept = csr_matrix(close - close.multiply(own))
    kept.eliminate_zeros()
    return kept
