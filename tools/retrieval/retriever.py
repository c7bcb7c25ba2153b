"""Retrieval: items whose description is close in meaning to a text, or has its words, or both."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError
from scenewise.store.types import ItemId
from scenewise.tools.candidates import Candidate, Candidates
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.catalogue.update import Updated
from scenewise.tools.retrieval.encoders import Encoders, TextEncoder, Vectors
from scenewise.tools.retrieval.fusion import fuse
from scenewise.tools.retrieval.index import IndexReport, Progress, VectorIndex
from scenewise.tools.retrieval.item_text import embedding_text, where_of

if TYPE_CHECKING:
    from scenewise.store.store import Store

SOURCE = "retrieve"
EXACT_BELOW = 50_000  # items of the catalogue: 384 float32 each are 77 MB, and a dot product with each takes less than a filtered walk
DEPTH = 100  # how deep each ranking goes before they are fused
_KEPT = 8  # texts whose cosines with all items are kept
_KEPT_WORDS = 64  # queries of words whose rows are kept
_SPARE = 1.5  # times what would hold enough if what is allowed were spread evenly
_MAX_QUERY = 500

# Words that are in every request and say nothing about the thing asked for.
# fmt: off
_EMPTY_WORDS = frozenset({
    "a", "about", "also", "am", "an", "and", "any", "anything", "are", "as", "at", "be", "but", "by", "can", "could", "do",
    "for", "from", "get", "give", "good", "have", "i", "i'd", "i'm", "in", "is", "it", "like", "looking", "me", "my", "need",
    "no", "not", "of", "on", "one", "or", "please", "recommend", "show", "so", "some", "something", "suggest", "tell", "that",
    "the", "this", "to", "too", "tonight", "today", "us", "want", "we", "well", "what", "which", "with", "without", "would",
    "you",
})
# fmt: on
_WORD = re.compile(r"[\w'’-]+")
_NO_ROWS = np.zeros(0, dtype=np.int32)

Mask = NDArray[np.bool_]
Rows = NDArray[np.int32]


class Retriever:
    """Searches one catalogue with one pair of encoders. Safe to call from several threads.

    Without an index (or with an old one, see `stale`) it finds what it can: by words always, by meaning what is indexed.
    """

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        encoders: Encoders,
        *,
        exact_below: int = EXACT_BELOW,
        depth: int = DEPTH,
        index: VectorIndex | None = None,
    ) -> None:
        self._exact_below = exact_below
        self._depth = depth
        self.catalogue = catalogue
        self.encoders = encoders
        self._store = store
        self._index = index or VectorIndex(store.cache / "chroma")
        self._matrices: dict[str, Vectors] = {}
        self._indexed: dict[str, Mask] = {}
        self._asked: dict[tuple[str, bytes], Vectors] = {}
        self._worded: dict[str, tuple[int, Rows]] = {}
        self._lock = Lock()

    def reindex(self, progress: Progress | None = None) -> IndexReport:
        """Bring the index up to the catalogue for both encoders; items whose text did not change are not encoded again.

        `progress` is called with (encoded, to encode) per encoder. Returns the report on the English encoder's vectors, to which
        the other's is equal unless a build was interrupted.
        """
        revision = self.catalogue.items_revision
        reports = [
            self._index.build(self.catalogue.items, encoder, revision=revision, progress=progress)
            for encoder in (self.encoders.multilingual, self.encoders.english)
        ]
        with self._lock:
            self._matrices.clear()
            self._indexed.clear()
            self._asked = {}
            self._worded = {}
        return reports[-1]

    def over(self, update: Updated) -> Retriever:
        """Return a retriever over a changed catalogue, and bring the index, which both share, to it: only texts that differ are encoded.

        This one goes on finding what it found, but for the words and, in a large catalogue, the vectors of items that are gone.
        """
        before, catalogue = self.catalogue, update.catalogue
        other = Retriever(self._store, catalogue, self.encoders, exact_below=self._exact_below, depth=self._depth, index=self._index)
        gone = [item.item_id for item in before.items if catalogue.row(item.item_id) is None]
        items = [catalogue.items[row] for row in update.changed.tolist()]
        places = [before.row(item.item_id) for item in items]
        texts = [embedding_text(item) for item in items]
        news = [place is None or embedding_text(before.items[place]) != text for place, text in zip(places, texts, strict=True)]
        for encoder in (self.encoders.multilingual, self.encoders.english):
            matrix = self.vectors(encoder)  # read before the index changes
            vectors = np.zeros((len(items), encoder.dim), dtype=np.float32)
            vectors[news] = encoder.encode([text for text, new in zip(texts, news, strict=True) if new])
            for number, place in enumerate(places):
                if place is not None and not news[number]:
                    vectors[number] = matrix[place]
            moved = update.carry(matrix if matrix.shape[1] == encoder.dim else np.zeros((before.n, encoder.dim), dtype=np.float32))
            moved[update.changed] = vectors
            moved.setflags(write=False)
            indexed = self._indexed[encoder.name][update.origin] & (update.origin >= 0) if before.n else update.origin >= 0
            indexed[update.changed] = vectors.any(axis=1)
            self._index.change(items, gone, encoder, vectors, revision=catalogue.items_revision)
            other._matrices[encoder.name], other._indexed[encoder.name] = moved, indexed
        return other

    def stale(self) -> bool:
        """Say whether the index is missing or behind the store's items."""
        revision = self._store.revision("items")
        names = {self.encoders.english.name, self.encoders.multilingual.name}
        return any(self._index.stale(name, revision) for name in names)

    def retrieve(self, text: str, k: int, *, allowed: Mask, constraints: Constraints | None = None) -> Candidates:
        """Find at most k allowed items for a text, best first, source "retrieve", scored by reciprocal rank fusion.

        `allowed`: bool (n,) over the catalogue's rows. `constraints` narrow the search inside the index; whatever they say, only
        allowed items are returned. Raises InputError where `allowed` does not fit the catalogue.
        """
        self._check(allowed)
        text = text[:_MAX_QUERY].strip()
        if k < 1 or not text or not allowed.any():
            return Candidates()
        depth = max(self._depth, 2 * k)
        by_words = self._search_words(text, depth, allowed)
        name, vector = self.encoders.encode_one(text)
        by_meaning = self._search_vectors(name, vector, depth, allowed=allowed, constraints=constraints)
        reasons = _reasons(by_words, by_meaning)
        fused = fuse([by_meaning, by_words])[:k]
        return Candidates(tuple(Candidate(self._id(row), SOURCE, score, reasons[row]) for row, score in fused))

    def similar(self, item_ids: Sequence[ItemId], k: int, *, allowed: Mask) -> Candidates:
        """Find at most k allowed items close to the mean of some items' vectors, these left out; scored by cosine.

        Unknown ids are ignored. Raises InputError where `allowed` does not fit the catalogue.
        """
        self._check(allowed)
        rows = self.catalogue.rows(item_ids)
        matrix = self.vectors()
        if k < 1 or not len(rows) or not matrix.any():
            return Candidates()
        centre = matrix[rows].mean(axis=0)
        others = allowed.copy()
        others[rows] = False
        others &= self._indexed[self.encoders.english.name]
        found = _nearest(matrix, centre / max(float(np.linalg.norm(centre)), 1e-12), k, others)
        return Candidates.of(SOURCE, ((self._id(row), score) for row, score in found), "close to what was named")

    def vectors(self, encoder: TextEncoder | None = None) -> Vectors:
        """Give item vectors aligned to the catalogue's rows: float32 (n, dim), not writeable, zeros where an item is not indexed.

        Without an encoder, those of the English one. dim is 1 where nothing is indexed.
        """
        name = (encoder or self.encoders.english).name
        with self._lock:
            if name not in self._matrices:
                self._matrices[name] = self._read_matrix(name)
                self._indexed[name] = np.asarray(self._matrices[name].any(axis=1), dtype=np.bool_)
            return self._matrices[name]

    def load(self) -> None:
        """Read the vectors into memory now where searches are exact, rather than in somebody's first turn."""
        if self.catalogue.n < self._exact_below:
            for encoder in (self.encoders.multilingual, self.encoders.english):
                self.vectors(encoder)

    def close(self) -> None:
        """Let go of the index's files."""
        self._index.close()

    def _read_matrix(self, name: str) -> Vectors:
        ids, vectors = self._index.vectors(name)
        matrix = np.zeros((self.catalogue.n, max(vectors.shape[1], 1)), dtype=np.float32)
        places = [self.catalogue.row(item_id) for item_id in ids]
        known = np.array([place is not None for place in places], dtype=np.bool_)
        if known.any():
            matrix[[place for place in places if place is not None]] = vectors[known]
        matrix.setflags(write=False)
        return matrix

    def _search_words(self, text: str, depth: int, allowed: Mask) -> list[int]:
        words = [word for word in _WORD.findall(text) if word.lower() not in _EMPTY_WORDS]
        query = " ".join(words)
        return self._widening(lambda n: self._with_words(query, n), depth, allowed) if words else []

    def _with_words(self, query: str, n: int) -> Rows:
        """Rows of the at most `n` items that have the words best, kept for the next calls: a turn asks for the same words in several
        domains, and many users in the same scene ask for the same. -1 for an item that the catalogue does not have."""
        kept_in = self._worded  # before the search: reindex() takes another
        with self._lock:
            asked, rows = kept_in.get(query, (0, _NO_ROWS))
        if asked < n:
            rows = self._rows_of(self._store.items.search_text(query, n))
            with self._lock:
                kept_in[query] = (n, rows)
                while len(kept_in) > _KEPT_WORDS:
                    del kept_in[next(iter(kept_in))]
        return rows[:n]

    def _search_vectors(self, name: str, vector: Vectors, depth: int, *, allowed: Mask, constraints: Constraints | None) -> list[int]:
        if self.catalogue.n < self._exact_below:
            asked = self._asked  # before the matrix: reindex() takes another
            matrix = self.vectors(self._encoder(name))
            if matrix.shape[1] != len(vector):
                return []
            scores = self._cosines(asked, name, matrix, vector)
            return [row for row, _ in _best(scores, depth, np.flatnonzero(allowed & self._indexed[name]))]
        where = where_of(constraints) if constraints is not None else None
        return self._widening(lambda n: self._rows_of(self._index.query(name, vector, n, where=where)), depth, allowed)

    def _cosines(self, asked: dict[tuple[str, bytes], Vectors], name: str, matrix: Vectors, vector: Vectors) -> Vectors:
        """Every item's cosine, kept for the next calls: a turn asks the same text in several domains."""
        key = (name, vector.tobytes())
        with self._lock:
            kept = asked.get(key)
        if kept is None:
            kept = matrix @ vector  # (n,)
            with self._lock:
                asked[key] = kept
                while len(asked) > _KEPT:
                    del asked[next(iter(asked))]
        return kept

    def _rows_of(self, found: Sequence[tuple[ItemId, float]]) -> Rows:
        places = (self.catalogue.row(item_id) for item_id, _ in found)
        return np.array([-1 if place is None else place for place in places], dtype=np.int32)

    def _widening(self, search: Callable[[int], Rows], depth: int, allowed: Mask) -> list[int]:
        """Ask for as much as should hold enough that is allowed, and for more until it does, or nothing more comes."""
        n = self.catalogue.n
        wanted = min(depth if allowed.all() else round(_SPARE * depth * n / int(allowed.sum())), n)
        while True:
            found = search(wanted)
            rows = found[found >= 0]
            rows = rows[allowed[rows]]
            if len(rows) >= depth or len(found) < wanted or wanted >= n:
                return [int(row) for row in rows[:depth]]
            wanted = min(4 * wanted, n)

    def _encoder(self, name: str) -> TextEncoder:
        return self.encoders.english if name == self.encoders.english.name else self.encoders.multilingual

    def _id(self, row: int) -> ItemId:
        return self.catalogue.items[row].item_id

    def _check(self, allowed: Mask) -> None:
        if allowed.shape != (self.catalogue.n,):
            raise InputError("`allowed` must have one value for each item of the catalogue; take it from `Catalogue.allowed`.")


def _nearest(matrix: Vectors, vector: Vectors, k: int, allowed: Mask) -> list[tuple[int, float]]:
    """Exact search: (row, cosine), nearest first, ties by row."""
    return _best(matrix @ vector, k, np.flatnonzero(allowed))


def _best(scores: Vectors, k: int, rows: NDArray[np.int64]) -> list[tuple[int, float]]:
    """(row, score) of the k highest among `rows`, highest first, ties by row."""
    scores = scores[rows]
    if len(rows) > k:  # those that tie with the last one stay
        best = scores >= np.partition(scores, -k)[-k]
        rows, scores = rows[best], scores[best]
    order = np.lexsort((rows, -scores))[:k]
    return list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))


def _reasons(by_words: Sequence[int], by_meaning: Sequence[int]) -> dict[int, str]:
    words, meaning = set(by_words), set(by_meaning)
    return {
        row: "close in words and meaning" if row in words and row in meaning else "has its words" if row in words else "close in meaning"
        for row in words | meaning
    }
