"""The knowledge graph in memory: a cache of the store that can be rebuilt at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from scenewise.store.errors import InputError
from scenewise.store.types import Edge, Event, ItemId, Profile, Taste
from scenewise.tools.candidates import Candidate, Candidates
from scenewise.tools.graph.aliases import load_aliases
from scenewise.tools.graph.build import Scene, build_graph, item_node
from scenewise.tools.graph.paths import PLAIN, GraphPath, PathFinder
from scenewise.tools.graph.relations import describe
from scenewise.tools.graph.seeds import weigh_seeds
from scenewise.tools.graph.walks import Walker

if TYPE_CHECKING:
    from scenewise.store.store import Store
    from scenewise.tools.catalogue.catalogue import Catalogue
    from scenewise.tools.scene.pack import ScenePack

SOURCE = "graph"
NEAR_NAME = 85.0
"""Least rapidfuzz ratio (0..100) at which a name is taken for another."""

REASONED = 10
KEPT_WALKS = 16


class KnowledgeGraph:
    """Items, what is known of them, and scenes. `graph` is a networkx.MultiDiGraph, not to be changed; `walker` walks it."""

    def __init__(self, catalogue: Catalogue, graph: Any) -> None:
        self.catalogue = catalogue
        self.graph = graph
        self.walker = Walker(graph)
        self._aliases = load_aliases()
        self._paths = PathFinder(graph)
        self._rows = np.array([self.walker.index[item_node(item.item_id)] for item in catalogue.items], dtype=np.int64)
        self._walks: dict[tuple[tuple[str, float], ...], NDArray[np.float64]] = {}
        self._lock = Lock()
        self._names: dict[str, dict[str, str]] = {}
        for node, data in graph.nodes(data=True):
            if data["named"] and data["kind"] != "item":
                self._names.setdefault(data["kind"], {})[node] = node.partition(":")[2]

    @classmethod
    def from_store(cls, store: Store, catalogue: Catalogue, pack: ScenePack) -> KnowledgeGraph:
        """Build from the catalogue, the store's open edges (`valid_to_s` is None) and the pack's scenes; raises StoreError."""
        return cls.build(catalogue, (edge for edge in store.edges.all() if edge.valid_to_s is None), pack.scenes)

    @classmethod
    def build(cls, catalogue: Catalogue, edges: Iterable[Edge] = (), scenes: Sequence[Scene] = ()) -> KnowledgeGraph:
        """Build from parts; edges that name an unknown item are left out."""
        return cls(catalogue, build_graph(catalogue.items, edges, scenes, aliases=load_aliases()))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of named nodes that items point to ("genre", "creator", "decade", ...), sorted."""
        return tuple(sorted(kind for kind in self._names if kind != "scene"))

    @property
    def relations(self) -> tuple[str, ...]:
        """The relations that items have, sorted."""
        edges = self.graph.edges(keys=True)
        return tuple(sorted({relation for subject, obj, relation in edges if "item:" in (subject[:5], obj[:5])}))

    def display(self, node: str) -> str:
        """Give the node's name as shown to a person; raises InputError for an unknown node."""
        if node not in self.graph:
            raise InputError("There is no such node; find one with resolve() or neighbours().")
        return str(self.graph.nodes[node]["display"])

    def neighbours(self, node: str, relation: str | None = None) -> list[tuple[str, str, str]]:
        """List (relation, node, display) around a node in either direction, sorted; empty for an unknown node."""
        if node not in self.graph:
            return []
        around = {(rel, other) for _, other, rel in self.graph.out_edges(node, keys=True)}
        around |= {(rel, other) for other, _, rel in self.graph.in_edges(node, keys=True)}
        return [(rel, other, self.display(other)) for rel, other in sorted(around) if relation in (None, rel)]

    def shared(self, left: ItemId, right: ItemId) -> list[tuple[str, str, str]]:
        """List (relation, node, display) that two items have in common, the most telling first."""
        pairs = self._paths.shared(item_node(left), item_node(right))
        return [(relation, node, self.display(node)) for relation, node in pairs]

    def path(self, from_items: Sequence[ItemId], item_id: ItemId, *, max_hops: int = 4, locale: str = "en") -> GraphPath | None:
        """Find the most specific readable path from one of the items, the best liked first, to `item_id`, or None.

        `max_hops` counts edges; `locale` "zh" gives a Chinese clause, any other an English one.
        """
        return self._paths.best([item_node(liked) for liked in from_items], item_node(item_id), max_hops=max_hops, locale=locale)

    def resolve(self, kind: str | None, value: str) -> str | None:
        """Find the named node that a person means: the same name, an alias, or the nearest spelling (ratio 85 of 100 or more)."""
        kinds = [kind.casefold()] if kind is not None else list(self.kinds)
        for name in kinds:
            node = f"{name}:{self._aliases.canonical(name, value)}"
            if node in self._names.get(name, {}):
                return node
        best: tuple[float, str] | None = None
        for name in kinds:
            folded = self._aliases.canonical(name, value)
            found = process.extractOne(folded, self._names.get(name, {}), scorer=fuzz.ratio, score_cutoff=NEAR_NAME)
            if found is not None and (best is None or found[1] > best[0]):
                best = (found[1], found[2])
        return best[1] if best else None

    def seeds_from(self, history: Sequence[Event], profile: Profile, scene: str | None = None) -> dict[str, float]:
        """Weigh where a user's walk starts (weights > 0): liked items by rating and recency, stated likes, the scene's node."""
        scene_node = self.resolve("scene", scene) if scene else None
        return weigh_seeds(history, profile, scene_node, resolve=self._taste_node, disliked=self._carries)

    def candidates(
        self,
        seeds: Mapping[str, float],
        k: int,
        *,
        allowed: NDArray[np.bool_] | None = None,
        exclude: Set[ItemId] = frozenset(),
        locale: str = "en",
    ) -> Candidates:
        """Rank items by personalised PageRank from `seeds`, best first, source "graph"; ties by item id.

        `allowed` is bool (n_items,) over the catalogue's rows; items in `exclude` and items that are seeds are left out. Empty
        where no seed is a node. Raises InputError for an `allowed` of another length or k < 1.
        """
        if k < 1 or (allowed is not None and allowed.shape != (self.catalogue.n,)):
            raise InputError("candidates() needs k >= 1 and one allowed flag per catalogue item.")
        scores = self._walk(seeds)[self._rows]  # (n_items,)
        open_ = scores > 0 if allowed is None else (scores > 0) & allowed
        liked = [node for node, _ in sorted(seeds.items(), key=lambda pair: -pair[1]) if node.startswith("item:")]
        barred = {*exclude, *(node.removeprefix("item:") for node in liked)}
        rows: list[Candidate] = []
        for row in _highest(scores, np.flatnonzero(open_), k + len(barred)):
            item_id = self.catalogue.items[row].item_id
            if len(rows) == k:
                break
            if item_id not in barred:
                # A reason costs more than the walk; only the first few can reach a list.
                reason = self._reason(item_id, liked, seeds, locale) if len(rows) < REASONED else ""
                rows.append(Candidate(item_id, SOURCE, float(scores[row]), reason))
        return Candidates(tuple(rows))

    def _walk(self, seeds: Mapping[str, float]) -> NDArray[np.float64]:
        """The walk from these seeds, kept for the next calls: a turn asks for the same one in several domains."""
        key = tuple(sorted(seeds.items()))
        with self._lock:
            kept = self._walks.get(key)
        if kept is None:
            kept = self.walker.rank(seeds)
            with self._lock:
                self._walks[key] = kept
                while len(self._walks) > KEPT_WALKS:
                    del self._walks[next(iter(self._walks))]
        return kept

    def _reason(self, item_id: ItemId, liked: Sequence[str], seeds: Mapping[str, float], locale: str) -> str:
        node = item_node(item_id)
        path = self._paths.best(liked, node, max_hops=2, locale=locale)
        if path is not None and path.strength >= PLAIN:
            return path.sentence
        around = self.neighbours(node)
        near = [(seeds[other], other, rel) for rel, other, _ in around if other in seeds and not other.startswith("item:")]
        if near:
            _, other, relation = max(near)
            phrase = describe(relation).phrase
            return phrase.format(value=self.display(other)) if phrase and locale != "zh" else self.display(other)
        return path.sentence if path is not None else ""

    def _taste_node(self, taste: Taste) -> str | None:
        if taste.attribute == "item":
            node = item_node(taste.value)
            return node if node in self.graph else None
        return self.resolve(taste.attribute, taste.value)

    def _carries(self, node: str, avoid: frozenset[str]) -> bool:
        return bool(avoid) and node in self.graph and not avoid.isdisjoint(self.graph.successors(node))


def _highest(scores: NDArray[np.float64], rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return at least the k rows of the highest scores where there are so many, best first, ties by row."""
    if len(rows) > k:
        rows = rows[scores[rows] >= np.partition(scores[rows], -k)[-k]]
    return rows[np.argsort(-scores[rows], kind="stable")]
