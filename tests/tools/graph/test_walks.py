"""Personalised PageRank against networkx, and by hand."""

import time
from dataclasses import dataclass, field

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewise.store.types import Edge
from scenewise.tools.graph.aliases import Aliases
from scenewise.tools.graph.build import build_facts
from scenewise.tools.graph.walks import Walker

RELATIONS = ("directed_by", "in_genre", "in_domain", "starring")


@dataclass(frozen=True)
class Alone:
    """A scene that suits nothing: a node that may have no edge."""

    name: str
    domains: dict[str, float] = field(default_factory=dict)
    prefer: dict[str, tuple[str, ...]] = field(default_factory=dict)


def node(number: int) -> str:
    return f"scene:{number:05d}"


def make_walker(n: int, edges: list[tuple[int, int, int]]) -> Walker:
    facts = [Edge(node(left % n), RELATIONS[relation], node(right % n), "test", "", 0.5) for left, right, relation in edges]
    scenes = [Alone(node(i).removeprefix("scene:")) for i in range(n)]
    return Walker(build_facts([], facts, scenes, aliases=Aliases({}, ())))


def oracle(walker: Walker, seeds: dict[str, float], damping: float) -> np.ndarray:
    undirected = nx.from_scipy_sparse_array(walker.weights)
    personal = {row: seeds.get(walker.facts.name(row), 0.0) for row in range(walker.facts.n)}
    ranks = nx.pagerank(undirected, alpha=damping, personalization=personal, tol=1e-12, max_iter=500)
    return np.array([ranks[row] for row in range(walker.facts.n)])


edges_of = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(0, 3)), max_size=40)


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 12), edges_of, st.dictionaries(st.integers(0, 11), st.floats(0.1, 5.0), min_size=1, max_size=4))
def test_equals_networkx(n, edges, seeds):
    walker = make_walker(n, edges)
    start = {node(i % n): weight for i, weight in seeds.items()}
    share = walker.rank(start, tolerance=1e-12, max_steps=500)
    np.testing.assert_allclose(share, oracle(walker, start, 0.7), atol=1e-8)
    assert share.sum() == pytest.approx(1.0)


def test_two_nodes_by_hand():
    # x = d*y + (1-d), y = d*x  =>  x = 1/(1+d)
    walker = make_walker(2, [(0, 1, 0)])
    share = walker.rank({node(0): 1.0}, damping=0.5, tolerance=1e-12)
    np.testing.assert_allclose(share, [2 / 3, 1 / 3], atol=1e-9)


def test_no_known_seed_gives_zeros():
    walker = make_walker(3, [(0, 1, 0)])
    assert walker.rank({}).sum() == 0
    assert walker.rank({node(77): 1.0, node(1): -2.0}).sum() == 0


def test_an_edge_weighs_less_at_a_hub():
    star = [(0, leaf, 1) for leaf in range(1, 10)]
    walker = make_walker(12, [*star, (10, 11, 1)])
    hub, pair = walker.weights[0, 1], walker.weights[10, 11]
    assert hub == pytest.approx(0.5 * 0.5 / np.log2(11))
    assert pair == pytest.approx(0.5 * 0.5 / np.log2(3))


def test_speed_at_four_thousand_nodes_and_sixty_thousand_edges():
    rng = np.random.default_rng(0)
    ends = rng.integers(0, 4000, size=(60_000, 2))
    walker = make_walker(4000, [(int(a), int(b), 0) for a, b in ends])
    seeds = {node(i): 1.0 for i in range(200)}
    best = min(_seconds(walker, seeds) for _ in range(5))
    assert best < 0.05  # about 5 ms on an idle core; the bound leaves room for a busy machine


def _seconds(walker: Walker, seeds: dict[str, float]) -> float:
    start = time.perf_counter()
    walker.rank(seeds)
    return time.perf_counter() - start
