"""How fast and how large the graph is: made-up graphs whose degrees follow a power law, each loaded in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import ScenewiseError
from scenewise.store.store import Store
from scenewise.store.types import Edge, Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph
from scenewise.tools.scene.pack import default_pack

if TYPE_CHECKING:
    from scenewise.eval.turns import Progress

RELATIONS = ("directed_by", "written_by", "starring", "about", "in_genre", "has_mood", "award_won", "language", "produced_by")
KINDS = ("person", "topic", "genre", "mood", "award", "entity")
DOMAINS = ("movies", "books", "music", "recipes")
LIKED = 20
"""Items that a user of the made-up questions likes."""
_ITEMS = 0.4  # share of the nodes
_ACTIVE = 100  # changes in a row
_BLOCK = 10_000


class ChildFailed(ScenewiseError):
    """A process that measures ended without a result."""


def run(edges: int = 1_000_000, *, questions: int = 300, seed: int = 0, progress: Progress | None = None) -> dict[str, Any]:
    """Measure graphs of 10^4 edges and on, by powers of ten, up to `edges`; a tenth as many nodes each. Ready for JSON.

    Times are wall time in milliseconds, percentiles over `questions` of each sort; memory is what the whole process holds.
    """
    sizes = [size for size in (10_000, 100_000, 1_000_000, 10_000_000) if size < edges] + [edges]
    table = []
    for done, size in enumerate(sizes):
        if progress:
            progress(done, len(sizes))
        with TemporaryDirectory() as folder:
            _write(Path(folder) / "store", size, seed)
            words = [sys.executable, "-m", "scenewise.eval.graph_speed", f"{folder}/store", str(questions), str(seed)]
            ended = subprocess.run(words, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise ChildFailed("a process that measures the graph ended without a result; is there enough memory?")
        table.append(json.loads(ended.stdout))
    if progress:
        progress(len(sizes), len(sizes))
    return {
        "protocol": "made-up stores: a tenth as many nodes as edges, four in ten of them items, the ends of edges drawn by a power law "
        f"(p ~ 1/(rank + 10)^0.8), {len(RELATIONS)} relations; each graph is loaded from its store in a process of its own. Questions are "
        "about nodes drawn evenly and, apart, by their number of edges; paths lead from "
        f"{LIKED} liked items to another item, walks start from these; a change is one item with 10 edges, new or known, in turn",
        "units": "wall: milliseconds from asking to the answer; cpu: of these, the processor's",
        "seed": seed,
        "questions": questions,
        "sizes": table,
    }


def ends(n: int, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw `size` of n numbers by a power law, p(rank) ~ 1/(rank + 10)^0.8."""
    odds = 1.0 / (np.arange(n) + 10.0) ** 0.8
    return rng.choice(n, size=size, p=odds / odds.sum())


