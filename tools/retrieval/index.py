"""The vector index: item vectors on disk in an embedded Chroma, one collection an encoder. Only a cache of the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scenewise.store.errors import StoreError
from scenewise.store.types import Item, ItemId
from scenewise.tools.retrieval.encoders import TextEncoder, Vectors
from scenewise.tools.retrieval.item_text import embedding_text, hash_text, metadata_of

Progress = Callable[[int, int], None]
"""Called with (items encoded so far, items to encode)."""

_MAX_BATCH = 5_461  # Chroma's own limit for one write
_ENCODE_BATCH = 256


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a build did: items encoded anew, items whose fields alone changed, items removed, items in the index afterwards."""

    n_encoded: int
    n_updated: int
    n_removed: int
    n_items: int


class VectorIndex:
    """Item vectors in `folder`; one process owns the folder at a time. Raises StoreError where it cannot be used."""

    def __init__(self, folder: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._client: Any = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
        except (OSError, ValueError, chromadb.errors.ChromaError) as error:
            raise StoreError("The vector index cannot be opened; delete the store's cache/chroma and run `scenewise reindex`.") from error

    def build(self, items: Sequence[Item], encoder: TextEncoder, *, revision: int, progress: Progress | None = None) -> IndexReport:
        """Bring one encoder's collection up to `items`: encode what is new or has another text, update fields, remove the rest.

        Stopped half-way it is merely incomplete: the revision is written last, so `stale` stays true and a second build goes on.
        """
        collection = self._collection(encoder.name)
        known = self._fields(collection)
        hashes = {item.item_id: hash_text(embedding_text(item)) for item in items}
        new = [item for item in items if known.get(item.item_id, {}).get("hash") != hashes[item.item_id]]
        changed = [item for item in items if item.item_id in known and known[item.item_id]["hash"] == hashes[item.item_id]]
        changed = [item for item in changed if known[item.item_id] != _kept(metadata_of(item, hashes[item.item_id]))]
        gone = [item_id for item_id in known if item_id not in hashes]
        for start in range(0, len(gone), _MAX_BATCH):
            collection.delete(ids=list(gone[start : start + _MAX_BATCH]))
        for start in range(0, len(changed), _MAX_BATCH):
            batch = changed[start : start + _MAX_BATCH]
            collection.update(ids=[i.item_id for i in batch], metadatas=[metadata_of(i, hashes[i.item_id]) for i in batch])
        for start in range(0, len(new), _ENCODE_BATCH):
            batch = new[start : start + _ENCODE_BATCH]
            collection.upsert(
                ids=[item.item_id for item in batch],
                embeddings=encoder.encode([embedding_text(item) for item in batch]),
                metadatas=[metadata_of(item, hashes[item.item_id]) for item in batch],
            )
            if progress is not None:
                progress(start + len(batch), len(new))
        collection.modify(metadata={"revision": revision})
        return IndexReport(len(new), len(changed), len(gone), len(items))

    def change(self, items: Sequence[Item], gone: Sequence[ItemId], encoder: TextEncoder, vectors: Vectors, *, revision: int) -> None:
        """Put items with their vectors, float32 (m, dim), into one encoder's collection, in place of those of the same id, and take some
        out. The collection held the state before; stopped half-way it is `stale`, and the next `build` mends it."""
        collection = self._collection(encoder.name)
        for start in range(0, len(gone), _MAX_BATCH):
            collection.delete(ids=list(gone[start : start + _MAX_BATCH]))
        for start in range(0, len(items), _MAX_BATCH):
            batch = items[start : start + _MAX_BATCH]
            fields = [metadata_of(item, hash_text(embedding_text(item))) for item in batch]
            collection.upsert(ids=[item.item_id for item in batch], embeddings=vectors[start : start + len(batch)], metadatas=fields)
        collection.modify(metadata={"revision": revision})

    def stale(self, encoder_name: str, revision: int) -> bool:
        """Say whether the collection is missing or was built from another revision of the items."""
        collection = self._find(encoder_name)
        return collection is None or (collection.metadata or {}).get("revision") != revision

    def query(self, encoder_name: str, vector: Vectors, k: int, *, where: Mapping[str, object] | None = None) -> list[tuple[ItemId, float]]:
        """Find the k nearest items that pass `where` (of `where_of`), nearest first: (item_id, cosine)."""
        collection = self._find(encoder_name)
        if collection is None or k < 1:
            return []
        found = collection.query(query_embeddings=vector[None, :], n_results=k, where=dict(where) if where else None, include=["distances"])
        distances = found["distances"]
        if not distances:
            return []
        return [(ItemId(item_id), 1.0 - float(far)) for item_id, far in zip(found["ids"][0], distances[0], strict=True)]

    def vectors(self, encoder_name: str) -> tuple[list[ItemId], Vectors]:
        """Read all vectors: ids, and float32 (n, dim) in their order; (0, 0) without a build."""
        collection = self._find(encoder_name)
        ids: list[ItemId] = []
        parts: list[Vectors] = []
        while collection is not None:
            batch = collection.get(include=["embeddings"], limit=_MAX_BATCH, offset=len(ids))
            if not batch["ids"]:
                break
            ids += [ItemId(item_id) for item_id in batch["ids"]]
            parts.append(np.asarray(batch["embeddings"], dtype=np.float32))
        return ids, np.concatenate(parts) if parts else np.zeros((0, 0), dtype=np.float32)

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()

    def _collection(self, encoder_name: str) -> Any:
        return self._client.get_or_create_collection(
            _name(encoder_name), embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    def _find(self, encoder_name: str) -> Any | None:
        from chromadb.errors import NotFoundError

        try:
            return self._client.get_collection(_name(encoder_name), embedding_function=None)
        except NotFoundError:
            return None

    def _fields(self, collection: Any) -> dict[str, dict[str, Any]]:
        known: dict[str, dict[str, Any]] = {}
        while True:
            batch = collection.get(include=["metadatas"], limit=_MAX_BATCH, offset=len(known))
            if not batch["ids"]:
                return known
            known.update({item_id: dict(fields) for item_id, fields in zip(batch["ids"], batch["metadatas"] or [], strict=True)})


def _name(encoder_name: str) -> str:
    return f"items-{encoder_name}"


def _kept(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
