"""The knowledge graph in memory: a cache of the store that can be rebuilt at any time."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from scenewise.store.errors import InputError
from scenewise.store.types import Edge, Event, Item, ItemId, Profile, Taste
from scenewise.tools.candidates import Candidate, Candidates
from scenewise.tools.graph.aliases import Aliases, load_aliases
from scenewise.tools.graph.build import Scene, build_facts, item_node
from scenewise.tools.graph.change import change_facts
from scenewise.tools.graph.facts import Facts
from scenewise.tools.graph.fits import SceneOf, events_with_moments, fit_edges
from scenewise.tools.graph.interests import Interest, interests_of
from scenewise.tools.graph.paths import PLAIN, GraphPath, PathFinder
from scenewise.tools.graph.relations import describe
from scenewise.tools.graph.resolution import alias_table
from scenewise.tools.graph.schema import store_schema
from scenewise.tools.graph.seeds import weigh_seeds
from scenewise.tools.graph.view import nearest, view_of
from scenewise.tools.graph.walks import Walker

if TYPE_CHECKING:
    from scenewise.store.store import Store
    from scenewise.tools.catalogue.catalogue import Catalogue
    from scenewise.tools.scene.pack import ScenePack

SOURCE = "graph"
NEAR_NAME = 85.0
"""Least rapidfuzz ratio (0..100) at which a name is taken for another."""

REASONED = 10
KEPT_SEEDS = 16
KEPT_BYTES = 32_000_000
"""How much the kept walks of a graph may hold: a conversation often asks for the same one again."""
INTERESTS = 10
"""How many of a user's interests start a walk."""


