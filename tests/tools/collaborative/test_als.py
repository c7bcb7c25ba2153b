from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError, NotFound
from scenewise.tools.collaborative.als import Als

FACTORS = {7: [1.0, 0.0], 3: [0.0, 2.0], 900: [5.0, 5.0]}
ROWS = {7: 0, 3: 2}  # Spark's 900 is not in the catalogue, and row 1 is not among Spark's items
ONE = np.ones(1, dtype=np.float32)


def write_spark(folder: Path, factors: dict[int, list[float]], name: str = "part-00000-af1c-c000.snappy.parquet") -> Path:
    """Write as `model.itemFactors.write.parquet(...)` does: parts beside a mark of success and checksums."""
    folder.mkdir(exist_ok=True)
    schema = {"id": pl.Int32, "features": pl.List(pl.Float32)}
    pl.DataFrame({"id": [*factors], "features": [*factors.values()]}, schema=schema).write_parquet(folder / name, compression="snappy")
    (folder / "_SUCCESS").touch()
    (folder / f".{name}.crc").write_bytes(b"crc")
    return folder


def test_factors_of_spark(tmp_path: Path) -> None:
    write_spark(tmp_path / "itemFactors", {7: FACTORS[7]})
    folder = write_spark(tmp_path / "itemFactors", {3: FACTORS[3], 900: FACTORS[900]}, "part-00001-af1c-c000.snappy.parquet")
    model = Als.from_parquet(folder, ROWS, 4, regularisation=0.5, alpha=3.0)
    assert model.item_factors.tolist() == [[1, 0], [0, 0], [0, 2], [0, 0]]
    # Y'Y = diag(1, 4). Item 0 once, weight 1: (1 + 3 + .5 * 1) x = 1 + 3; twice as many events, twice the regularisation
    assert model.scores(np.array([0], dtype=np.int32), ONE) == pytest.approx([4 / 4.5, 0, 0, 0])
    both = model.scores(np.array([0, 2], dtype=np.int32), np.ones(2, dtype=np.float32))
    assert both == pytest.approx([4 / (1 + 3 + 1), 0, 2 * (2 * 4) / (4 + 3 * 4 + 1), 0])
    model.save(tmp_path / "als.npz")
    again = Als.load(tmp_path / "als.npz")
    np.testing.assert_array_equal(again.scores(np.array([0], dtype=np.int32), ONE), model.scores(np.array([0], dtype=np.int32), ONE))


def test_a_single_file_of_spark(tmp_path: Path) -> None:
    folder = write_spark(tmp_path / "itemFactors", FACTORS)
    model = Als.from_parquet(next(folder.glob("*.parquet")), ROWS, 3, regularisation=1.0, alpha=1.0)
    assert model.factors == 2


def test_what_is_no_spark_model_is_refused(tmp_path: Path) -> None:
    options = {"regularisation": 1.0, "alpha": 1.0}
    with pytest.raises(NotFound):
        Als.from_parquet(tmp_path / "nowhere", ROWS, 3, **options)
    with pytest.raises(NotFound):
        Als.from_parquet(tmp_path, ROWS, 3, **options)
    pl.DataFrame({"id": [7], "vector": [[1.0]]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(InputError, match="columns"):
        Als.from_parquet(tmp_path / "other.parquet", ROWS, 3, **options)
    (tmp_path / "text.parquet").write_text("id,features")
    with pytest.raises(InputError, match="columns"):
        Als.from_parquet(tmp_path / "text.parquet", ROWS, 3, **options)
    for name, factors in {"uneven": {7: [1.0], 3: [1.0, 2.0]}, "nan": {7: [np.nan]}, "empty": {}}.items():
        with pytest.raises(InputError):
            Als.from_parquet(write_spark(tmp_path / name, factors), ROWS, 3, **options)
    with pytest.raises(InputError, match="catalogue"):
        Als.from_parquet(write_spark(tmp_path / "small", FACTORS), ROWS, 2, **options)


def test_folding_in_is_the_last_half_step_of_the_fit() -> None:
    from implicit.cpu.als import AlternatingLeastSquares

    matrix = csr_matrix(np.random.default_rng(0).random((30, 12)) * (np.random.default_rng(1).random((30, 12)) < 0.3), dtype=np.float32)
    model = Als(factors=4, regularisation=0.3, alpha=8.0).fit(matrix)
    oracle = AlternatingLeastSquares(factors=4, regularization=0.3, alpha=8.0, num_threads=1)
    oracle.item_factors = model.item_factors
    for user in range(30):
        one = matrix[user]
        np.testing.assert_allclose(
            model.scores(one.indices, one.data), model.item_factors @ oracle.recalculate_user(0, one), rtol=1e-3, atol=1e-4
        )
