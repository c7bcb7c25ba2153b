"""Asking models questions, what their answers come to, and comparisons, on answers known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from scenewise.eval.baselines import Family
from scenewise.eval.measure import Background, Result, ask, compare, summarise
from scenewise.eval.metrics import ndcg
from scenewise.eval.protocols import Question, Split
from scenewise.tools.collaborative.interactions import from_columns
from scenewise.tools.collaborative.popularity import Popularity


def question(user: int, rows: list[int], targets: list[int]) -> Question:
    n = len(rows)
    ones = np.ones(n, dtype=np.float32)
    history = np.asarray(rows, dtype=np.int32)
    return Question(
        user,
        history,
        ones,
        np.arange(n, dtype=np.float64),
        None,
        np.asarray(targets, dtype=np.int32),
        np.ones(1, dtype=np.float32),
        9.0,
        -1,
    )


def split(*questions: Question, n_items: int = 6) -> Split:
    """Item 0 has three events, item 1 two, item 2 one, the others none."""
    users, rows = np.asarray([0, 1, 2, 0, 1, 0]), np.asarray([0, 0, 0, 1, 1, 2])
    train = from_columns(users, rows, np.arange(6, dtype=np.float64), np.ones(6, dtype=np.float32), shape=(3, n_items))
    return Split(train, questions)


def falling(_: Question) -> np.ndarray:
    return np.arange(6, 0, -1, dtype=np.float32)


def test_what_was_seen_is_masked_and_not_shown() -> None:
    result = ask(falling, [question(0, [0, 1], [3])])
    assert result.ranks[0].tolist() == [2]
    assert result.top == [[2, 3, 4, 5]]
    assert result.found == [1.0]


def test_nothing_is_masked_where_repeats_count() -> None:
    result = ask(falling, [question(0, [0, 1], [1])], mask=False)
    assert result.ranks[0].tolist() == [2]
    assert result.top == [[0, 1, 2, 3, 4, 5]]


def test_among_some_items_the_others_are_not_ranked() -> None:
    result = ask(falling, [question(0, [0], [4])], among=np.asarray([4, 5], dtype=np.int32))
    assert result.ranks[0].tolist() == [1]
    assert result.top == [[4, 5]]


def test_head_middle_tail_and_new_by_thirds_of_the_events() -> None:
    # events 3, 2, 1: nothing before the first, a half before the second, five sixths before the third
    assert Background.of(split()).groups.tolist() == [0, 1, 2, 3, 3, 3]


def test_the_table_of_one_model_by_hand() -> None:
    asked = split(question(0, [0], [1]), question(1, list(range(3)), [5]))
    row = summarise([ask(falling, asked.cases)], [asked], Background.of(asked))
    assert row["hr@10"] == 1.0
    assert row["ndcg@10"] == pytest.approx((1.0 + 1 / 2) / 2)  # ranks 1 and 3
    assert row["mrr"] == pytest.approx((1 + 1 / 3) / 2, abs=1e-5)
    assert row["ndcg@10_95"] == pytest.approx([0.75 - 1.96 * 0.25, 0.75 + 1.96 * 0.25], abs=1e-4)  # two users, 1 and .5
    assert row["coverage"] == pytest.approx(5 / 6, abs=1e-5)
    assert row["by_history"] == [{"group": "1-5", "n": 2, "recall@10": 1.0}]
    assert [(one["group"], one["n"]) for one in row["by_popularity"]] == [("mid", 1), ("new", 1)]


def test_the_best_other_and_its_difference() -> None:
    asked = split(*(question(user, [0], [1]) for user in range(3)))
    good = Result(ranks=[np.asarray([1])] * 3)
    bad = Result(ranks=[np.asarray([3])] * 3)
    found = compare({"ours": [good], "worse": [bad]}, [asked], ours="ours", metric=lambda ranks: ndcg(ranks, 10), name="ndcg@10")
    assert found["best_other"] == "worse"
    assert found["against"]["worse"]["mean"] == pytest.approx(0.5)
    assert found["against"]["worse"]["p_holm"] < 0.05


def test_a_budget_tries_each_option_before_a_second_recency() -> None:
    family = Family(Popularity, [{"half_life_days": 1}, {"half_life_days": 2}], (1.0, 0.9))
    assert [(o["half_life_days"], r) for o, r in family.within(3)] == [(1, (1.0, 0.9)), (2, (1.0,))]
    assert [(o["half_life_days"], r) for o, r in family.within(9)] == [(1, (1.0, 0.9)), (2, (1.0, 0.9))]
    assert [r for _, r in family.within(1)] == [(1.0,)]
