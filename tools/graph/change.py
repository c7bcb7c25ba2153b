"""Change the graph: a new one that shares all rows that stay as they are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import Edge, Item
from scenewise.tools.graph.aliases import Aliases
from scenewise.tools.graph.build import assemble, derived, end_of, is_nameless, item_facts, item_node
from scenewise.tools.graph.facts import CATALOGUE, NO_FORM, WISHES, Facts, Row, most_used

MOST_ROWS = 20_000
"""Replaced rows at most; then, or when they hold half as many facts as the rest, all rows are laid out anew."""

Entry = tuple[int, int, float, int, int, bool]


class _Told(NamedTuple):
    """How a fact is told: the least of several is kept."""

    stored: bool
    doubt: float
    source: str
    spelled: str
    far_spelled: str
    form: int
    far_form: int


@dataclass
class _Change:
    """What is known so far of the graph after a change; only what it touches is copied."""

    old: Facts
    aliases: Aliases
    more: list[str] = field(default_factory=list)
    number_of: dict[str, int] = field(default_factory=dict)
    relations: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    forms: dict[int, tuple[str, ...]] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    facts: dict[tuple[int, int, int], _Told] = field(default_factory=dict)

    def number(self, name: str) -> int:
        found = self.number_of.get(name, self.old.number(name))
        if found is None:
            found = self.number_of[name] = self.old.n + len(self.more)
            self.more.append(name)
        return found

    def name(self, node: int) -> str:
        return self.old.name(node) if node < self.old.n else self.more[node - self.old.n]

    def code(self, names: dict[str, int], known: Sequence[str], name: str) -> int:
        if not names:
            names.update({one: number for number, one in enumerate(known)})
        return names.setdefault(name, len(names))

    def end(self, written: str) -> tuple[int, int]:
        """The node and its form code as written."""
        name, form = end_of(written, self.aliases)
        node = self.number(name)
        if form is None:
            return node, NO_FORM
        forms = self.forms.get(node) or (self.old.forms_of(node) if node < self.old.n else ())
        if form not in forms:
            forms = (*forms, form)
        self.forms[node] = forms
        return node, min(forms.index(form), NO_FORM)

    def add(self, subject: str, relation: str, obj: str, confidence: float, source: str) -> None:
        """Add a fact; of equal ones an item's own stays, then the surest, ties by source and spelling."""
        (start, form), (end, far_form) = self.end(subject), self.end(obj)
        if start != end:
            key = (start, self.code(self.relations, self.old.relations, relation), end)
            told = _Told(source != CATALOGUE, -confidence, source, self.spelled(start, form), self.spelled(end, far_form), form, far_form)
            self.facts[key] = min(self.facts.get(key, told), told)

    def spelled(self, node: int, form: int) -> str:
        """How the node is written under this code."""
        return "" if form == NO_FORM else self.forms[node][form]

    def new_entries(self) -> dict[int, dict[tuple[int, int, bool], Entry]]:
        """The new facts in the rows of both ends: node -> (other, relation, forward) -> entry."""
        found: dict[int, dict[tuple[int, int, bool], Entry]] = {}
        for (start, relation, end), told in self.facts.items():
            source = self.code(self.sources, self.old.sources, told.source)
            for node, other, form, forward in ((start, end, told.form, True), (end, start, told.far_form, False)):
                found.setdefault(node, {})[other, relation, forward] = (other, relation, -told.doubt, source, form, forward)
        return found

    @cached_property
    def unstored(self) -> NDArray[np.bool_]:
        """Which of the source codes are not stored; asked for once all facts are in."""
        return derived(tuple(self.sources) or self.old.sources)

    @cached_property
    def relation_names(self) -> tuple[str, ...]:
        """The relations by code; asked for once all facts are in."""
        return tuple(self.relations) or self.old.relations

    def row(self, node: int) -> Row:
        found = self.rows.get(node)
        return found if found is not None else self.old.whole_row(node) if node < self.old.n else Row.empty()


