"""Transition neighbours: what tends to come soon after what.

Ordered pairs inside a window of a user's sequence are summed with a weight that decays with their distance (sequential rules of
Ludewig & Jannach 2018, with a decay of powers in place of 1/distance) and age, damped by the popularity of both ends.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError, StoreError
from scenewise.tools.collaborative.model import Rows, Scores, Sequences, Weights, check_interactions, load_arrays, save_arrays
from scenewise.tools.collaborative.pairs import Cut, Pairing, PairTable, count_pairs

_DAY_S = 86_400.0
_ANY = -1  # the table of all pairs, whatever their scene
_FORGOTTEN = 1e-6  # events that count less beside the latest one are left out: a history of 10^6 costs no more than one of 60


class TransitionKnn:
    """`window`, `decay`, `backward`, `half_life_days`: see Pairing. `damping`: power of its count that divides an item found;
    `damping_from`: the same for the item of the history. `recency`: at scoring time, an event counts this much less than the one
    after it. `k` neighbours an item are kept, the largest before damping of the item found. `back_off`, above 0: see scores_in.

    `domain` int16 (n_items,): each other domain than the item's own keeps a tenth of the k neighbours, where it has them, so that
    one with few events is not crowded out. `updatable` keeps all pairs, with which `update` gives what a new fit would.
    """

    name = "transition_knn"

    def __init__(
        self,
        *,
        window: int = 10,
        decay: float = 0.9,
        backward: float = 0.5,
        damping: float = 0.5,
        damping_from: float = 0.5,
        recency: float = 0.8,
        k: int = 300,
        half_life_days: float | None = None,
        back_off: float = 20.0,
        domain: NDArray[np.int16] | None = None,
        updatable: bool = False,
    ) -> None:
        half_life_s = None if half_life_days is None else half_life_days * _DAY_S
        self.pairing, self.cut = Pairing(window, decay, backward, half_life_s), Cut(k, domain)
        self.damping, self.damping_from, self.recency = damping, damping_from, recency
        self.back_off, self.updatable = back_off, updatable

    def fit(self, interactions: csr_matrix, sequences: Sequences | None = None) -> Self:
        """Sum the pairs. InputError where the sequences are missing: a matrix has no order."""
        if sequences is None:
            raise InputError("Transition neighbours need the sequences of events; pass `sequences`.")
        n = check_interactions(interactions).shape[1]
        self.counts = np.bincount(sequences.rows, minlength=n).astype(np.float64)
        self.last_s = float(sequences.times_s.max(initial=0.0))
        blocks = defaultdict(list)
        for rows, by_scene in count_pairs(sequences, n, self.pairing):
            for scene, whole in (by_scene | {_ANY: sum(by_scene.values(), csr_matrix((len(rows), n)))}).items():
                totals = np.asarray(whole.sum(axis=1)).ravel()
                blocks[scene].append((self.cut.of(whole, rows), totals, whole.astype(np.float32) if self.updatable else whole[:0]))
        self.tables = {scene: PairTable.stack(parts) for scene, parts in blocks.items()} or {_ANY: PairTable.empty(n)}
        return self._damp_all()

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return the sum over the history, the latest event counting most: float32 (n_items,)."""
        return self.scores_in(rows, weights, _ANY)

    def scores_in(self, rows: Rows, weights: Weights, scene: int, scenes: NDArray[np.int16] | None = None) -> Scores:
        """Return the scores for what comes next in a scene: float32 (n_items,). The events' own scenes make no difference.

        The pairs that ended in the scene count, and beside them those of all scenes as if they were `back_off` more: an item of the
        history with few pairs in the scene speaks as it does everywhere (Dirichlet smoothing, Zhai & Lafferty 2004).
        """
        weights = self._recent(weights)
        rows, weights = rows[weights > 0], weights[weights > 0]
        found = sum(near.T @ (weights * share) for near, share in self._near(rows, scene))
        return np.asarray(found * self._damp, dtype=np.float32)

    def contributions(self, rows: Rows, weights: Weights, columns: Rows, *, scene: int = _ANY) -> Scores:
        """Return each event's part of the score: float32 (h, c)."""
        weights = self._recent(weights)
        live = np.flatnonzero(weights)
        out = np.zeros((len(rows), len(columns)), dtype=np.float32)
        for near, share in self._near(rows[live], scene):
            out[live] += near[:, columns].toarray() * (weights[live] * share)[:, None]
        return out * self._damp[columns]

    def update(self, history_rows: Rows, new_row: int, *, scene: int = _ANY, time_s: float | None = None) -> None:
        """Count one more event of a user whose events so far, oldest first, are `history_rows`. No other thread may score meanwhile.

        Scores are then those of a new fit; with a half-life but for one factor common to all, as older pairs keep the worth that they
        had. InputError for a model that is not `updatable`, and for a row outside its catalogue.
        """
        if not self.updatable:
            raise InputError("This model keeps no more than its neighbours; fit it with `updatable=True` to update it.")
        if not 0 <= new_row < len(self.counts):
            raise InputError("The item of the new event has no row in this model; fit it on the present catalogue.")
        self.counts[new_row] += 1
        self._damp[new_row] = self.counts[new_row] ** -self.damping
        before = history_rows[::-1][: self.pairing.window]
        age = self.pairing.aged(np.asarray([self.last_s if time_s is None else time_s]), self.last_s)
        worth = (self.pairing.decay ** np.arange(len(before)) * age)[before != new_row]
        before = before[before != new_row]
        for code in {_ANY, scene}:
            table = self.tables.setdefault(code, PairTable.empty(len(self.counts)))
            for row, value in zip(before.tolist(), worth.tolist(), strict=True):
                table.add(row, np.asarray([new_row], dtype=np.int32), np.asarray([value]))
            table.add(new_row, before, worth * self.pairing.backward)

    def save(self, path: Path) -> None:
        """Write the tables and the settings as .npz, atomically."""
        settings = {
            **{name: value for name, value in asdict(self.pairing).items() if value is not None},
            **{name: getattr(self, name) for name in ("damping", "damping_from", "recency", "back_off", "updatable", "last_s")},
            "k": self.cut.k,
        }
        arrays = {"counts": self.counts, "scenes": np.asarray([*self.tables]), "settings": np.asarray(json.dumps(settings))}
        arrays |= {} if self.cut.domain is None else {"domain": self.cut.domain}
        for scene, table in self.tables.items():
            arrays |= table.arrays(self.cut, str(scene))
        save_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote. NotFound, StoreError."""
        arrays = load_arrays(path)
        try:
            settings = json.loads(str(arrays["settings"]))
            last_s, half_life_s = settings.pop("last_s"), settings.pop("half_life_s", None)
            model = cls(**settings, half_life_days=half_life_s and half_life_s / _DAY_S, domain=arrays.get("domain"))
            model.counts, model.last_s = arrays["counts"], last_s
            model.tables = {scene: PairTable.from_arrays(arrays, str(scene)) for scene in arrays["scenes"].tolist()}
        except (KeyError, ValueError, TypeError) as error:
            raise StoreError("The saved model is damaged; delete the file and fit again.") from error
        return model._damp_all()

    def _near(self, rows: Rows, scene: int) -> list[tuple[csr_matrix, NDArray[np.float32]]]:
        """Return each table's neighbours of the rows, csr (h, n_items), and how much they count, damped by the rows' own counts."""
        everywhere = self.tables[_ANY]
        shares = [(everywhere, np.ones(len(rows)))]
        if scene != _ANY and (own := self.tables.get(scene)) is not None:
            n_pairs = own.totals[rows] + self.back_off
            shares = [(everywhere, self.back_off / n_pairs), (own, everywhere.totals[rows] / n_pairs)]
        damped = np.maximum(self.counts[rows], 1.0) ** -self.damping_from
        return [(table.near(rows, self.cut), (share * damped).astype(np.float32)) for table, share in shares]

    def _damp_all(self) -> Self:
        self._damp = (np.maximum(self.counts, 1.0) ** -self.damping).astype(np.float32)
        return self

    def _recent(self, weights: Weights) -> Weights:
        worth = np.float32(self.recency) ** np.arange(len(weights) - 1, -1, -1, dtype=np.float32)
        return np.asarray(weights * np.where(worth > _FORGOTTEN, worth, 0.0), dtype=np.float32)
