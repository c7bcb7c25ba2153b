"""The features that a version was trained with, and those of a later catalogue in the same columns."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import StoreError
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.model import load_arrays, save_arrays
from scenewise.tools.features import ItemFeatures, features_of
from scenewise.tools.graph.embedding import ItemGraph
from scenewise.tools.retrieval.encoders import Encoders

FEATURES = "features.npz"


def save_features(path: Path, features: ItemFeatures) -> None:
    """Keep what later features must agree with: the graph vectors, whose axes are those of one day, and the names of the values."""
    names = np.frombuffer(json.dumps(features.values).encode(), dtype=np.uint8)
    save_arrays(path, {"graph": np.zeros((0, 0)) if features.graph is None else features.graph, "values": names})


def features_like(
    path: Path, catalogue: Catalogue, rows: NDArray[np.int32], *, encoders: Encoders, graph: ItemGraph, cache: Path
) -> ItemFeatures:
    """Make the features of a catalogue in the columns of those that save_features kept. `rows`: each item's row there, -1 for a new one.

    Items keep the graph vectors that they had. Those of new ones are turned onto the old axes, so that items known then and now come
    as close to themselves as they can (orthogonal Procrustes, Schonemann 1966). NotFound, StoreError.
    """
    from scipy.linalg import orthogonal_procrustes

    arrays = load_arrays(path)
    try:
        old, values = arrays["graph"], json.loads(arrays["values"].tobytes())
    except (KeyError, ValueError) as error:
        raise StoreError("The saved features are damaged; run `scenewise train` again.") from error
    features = features_of(catalogue, encoders=encoders, graph=graph if old.size else None, cache=cache, values=values)
    if features.graph is None:
        return features
    known = rows >= 0
    turn, _ = orthogonal_procrustes(features.graph[known], old[rows[known]])
    aligned = np.where(known[:, None], old[rows], features.graph @ turn)
    return replace(features, graph=aligned.astype(np.float32))