def change_facts(
    facts: Facts,
    items: Sequence[Item],
    removed: Iterable[str],
    edges: Iterable[Edge],
    nodes: Iterable[str],
    *,
    known: Container[str],
    aliases: Aliases,
) -> Facts:
    """Put `items` in, take the item ids `removed` out, and put `edges` in place of the facts of these and of `nodes`.

    `known` has the ids of all items after the change: edges that touch another item are left out.
    """
    change = _Change(facts, aliases)
    gone = {change.number(item_node(item_id)) for item_id in removed}
    present = {change.number(item_node(item.item_id)): item for item in items}
    touched = gone | present.keys() | {change.number(end_of(node, aliases)[0]) for node in nodes}
    around = _forget(change, touched, gone, present.keys() | gone)
    for node, item in present.items():
        change.shown[node] = item.title
        for relation, written in item_facts(item):
            change.add(item_node(item.item_id), relation, written, 1.0, CATALOGUE)
    for edge in edges:
        if edge.confidence > 0 and _is_known(edge.subject, known) and _is_known(edge.object, known):
            change.add(edge.subject, edge.relation, edge.object, min(1.0, edge.confidence), edge.source)
    entries = change.new_entries()
    for node, new in entries.items():
        change.rows[node] = _with(change, change.row(node), new)
    told = {end for start, _, far in change.facts for end in (start, far)}
    moved = np.array(sorted(told | around | touched), dtype=np.int32)
    after = _settle(change, around | entries.keys() | touched, moved, present.keys(), gone)
    return compacted(after) if _is_crowded(after) else after


def _is_known(node: str, known: Container[str]) -> bool:
    return node[:5].casefold() != "item:" or (node.startswith("item:") and node[5:] in known)


def _forget(change: _Change, touched: set[int], gone: set[int], told_anew: set[int]) -> set[int]:
    """Take the old facts of the touched nodes out of the rows of both ends; return the nodes at their far ends.

    What is not stored stays with nodes that stay: related names, the scenes' wishes, what people did, and what items' own data say, but
    for items that are told anew.
    """
    old = change.old
    unstored, own = derived(old.sources), np.array([name == CATALOGUE for name in old.sources], dtype=np.bool_)

    def kept_of(node: int, row: Row) -> NDArray[np.bool_]:
        stays = unstored[row.source] & (node not in gone)
        return stays if node in told_anew else stays | own[row.source]

    dropped: dict[int, list[int]] = {}
    for node in (one for one in touched if one < old.n):
        row = old.whole_row(node)
        kept = kept_of(node, row)
        if kept.all():
            continue
        change.rows[node] = row.take(kept)
        for other in {*row.other[~kept].tolist()}:
            dropped.setdefault(other, []).append(node)
    for other, nodes in dropped.items():
        row = change.row(other)
        for node in nodes:
            row = row.take((row.other != node) | kept_of(node, row))
        change.rows[other] = row
    return {*dropped}


def _with(change: _Change, row: Row, new: Mapping[tuple[int, int, bool], Entry]) -> Row:
    """Put facts into a row where its order wants them; what the row says of the same fact goes."""
    relations, unstored = change.relation_names, change.unstored

    def order(entry: tuple[int, int, bool], layer: bool = False) -> tuple[str, str, bool, bool]:
        return relations[entry[1]], change.name(entry[0]), entry[2], layer

    def order_at(i: int) -> tuple[str, str, bool, bool]:
        return order((int(row.other[i]), int(row.relation[i]), bool(row.forward[i])), bool(unstored[row.source[i]]))

    entries = [new[key] for key in sorted(new, key=order)]
    if not len(row):
        return Row.of(entries)
    wanted = [order((entry[0], entry[1], entry[5])) for entry in entries]
    places = [bisect_left(range(len(row)), at, key=order_at) for at in wanted]
    own = change.sources.get(CATALOGUE, -1)
    known = {at: place for place, at in zip(places, wanted, strict=True) if place < len(row) and order_at(place) == at}
    if known:
        better = {at for at, place in known.items() if row.source[place] == own}
        stays = np.ones(len(row), dtype=np.bool_)
        stays[[place for at, place in known.items() if at not in better]] = False
        row = row.take(stays)
        return _with(change, row, {key: entry for key, entry in new.items() if order(key) not in better})
    if not entries:
        return row
    inserted = Row.of(entries)
    return Row(*(_inserted(getattr(row, name), places, getattr(inserted, name)) for name in Row.__slots__))


def _inserted(column: NDArray[Any], places: Sequence[int], new: NDArray[Any]) -> NDArray[Any]:
    """As np.insert with ascending places, in a tenth of its time for short arrays."""
    parts, start = [], 0
    for at, place in enumerate(places):
        parts += [column[start:place], new[at : at + 1]]
        start = place
    return np.concatenate([*parts, column[start:]])


