"""Personalised PageRank over a cached SciPy matrix.

Source: Page, Brin, Motwani, Winograd, "The PageRank citation ranking" (1999), section 6 (personalised jumps); equal to
networkx.pagerank with the same weights. We differ in two ways: edges are undirected and weighted
relation weight x confidence / log2(2 + degree of the busier end), so that hubs (a domain, a decade, a language) carry little; and the
fixed point is reached by Chebyshev's semi-iteration (Golub & Varga 1961) in place of the power iteration: the walk's matrix is similar
to a symmetric one, so its error shrinks by damping / (1 + sqrt(1 - damping^2)) a step, 0.41 where the power iteration's does by 0.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scenewise.tools.graph.facts import Facts, Row
from scenewise.tools.graph.relations import describe

Float = NDArray[np.float64]
MOST_CHANGED = 10
"""Where more than one row in so many changed, all are read anew."""


class Walker:
    """Walks over one graph; a node's row is its number there.

    Made after `before`, the walks over a graph before some changes, it takes from there all that did not change; the answers are the
    same.
    """

    def __init__(self, facts: Facts, before: Walker | None = None) -> None:
        self.facts = facts
        anew = changed_rows(before.facts, facts) if before is not None else None
        if before is None or anew is None:
            self._strength, self._matrix = _weights(facts)
        else:
            self._strength, self._matrix = _reweighed(before._strength, before._matrix, facts, anew)
        out = np.asarray(self._matrix.sum(axis=1)).ravel()
        self._stuck = out == 0
        self._inverse = np.divide(1.0, out, out=np.zeros_like(out), where=~self._stuck)

    @cached_property
    def weights(self) -> sparse.csr_matrix:
        """The weights, csr float64 (n, n), symmetric, an entry a pair of nodes."""
        summed = self._matrix.copy()
        summed.sum_duplicates()
        return summed

    def rank(self, seeds: Mapping[str, float], *, damping: float = 0.7, tolerance: float = 1e-6, max_steps: int = 100) -> Float:
        """Give every node's share of visits, float64 (n,), summing to 1; all zeros where no seed is a known node.

        `seeds` are positive weights by node; unknown nodes are passed over. A walk goes on with probability `damping`; 0.7
        rather than the web's 0.85 keeps it near the seeds. Stops when the change (L1) is below `tolerance`.
        """
        jump = np.zeros(self.facts.n)
        for node, weight in seeds.items():
            row = self.facts.find(node)
            if row is not None and weight > 0:
                jump[row] += weight
        total = jump.sum()
        if total <= 0:
            return jump
        jump /= total
        before, share, pace = jump, self._step(jump, jump, damping), 2.0
        for _ in range(max_steps):
            pace = 1.0 / (1.0 - 0.25 * damping**2 * pace)
            following = pace * (self._step(share, jump, damping) - before) + before
            change = np.abs(following - share).sum()
            before, share = share, following
            if change < tolerance:
                break
        share = np.maximum(share, 0.0)
        # What rounding leaves at the far ends would put equals in a chance order.
        return np.asarray(np.round(share / share.sum(), 12), dtype=np.float64)

    def _step(self, share: Float, jump: Float, damping: float) -> Float:
        """One step of the power iteration; who is stuck jumps."""
        following: Float = damping * (self._matrix @ (share * self._inverse) + share[self._stuck].sum() * jump) + (1.0 - damping) * jump
        return following


def changed_rows(before: Facts, after: Facts) -> NDArray[np.int64] | None:
    """Find the nodes, ascending, int64, whose visible rows may differ between two states; None where it is cheaper to read all anew."""
    if before.base is not after.base:
        return None
    rows = {node for node, row in after.rows.items() if before.rows.get(node) is not row}
    turned = np.flatnonzero(before.alive != after.alive[: before.n]).tolist()
    for node in turned:
        rows.update(before.whole_row(node).other.tolist(), after.whole_row(node).other.tolist())
    rows.update(turned, range(before.n, after.n))
    return np.array(sorted(rows), dtype=np.int64) if len(rows) <= max(after.n // MOST_CHANGED, 1) else None


def _weights(facts: Facts) -> tuple[Float, sparse.csr_matrix]:
    """The strength of each entry (relation weight x confidence), and the symmetric weights, an entry a fact in the row of either end."""
    owners, other, relation, confidence = facts.owners(), *(facts.column(name) for name in ("other", "relation", "confidence"))
    if not facts.alive.all():
        seen = facts.alive[owners] & facts.alive[other]
        owners, other, relation, confidence = (column[seen] for column in (owners, other, relation, confidence))
    degree = np.bincount(owners, minlength=facts.n)
    discount = _discount(degree)
    strength = _relation_weights(facts)[relation] * confidence
    values = strength * np.minimum(discount[owners], discount[other])
    return strength, _matrix(values, other, degree)


def _reweighed(strength: Float, matrix: sparse.csr_matrix, facts: Facts, anew: NDArray[np.int64]) -> tuple[Float, sparse.csr_matrix]:
    """As `_weights`, from those of a state before, whose rows but `anew` hold the same facts."""
    by_relation, was = _relation_weights(facts), np.diff(matrix.indptr)
    rows = [facts.row(node) if facts.alive[node] else Row.empty() for node in anew.tolist()]
    degree = np.append(was, np.zeros(facts.n - len(was), was.dtype))
    degree[anew] = [len(row) for row in rows]
    other = _spliced(matrix.indices, matrix.indptr, anew, [row.other for row in rows])
    strength = _spliced(strength, matrix.indptr, anew, [by_relation[row.relation] * row.confidence for row in rows])
    values = _spliced(matrix.data, matrix.indptr, anew, [row.confidence for row in rows])
    is_anew = np.zeros(facts.n, dtype=np.bool_)
    is_anew[anew] = True
    # A weight lies in the rows of both its ends, and either end's degree counts.
    at = np.flatnonzero(np.repeat(is_anew, degree) | is_anew[other])
    new, discount = _matrix(values, other, degree), _discount(degree)
    owners = np.searchsorted(new.indptr, at, side="right") - 1
    values[at] = strength[at] * np.minimum(discount[owners], discount[other[at]])
    return strength, new


def _spliced(column: NDArray[Any], indptr: NDArray[Any], nodes: NDArray[np.int64], rows: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Put `rows` in place of those of `nodes`, ascending, in a column of all rows end to end; nodes beyond its end come last."""
    parts, start, known = [], 0, len(indptr) - 1
    for node, row in zip(nodes.tolist(), rows, strict=True):
        begin, end = (indptr[node], indptr[node + 1]) if node < known else (len(column), len(column))
        parts += [column[start:begin], row]
        start = end
    return np.concatenate([*parts, column[start:]])


def _discount(degree: NDArray[Any]) -> Float:
    return 1.0 / np.log2(2.0 + degree)


def _relation_weights(facts: Facts) -> Float:
    return np.array([describe(name).weight for name in facts.relations], dtype=np.float64)


def _matrix(values: Float, other: NDArray[np.int32], degree: NDArray[Any]) -> sparse.csr_matrix:
    indptr = np.zeros(len(degree) + 1, dtype=np.int32)
    np.cumsum(degree, out=indptr[1:])
    return sparse.csr_matrix((values, other, indptr), shape=(len(degree), len(degree)))
