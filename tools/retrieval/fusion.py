"""Reciprocal rank fusion: several rankings made into one without comparing their scores."""

from __future__ import annotations

from collections.abc import Sequence

RRF_K = 60


def fuse(rankings: Sequence[Sequence[int]], *, k: int = RRF_K) -> list[tuple[int, float]]:
    """Fuse rankings of rows, each best first: (row, score), best first, ties by row.

    A row scores the sum of 1 / (k + rank) over the rankings that have it, rank from 1 (Cormack, Clarke and Buettcher, SIGIR 2009,
    with their k = 60).

    >>> [row for row, _ in fuse([[7, 8], [8, 9]])]
    [8, 7, 9]
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, row in enumerate(ranking, 1):
            scores[row] = scores.get(row, 0.0) + 1.0 / (k + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
