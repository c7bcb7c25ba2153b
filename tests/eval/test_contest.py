"""Contests by hand: scaling, weights, what is compared with what."""

import numpy as np
import pytest

from scenewise.eval.contest import choose_weights, compare, scaled, tune
from scenewise.eval.measure import Result
from scenewise.eval.protocols import Question, Split
from scenewise.tools.collaborative.interactions import Interactions, from_columns

NOTHING = np.zeros(0, dtype=np.int32)


def question(user: int, target: int) -> Question:
    none = np.zeros(0, dtype=np.float32)
    wanted = np.asarray([target], dtype=np.int32)
    return Question(user, NOTHING, none, np.zeros(0), None, wanted, np.ones(1, dtype=np.float32), 0.0, -1)


def split(*cases: Question) -> Split:
    nobody = np.zeros(0, dtype=np.int64)
    return Split(from_columns(nobody, nobody, np.zeros(0), np.zeros(0, dtype=np.float32), shape=(1, 3)), cases)


def always(*scores: float):
    return lambda _: np.asarray(scores, dtype=np.float32)


def test_scaled_from_zero_to_one() -> None:
    assert scaled(np.asarray([2, 4, 3], dtype=np.float32)).tolist() == [0.0, 1.0, 0.5]
    assert scaled(np.asarray([2, 2], dtype=np.float32)).tolist() == [0.0, 0.0]
    assert scaled(np.asarray([9, 4, 3], dtype=np.float32), np.asarray([1, 2], dtype=np.int32)).tolist() == [-np.inf, 1.0, 0.0]


def test_a_source_gets_the_weight_that_helps_and_none_where_it_harms() -> None:
    answers = {"tells two from one": always(1.0, 1.0, 0.0), "knows which": always(0.0, 1.0, 0.5), "wrong": always(1.0, 0.0, 0.0)}
    weights = choose_weights([(answers, [question(0, 1)], None)])
    assert weights == {"knows which": 1.0}
    settled = choose_weights([(answers, [question(0, 1)], None)], start={"tells two from one": 1.0})
    assert settled.keys() == {"tells two from one", "knows which"}


def test_every_part_counts_alike_however_many_questions_it_has() -> None:
    of_many = {"left": always(1.0, 0.0, 0.0), "right": always(0.0, 1.0, 0.0)}
    few = (of_many, [question(0, 1)], None)
    many = (of_many, [question(user, 0) for user in range(3)], None)
    assert next(iter(choose_weights([few]))) == "right"
    assert next(iter(choose_weights([few, many, (of_many, [question(9, 1)], None)]))) == "right"
    assert next(iter(choose_weights([few, many, many]))) == "left"


def test_the_better_setting_is_chosen_and_fitted_on_the_tests_train() -> None:
    fitted = []

    def fit(name: str, *scores: float):
        def on(train: Interactions):
            fitted.append((name, train))
            return always(*scores)

        return on

    validation, test = split(question(0, 1)), split(question(0, 2))
    tuned = tune({"bad": fit("bad", 1.0, 0.0, 0.0), "good": fit("good", 0.0, 1.0, 0.0)}, validation, test)
    assert tuned.words == "good"
    assert [name for name, train in fitted if train is test.train] == ["good"]


def test_users_are_paired_over_the_seeds_that_ask_them() -> None:
    splits = [split(question(0, 1), question(1, 1)), split(question(1, 1))]
    first, third = np.asarray([1]), np.asarray([3])
    ours = [Result(ranks=[first, first]), Result(ranks=[third])]
    theirs = [Result(ranks=[first, third]), Result(ranks=[third])]
    found = compare({"ours": ours, "theirs": theirs}, splits, ours="ours", others=["theirs"])["against"]["theirs"]
    assert found["users"] == 2
    assert found["mean"] == pytest.approx((0.0 + 0.5 / 2) / 2)  # NDCG at rank 3 is 1/2
