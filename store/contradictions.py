"""Who is believed where sources contradict each other. Both sides stay in the store; this is asked when facts are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence, Set

from scenewise.store.types import Edge

Fact = tuple[str, str, str]
Strength = tuple[float, float, int]


def settle(edges: Iterable[Edge], *, single: Set[str] = frozenset(), ranks: Sequence[str] = ()) -> list[Edge]:
    """Return the edges that are believed, in the order given; denials themselves never are.

    Two contradictions are known: one source asserts what another denies, and a relation of `single`, which can have one object only,
    has several. The side wins whose strongest edge has the higher confidence; of equal ones that which holds since later (no beginning:
    since ever); then that of the source that stands earlier in `ranks`, others after those; then the denial, or the object that comes
    first in order. All edges of the winning side are returned, also those of sources that say the same with less confidence.

    >>> old = Edge("item:a", "year", "year:1999", "imdb", confidence=0.9)
    >>> new = Edge("item:a", "year", "year:2000", "wikidata", confidence=0.8)
    >>> [edge.object for edge in settle([old, new], single={"year"})]
    ['year:1999']
    """
    order = list(edges)
    lost = lost_facts(order, single=single, ranks=ranks)
    return [edge for edge in order if not edge.denied and fact_of(edge) not in lost]


def lost_facts(edges: Sequence[Edge], *, single: Set[str] = frozenset(), ranks: Sequence[str] = ()) -> set[Fact]:
    """Return the facts (subject, relation, object) that are not believed; `edges` are all that contradict each other, or more."""
    against = [edge for edge in edges if edge.denied]
    if not against and not single:
        return set()
    strength = _strength_by(ranks)
    denied: dict[Fact, Strength] = {}
    for edge in against:
        denied[fact_of(edge)] = max(denied.get(fact_of(edge), strength(edge)), strength(edge))
    best: dict[Fact, Strength] = {}
    for edge in edges:
        if not edge.denied and (edge.relation in single or fact_of(edge) in denied):
            best[fact_of(edge)] = max(best.get(fact_of(edge), strength(edge)), strength(edge))
    lost = {fact for fact, other in denied.items() if fact in best and best[fact] <= other}
    winners: dict[tuple[str, str], Fact] = {}
    for fact in sorted(fact for fact in best if fact[1] in single and fact not in lost):
        key = fact[:2]
        if key not in winners or best[fact] > best[winners[key]]:
            lost |= {winners[key]} if key in winners else set()
            winners[key] = fact
        else:
            lost.add(fact)
    return lost


def fact_of(edge: Edge) -> Fact:
    """What an edge says, or denies."""
    return edge.subject, edge.relation, edge.object


def _strength_by(ranks: Sequence[str]) -> Callable[[Edge], Strength]:
    place = {source: -number for number, source in enumerate(ranks)}

    def strength(edge: Edge) -> Strength:
        since_s = -math.inf if edge.valid_from_s is None else edge.valid_from_s
        return edge.confidence, since_s, place.get(edge.source, -len(ranks))

    return strength
