"""What a toolbox takes from a trained version, or fits for itself where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.errors import StoreError
from scenewise.store.store import Store
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.collaborative import Collaborative, load_source
from scenewise.tools.collaborative.content_knn import ContentKnn
from scenewise.tools.collaborative.feature_regression import FeatureRegression
from scenewise.tools.collaborative.interactions import Worth
from scenewise.tools.collaborative.model import Scorer
from scenewise.tools.features import ItemFeatures
from scenewise.tools.ranking.artefacts import Artefact, Renumbered, first_usable
from scenewise.tools.ranking.calibration import Calibration
from scenewise.tools.ranking.tune import tune_fusion

FUSION = "fusion.json"
RANKER = "transformer"
Features = Callable[[Artefact, NDArray[np.int32]], ItemFeatures]
"""Makes the features of the present catalogue in the columns of an artefact's, given its rows (see Artefact.rows_of)."""


@dataclass(frozen=True, eq=False)
class Trained:
    """Models over the catalogue's rows. `version` is that of the artefact, None where they were fitted at opening."""

    collaborative: Collaborative
    calibration: Calibration
    version: str | None = None

    @classmethod
    def open(cls, store: Store, catalogue: Catalogue, features: Features) -> Trained:
        """Take the current version, or fit what a store without one can do with."""
        found = cls.load(store, catalogue, features)
        return found or cls(Collaborative.from_store(store, catalogue), tune_fusion(store, catalogue))

    @classmethod
    def load(cls, store: Store, catalogue: Catalogue, features: Features) -> Trained | None:
        """Take the current version, or the one before where it is damaged or of another catalogue; None where none can be used."""
        return first_usable(store.path / "models", lambda artefact: cls.of(artefact, catalogue, features))[0]

    @classmethod
    def of(cls, artefact: Artefact, catalogue: Catalogue, features: Features) -> Trained:
        """Load a version's models. InputError (another catalogue), StoreError."""
        rows = artefact.rows_of(catalogue)
        models: dict[str, Scorer] = {name: load_source(name, artefact.folder / file_of(name)) for name in artefact.manifest.sources}
        if len(rows) != len(artefact.item_ids) or (rows != np.arange(len(rows))).any():
            now = features(artefact, rows)
            models = {name: _over(model, rows, now) for name, model in models.items()}
        try:
            calibration = Calibration.from_json((artefact.folder / FUSION).read_text(encoding="utf-8"))
        except OSError as error:
            raise StoreError(f"trained models {artefact.folder.name}: {FUSION} is missing; run `scenewise train` again") from error
        known = Worth(artefact.manifest.scales)
        collaborative = Collaborative(catalogue, MappingProxyType(models), known, scenes=artefact.manifest.scenes)
        return cls(collaborative, calibration, artefact.manifest.version)


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
