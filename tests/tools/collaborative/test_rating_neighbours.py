from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError
from scenewise.tools.collaborative.rating_neighbours import RatingNeighbours

# the table of Resnick et al. (1994), figure 3: articles 1 to 6 by Lee, Meg and Nan; Ken is folded in
ARTICLES = csr_matrix(np.array([[4, 2, 0, 5, 1, 2], [2, 4, 3, 0, 0, 5], [2, 4, 0, 5, 1, 0]], dtype=np.float32))
KEN = np.array([0, 1, 3, 4], dtype=np.int32), np.array([1, 5, 2, 4], dtype=np.float32)


def rows(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def test_resnicks_ken() -> None:
    # Ken's mean is 3; Lee is unlike him (negative) and left out; Meg's mean over all she rated is 3.5, and she gave article 6 a 5:
    # 3 + (5 - 3.5). The paper, whose means are over common articles and who keeps Lee, has 4.56
    model = RatingNeighbours(by="users").fit(ARTICLES)
    assert model.predict(*KEN, 5) == pytest.approx(4.5)


def test_by_items_by_hand() -> None:
    # deviations of the three people: (1, 1, 1, -3), (1, -1, 1, -1), (1, 1, 0, -2); w01 = 1 / 3, w02 = 2 / sqrt(3 * 2), w03 < 0;
    # item means 13/3, 11/3, 4: the newcomer is 1 above item 1's and 1 below item 2's
    ratings = csr_matrix(np.array([[5, 5, 5, 1], [4, 2, 4, 2], [4, 4, 3, 1]], dtype=np.float32))
    w01, w02 = 1 / 3, 2 / 6**0.5
    found = RatingNeighbours(by="items", shrinkage=1.0).fit(ratings).predict(rows(1, 2), np.array([14 / 3, 3]), 0)
    assert found == pytest.approx(13 / 3 + (w01 - w02) / (w01 + w02))
    nearest = RatingNeighbours(by="items", k=1).fit(ratings).predict(rows(1, 2), np.array([14 / 3, 3]), 0)
    assert nearest == pytest.approx(13 / 3 - 1)


def test_few_common_ratings_weigh_less() -> None:
    # the newcomer's deviations are (1, -1, 0); the first has two items in common, w = 2 / sqrt(2 * 4) * 2/3, and item 3 at +2;
    # the second three, w = 1 * 3/4, and item 3 at 0
    ratings = csr_matrix(([4, 2, 6, 4, 2, 3, 3], ([0, 0, 0, 1, 1, 1, 1], [0, 1, 3, 0, 1, 2, 3])), shape=(2, 4))
    first, second = 2 / 8**0.5 * 2 / 3, 3 / 4
    found = RatingNeighbours(by="users", shrinkage=1.0).fit(ratings).predict(rows(0, 1, 2), np.array([4, 2, 3]), 3)
    assert found == pytest.approx(3 + first * 2 / (first + second))


@pytest.mark.parametrize(("by", "mean"), [("users", 4.0), ("items", 3.5)])
def test_without_neighbours_it_is_the_mean(by: str, mean: float) -> None:
    alike = csr_matrix(np.array([[4, 4, 4, 0], [3, 3, 3, 0]], dtype=np.float32))  # nobody's ratings say anything
    model = RatingNeighbours(by=by).fit(alike)
    assert model.predict(rows(0, 1), np.array([5, 3]), 2) == pytest.approx(mean)
    assert model.predict(rows(0), np.array([4]), 2) == pytest.approx(mean)  # one rating
    assert model.predict(rows(0, 1), np.array([4, 4]), 3) == pytest.approx(4)  # an item that nobody rated: the person's mean
    assert model.predict(rows(), np.array([]), 2) == pytest.approx(3.5)  # a person who rated nothing: the item's
    assert model.predict(rows(), np.array([]), 3) == pytest.approx(3.5)  # neither: the mean of all


def test_zero_is_a_rating_where_it_is_stored() -> None:
    model = RatingNeighbours().fit(csr_matrix(([0, 4], ([0, 1], [0, 0])), shape=(2, 1)))
    assert model.predict(rows(), np.array([]), 0) == pytest.approx(2)


@pytest.mark.parametrize("by", ["users", "items"])
def test_files_and_many_columns_at_once(by: str, tmp_path: Path) -> None:
    model = RatingNeighbours(by=by, k=3, shrinkage=2.0).fit(ARTICLES)
    model.save(tmp_path / "ratings.npz")
    again = RatingNeighbours.load(tmp_path / "ratings.npz")
    singles = [model.predict(*KEN, item) for item in range(6)]
    assert again.predictions(*KEN, rows(*range(6))) == pytest.approx(singles)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_ratings_that_are_none_are_refused(bad: float) -> None:
    with pytest.raises(InputError):
        RatingNeighbours().fit(csr_matrix(np.array([[bad, 1.0]])))
    with pytest.raises(InputError):
        RatingNeighbours().fit(ARTICLES).predict(rows(0), np.array([bad]), 1)
    with pytest.raises(InputError):
        RatingNeighbours().fit(csr_matrix((2, 2), dtype=np.float32))


@settings(deadline=None)
@given(
    table=st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=5).filter(lambda table: any(map(any, table))),
    own=st.lists(st.integers(1, 5), max_size=4),
    by=st.sampled_from(["users", "items"]),
)
def test_predictions_stay_on_the_scale(table: list[list[int]], own: list[int], by: str) -> None:
    ratings = csr_matrix(np.array(table, dtype=np.float32))  # 0: not rated
    found = RatingNeighbours(by=by, shrinkage=0.0, k=2).fit(ratings).predictions(rows(*range(len(own))), np.array(own), rows(0, 1, 2, 3))
    assert (found >= ratings.data.min()).all()
    assert (found <= ratings.data.max()).all()
