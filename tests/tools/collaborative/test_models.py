import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError, NotFound, StoreError
from scenewise.tools.collaborative.als import Als
from scenewise.tools.collaborative.ease import MAX_ITEMS, Ease
from scenewise.tools.collaborative.item_knn import ItemKnn
from scenewise.tools.collaborative.model import Sequences
from scenewise.tools.collaborative.neighbours import largest, strongest
from scenewise.tools.collaborative.popularity import Popularity
from scenewise.tools.collaborative.rating_neighbours import RatingNeighbours
from scenewise.tools.collaborative.rp3beta import Rp3Beta
from scenewise.tools.collaborative.transition_knn import TransitionKnn
from scenewise.tools.collaborative.trending import Trending
from scenewise.tools.collaborative.user_knn import UserKnn

_spec = importlib.util.spec_from_file_location("collaborative_conformance", Path(__file__).with_name("conformance.py"))
assert _spec is not None
assert _spec.loader is not None
kit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kit)

PERSONAL_MODELS = {
    "item_knn cosine": ItemKnn,
    "item_knn tfidf": lambda: ItemKnn(weighting="tfidf"),
    "item_knn bm25": lambda: ItemKnn(weighting="bm25"),
    "user_knn": UserKnn,
    "rp3beta": Rp3Beta,
    "ease": lambda: Ease(regularisation=1.0),
    "als": lambda: Als(factors=2, regularisation=0.1, seed=3),
    "ease with recency": lambda: Ease(regularisation=1.0, recency=0.95),
    "transition_knn": lambda: TransitionKnn(window=20),
    "transition_knn updatable": lambda: TransitionKnn(window=20, updatable=True),
}
ALL_MODELS = PERSONAL_MODELS | {
    "popularity": Popularity,
    "recent popularity": lambda: Popularity(half_life_days=1.0),
    "trending": Trending,
}


@pytest.mark.parametrize("check", kit.PERSONAL, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", PERSONAL_MODELS.values(), ids=PERSONAL_MODELS)
def test_personal_models(make: Callable[[], object], check: Callable[[object], None]) -> None:
    check(make)


@pytest.mark.parametrize("check", kit.COMMON, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", ALL_MODELS.values(), ids=ALL_MODELS)
def test_all_models(make: Callable[[], object], check: Callable[[object], None]) -> None:
    check(make)


@pytest.mark.parametrize("make", ALL_MODELS.values(), ids=ALL_MODELS)
def test_files(make: Callable[[], object], tmp_path: Path) -> None:
    kit.check_a_file_brings_the_model_back(make, tmp_path)
    kit.check_nothing_is_pickled(make, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("make", ALL_MODELS.values(), ids=ALL_MODELS)
def test_a_million_events_of_one_user(make: Callable[[], object]) -> None:
    if isinstance(make(), Ease):
        with pytest.raises(InputError, match="limited"):
            kit.check_a_million_events_of_one_user(make)
    else:
        kit.check_a_million_events_of_one_user(make)


@pytest.mark.parametrize(
    "model", [ItemKnn, UserKnn, Ease, Als, TransitionKnn, Popularity, Trending, RatingNeighbours], ids=lambda model: model.__name__
)
def test_files_that_are_missing_or_damaged_say_so(model: type[Ease], tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        model.load(tmp_path / "nothing.npz")
    (tmp_path / "bad.npz").write_bytes(b"not a zip")
    with pytest.raises(StoreError):
        model.load(tmp_path / "bad.npz")
    np.savez(tmp_path / "other.npz", other=np.ones(1))
    with pytest.raises(StoreError):
        model.load(tmp_path / "other.npz")


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "pickled.npz", counts=np.array([{"a": 1}], dtype=object))
    with pytest.raises(StoreError):
        Popularity.load(tmp_path / "pickled.npz")


@pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf])
@pytest.mark.parametrize("make", ALL_MODELS.values(), ids=ALL_MODELS)
def test_bad_weights_are_refused(make: Callable[[], Ease], bad: float) -> None:
    data = kit.checkerboard()
    matrix = data.matrix.copy()
    matrix.data[0] = bad
    with pytest.raises(InputError):
        make().fit(matrix, data.sequences)


def test_popularity_counts_people_not_weights() -> None:
    model = Popularity().fit(csr_matrix(np.array([[0.3, 1.0], [0.6, 0.0]], dtype=np.float32)))
    assert model.scores(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)).tolist() == [2.0, 1.0]


