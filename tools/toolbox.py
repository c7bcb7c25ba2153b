"""All tools of a store at one revision, ready to be called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenewise.store.store import Store
from scenewise.tools.catalogue import tool as catalogue_tool
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.mentions import Concepts
from scenewise.tools.collaborative import tool as collaborative_tool
from scenewise.tools.collaborative.collaborative import Collaborative
from scenewise.tools.collaborative.scenes import SceneReader
from scenewise.tools.features import ItemFeatures
from scenewise.tools.graph import tool as graph_tool
from scenewise.tools.graph.embedding import ItemGraph
from scenewise.tools.graph.graph import KnowledgeGraph
from scenewise.tools.profile import tool as profile_tool
from scenewise.tools.ranking.artefacts import Artefact, mark
from scenewise.tools.ranking.fusion import FusionRanker
from scenewise.tools.ranking.model import Ranker
from scenewise.tools.ranking.trained import Features, Trained
from scenewise.tools.retrieval import tool as retrieval_tool
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.retrieval.retriever import Retriever
from scenewise.tools.scene import tool as scene_tool
from scenewise.tools.scene.pack import ScenePack, read_pack
from scenewise.tools.scene.recogniser import SceneRecogniser
from scenewise.tools.training.item_features import FEATURES, features_like

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool

Report = Callable[[str, int, int], None]
"""Called with (what is being made, steps done, steps in all)."""


@dataclass(frozen=True)
class Toolbox:
    """The engines and, by name, the LangChain tools over them. `artefact` is the version of the trained models, None where they were
    fitted at opening."""

    store: Store
    encoders: Encoders
    pack: ScenePack
    concepts: Concepts
    catalogue: Catalogue
    recogniser: SceneRecogniser
    collaborative: Collaborative
    retriever: Retriever
    graph: KnowledgeGraph
    ranker: Ranker
    tools: Mapping[str, StructuredTool]
    version: tuple[int, ...]
    artefact: str | None = None
    models_mark: tuple[int, int] = (0, 0)

    @classmethod
    def open(cls, store: Store, encoders: Encoders, *, report: Report = lambda what, done, total: None) -> Toolbox:
        """Load what is cached beside the store and build the rest."""
        version = _version(store)
        report("catalogue", 0, 5)
        catalogue = Catalogue.from_store(store)
        pack = read_pack(store.scenes_path)
        concepts = Concepts.of_store(store)
        report("encoders", 1, 5)
        encoders.encode_one("ready")  # loads the model now rather than in somebody's first turn
        recogniser = SceneRecogniser(pack, encoders, folder=SceneRecogniser.folder_of(store.path))
        report("vector index", 2, 5)
        retriever = Retriever(store, catalogue, encoders)
        retriever.reindex()
        report("knowledge graph", 3, 5)
        graph = KnowledgeGraph.from_store(store, catalogue, pack, scene_of=SceneReader(recogniser).scene_of)
        report("models", 4, 5)
        seen = mark(store.path / "models")
        trained = Trained.open(store, catalogue, _features(store, catalogue, encoders, graph))
        ranker = FusionRanker(catalogue, pack, trained.calibration)
        tools = (
            scene_tool.make_tool(recogniser, pack),
            graph_tool.make_tool(graph),
            collaborative_tool.make_tool(trained.collaborative, catalogue, SceneReader(recogniser)),
            retrieval_tool.make_tool(retriever),
            *catalogue_tool.make_tools(catalogue),
            *profile_tool.make_tools(store, catalogue),
        )
        report("models", 5, 5)
        by_name = MappingProxyType({tool.name: tool for tool in tools})
        models = (trained.collaborative, retriever, graph, ranker)
        return cls(store, encoders, pack, concepts, catalogue, recogniser, *models, by_name, version, trained.version, seen)

    def fresh(self) -> Toolbox:
        """This toolbox, or a new one where items, edges, scenes or the trained models have changed since it was made.

        New events alone need no rebuilding: a user's history is folded in at request time. Newly trained models take the places of
        the old ones, and the rest stays; where they cannot be used, the log says so and the old ones stay.
        """
        if self.version != _version(self.store):
            return Toolbox.open(self.store, self.encoders)
        seen = mark(self.store.path / "models")
        if seen == self.models_mark:
            return self
        trained = Trained.load(self.store, self.catalogue, _features(self.store, self.catalogue, self.encoders, self.graph))
        if trained is None or trained.version == self.artefact:
            return replace(self, models_mark=seen)
        tool = collaborative_tool.make_tool(trained.collaborative, self.catalogue, SceneReader(self.recogniser))
        tools = {**self.tools, collaborative_tool.NAME: tool}
        ranker = FusionRanker(self.catalogue, self.pack, trained.calibration)
        models = replace(self, collaborative=trained.collaborative, ranker=ranker, artefact=trained.version, models_mark=seen)
        return replace(models, tools=MappingProxyType(tools))


def _features(store: Store, catalogue: Catalogue, encoders: Encoders, graph: KnowledgeGraph) -> Features:
    """Make the catalogue's features in the columns of a version's, when they are wanted."""

    def features(artefact: Artefact, rows: NDArray[np.int32]) -> ItemFeatures:
        path, cache = artefact.folder / FEATURES, store.cache / "features"
        return features_like(path, catalogue, rows, encoders=encoders, graph=ItemGraph.of(graph), cache=cache)

    return features


def _version(store: Store) -> tuple[int, ...]:
    """What a toolbox depends on: items, edges, and when scenes.toml and concepts.toml changed, in nanoseconds."""
    files = (store.scenes_path, store.path / "concepts.toml")
    return store.revision("items"), store.revision("edges"), *(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)
