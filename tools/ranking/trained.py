"""What a toolbox takes from a trained version, or fits for itself where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.errors import StoreError
from scenewise.store.store import Store
from scenewise.store.types import ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.update import Updated
from scenewise.tools.collaborative.collaborative import Collaborative, load_source
from scenewise.tools.collaborative.content_knn import ContentKnn
from scenewise.tools.collaborative.feature_regression import FeatureRegression
from scenewise.tools.collaborative.interactions import Worth
from scenewise.tools.collaborative.model import Scorer
from scenewise.tools.features import ItemFeatures, features_of
from scenewise.tools.ranking.artefacts import Artefact, Renumbered, first_usable
from scenewise.tools.ranking.calibration import Calibration
from scenewise.tools.ranking.tune import tune_fusion

FUSION = "fusion.json"
RANKER = "transformer"
Features = Callable[[Artefact, NDArray[np.int32]], ItemFeatures]
"""Makes the features of the present catalogue in the columns of an artefact's, given its rows (see Artefact.rows_of)."""


@dataclass(frozen=True, eq=False)
class Trained:
    """Models over the catalogue's rows; `artefact` is None where they were fitted at opening.

    `fitted` are the models as they were fitted, over the items `fitted_rows` (id -> row there); `features` are those of the catalogue in
    the columns of the fit, None where they were not needed so far.
    """

    collaborative: Collaborative
    calibration: Calibration
    artefact: Artefact | None
    fitted: Mapping[str, Scorer]
    fitted_rows: Mapping[ItemId, int]
    features: ItemFeatures | None = None

    @property
    def version(self) -> str | None:
        """The artefact's version."""
        return None if self.artefact is None else self.artefact.manifest.version

    @classmethod
    def open(cls, store: Store, catalogue: Catalogue, features: Features) -> Trained:
        """Take the current version, or fit what a store without one can do with."""
        if (found := cls.load(store, catalogue, features)) is not None:
            return found
        collaborative = Collaborative.from_store(store, catalogue)
        rows = MappingProxyType({item.item_id: row for row, item in enumerate(catalogue.items)})
        return cls(collaborative, tune_fusion(store, catalogue), None, collaborative.models, rows, features_of(catalogue))

    @classmethod
    def load(cls, store: Store, catalogue: Catalogue, features: Features) -> Trained | None:
        """Take the current version, or the one before where it is damaged or of another catalogue; None where none can be used."""
        return first_usable(store.path / "models", lambda artefact: cls.of(artefact, catalogue, features))[0]

    @classmethod
    def of(cls, artefact: Artefact, catalogue: Catalogue, features: Features) -> Trained:
        """Load a version's models. InputError (another catalogue), StoreError."""
        rows = artefact.rows_of(catalogue)
        fitted: dict[str, Scorer] = {name: load_source(name, artefact.folder / file_of(name)) for name in artefact.manifest.sources}
        now, models = None, fitted
        if len(rows) != len(artefact.item_ids) or (rows != np.arange(len(rows))).any():
            now = features(artefact, rows)
            models = {name: _over(model, rows, now) for name, model in fitted.items()}
        try:
            calibration = Calibration.from_json((artefact.folder / FUSION).read_text(encoding="utf-8"))
        except OSError as error:
            raise StoreError(f"trained models {artefact.folder.name}: {FUSION} is missing; run `scenewise train` again") from error
        known = Worth(artefact.manifest.scales)
        collaborative = Collaborative(catalogue, MappingProxyType(models), known, scenes=artefact.manifest.scenes)
        fitted_rows = MappingProxyType({item_id: row for row, item_id in enumerate(artefact.item_ids)})
        return cls(collaborative, calibration, artefact, fitted, fitted_rows, now)

    def features_of(self, catalogue: Catalogue, features: Features) -> ItemFeatures:
        """Make a catalogue's features in the columns of the fit. InputError (another catalogue), NotFound, StoreError."""
        if self.artefact is not None:
            return features(self.artefact, self.artefact.rows_of(catalogue))
        return features_of(catalogue, values=None if self.features is None else self.features.values)

    def over(self, update: Updated, features: ItemFeatures) -> Trained:
        """Bring the models over a changed catalogue: items that came are known by their features, those that went have no row; nothing is
        fitted again. `features` are those of that catalogue. InputError where they have other columns."""
        catalogue, before = update.catalogue, self.features
        rows = np.asarray([self.fitted_rows.get(item.item_id, -1) for item in catalogue.items], dtype=np.int32)
        differs = np.ones(catalogue.n, dtype=np.bool_) if before is None else features.differing(before, update.origin)
        same = np.where(differs, np.int32(-1), update.origin)
        models: dict[str, Scorer] = {}
        for name, model in self.fitted.items():
            now = self.collaborative.models[name]
            if isinstance(model, FeatureRegression) and isinstance(now, FeatureRegression):
                models[name] = model.over(features, rows, mapped=now.mapped, same=same)
            elif isinstance(now, ContentKnn):
                models[name] = now.over(features, update.origin, differs)
            else:
                models[name] = _over(model, rows, features)
        collaborative = replace(self.collaborative, catalogue=catalogue, models=MappingProxyType(models))
        return replace(self, collaborative=collaborative, features=features)


def file_of(source: str) -> str:
    """Name the file of a source in an artefact."""
    return f"{source}.safetensors" if source == RANKER else f"{source}.npz"


def _over(model: Scorer, rows: NDArray[np.int32], features: ItemFeatures) -> Scorer:
    """Bring a model over a later catalogue: those that use features know new items by them, the others do not."""
    if model.name == RANKER:
        from scenewise.tools.ranking.transformer import SequenceTransformer

        assert isinstance(model, SequenceTransformer)
        return model.over(features, rows)
    if isinstance(model, FeatureRegression):
        return model.over(features, rows)
    if isinstance(model, ContentKnn):
        return ContentKnn(features).fit(csr_matrix(np.zeros((0, len(rows)), dtype=np.float32)))
    return Renumbered(model, rows)