def made_up(edges: int, seed: int) -> tuple[list[Item], Iterator[Edge]]:
    """Make the items, without attributes of their own, and a stream of as many different facts as wanted."""
    rng = np.random.default_rng(seed)
    n_nodes = max(edges // 10, 100)
    n_items = int(_ITEMS * n_nodes)
    items = [Item(ItemId(f"{row:07}"), DOMAINS[row % len(DOMAINS)], f"Title {row}") for row in range(n_items)]
    others = [f"{KINDS[row % len(KINDS)]}:name {row}" for row in range(n_nodes - n_items - len(DOMAINS))]
    want = edges - n_items  # every item has a fact of its own: its domain
    keys = np.zeros(0, dtype=np.int64)
    while len(keys) < want:
        drawn = ends(n_items, 2 * want, rng) * len(others) + ends(len(others), 2 * want, rng)
        keys = np.unique(np.append(keys, drawn * len(RELATIONS) + rng.integers(0, len(RELATIONS), 2 * want)))
    keys = rng.permutation(keys)[:want]
    relation, pair = keys % len(RELATIONS), keys // len(RELATIONS)
    return items, _edges(pair, relation, others)


def _edges(pair: NDArray[np.int64], relation: NDArray[np.int64], others: Sequence[str]) -> Iterator[Edge]:
    for start in range(0, len(pair), _BLOCK):
        block = slice(start, start + _BLOCK)
        for one, code in zip(pair[block].tolist(), relation[block].tolist(), strict=True):
            yield Edge(f"item:{one // len(others):07}", RELATIONS[code], others[one % len(others)], "made up")


def _write(folder: Path, edges: int, seed: int) -> None:
    items, facts = made_up(edges, seed)
    with Store.open(folder, create=True, purpose="graph-speed") as store:
        store.items.upsert(items)
        store.edges.add(facts)


def measure(folder: Path, questions: int, seed: int) -> dict[str, Any]:
    """Load the graph of one store and ask it everything; ready for JSON."""
    with Store.open(folder, read_only=True) as store:
        catalogue = Catalogue.from_store(store)
        before, begun, cpu = _resident_mb(), time.perf_counter(), time.process_time()
        graph = KnowledgeGraph.from_store(store, catalogue, default_pack())
    load_s, load_cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    first_walk = _timed(lambda: graph.candidates({f"item:{catalogue.items[0].item_id}": 1.0}, 20))
    held, peak = _resident_mb(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rng = np.random.default_rng(seed + 1)
    return {
        "nodes": graph.n_nodes,
        "edges": graph.n_edges,
        "load_s": round(load_s, 2),
        "load_cpu_s": round(load_cpu_s, 2),
        "resident_mb": round(held, 1),
        "graph_mb": round(held - before, 1),
        "peak_mb": round(peak, 1),
        "first_walk_ms": _percentiles([first_walk]),
        **_questions(graph, questions, rng),
        **_changes(graph, rng),
    }


def _questions(graph: KnowledgeGraph, n: int, rng: np.random.Generator) -> dict[str, Any]:
    nodes = [graph.facts.name(node) for node in rng.permutation(np.flatnonzero(graph.facts.alive))[:n].tolist()]
    owners, _ = graph.facts.visible()
    busy = [graph.facts.name(node) for node in rng.choice(owners, n).tolist()]
    ids = [item.item_id for item in graph.catalogue.items]
    users = [[ids[row] for row in dict.fromkeys(ends(len(ids), LIKED, rng).tolist())] for _ in range(n)]
    targets = [ids[row] for row in rng.integers(0, len(ids), n).tolist()]
    found = [graph.path(liked, target) for liked, target in zip(users[:50], targets[:50], strict=True)]
    return {
        "neighbours_ms": _percentiles([_timed(lambda node=node: graph.neighbours(node)) for node in nodes]),  # type: ignore[misc]
        "neighbours_by_facts_ms": _percentiles([_timed(lambda node=node: graph.neighbours(node)) for node in busy]),  # type: ignore[misc]
        "paths_ms": _percentiles(
            [_timed(lambda u=user, t=target: graph.path(u, t)) for user, target in zip(users, targets, strict=True)]  # type: ignore[misc]
        ),
        "paths_found": round(sum(path is not None for path in found) / len(found), 3),
        "pagerank_ms": _percentiles([_timed(lambda u=user: graph.walker.rank({f"item:{one}": 1.0 for one in u})) for user in users[:100]]),  # type: ignore[misc]
    }


def _changes(graph: KnowledgeGraph, rng: np.random.Generator) -> dict[str, Any]:
    """Upsert items one by one, every other one new, each on top of the change before it."""
    catalogue, times, walks = graph.catalogue, [], []
    others = [graph.facts.name(node) for node in np.flatnonzero(graph.facts.alive & ~graph.facts.is_item).tolist()]
    for number in range(_ACTIVE):
        item = catalogue.items[int(rng.integers(0, catalogue.n))]
        if number % 2 == 0:
            item = Item(ItemId(f"new {number}"), DOMAINS[0], f"New {number}", attributes={"genre": ("new",)})
            catalogue = Catalogue.from_items([*catalogue.items, item])
        facts = [Edge(f"item:{item.item_id}", RELATIONS[at % 9], others[to], "made up") for at, to in enumerate(ends(len(others), 10, rng))]
        graph, taken = _changed(graph, catalogue, item, facts)
        times.append(taken)
        if number % 20 == 0:
            walks.append(_timed(lambda g=graph, i=item: g.candidates({f"item:{i.item_id}": 1.0}, 20)))  # type: ignore[misc]
    return {"upsert_ms": _percentiles(times), "first_walk_after_upsert_ms": _percentiles(walks)}


def _changed(graph: KnowledgeGraph, catalogue: Catalogue, item: Item, facts: list[Edge]) -> tuple[KnowledgeGraph, tuple[float, float]]:
    after: list[KnowledgeGraph] = []
    taken = _timed(lambda: after.append(graph.changed(catalogue, [item], [], facts)))
    return after[0], taken


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of wall and of processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)


def _percentiles(times: list[tuple[float, float]]) -> dict[str, float]:
    p50, p95, most = np.percentile(times, [50, 95, 100], axis=0)
    pairs = {"p50": p50[0], "p95": p95[0], "max": most[0], "p50_cpu": p50[1], "p95_cpu": p95[1]}
    return {name: round(float(value), 3) for name, value in pairs.items()}


def _resident_mb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
