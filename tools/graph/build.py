"""Build the graph: items' own data first, then the store's facts, then related names and the scenes. No LLM takes part.

Every fact runs from the thing to what is said of it and carries `confidence` in (0, 1]. Nodes are "type:key".
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import Edge, Item
from scenewise.tools.graph.aliases import Aliases
from scenewise.tools.graph.facts import ALIASES, CATALOGUE, DERIVED, NAMELESS, NO_FORM, SCENES, TYPES, WISHES, Base, Facts, Row, most_used
from scenewise.tools.graph.relations import SILENT, relation_of


class Scene(Protocol):
    """What the graph needs to know of a scene."""

    @property
    def name(self) -> str: ...
    @property
    def domains(self) -> Mapping[str, float]: ...
    @property
    def prefer(self) -> Mapping[str, tuple[str, ...]]: ...


def item_node(item_id: str) -> str:
    """Name an item's node; ids are kept as they are, since they are compared exactly."""
    return f"item:{item_id}"


def is_nameless(node: str) -> bool:
    """Whether the node has an identifier in place of a name."""
    return node.partition(":")[0].casefold() in NAMELESS


def end_of(node: str, aliases: Aliases) -> tuple[str, str | None]:
    """Give the graph's name of one end of a fact, and how it is spelled there (None for items and identifiers)."""
    kind, colon, key = node.partition(":")
    kind, key = (kind.casefold(), key) if colon else ("thing", node)
    if kind == "item" or kind in NAMELESS:
        return node, None
    canonical, shown = aliases.canonical(kind, key), " ".join(key.split())
    return f"{kind}:{canonical}", shown if shown.casefold() == canonical else canonical


def item_facts(item: Item) -> Iterator[tuple[str, str]]:
    """List what an item's own data say of it: (relation, node as written)."""
    yield "in_domain", f"domain:{item.domain}"
    if item.year is not None:
        yield "from_decade", f"decade:{item.year // 10 * 10}s"
    for attribute, values in item.attributes.items():
        for value in values:
            if value.strip():
                yield relation_of(attribute), f"{attribute}:{value}"


def wishes(aliases: Aliases, scenes: Sequence[Scene]) -> Iterator[tuple[str, str, str, float, str]]:
    """List the facts that are drawn where both ends exist: (subject, relation, object, confidence, source)."""
    for left, right in aliases.related:
        yield left, "related_to", right, 1.0, ALIASES
    for scene in scenes:
        name = end_of(f"scene:{scene.name}", aliases)[0]
        for domain, weight in scene.domains.items():
            if weight > 0:
                yield name, "suits", f"domain:{aliases.canonical('domain', domain)}", min(1.0, weight), SCENES
        for attribute, values in scene.prefer.items():
            for value in values:
                kind = attribute.casefold()
                yield name, "prefers", f"{kind}:{aliases.canonical(kind, value)}", 1.0, SCENES


@dataclass
class Draft:
    """The graph under construction: facts as columns, each end the number of a way of writing a node."""

    aliases: Aliases
    nodes: dict[str, int] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)
    forms: dict[int, list[str]] = field(default_factory=dict)
    relations: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    end_node: Any = field(default_factory=lambda: array("i"))
    end_form: Any = field(default_factory=lambda: array("H"))
    columns: tuple[Any, ...] = field(default_factory=lambda: tuple(array(kind) for kind in "iiidi"))

    def number(self, name: str) -> int:
        """The number of a node, a new one where it has none."""
        return self.nodes.setdefault(name, len(self.nodes))

    def end(self, written: str) -> int:
        """The number of a way of writing a node."""
        known = self.ends.get(written)
        if known is None:
            name, form = end_of(written, self.aliases)
            known = self.ends[written] = self._add_end(self.number(name), form)
        return known

    def bare_end(self, name: str) -> int:
        """As `end`, for a node's name that is not a spelling of it."""
        known = self.ends.get("\0" + name)
        if known is None:
            known = self.ends["\0" + name] = self._add_end(self.number(name), None)
        return known

    def _add_end(self, node: int, form: str | None) -> int:
        code = NO_FORM
        if form is not None:
            forms = self.forms.setdefault(node, [])
            if form not in forms:
                forms.append(form)
            code = min(forms.index(form), NO_FORM)
        self.end_node.append(node)
        self.end_form.append(code)
        return len(self.end_node) - 1

    def sort_forms(self) -> None:
        """Give the spellings of each node codes in their order, so that these do not hang on what was met first."""
        ranks = {node: {forms.index(form): rank for rank, form in enumerate(sorted(forms))} for node, forms in self.forms.items()}
        self.forms = {node: sorted(forms) for node, forms in self.forms.items()}
        for end, (node, code) in enumerate(zip(self.end_node, self.end_form, strict=True)):
            if code != NO_FORM:
                self.end_form[end] = ranks[node][code]

    def add(self, subject: int, relation: str, obj: int, confidence: float, source: str) -> None:
        """Add a fact between two ends."""
        for column, value in zip(
            self.columns,
            (
                subject,
                obj,
                self.relations.setdefault(relation, len(self.relations)),
                confidence,
                self.sources.setdefault(source, len(self.sources)),
            ),
            strict=True,
        ):
            column.append(value)