def _settle(change: _Change, nodes: Iterable[int], moved: NDArray[np.int32], present: Iterable[int], gone: set[int]) -> Facts:
    """Say anew what is alive, how many items each node joins and how it is spelled: of `nodes`, in whose rows only `moved` changed."""
    old, n_new = change.old, len(change.more)
    alive, is_item = (np.append(part, np.zeros(n_new, np.bool_)) for part in (old.alive, old.is_item))
    joined = np.append(old.n_joined, np.zeros(n_new, np.int32))
    is_item[list(present)], is_item[list(gone)] = True, False
    after = Facts(
        old.base,
        tuple(change.relations) or old.relations,
        tuple(change.sources) or old.sources,
        alive,
        is_item,
        joined,
        old.pinned,
        {**old.rows, **change.rows},
        {**old.shown, **change.shown},
        {**old.forms, **change.forms},
        (*old.more, *change.more),
        {**old.more_index, **change.number_of} if n_new else old.more_index,
        old.n_replaced + sum(len(row) - len(old.rows.get(node, ())) for node, row in change.rows.items()),
    )
    wish = np.array([name in WISHES for name in after.sources], dtype=np.bool_)
    is_moved = np.zeros(len(alive), dtype=np.bool_)
    is_moved[moved] = True
    was, now = is_moved[: old.n] & old.is_item, is_moved & is_item
    shown = dict(after.shown)
    for node in nodes:
        row, name = after.whole_row(node), after.name(node)
        if name.startswith("item:"):
            alive[node] = is_item[node]
            continue
        if is_nameless(name):
            near = row.other[is_item[row.other]]
            is_spoken_of = bool((near[:1] != near).any())  # at least two items
        else:
            is_spoken_of = not bool(wish[row.source].all())
        alive[node] = is_spoken_of or name in old.pinned
        before = old.whole_row(node) if node < old.n else Row.empty()
        joined[node] += _n_joined(after, row, now) - _n_joined(old, before, was)
        shown[node] = _display(after, node, row)
    return replace(after, shown=shown)


def _n_joined(facts: Facts, row: Row, counted: NDArray[np.bool_]) -> int:
    """How many of the `counted` items, bool (n,), a telling relation of the row joins."""
    at = np.flatnonzero(counted[row.other])
    return len({*row.other[at][~facts.silent[row.relation[at]]].tolist()}) if len(at) else 0


def _display(facts: Facts, node: int, row: Row) -> str:
    forms = facts.forms_of(node)
    counts = np.bincount(row.form[row.form < len(forms)], minlength=len(forms)).tolist() if len(forms) > 1 else [1] * len(forms)
    return most_used(forms, counts) or facts.name(node).partition(":")[2]


def _is_crowded(facts: Facts) -> bool:
    return len(facts.rows) > MOST_ROWS or facts.n_replaced > len(facts.base.entries) / 2 + MOST_ROWS


def compacted(facts: Facts) -> Facts:
    """Lay all rows out anew; nodes that nothing speaks of any more lose their numbers."""
    owners, row = facts.entries()
    used = facts.alive.copy()
    used[owners] = True
    kept = sorted(np.flatnonzero(used).tolist(), key=facts.name)
    names = tuple(facts.name(node) for node in kept)
    rank = np.full(facts.n, -1, dtype=np.int32)
    rank[kept] = np.arange(len(kept), dtype=np.int32)
    relations, relation_rank = _sorted(facts.relations)
    sources, source_rank = _sorted(facts.sources)
    row = replace(row, other=rank[row.other], relation=relation_rank[row.relation], source=source_rank[row.source])
    return assemble(
        names,
        relations,
        sources,
        rank[owners],
        row,
        shown={new: facts.display(node) for new, node in enumerate(kept)},
        forms={
            new: facts.forms_of(node) for new, node in enumerate(kept) if len(facts.forms.get(node, facts.base.forms.get(node, ()))) > 1
        },
        items=[name for name, node in zip(names, kept, strict=True) if facts.is_item[node]],
        pinned=facts.pinned,
    )


def _sorted(names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), dtype=np.int32)
    rank[order] = np.arange(len(names), dtype=np.int32)
    return tuple(names[at] for at in order), rank
