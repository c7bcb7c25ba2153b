from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.tools.retrieval.fusion import fuse


def test_scores_are_those_of_the_paper() -> None:
    fused = dict(fuse([[7, 8], [8, 9]]))
    assert fused == pytest.approx({8: 1 / 62 + 1 / 61, 7: 1 / 61, 9: 1 / 62})


def test_ties_are_in_the_order_of_the_rows() -> None:
    assert [row for row, _ in fuse([[3], [1], [2]])] == [1, 2, 3]
    assert fuse([]) == []


@given(st.lists(st.lists(st.integers(0, 20), unique=True), max_size=4))
def test_the_union_is_ranked_best_first(rankings: list[list[int]]) -> None:
    fused = fuse(rankings)
    assert {row for row, _ in fused} == {row for ranking in rankings for row in ranking}
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)
