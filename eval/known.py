"""What a data set says of its items besides behaviour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from scenewise.eval.dataset import Dataset, Triples
from scenewise.tools.features import ItemFeatures, features_of
from scenewise.tools.graph.embedding import ItemGraph
from scenewise.tools.retrieval.encoders import default_encoders


def known_features(dataset: Dataset, *, text: bool = True, cache: Path | None = None) -> ItemFeatures | None:
    """Gather attributes, texts (where there are more than ids) and graph; None where nothing of these is known. `cache` is the
    folder that keeps the vectors of texts."""
    told = any(item.text or item.title != item.item_id for item in dataset.catalogue.items)
    graph = None if dataset.graph is None else item_graph(dataset.graph)
    features = features_of(dataset.catalogue, encoders=default_encoders() if text and told else None, graph=graph, cache=cache)
    return features if features.attributes.nnz or features.text is not None or features.graph is not None else None


def item_graph(triples: Triples) -> ItemGraph:
    """Read triples as a plain graph: symmetric, weights 1, no loops."""
    n = len(triples.entities)
    apart = triples.heads != triples.tails
    weights = csr_matrix((np.ones(apart.sum(), dtype=np.float32), (triples.heads[apart], triples.tails[apart])), shape=(n, n))
    weights = csr_matrix(weights + weights.T)
    weights.data[:] = 1.0
    return ItemGraph(weights, triples.entity_of_item)