def test_recent_popularity_halves_with_age() -> None:
    sequences = Sequences(np.array([0, 1], dtype=np.int32), np.array([0.0, 2 * 86_400.0]), np.array([0, 2]))
    model = Popularity(half_life_days=1.0).fit(csr_matrix(np.ones((1, 2), dtype=np.float32)), sequences)
    assert model.counts.tolist() == [0.25, 1.0]


def test_cosine_by_hand() -> None:
    # item 0 by users 0 and 1, item 1 by user 1 alone: 1 / sqrt(2 * 1)
    model = ItemKnn().fit(csr_matrix(np.array([[1, 0], [1, 1]], dtype=np.float32)))
    assert model.similarity.toarray() == pytest.approx(np.array([[0, 0.5**0.5], [0.5**0.5, 0]]))


def test_neighbours_are_cut_at_k() -> None:
    model = ItemKnn(k=2).fit(kit.checkerboard().matrix)
    assert np.diff(model.similarity.indptr).max() == 2


def test_ease_by_hand() -> None:
    # G + I = [[3, 1], [1, 2]], its inverse [[2, -1], [-1, 3]] / 5; B_ij = -P_ij / P_jj
    model = Ease(regularisation=1.0).fit(csr_matrix(np.array([[1, 0], [1, 1]], dtype=np.float32)))
    assert model.weights == pytest.approx(np.array([[0, 1 / 3], [1 / 2, 0]]))


def test_ease_refuses_too_many_items_and_names_als() -> None:
    with pytest.raises(InputError, match="ALS"):
        Ease().fit(csr_matrix(np.ones((1, MAX_ITEMS + 1), dtype=np.float32)))


def test_ease_counts_only_items_with_events() -> None:
    row = csr_matrix(([1.0, 1.0], ([0, 0], [0, MAX_ITEMS + 5])), shape=(1, MAX_ITEMS + 6), dtype=np.float32)
    model = Ease(regularisation=1.0).fit(row)
    assert model.scores(np.array([0], dtype=np.int32), np.ones(1, dtype=np.float32))[MAX_ITEMS + 5] > 0


def test_als_depends_on_its_seed_only() -> None:
    data = kit.checkerboard()
    first, same, other = (Als(factors=4, seed=seed).fit(data.matrix).item_factors for seed in (1, 1, 2))
    assert (first == same).all()
    assert not np.allclose(first, other)


def test_strongest_keeps_the_largest_and_drops_the_diagonal() -> None:
    matrix = csr_matrix(np.array([[9, 1, 2, 2], [0, 0, -1, 3], [0, 0, 0, 0], [0, 0, 0, 5]], dtype=np.float32))
    assert strongest(matrix, 2).toarray().tolist() == [[0, 0, 2, 2], [0, 0, 0, 3], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_strongest_of_some_rows_knows_their_items() -> None:
    matrix = csr_matrix(np.array([[1, 9, 2]], dtype=np.float32))
    assert strongest(matrix, 2, first_row=1).toarray().tolist() == [[1, 0, 2]]


def test_other_domains_keep_a_tenth_of_the_neighbours() -> None:
    values = np.arange(40.0, 0.0, -1.0, dtype=np.float32)  # the 20 largest are of the row's own domain, 0
    domain = np.array([0] * 36 + [1] * 3 + [2], dtype=np.int16)
    kept = largest(csr_matrix(values[None]), 20, domains=(domain[:1], domain)).indices.tolist()
    assert kept == [*range(17), 36, 37, 39]


def test_a_long_history_counts_by_its_last_events() -> None:
    # user 0 took 0, 1, 2 in this order; of two events, 1 and 2 are left; user 1 took 0 and 1
    data = kit.from_columns(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 0, 1]), np.arange(5.0), np.ones(5, np.float32), shape=(2, 3))
    for model in (ItemKnn(max_history=2), Rp3Beta(max_history=2)):
        near = model.fit(data.matrix, data.sequences).similarity.toarray() > 0
        assert near.tolist() == [[False, True, False], [True, False, True], [False, True, False]]