def build_facts(items: Sequence[Item], edges: Iterable[Edge], scenes: Sequence[Scene], *, aliases: Aliases) -> Facts:
    """Build the graph of the catalogue's items, the store's edges and the scenes.

    Edges that touch an item outside `items`, with confidence 0, or from a node to itself are left out.
    """
    draft = Draft(aliases)
    known = {item_node(item.item_id) for item in items}
    for item in items:
        name = item_node(item.item_id)
        subject = draft.end(name)
        draft.shown[draft.number(name)] = item.title
        for relation, written in item_facts(item):
            draft.add(subject, relation, draft.end(written), 1.0, CATALOGUE)
    _add_edges(draft, edges, known)
    pinned = frozenset(end_of(f"scene:{scene.name}", aliases)[0] for scene in scenes)
    for scene in scenes:
        draft.end(f"scene:{scene.name}")
    for left, relation, right, confidence, source in wishes(aliases, scenes):
        draft.add(draft.bare_end(left), relation, draft.bare_end(right), confidence, source)
    return _settle(draft, known, pinned)


def _add_edges(draft: Draft, edges: Iterable[Edge], known: set[str]) -> None:
    ends, relations, sources = draft.ends, draft.relations, draft.sources
    columns = subject_, object_, relation_, confidence_, source_ = draft.columns
    assert len(columns) == 5
    for edge in edges:  # a million of them: everything here is looked up once
        subject, obj = ends.get(edge.subject), ends.get(edge.object)
        if subject is None:
            subject = _known_end(draft, edge.subject, known)
        if obj is None:
            obj = _known_end(draft, edge.object, known)
        if subject < 0 or obj < 0 or edge.confidence <= 0:
            continue
        subject_.append(subject)
        object_.append(obj)
        relation_.append(relations.setdefault(edge.relation, len(relations)))
        confidence_.append(min(1.0, edge.confidence))
        source_.append(sources.setdefault(edge.source, len(sources)))


def _known_end(draft: Draft, written: str, known: set[str]) -> int:
    """As `Draft.end`; -1 for an item that the catalogue lacks."""
    return -1 if written[:5].casefold() == "item:" and written not in known else draft.end(written)


def _settle(draft: Draft, known: set[str], pinned: frozenset[str]) -> Facts:
    """Put names, relations and sources in order, keep one of each fact (the surest), and write it into the rows of both its ends."""
    names, rank = _ranked(draft.nodes)
    relations, relation_rank = _ranked(draft.relations)
    sources, source_rank = _ranked(draft.sources)
    draft.sort_forms()
    shown = {int(rank[number]): title for number, title in draft.shown.items()}
    forms = {int(rank[number]): tuple(written) for number, written in draft.forms.items()}
    entries = _both_ways(draft, rank, relation_rank, source_rank, sources)
    return assemble(names, relations, sources, *entries, shown=shown, forms=forms, items=known, pinned=pinned)


def _both_ways(
    draft: Draft, rank: NDArray[np.int32], relation_rank: NDArray[np.int32], source_rank: NDArray[np.int32], sources: Sequence[str]
) -> tuple[NDArray[np.int32], Row]:
    """The facts as entries of the rows of both ends, and whose each is: int32 (2 m,); the draft's columns are used up."""
    node, form = np.array(draft.end_node, dtype=np.int32), np.array(draft.end_form, dtype=np.uint16)
    subject, obj, relation, confidence, source = (np.array(column) for column in draft.columns)
    draft.columns = ()
    start = rank[node[subject]]
    facts = Row(rank[node[obj]], relation_rank[relation], confidence, source_rank[source], form[subject], np.ones(len(subject), np.bool_))
    far_form = form[obj]
    del subject, obj, relation, confidence, source
    kept = _surest(start, facts, far_form, len(rank), sources)
    facts, start, far_form = facts.take(kept), start[kept], far_form[kept]
    mirrored = Row(start, facts.relation, facts.confidence, facts.source, far_form, ~facts.forward)
    owners = np.concatenate([start, facts.other])
    return owners, Row(*(np.concatenate([getattr(facts, name), getattr(mirrored, name)]) for name in Row.__slots__))


