"""What every collaborative model promises, and how its arrays are kept in a file."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError, NotFound, StoreError

Rows = NDArray[np.int32]
Weights = NDArray[np.float32]
Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sequences:
    """The positive events in time order. `rows`: int32 (n,) item rows, user after user, oldest first; `times_s`: float64 (n,)
    unix seconds; `starts`: int64 (n_users + 1,), user u holds rows[starts[u]:starts[u + 1]]; `scenes`: int16 (n,) codes of the scene
    of each event, -1 where none is known, None where none is known of any."""

    rows: Rows
    times_s: NDArray[np.float64]
    starts: NDArray[np.int64]
    scenes: NDArray[np.int16] | None = None

    def user_of_event(self) -> NDArray[np.int64]:
        """Return the user's number of each event: int64 (n,)."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


class Scorer(Protocol):
    """A model that is ready; see CollaborativeModel."""

    @property
    def name(self) -> str: ...

    def scores(self, rows: Rows, weights: Weights) -> Scores: ...

    def save(self, path: Path) -> None: ...


class CollaborativeModel(Protocol):
    """Learns from who did what, and scores the catalogue for a history it has never seen (fold-in).

    `fit` takes csr_matrix float32 (n_users, n_items); `sequences` holds the same events in order, for models that look at order
    or time. `scores` takes the history oldest first, rows int32 (h,) with weights float32 (h,) >= 0, and returns float32
    (n_items,), higher is better, 0 for "nothing known", never NaN; an empty history gives zeros except from popularity.
    """

    name: str

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self: ...

    def scores(self, rows: Rows, weights: Weights) -> Scores: ...

    def save(self, path: Path) -> None: ...

    @classmethod
    def load(cls, path: Path) -> Self: ...


@runtime_checkable
class InScene(Protocol):
    """A model that tells what comes next in one scene from what does in another."""

    def scores_in(self, rows: Rows, weights: Weights, *, scene: int, scenes: NDArray[np.int16] | None = None) -> Scores:
        """Return the scores where the scene with this code is now, float32 (n_items,). `scenes`: int16 (h,), the codes of the events'
        own. -1 is a scene that is not known."""
        ...


@runtime_checkable
class Explaining(Protocol):
    """A model whose score is a sum over the history."""

    def contributions(self, rows: Rows, weights: Weights, columns: Rows) -> NDArray[np.float32]:
        """Return float32 (h, c): what each event of the history adds to the score of each column."""
        ...


def scores_at(model: Scorer, rows: Rows, weights: Weights, *, scene: int = -1, scenes: NDArray[np.int16] | None = None) -> Scores:
    """Score a history for the scene that is now, where one is known and the model takes it (see InScene): float32 (n_items,)."""
    known = scene >= 0 or (scenes is not None and bool((scenes >= 0).any()))
    if known and isinstance(model, InScene) and bool((weights > 0).any()):
        return model.scores_in(rows, weights, scene=scene, scenes=scenes)
    return model.scores(rows, weights)


def check_interactions(interactions: csr_matrix) -> csr_matrix:
    """Return a copy as csr_matrix float32 with sorted, summed entries and no zeros. InputError for negative or non-finite values."""
    matrix = csr_matrix(interactions, dtype=np.float32, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    if not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        raise InputError("Interactions must be finite and not negative; drop or clip the other ones.")
    return matrix


def latest_ages(sequences: Sequences, n_items: int) -> csr_matrix:
    """Return for each pair of user and item 1 + the number of the user's events after its latest one: csr float32 (n_users, n_items)."""
    users, n = sequences.user_of_event(), len(sequences.rows)
    age = (sequences.starts[users + 1] - np.arange(n)).astype(np.float32)
    latest = n - 1 - np.unique(users[::-1] * n_items + sequences.rows[::-1], return_index=True)[1]
    return csr_matrix((age[latest], (users[latest], sequences.rows[latest])), shape=(len(sequences.starts) - 1, n_items))


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an .npz so that a crash leaves the old file or the new one. OSError where the folder cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # the stub takes the keys for its own options
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read an .npz without pickle. NotFound where there is none, StoreError where it is damaged."""
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:  # numpy leaves a damaged file open
            return {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise NotFound("There is no saved model at this path; fit one first.") from error
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise StoreError("The saved model is damaged; delete the file and fit again.") from error


def csr_arrays(matrix: csr_matrix) -> dict[str, NDArray[Any]]:
    """Take a CSR matrix apart for save_arrays."""
    return {
        "data": matrix.data.astype(np.float32),
        "indices": matrix.indices.astype(np.int32),
        "indptr": matrix.indptr.astype(np.int64),
        "shape": np.asarray(matrix.shape, dtype=np.int64),
    }


def csr_from(arrays: Mapping[str, NDArray[Any]]) -> csr_matrix:
    """Put a CSR matrix together again. StoreError where a part is missing or does not fit."""
    try:
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        n_rows, n_columns = arrays["shape"].tolist()
        return csr_matrix(parts, shape=(n_rows, n_columns))
    except (KeyError, ValueError, IndexError) as error:
        raise StoreError("The saved model is damaged; delete the file and fit again.") from error