def test_a_long_history_without_order_counts_by_its_weights() -> None:
    matrix = csr_matrix(np.array([[0.3, 1.0, 0.6]], dtype=np.float32))
    assert ItemKnn(max_history=2).fit(matrix).similarity.toarray().nonzero()[0].tolist() == [1, 2]


def test_rp3beta_by_hand() -> None:
    # 0 by users 0 and 1, 1 by user 1: from 0 to user 1 (1/2), on to 1 (1/2), over 1 user; from 1 to user 1 (1), to 0 (1/2), over 2 users
    model = Rp3Beta(alpha=1.0, beta=1.0).fit(csr_matrix(np.array([[1, 0], [1, 1]], dtype=np.float32)))
    assert model.similarity.toarray() == pytest.approx(np.array([[0, 0.25], [0.25, 0]]))


def test_ease_weighs_older_events_less() -> None:
    # user 1 took 0, then 1: half of the first one; G = [[1.25, .5], [.5, 1]], G + I inverted: [[2, -.5], [-.5, 2.25]] / 4.25
    data = kit.from_columns(np.array([0, 1, 1]), np.array([0, 0, 1]), np.arange(3.0), np.ones(3, np.float32), shape=(2, 2))
    model = Ease(regularisation=1.0, recency=0.5).fit(data.matrix, data.sequences)
    assert model.weights == pytest.approx(np.array([[0, 0.5 / 2.25], [0.5 / 2, 0]]))
    with pytest.raises(InputError, match="sequences"):
        Ease(recency=0.5).fit(data.matrix)


def test_trending_is_what_rises() -> None:
    # 0: two events long ago, 1: two now; with a half-life of a day 2 of worth are left, 1 is expected of each: (2 - 1) / sqrt(1 + 1)
    times_s = np.array([0.0, 0.0, 1e7, 1e7])
    data = kit.from_columns(np.arange(4), np.array([0, 0, 1, 1]), times_s, np.ones(4, np.float32), shape=(4, 3))
    model = Trending(half_life_days=1.0).fit(data.matrix, data.sequences)
    nobody = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
    assert model.scores(*nobody) == pytest.approx([0.0, 0.5**0.5, 0.0])
    with pytest.raises(InputError, match="domain"):
        model.of(domain=0)
    with pytest.raises(InputError, match="sequences"):
        Trending().fit(data.matrix)


def test_trending_in_a_scene_and_a_domain(tmp_path: Path) -> None:
    rows, times_s = np.array([0, 1, 2, 3, 0, 2, 3, 3]), np.array([0.0] * 4 + [1e7] * 4)
    scenes = np.array([0, 0, 0, 0, 0, 1, -1, 1], dtype=np.int16)
    sequences = Sequences(rows.astype(np.int32), times_s, np.array([0, 8]), scenes)
    fitted = Trending(half_life_days=1.0, domain=np.array([0, 0, 1, 1], dtype=np.int16))
    fitted.fit(csr_matrix(np.ones((1, 4), dtype=np.float32)), sequences).save(tmp_path / "trending.npz")
    model = Trending.load(tmp_path / "trending.npz")
    assert (model.of(scene=0) > 0).tolist() == [True, False, False, False]
    assert (model.of(domain=0) > 0).tolist() == [True, False, False, False]
    assert (model.of(domain=1) > 0).tolist() == [False, False, False, True]
    assert not model.of(scene=7).any()
    assert not model.of(scene=0, domain=1).any()
