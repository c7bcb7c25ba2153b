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
from scenewise.tools.collaborative.neighbours import strongest
from scenewise.tools.collaborative.popularity import Popularity
from scenewise.tools.collaborative.rp3beta import Rp3Beta
from scenewise.tools.collaborative.transition_knn import TransitionKnn
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
    "transition_knn": lambda: TransitionKnn(window=20),
}
ALL_MODELS = PERSONAL_MODELS | {"popularity": Popularity, "recent popularity": lambda: Popularity(half_life_days=1.0)}


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


@pytest.mark.parametrize("model", [ItemKnn, UserKnn, Ease, Als, TransitionKnn, Popularity], ids=lambda model: model.__name__)
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


def test_transitions_by_hand() -> None:
    # 0 -> 1 -> 2, window 2, decay .5, no damping: 0->1: 1, 1->2: 1, 0->2: .5; read backwards at half worth
    data = kit.from_columns(np.zeros(3, dtype=int), np.array([0, 1, 2]), np.arange(3.0), np.ones(3, np.float32), shape=(1, 3))
    model = TransitionKnn(window=2, decay=0.5, backward=0.5, damping=0.0, recency=0.5).fit(data.matrix, data.sequences)
    assert model.similarity.toarray() == pytest.approx(np.array([[0, 1, 0.5], [0.5, 0, 1], [0.25, 0.5, 0]]))
    # history 0, 1: the older event counts half
    assert model.scores(np.array([0, 1], dtype=np.int32), np.ones(2, np.float32)) == pytest.approx([0.5, 0.5, 1.25])


def test_transitions_do_not_run_from_one_user_to_the_next() -> None:
    data = kit.from_columns(np.array([0, 1]), np.array([0, 1]), np.arange(2.0), np.ones(2, np.float32), shape=(2, 2))
    assert TransitionKnn().fit(data.matrix, data.sequences).similarity.nnz == 0


def test_transitions_need_an_order() -> None:
    with pytest.raises(InputError, match="sequences"):
        TransitionKnn().fit(kit.checkerboard().matrix)


def test_strongest_keeps_the_largest_and_drops_the_diagonal() -> None:
    matrix = csr_matrix(np.array([[9, 1, 2, 2], [0, 0, -1, 3], [0, 0, 0, 0], [0, 0, 0, 5]], dtype=np.float32))
    assert strongest(matrix, 2).toarray().tolist() == [[0, 0, 2, 2], [0, 0, 0, 3], [0, 0, 0, 0], [0, 0, 0, 0]]
