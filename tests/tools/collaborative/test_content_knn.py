"""Content neighbours: the kit of all models, and similarities by hand."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError
from scenewise.tools.collaborative import content_knn
from scenewise.tools.collaborative.content_knn import ContentKnn
from scenewise.tools.collaborative.model import Sequences
from scenewise.tools.features import ItemFeatures

_spec = importlib.util.spec_from_file_location("collaborative_conformance", Path(__file__).with_name("conformance.py"))
assert _spec is not None
assert _spec.loader is not None
kit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kit)


def features(attributes: object, **vectors: object) -> ItemFeatures:
    matrix = csr_matrix(np.asarray(attributes, dtype=np.float32))
    dense = {name: np.asarray(rows, dtype=np.float32) for name, rows in vectors.items()}
    return ItemFeatures(matrix, np.zeros(matrix.shape[0], dtype=np.int16), **dense)


class OddOrEven:
    """Makes a model whose items are odd or even by content, for as many items as the data have."""

    def fit(self, matrix: csr_matrix, sequences: Sequences | None = None) -> ContentKnn:
        return ContentKnn(features(np.eye(2)[np.arange(matrix.shape[1]) % 2])).fit(matrix, sequences)


@pytest.mark.parametrize("check", [*kit.PERSONAL, *kit.COMMON], ids=lambda check: check.__name__)
def test_kit(check: Callable[[object], None]) -> None:
    if check is kit.check_empty_data:
        pytest.skip("what items are like is known without events")
    check(OddOrEven)


def test_files(tmp_path: Path) -> None:
    kit.check_a_file_brings_the_model_back(OddOrEven, tmp_path)


def test_cosines_by_hand() -> None:
    # attributes: value 0 in two of three items, value 1 in one: idf log(2.5), log(4); item 1 has both
    known = features([[1, 0], [1, 1], [0, 0]], text=[[1, 0], [0, 1], [0.6, 0.8]], graph=[[1, 0], [1, 0], [0, 0]])
    model = ContentKnn(known, attributes=0.5, text=0.3, graph=0.2).fit(csr_matrix((1, 3)))
    common = np.log(2.5) / np.hypot(np.log(2.5), np.log(4))
    wanted = [[0, 0.5 * common + 0.2, 0.18], [0.5 * common + 0.2, 0, 0.24], [0.18, 0.24, 0]]
    assert model.similarity.toarray() == pytest.approx(np.asarray(wanted))


def test_an_item_without_events_is_found_and_finds() -> None:
    data = csr_matrix(np.asarray([[1, 1, 0, 0]], dtype=np.float32))
    model = ContentKnn(features([[1, 0], [0, 1], [1, 0], [0, 1]])).fit(data)
    one = np.ones(1, dtype=np.float32)
    assert model.scores(np.asarray([0], dtype=np.int32), one).argmax() == 2
    assert model.scores(np.asarray([3], dtype=np.int32), one).argmax() == 1


def test_blocks_do_not_change_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    known = features(rng.random((30, 8)) < 0.3, text=rng.standard_normal((30, 4)))
    whole = ContentKnn(known, k=5).fit(csr_matrix((1, 30)))
    monkeypatch.setattr(content_knn, "_BLOCK", 30 * 7)
    assert (whole.similarity != ContentKnn(known, k=5).fit(csr_matrix((1, 30))).similarity).nnz == 0
    assert np.diff(whole.similarity.indptr).max() == 5


def test_features_of_other_items_are_refused() -> None:
    for model in (ContentKnn(), ContentKnn(features([[1], [1]]))):
        with pytest.raises(InputError, match="same items"):
            model.fit(csr_matrix((1, 3)))


def test_over_a_changed_catalogue_it_is_what_is_fitted_to_it() -> None:
    rng = np.random.default_rng(3)
    n, k, text = 60, 8, rng.standard_normal((70, 6)).astype(np.float32)
    text /= np.linalg.norm(text, axis=1, keepdims=True)

    def features(rows: np.ndarray) -> ItemFeatures:
        return ItemFeatures(csr_matrix((len(rows), 1), dtype=np.float32), np.zeros(len(rows), np.int16), text[rows])

    before = np.arange(n)
    model = ContentKnn(features(before), text=1.0, k=k).fit(csr_matrix((0, n), dtype=np.float32))
    after = np.concatenate((np.delete(before, [7]), [60, 61, 62]))[rng.permutation(n + 2)]
    origin = np.where(after < n, after, -1).astype(np.int32)
    now = after.copy()
    now[origin == 20] = 63  # its text is another one now
    differs = (origin < 0) | (origin == 20)
    changed = model.over(features(now), origin, differs)
    fitted = ContentKnn(features(now), text=1.0, k=k).fit(csr_matrix((0, n + 2), dtype=np.float32))
    for row in range(n + 2):
        mine, other = (dict(zip(m.indices, m.data, strict=True)) for m in (changed.similarity[row], fitted.similarity[row]))
        was = set() if differs[row] else set(model.similarity[origin[row]].indices)
        lost = sum(int(gone) in was for gone in (7, 20))
        assert mine.keys() <= other.keys() or lost, row
        assert len(other.keys() - mine.keys()) <= lost
        if not lost:
            assert mine.keys() == other.keys()
        for item in mine.keys() & other.keys():
            assert mine[item] == pytest.approx(other[item], abs=1e-5)
    assert model.similarity.shape == (n, n)
    none = model.over(features(before), before.astype(np.int32), np.zeros(n, dtype=np.bool_))
    assert (none.similarity != model.similarity).nnz == 0
