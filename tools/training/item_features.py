"""The features that a version was trained with, and those of a later catalogue in the same columns."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.errors import StoreError
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.model import load_arrays, save_arrays
from scenewise.tools.features import ItemFeatures, features_of
from scenewise.tools.graph.embedding import ItemGraph, unit_rows
from scenewise.tools.retrieval.encoders import Vectors
from scenewise.tools.tfidf import tfidf

FEATURES = "features.npz"


def save_features(path: Path, features: ItemFeatures) -> None:
    """Keep what later features must agree with: the graph vectors, whose axes are those of one day, and the names of the values."""
    names = np.frombuffer(json.dumps(features.values).encode(), dtype=np.uint8)
    save_arrays(path, {"graph": np.zeros((0, 0)) if features.graph is None else features.graph, "values": names})


def features_like(path: Path, catalogue: Catalogue, rows: NDArray[np.int32], *, text: Vectors, graph: ItemGraph) -> ItemFeatures:
    """Make the features of a catalogue in the columns of those that save_features kept. `rows`: each item's row there, -1 for a new one;
    `text` float32 (n_items, d) as for features_of.

    Items keep the graph vectors that they had; new ones get theirs from the items around them (see _fold_in). NotFound, StoreError.
    """
    arrays = load_arrays(path)
    try:
        old, values = arrays["graph"], json.loads(arrays["values"].tobytes())
    except (KeyError, ValueError) as error:
        raise StoreError("The saved features are damaged; run `scenewise train` again.") from error
    features = features_of(catalogue, text=text, values=values)
    return replace(features, graph=_fold_in(graph, old, rows)) if old.size else features


def _fold_in(graph: ItemGraph, old: Vectors, rows: NDArray[np.int32]) -> Vectors:
    """Place new items among the old ones: float32 (n_items, d), rows of length 1, zeros where nothing is around an item.

    Folding-in of latent semantic analysis (Deerwester et al. 1990, section 4.3.2): a new row's likenesses to the old ones, times their
    vectors, each axis divided by its eigenvalue, for which the sum of squares along it stands. Only neighbours are looked at, not theirs
    in turn: with these left in, the vectors of 150 films of the demo came less close to those they have when all is computed anew
    (cosine .84, and .94 without; 14 and 16 of the nearest 20 films are the same).
    """
    known = np.flatnonzero(rows >= 0)
    new = np.flatnonzero((rows < 0) & (graph.node_of_item >= 0))
    out = np.zeros((len(rows), old.shape[1]), dtype=np.float32)
    out[known] = old[rows[known]]
    if len(new) and len(known) and graph.weights.nnz:
        words = tfidf(graph.weights)  # (n_nodes, n_nodes)
        alike = csr_matrix(words[graph.node_of_item[new]] @ words[graph.node_of_item[known]].T)
        spread = np.maximum((out[known] ** 2).sum(axis=0), 1e-9)
        out[new] = unit_rows(np.asarray(alike @ out[known] / spread, dtype=np.float32))
    return out
