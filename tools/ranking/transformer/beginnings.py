"""Where items stand before training."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_matrix, vstack

from scenewise.tools.collaborative.model import Sequences
from scenewise.tools.collaborative.neighbours import largest
from scenewise.tools.collaborative.pairs import Pairing, count_pairs
from scenewise.tools.graph.embedding import ItemGraph, embed
from scenewise.tools.ranking.transformer.network import Network

_PAIRING = Pairing(window=10, decay=0.9, backward=1.0, half_life_s=None)
_NEAR = 300


def place_items(network: Network, sequences: Sequences) -> None:
    """Give each item with events, that has none yet, a vector of length 1 for its id. The sequences have no scenes.

    In a new network that is the spectral embedding of the graph of transitions: items that follow each other come close. In one that
    goes on, it is the mean of the items that the new one follows or is followed by, so that the others stay where they are.
    """
    n_items, dim = network.ids.shape
    new = np.bincount(sequences.rows, minlength=n_items) > 0
    first = not network.known.any()
    new &= network.known[:, 0].numpy() == 0
    vectors = np.zeros((n_items, dim), dtype=np.float32)
    if network.config.spectral and new.any():
        pairs = _transitions(sequences, n_items)
        vectors = embed(ItemGraph(pairs, np.arange(n_items)), dim=dim) if first else pairs @ network.ids.detach().numpy()
    noise = torch.randn(n_items, dim).numpy()
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.where(lengths > 1e-6, vectors, noise)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with torch.no_grad():
        network.ids[new] = torch.from_numpy(vectors[new])
        network.known[new] = 1.0


def _transitions(sequences: Sequences, n_items: int) -> csr_matrix:
    """Count what comes near what, either way round: csr (n_items, n_items), symmetric, some 300 neighbours an item."""
    near = vstack([largest(by_scene[-1], _NEAR) for _, by_scene in count_pairs(sequences, n_items, _PAIRING)])
    return csr_matrix(near + near.T)
