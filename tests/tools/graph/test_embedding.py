"""Graph vectors: against the resolvent they approximate, and by what the eye sees."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError
from scenewise.store.types import Edge, Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph
from scenewise.tools.graph.embedding import ItemGraph, describe_surroundings, embed
from scenewise.tools.tfidf import tfidf


def two_rooms() -> ItemGraph:
    """Items 0..2 hang on node 5, items 3 and 4 on node 6; item 5 is node 7, alone; item 6 has no node."""
    weights = np.zeros((8, 8))
    for item, node in ((0, 5), (1, 5), (2, 5), (3, 6), (4, 6)):
        weights[item, node] = weights[node, item] = 1.0
    return ItemGraph(csr_matrix(weights), np.asarray([0, 1, 2, 3, 4, 7, -1]))


def test_items_of_one_room_are_alike_and_unknown_ones_zero() -> None:
    vectors = embed(two_rooms(), dim=4)
    assert vectors.shape == (7, 4)
    alike = vectors @ vectors.T
    assert alike[0, 1] > 0.9
    assert alike[3, 4] > 0.9
    assert abs(alike[0, 3]) < 1e-4
    assert not vectors[5:].any()
    assert np.linalg.norm(vectors[:5], axis=1) == pytest.approx(np.ones(5))


def test_full_rank_gives_the_cosines_of_the_walks() -> None:
    rng = np.random.default_rng(1)
    weights = rng.random((6, 6)) * (rng.random((6, 6)) < 0.7)
    weights = np.triu(weights, 1) + np.triu(weights, 1).T
    half = np.diag(weights.sum(axis=1) ** -0.5)
    values, vectors = np.linalg.eigh(half @ weights @ half)
    positive = vectors * np.maximum(values, 0) @ vectors.T  # what is negative repels, and no vector can say that
    walks = np.linalg.inv(np.eye(6) - 0.7 * positive) - np.eye(6)
    scale = np.sqrt(np.diag(walks))
    found = embed(ItemGraph(csr_matrix(weights), np.arange(6)), dim=6, restart=0.3)
    assert found @ found.T == pytest.approx(walks / np.outer(scale, scale), abs=1e-5)


def test_same_seed_same_vectors() -> None:
    np.testing.assert_array_equal(embed(two_rooms(), dim=3, seed=2), embed(two_rooms(), dim=3, seed=2))


def test_surroundings_are_neighbours_and_theirs() -> None:
    rng = np.random.default_rng(3)
    weights = np.triu(rng.random((30, 30)) < 0.2, 1).astype(float)
    graph = ItemGraph(csr_matrix(weights + weights.T), np.asarray([4, -1, *range(10, 20)]))
    words = tfidf(graph.weights).toarray()
    first = words[[4, *range(10, 20)]]
    second = first @ words
    second *= 0.5 / np.linalg.norm(second, axis=1, keepdims=True)
    both = np.hstack([first, second])
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    found = describe_surroundings(graph, dim=30, second=0.5)
    assert found.shape == (12, 30)
    assert not found[1].any()
    known = np.delete(found, 1, axis=0)
    assert known @ known.T == pytest.approx(both @ both.T, abs=1e-4)


@pytest.mark.parametrize("describe", [embed, describe_surroundings])
@pytest.mark.parametrize("n", [0, 1])
def test_tiny_graphs_say_nothing(n: int, describe: Callable[..., np.ndarray]) -> None:
    assert not describe(ItemGraph(csr_matrix((n, n)), np.zeros(1, dtype=np.int32) - 1), dim=4).any()


def test_an_item_beyond_the_matrix_is_refused() -> None:
    with pytest.raises(InputError):
        ItemGraph(csr_matrix((2, 2)), np.asarray([2]))


def test_the_catalogues_graph_brings_works_of_one_creator_together() -> None:
    films = [Item(ItemId(name), "movies", name) for name in "abcd"]
    edges = [Edge(f"item:{name}", "directed_by", f"person:{person}", "test") for name, person in zip("abcd", "xxyy", strict=True)]
    alike = (lambda v: v @ v.T)(embed(ItemGraph.of(KnowledgeGraph.build(Catalogue.from_items(films), edges)), dim=4))
    assert alike[0, 1] > alike[0, 2]
    assert alike[2, 3] > alike[2, 1]
