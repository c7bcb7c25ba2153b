"""What is known of items besides behaviour, as arrays over the catalogue's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError, NotFound, StoreError
from scenewise.store.types import Item
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.model import load_arrays, save_arrays
from scenewise.tools.graph.embedding import ItemGraph, describe_surroundings
from scenewise.tools.retrieval.encoders import Encoders, TextEncoder, Vectors
from scenewise.tools.retrieval.item_text import embedding_text, hash_text

_YEARS = 5  # a bucket of years
_OTHER_SCRIPT_SHARE = 0.1  # from here on, one encoder for all scripts says more than a better one for Latin


@dataclass(frozen=True, eq=False)
class ItemFeatures:
    """`attributes`: csr float32 (n_items, n_values), 1 where the item has the value; `domain`: int16 (n_items,); `text` and `graph`:
    float32 (n_items, d), rows of length 1, zeros where nothing is known, None where there are none at all. `values` names the
    columns of `attributes` ("genre:crime"), where they have names."""

    attributes: csr_matrix
    domain: NDArray[np.int16]
    text: NDArray[np.float32] | None = None
    graph: NDArray[np.float32] | None = None
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        dense = [one for one in (self.text, self.graph) if one is not None]
        if {self.attributes.shape[0], *map(len, dense)} != {len(self.domain)}:
            raise InputError("Item features must all have one row an item of the catalogue.")
        if self.values and len(self.values) != self.attributes.shape[1]:
            raise InputError("Item features must name all of their attribute values, or none.")

    @property
    def n(self) -> int:
        """The number of items."""
        return int(self.attributes.shape[0])

    def differing(self, before: ItemFeatures, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Say which items are not known by the same as `before`: bool (n,). `rows`: int (n,), their rows there, -1 for new ones."""
        known = np.flatnonzero(rows >= 0)
        differs = rows < 0
        same = csr_matrix(self.attributes[known] - before.attributes[rows[known]])
        differs[known] = np.asarray(abs(same).sum(axis=1)).ravel() > 0
        for now, then in ((self.text, before.text), (self.graph, before.graph)):
            if now is not None and then is not None:
                differs[known] |= (now[known] != then[rows[known]]).any(axis=1)
        return differs


def features_of(
    catalogue: Catalogue,
    *,
    encoders: Encoders | None = None,
    graph: ItemGraph | None = None,
    cache: Path | None = None,
    text: Vectors | None = None,
    values: Sequence[str] | None = None,
) -> ItemFeatures:
    """Gather what is known of the catalogue's items.

    `text` are vectors made elsewhere (`Retriever.vectors()`), float32 (n_items, d); without them, `encoders` encode the items' texts,
    kept in the folder `cache`, so that only new and changed items are encoded the next time. Items without a text have zeros where
    others of their domain have one (NDCG@10 of MovieLens' new films: .298, and .280 with bare titles). `values` are the
    attribute columns of an earlier call, for a model that was fitted on those; otherwise they are all values that two items or more
    have, and not all of them.
    """
    if text is None and encoders is not None:
        text = encode_items(catalogue.items, encoders, cache=cache)
    if text is not None:
        text = np.where(_told(catalogue)[:, None], text, np.float32(0))
    attributes, names = _attributes(catalogue, values)
    domain = catalogue.columns.domain_code.astype(np.int16)
    return ItemFeatures(attributes, domain, text, None if graph is None else describe_surroundings(graph), names)


def encode_items(items: Sequence[Item], encoders: Encoders, *, cache: Path | None = None) -> Vectors:
    """Encode the items' texts with one encoder, so that all are comparable: float32 (n, dim), rows of length 1.

    A cache that cannot be read or written costs time and nothing else.
    """
    encoder = text_encoder(items, encoders)
    texts = {hash_text(text): text for text in map(embedding_text, items)}
    path = None if cache is None else cache / f"text-{encoder.name}.npz"
    known = _read(path, encoder)
    missing = [key for key in texts if key not in known]
    if missing:  # encoding nothing would still load the model
        known.update(zip(missing, encoder.encode([texts[key] for key in missing]), strict=True))
    vectors = np.zeros((len(items), encoder.dim), dtype=np.float32)
    for row, item in enumerate(items):
        vectors[row] = known[hash_text(embedding_text(item))]
    if missing and path is not None:
        try:
            save_arrays(path, {"hashes": np.asarray([*texts], dtype="S32"), "vectors": np.stack([known[key] for key in texts])})
        except OSError:
            return vectors
    return vectors


def text_encoder(items: Sequence[Item], encoders: Encoders) -> TextEncoder:
    """Choose the encoder of items' texts: the multilingual one where more than a tenth of the titles are not in Latin script."""
    other = sum(encoders.pick(item.title) is encoders.multilingual for item in items)
    return encoders.multilingual if other > _OTHER_SCRIPT_SHARE * len(items) else encoders.english


def forget_texts(items: Sequence[Item], cache: Path) -> None:
    """Take the vectors of items that are gone out of the caches of `encode_items`; OSError."""
    gone = {hash_text(embedding_text(item)).encode() for item in items}
    for path in cache.glob("text-*.npz"):
        arrays = load_arrays(path)
        kept = np.asarray([key not in gone for key in arrays["hashes"].tolist()], dtype=np.bool_)
        if not kept.all():
            save_arrays(path, {name: one[kept] for name, one in arrays.items()})


def _read(path: Path | None, encoder: TextEncoder) -> dict[str, Vectors]:
    """Return what is cached, by hash; nothing where the file is missing or damaged."""
    if path is None:
        return {}
    try:
        arrays = load_arrays(path)
        hashes, vectors = arrays["hashes"].astype(np.str_).tolist(), arrays["vectors"]
        return dict(zip(hashes, vectors, strict=True)) if vectors.shape[1:] == (encoder.dim,) else {}
    except (NotFound, StoreError, KeyError, ValueError):
        return {}


def _told(catalogue: Catalogue) -> NDArray[np.bool_]:
    """Say whose vector to keep: where other items of its domain have a text, a bare title says little beside them."""
    has_text, domain = np.asarray([bool(item.text) for item in catalogue.items], dtype=np.bool_), catalogue.columns.domain_code
    silent = np.setdiff1d(domain, domain[has_text])
    return has_text | np.isin(domain, silent)


def _attributes(catalogue: Catalogue, values: Sequence[str] | None) -> tuple[csr_matrix, tuple[str, ...]]:
    """Return who has which value, the domain and a bucket of years among them, and the names of the columns."""
    columns = catalogue.columns
    found: dict[str, NDArray[np.integer]] = {
        f"{name}:{value}": rows for name, of_value in columns.postings.items() for value, rows in of_value.items()
    }
    found |= {f"domain:{name}": np.flatnonzero(columns.domain_code == code) for code, name in enumerate(columns.domains)}
    dated = np.flatnonzero(~np.isnan(columns.year))
    bucket = (columns.year[dated] // _YEARS * _YEARS).astype(np.int64)
    found |= {f"years:{year}": dated[bucket == year] for year in np.unique(bucket).tolist()}
    names = tuple(values) if values is not None else tuple(name for name, rows in sorted(found.items()) if 1 < len(rows) < catalogue.n)
    nobody = np.zeros(0, dtype=np.int32)
    parts = [found.get(name, nobody) for name in names]
    rows = np.concatenate([*parts, nobody])
    starts = np.repeat(np.arange(len(names)), [len(part) for part in parts])
    return csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, starts)), shape=(catalogue.n, len(names))), names
