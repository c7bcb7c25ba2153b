"""Vectors of items from the graph around them: items that share rare neighbours come close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from scenewise.store.errors import InputError
from scenewise.tools.tfidf import lengths_of, tfidf

if TYPE_CHECKING:
    from scenewise.tools.graph.graph import KnowledgeGraph

Vectors = NDArray[np.float32]
_SPARE, _STEPS = 16, 12  # subspace iteration: columns beyond those wanted, and rounds
_BLOCK = 1_000  # items whose neighbours' neighbours are held at a time


@dataclass(frozen=True, eq=False)
class ItemGraph:
    """`weights`: csr float (n_nodes, n_nodes), symmetric, not negative; `node_of_item`: int (n_items,), each item's node, -1 for none."""

    weights: csr_matrix
    node_of_item: NDArray[np.integer]

    def __post_init__(self) -> None:
        if self.weights.shape[0] != self.weights.shape[1] or self.node_of_item.max(initial=-1) >= self.weights.shape[0]:
            raise InputError("A graph of items needs a square matrix that has a row for each item's node.")

    @classmethod
    def of(cls, graph: KnowledgeGraph) -> ItemGraph:
        """Take the catalogue's knowledge graph with the weights of its walks; items are in the catalogue's order."""
        alive = np.flatnonzero(graph.facts.alive)
        return cls(csr_matrix(graph.walker.weights[alive][:, alive]), np.searchsorted(alive, graph.item_numbers).astype(np.int32))


def embed(graph: ItemGraph, *, dim: int = 64, restart: float = 0.3, seed: int = 0) -> Vectors:
    """Place items so that dot products follow personalised PageRank: float32 (n_items, dim), rows of length 1, zeros for items
    without edges.

    With S = D^-1/2 A D^-1/2 = U L U', walks of one step or more that stop with probability `restart` see (symmetrised)
    (I - (1 - restart) S)^-1 - I; its best positive form of rank `dim` keeps the largest L (the spectral view of node2vec-like
    models: Qiu et al. 2018, section 2, with the resolvent in place of a window's sum).
    """
    weights, nodes = graph.weights.astype(np.float64), graph.node_of_item
    out = np.zeros((len(nodes), dim), dtype=np.float32)
    known = nodes >= 0
    if not weights.nnz or not known.any():
        return out
    degree = np.asarray(weights.sum(axis=1)).ravel()
    half = diags_array(1.0 / np.sqrt(np.maximum(degree, 1e-12)))
    values, vectors = _leading(csr_matrix(half @ weights @ half), dim, seed)
    stays = (1.0 - restart) * np.maximum(values, 0.0)
    vectors *= np.sqrt(stays / (1.0 - stays))
    out[known, : len(values)] = vectors[nodes[known]] * (degree[nodes[known], None] > 0)
    return unit_rows(out)


def describe_surroundings(graph: ItemGraph, *, dim: int = 256, second: float = 0.7, seed: int = 0) -> Vectors:
    """Say what stands around each item: float32 (n_items, dim), rows of length 1, zeros for items without edges.

    Latent semantic analysis (Deerwester et al. 1990) of items as documents whose words are their neighbours and, `second` times as
    much, the neighbours of those, each weighed by TF-IDF: the `dim` best directions of that matrix, which is never written out.
    """
    out = np.zeros((len(graph.node_of_item), dim), dtype=np.float32)
    items = np.flatnonzero(graph.node_of_item >= 0)
    if not graph.weights.nnz or not len(items):
        return out
    words = tfidf(csr_matrix(graph.weights))  # (n_nodes, n_nodes)
    first = csr_matrix(words[graph.node_of_item[items]])
    lengths = [lengths_of(csr_matrix(first[start : start + _BLOCK] @ words)) for start in range(0, len(items), _BLOCK)]
    scale = diags_array(second / np.maximum(np.concatenate(lengths), 1e-12))
    one, two = aslinearoperator(first), aslinearoperator(csr_matrix(scale @ first)) @ aslinearoperator(words)
    values, vectors = _leading(one @ one.T + two @ two.T, dim, seed)
    out[items, : len(values)] = vectors * np.sqrt(np.maximum(values, 0.0))
    return unit_rows(out)


def _leading(matrix: csr_matrix | LinearOperator, k: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the k largest eigenvalues, in [-1, 1], and their vectors by subspace iteration (Halko, Martinsson & Tropp 2011), which, unlike
    Lanczos, finds all copies of an eigenvalue: every part of the graph that hangs alone has its own 1."""
    n = matrix.shape[0]
    basis = np.random.default_rng(seed).standard_normal((n, min(n, k + _SPARE)))
    for _ in range(_STEPS):
        basis = np.linalg.qr(matrix @ basis + basis)[0]  # + basis: the most negative ones come last
    values, inner = np.linalg.eigh(basis.T @ (matrix @ basis))
    return values[::-1][:k], (basis @ inner[:, ::-1])[:, :k]


def unit_rows(matrix: Vectors) -> Vectors:
    """Bring each row to length 1; zeros stay."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.where(lengths > 1e-9, lengths, 1.0), dtype=np.float32)