def _ranked(numbers: Mapping[str, int]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Sort names that are numbered in the order met: the sorted names, and each number's place among them."""
    met = tuple(numbers)
    order = sorted(range(len(met)), key=met.__getitem__)
    rank = np.empty(len(met), dtype=np.int32)
    rank[order] = np.arange(len(met), dtype=np.int32)
    return tuple(met[number] for number in order), rank


def derived(sources: Sequence[str]) -> NDArray[np.bool_]:
    """Which sources are not stored: bool (n_sources,)."""
    return np.array([name in DERIVED for name in sources], dtype=np.bool_)


def _surest(start: NDArray[np.int32], facts: Row, far_form: NDArray[np.uint16], n: int, sources: Sequence[str]) -> NDArray[np.int64]:
    """Choose of equal facts an item's own, then the surest, ties by source and spelling, and none from a node to itself: indices."""
    layer = derived(sources)[facts.source] if len(sources) else facts.forward
    key = ((start.astype(np.int64) * n + facts.other) * (int(facts.relation.max(initial=0)) + 1) + facts.relation) * 2 + layer
    order = np.argsort(key, kind="stable")
    order = order[start[order] != facts.other[order]]
    same = key[order][1:] == key[order][:-1]
    if not same.any():
        return np.asarray(order, dtype=np.int64)
    twice = np.append(same, False) | np.append(False, same)
    some = order[twice]
    stored = np.array([name != CATALOGUE for name in sources], dtype=np.bool_)[facts.source[some]]
    columns = (far_form[some], facts.form[some], facts.source[some], -facts.confidence[some], stored, key[some])
    some = some[np.lexsort(columns)]
    first = np.append(True, key[some][1:] != key[some][:-1])
    return np.asarray(np.concatenate([order[~twice], some[first]]), dtype=np.int64)


def assemble(
    names: tuple[str, ...],
    relations: tuple[str, ...],
    sources: tuple[str, ...],
    owners: NDArray[np.int32],
    row: Row,
    *,
    shown: Mapping[int, str],
    forms: Mapping[int, tuple[str, ...]],
    items: Iterable[str],
    pinned: frozenset[str],
) -> Facts:
    """Lay out entries of rows: `names`, `relations` and `sources` are in order, `owners` int32 (m,) says whose each entry is."""
    n = len(names)
    key = owners.astype(np.int64)
    for factor, part in ((max(len(relations), 1), row.relation), (n, row.other), (2, row.forward)):
        key *= factor
        key += part
    key *= 2
    key += derived(sources)[row.source] if len(sources) else row.forward
    order = np.argsort(key, kind="stable")
    del key
    owners, row = owners[order], row.take(order)
    row = Row(*(np.ascontiguousarray(getattr(row, name), dtype=kind) for name, kind in zip(Row.__slots__, TYPES, strict=True)))
    indptr = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(owners, minlength=n), out=indptr[1:])
    index = {name: number for number, name in enumerate(names)}
    is_item = np.zeros(n, dtype=np.bool_)
    is_item[[index[name] for name in items]] = True
    joined = _joined(owners, row, is_item, relations, n)
    alive = _alive(names, owners, row, is_item, sources)
    alive[[index[name] for name in pinned]] = True
    told = [shown[number] if number in shown else name.partition(":")[2] for number, name in enumerate(names)]
    several = {number: written for number, written in forms.items() if len(written) > 1}
    for number, written in forms.items():
        if len(written) == 1:
            told[number] = written[0]
    for number, written in several.items():
        used = row.form[indptr[number] : indptr[number + 1]]
        told[number] = most_used(written, np.bincount(used[used < len(written)], minlength=len(written)).tolist()) or told[number]
    base = Base(names, index, told, several, indptr, row)
    return Facts(base, relations, sources, alive, is_item, joined, pinned, {}, {}, {}, (), {}, 0)


def _joined(owners: NDArray[np.int32], row: Row, is_item: NDArray[np.bool_], relations: Sequence[str], n: int) -> NDArray[np.int32]:
    """Count the items that a telling relation joins to each node: int32 (n,); 0 for items."""
    silent = np.array([name in SILENT for name in relations], dtype=np.bool_)
    counted = is_item[row.other] & ~is_item[owners] & ~silent[row.relation] if len(owners) else np.zeros(0, np.bool_)
    pairs = owners[counted].astype(np.int64) * n + row.other[counted]
    pairs.sort()
    first = np.append(True, pairs[1:] != pairs[:-1]) if len(pairs) else np.zeros(0, np.bool_)
    return np.bincount(pairs[first] // max(n, 1), minlength=n).astype(np.int32)


def _alive(
    names: Sequence[str], owners: NDArray[np.int32], row: Row, is_item: NDArray[np.bool_], sources: Sequence[str]
) -> NDArray[np.bool_]:
    """Say which nodes are alive (see `Facts`): bool (n,); scenes of the pack are added by the caller."""
    n = len(names)
    wish = np.array([name in WISHES for name in sources], dtype=np.bool_)
    real = ~wish[row.source] if len(owners) else np.zeros(0, np.bool_)
    alive = np.bincount(owners[real], minlength=n) > 0
    nameless = np.fromiter((is_nameless(name) for name in names), np.bool_, n)
    near_item = is_item[row.other] & nameless[owners] if len(owners) else real
    pairs = np.unique(owners[near_item].astype(np.int64) * n + row.other[near_item])
    alive[nameless] = (np.bincount(pairs // max(n, 1), minlength=n) >= 2)[nameless]
    items = np.fromiter((name.startswith("item:") for name in names), np.bool_, n)
    return np.where(items, is_item, alive)