class KnowledgeGraph:
    """Items, what is known of them, and scenes, at one state of the catalogue and the store. Nothing that is asked changes it.

    `facts` is the kept form (tools/graph/facts.py); `graph` and `around()` give networkx.
    """

    def __init__(self, catalogue: Catalogue, facts: Facts, *, aliases: Aliases | None = None, earlier: Walker | None = None) -> None:
        self.catalogue = catalogue
        self.facts = facts
        self._aliases = aliases or load_aliases()
        self._paths = PathFinder(facts)
        self._earlier = earlier if earlier is not None and earlier.facts.base is facts.base else None
        self._walks: dict[tuple[tuple[str, float], ...], NDArray[np.float64]] = {}
        self._seeds: deque[tuple[Sequence[Event], Profile, str | None, dict[str, float]]] = deque(maxlen=KEPT_SEEDS)
        self._lock = Lock()

    @classmethod
    def from_store(
        cls, store: Store, catalogue: Catalogue, pack: ScenePack, *, scene_of: SceneOf | None = None, as_of_s: float | None = None
    ) -> KnowledgeGraph:
        """Build from the catalogue, the store's edges that hold now and the pack's scenes; raises StoreError, InputError for graph.toml.

        `scene_of` reads the scenes of past events, from which `item -fits-> scene` follows (see fits.py). With `as_of_s` the edges are
        those that held at that time, the events those until then; the items are today's, as the store keeps no others.
        """
        edges = store.edges.holding(as_of_s, single=store_schema(store.path).singles)
        fits = fit_edges(events_with_moments(store, until_s=as_of_s), scene_of) if scene_of is not None else []
        names = load_aliases(alias_table(store.merges.names()))
        return cls.build(catalogue, (edge for part in (edges, fits) for edge in part), pack.scenes, aliases=names)

    @classmethod
    def build(
        cls, catalogue: Catalogue, edges: Iterable[Edge] = (), scenes: Sequence[Scene] = (), *, aliases: Aliases | None = None
    ) -> KnowledgeGraph:
        """Build from parts; edges that name an unknown item are left out."""
        aliases = aliases or load_aliases()
        return cls(catalogue, build_facts(catalogue.items, edges, scenes, aliases=aliases), aliases=aliases)

    def changed(
        self,
        catalogue: Catalogue,
        items: Iterable[Item],
        removed: Iterable[ItemId],
        edges: Iterable[Edge],
        *,
        nodes: Iterable[str] = (),
    ) -> KnowledgeGraph:
        """Make the graph after a change; this one stays as it is, for those who still read it, and shares what did not change.

        `catalogue` is the catalogue after the change, `items` those of it that are new or different, `removed` the ids that are gone.
        `edges` are all facts that now hold for the nodes of `items` and for `nodes` ("type:key": what else changed, such as the two
        ends of a fact that was closed): they take the place of what was stored for those nodes. An edge that touches none of them is
        added, or replaces what it says. Those of confidence 0 and those that touch an item outside `catalogue` count as not there.
        What people did (`fits`) stays until the graph is built anew. A change takes some milliseconds, and the whole time of a layout
        (under a second for a million edges) once in some thousands of changed nodes.
        """
        known: Container[str] = catalogue.columns.row_of.keys()
        facts = change_facts(self.facts, [*items], removed, edges, nodes, known=known, aliases=self._aliases)
        earlier: Walker | None = self.__dict__.get("walker", self._earlier)  # where none has walked yet, the walks before
        return KnowledgeGraph(catalogue, facts, aliases=self._aliases, earlier=earlier)

    @cached_property
    def graph(self) -> Any:
        """The whole graph as networkx.MultiDiGraph, made when first asked for; some 550 bytes an edge."""
        return view_of(self.facts, self.facts.nodes())

    def around(self, node: str, hops: int = 1, *, limit: int | None = None) -> Any:
        """The neighbourhood of a node as networkx.MultiDiGraph, with the facts among its nodes; empty for an unknown node.

        `limit` is the most nodes; the nearer come first, and of these the more telling ones (see view.py).
        """
        start = self.facts.find(node)
        return view_of(self.facts, nearest(self.facts, start, hops=hops, limit=limit) if start is not None else ())

    @cached_property
    def walker(self) -> Walker:
        """Walks over the graph; made at the first walk, from those of the graph before where it had some."""
        made, self._earlier = Walker(self.facts, self._earlier), None
        return made

    @property
    def n_nodes(self) -> int:
        """How many nodes there are."""
        return int(self.facts.alive.sum())

    @cached_property
    def n_edges(self) -> int:
        """How many facts there are; what two kinds of sources say alike counts once for each."""
        return int(self.facts.visible()[1].forward.sum())

    @cached_property
    def _names(self) -> Mapping[str, Mapping[str, str]]:
        """Keys by node by kind, of nodes that have a name, without items; in order."""
        found: dict[str, dict[str, str]] = {}
        for name in sorted(map(self.facts.name, self.facts.nodes())):
            kind, _, key = name.partition(":")
            if kind != "item":
                found.setdefault(kind, {})[name] = key
        return {kind: names for kind, names in found.items() if not self.facts.is_nameless(self._number(next(iter(names))))}

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of named nodes that items point to ("genre", "creator", "decade", ...), sorted."""
        return tuple(sorted(kind for kind in self._names if kind != "scene"))

    @cached_property
    def relations(self) -> tuple[str, ...]:
        """The relations that items have, sorted."""
        owners, row = self.facts.visible()
        codes = np.unique(row.relation[self.facts.is_item[owners]])
        return tuple(sorted(self.facts.relations[code] for code in codes.tolist()))

    def _number(self, node: str) -> int:
        found = self.facts.find(node)
        if found is None:
            raise InputError("There is no such node; find one with resolve() or neighbours().")
        return found

    def __contains__(self, node: object) -> bool:
        return isinstance(node, str) and self.facts.find(node) is not None

    def display(self, node: str) -> str:
        """Give the node's name as shown to a person; raises InputError for an unknown node."""
        return self.facts.display(self._number(node))

    def neighbours(self, node: str, relation: str | None = None) -> list[tuple[str, str, str]]:
        """List (relation, node, display) around a node in either direction, sorted; empty for an unknown node."""
        number = self.facts.find(node)
        if number is None:
            return []
        row = self.facts.row(number)
        if relation is not None:
            row = row.take(row.relation == self.facts.code(relation))
        facts, found, last = self.facts, [], (-1, -1)
        for code, other in zip(row.relation.tolist(), row.other.tolist(), strict=True):
            if (code, other) != last:
                found.append((facts.relations[code], facts.name(other), facts.display(other)))
                last = code, other
        return found

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
            if name != "item" and node in self and not self.facts.is_nameless(self._number(node)):
                return node
        best: tuple[float, str] | None = None
        for name in kinds:
            folded = self._aliases.canonical(name, value)
            found = process.extractOne(folded, self._names.get(name, {}), scorer=fuzz.ratio, score_cutoff=NEAR_NAME)
            if found is not None and (best is None or found[1] > best[0]):
                best = (found[1], found[2])
        return best[1] if best else None

    def interests(self, history: Sequence[Event], profile: Profile) -> list[Interest]:
        """List what a user likes (`user -likes-> concept`), the strongest first; computed from history and profile, kept nowhere."""
        avoid = frozenset(node for taste in profile.dislikes if (node := self._taste_node(taste)) is not None)
        return self._interests(history, profile, avoid)

    def _interests(self, history: Sequence[Event], profile: Profile, avoid: frozenset[str]) -> list[Interest]:
        stated: dict[str, float] = {}
        for taste in profile.likes:
            node = self._taste_node(taste)
            if node is not None and node not in avoid and taste.strength > 0:
                stated[node] = max(stated.get(node, 0.0), min(taste.strength, 1.0))
        return interests_of(self.facts, history, profile, stated=stated, avoided=avoid)

    def seeds_from(self, history: Sequence[Event], profile: Profile, scene: str | None = None) -> dict[str, float]:
        """Weigh where a user's walk starts (weights > 0): liked items by rating and recency, interests, stated likes, the scene's node.

        They are kept for the next calls with these very objects: a turn asks several times.
        """
        for one in tuple(self._seeds) if isinstance(history, tuple) else ():
            if one[0] is history and one[1] is profile and one[2] == scene:
                return one[3]
        scene_node = self.resolve("scene", scene) if scene else None

        def interests(avoid: frozenset[str]) -> dict[str, float]:
            found = [one for one in self._interests(history, profile, avoid) if one.source == "history"]
            return {one.node: one.strength for one in found[:INTERESTS]}

        seeds = weigh_seeds(history, profile, scene_node, resolve=self._taste_node, disliked=self._carries, interests=interests)
        self._seeds.append((history, profile, scene, seeds))
        return seeds

    def let_go(self) -> None:
        """Forget the seeds and walks that are kept: they are of users."""
        with self._lock:
            self._seeds.clear()
            self._walks.clear()

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
        scores = self._walk(seeds)[self.item_numbers]  # (n_items,)
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

    @cached_property
    def item_numbers(self) -> NDArray[np.int64]:
        """The number of each catalogue row's node: int64 (n_items,). Both are in the order of ids but for the latest nodes."""
        known = len(self.facts.base.names)
        nodes = np.flatnonzero(self.facts.is_item)
        late = nodes[nodes >= known].tolist()
        row_of = self.catalogue.columns.row_of
        places = [row_of[ItemId(self.facts.name(node).removeprefix("item:"))] for node in late]
        rows = np.empty(self.catalogue.n, dtype=np.int64)
        early = np.ones(self.catalogue.n, dtype=np.bool_)
        early[places] = False
        rows[early], rows[places] = nodes[nodes < known], late
        return rows

    def _walk(self, seeds: Mapping[str, float]) -> NDArray[np.float64]:
        """The walk from these seeds, kept for the next calls: a turn asks for the same one in several domains."""
        key = tuple(sorted(seeds.items()))
        with self._lock:
            kept = self._walks.get(key)
        if kept is None:
            kept = self.walker.rank(seeds)
            with self._lock:
                self._walks[key] = kept
                while len(self._walks) > 1 and len(self._walks) * kept.nbytes > KEPT_BYTES:
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
            return node if node in self else None
        return self.resolve(taste.attribute, taste.value)

    def _carries(self, node: str, avoid: frozenset[str]) -> bool:
        number = self.facts.find(node) if avoid else None
        return number is not None and any(self.facts.name(other) in avoid for other in self.facts.row(number).other.tolist())


def _highest(scores: NDArray[np.float64], rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return at least the k rows of the highest scores where there are so many, best first, ties by row."""
    if len(rows) > k:
        rows = rows[scores[rows] >= np.partition(scores[rows], -k)[-k]]
    return rows[np.argsort(-scores[rows], kind="stable")]
