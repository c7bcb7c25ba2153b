"""All tools of a store at one revision, ready to be called."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError, NotFound, StoreError
from scenewise.store.store import Changes, Store
from scenewise.store.types import ItemId
from scenewise.tools.catalogue import tool as catalogue_tool
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.mentions import Concepts
from scenewise.tools.catalogue.update import update
from scenewise.tools.collaborative import tool as collaborative_tool
from scenewise.tools.collaborative.collaborative import Collaborative
from scenewise.tools.collaborative.scenes import SceneReader
from scenewise.tools.features import ItemFeatures, forget_texts, text_encoder
from scenewise.tools.graph import tool as graph_tool
from scenewise.tools.graph.embedding import ItemGraph
from scenewise.tools.graph.graph import KnowledgeGraph
from scenewise.tools.graph.schema import store_schema
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


AT_ONCE = 500
"""More changed items than this are cheaper to read anew."""
_ITEM = "item:"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Toolbox:
    """The engines and, by name, the LangChain tools over them. Nothing in it changes: a turn that has begun goes on with what it has."""

    store: Store
    encoders: Encoders
    pack: ScenePack
    concepts: Concepts
    catalogue: Catalogue
    recogniser: SceneRecogniser
    trained: Trained
    retriever: Retriever
    graph: KnowledgeGraph
    ranker: Ranker
    tools: Mapping[str, StructuredTool]
    version: Version
    models_mark: tuple[int, int] = (0, 0)

    @property
    def collaborative(self) -> Collaborative:
        """The collaborative sources."""
        return self.trained.collaborative

    @property
    def artefact(self) -> str | None:
        """The version of the trained models, None where they were fitted at opening."""
        return self.trained.version

    @classmethod
    def open(cls, store: Store, encoders: Encoders, *, report: Report = lambda what, done, total: None) -> Toolbox:
        """Load what is cached beside the store and build the rest."""
        version = Version.of(store)
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
        retriever.load()
        report("knowledge graph", 3, 5)
        graph = KnowledgeGraph.from_store(store, catalogue, pack, scene_of=SceneReader(recogniser).scene_of)
        report("models", 4, 5)
        seen = mark(store.path / "models")
        make = _features(catalogue, retriever, graph)
        trained = _told(Trained.open(store, catalogue, make), catalogue, make)
        parts = (catalogue, recogniser, trained, retriever, graph)
        ranker, tools = _over(store, pack, concepts, *parts)
        report("models", 5, 5)
        return cls(store, encoders, pack, concepts, *parts, ranker, tools, version, seen)

    def fresh(self) -> Toolbox:
        """This toolbox, or a new one where items, edges, scenes or the trained models have changed since it was made.

        New events alone need nothing: a user's history is folded in at request time. A few changed items and edges are brought into what
        is there (see `_changed`); many, and another scene file, are read anew. Newly trained models take the places of the old ones;
        where they cannot be used, the log says so and the old ones stay.
        """
        version = Version.of(self.store)
        if version.files != self.version.files:
            return Toolbox.open(self.store, self.encoders)
        if version != self.version and (box := self._changed()) is not None:
            return box._retrained()
        return self._retrained() if version == self.version else Toolbox.open(self.store, self.encoders)

    def _changed(self) -> Toolbox | None:
        """Bring the changes of items and edges into a new toolbox that shares the rest; None where all has to be read anew.

        What is fitted is not fitted again: new items are known to the models by their features until the next start or training.
        """
        changes = self.store.changes(self.version.items, self.version.edges)
        if changes is None or len(changes.items) + len(changes.removed) > AT_ONCE:
            return None
        revisions = {"revision": changes.items_revision, "items_revision": changes.items_revision}
        updated = update(self.catalogue, changes.items, changes.removed, **revisions)
        catalogue = updated.catalogue
        try:
            retriever = self.retriever.over(updated) if len(changes.items) + len(changes.removed) else self.retriever
            graph = changed_graph(self.graph, self.store, catalogue, changes)
            features = self.trained.features_of(catalogue, _features(catalogue, retriever, graph))
            trained = self.trained.over(updated, features)
        except (InputError, NotFound, StoreError) as error:  # the models are of another catalogue by now, or were cleared away
            _log.warning("the change is read anew: %s", error)
            return None
        if changes.removed:
            gone = [self.catalogue.items[row] for row in self.catalogue.rows(changes.removed).tolist()]
            forget_texts(gone, self.store.cache / "features")
        parts = (catalogue, self.recogniser, trained, retriever, graph)
        ranker, tools = _over(self.store, self.pack, self.concepts, *parts)
        version = replace(self.version, items=changes.items_revision, edges=changes.edges_revision)
        return Toolbox(self.store, self.encoders, self.pack, self.concepts, *parts, ranker, tools, version, self.models_mark)

    def _retrained(self) -> Toolbox:
        """This toolbox, with newly trained models where there are some."""
        seen = mark(self.store.path / "models")
        if seen == self.models_mark:
            return self
        make = _features(self.catalogue, self.retriever, self.graph)
        trained = Trained.load(self.store, self.catalogue, make)
        if trained is None or trained.version == self.artefact:
            return replace(self, models_mark=seen)
        trained = _told(trained, self.catalogue, make)
        tool = collaborative_tool.make_tool(trained.collaborative, self.catalogue, SceneReader(self.recogniser))
        tools = MappingProxyType({**self.tools, collaborative_tool.NAME: tool})
        ranker = FusionRanker(self.catalogue, self.pack, trained.calibration)
        return replace(self, trained=trained, ranker=ranker, tools=tools, models_mark=seen)


@dataclass(frozen=True, slots=True)
class Version:
    """What a toolbox depends on: the revisions of items and edges, and when scenes.toml and concepts.toml changed, in nanoseconds."""

    items: int
    edges: int
    files: tuple[int, ...]

    @classmethod
    def of(cls, store: Store) -> Version:
        """Look at a store."""
        files = (store.scenes_path, store.path / "concepts.toml")
        times = tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)
        return cls(store.revision("items"), store.revision("edges"), times)


def changed_graph(graph: KnowledgeGraph, store: Store, catalogue: Catalogue, changes: Changes) -> KnowledgeGraph:
    """The graph after a change: what touches the changed items is put in anew, and the rest is shared."""
    touched = {node.removeprefix(_ITEM) for ends in changes.ends for node in ends if _is_item(node)}
    ids = touched | {item.item_id for item in changes.items}
    items = [catalogue.items[row] for row in catalogue.rows(map(ItemId, sorted(ids))).tolist()]
    others = {node for ends in changes.ends if not any(map(_is_item, ends)) for node in ends}
    single = store_schema(store.path).singles
    edges = store.edges.holding_at({*(f"{_ITEM}{item.item_id}" for item in items), *others}, single=single)
    return graph.changed(catalogue, items, changes.removed, edges, nodes=others)


def _is_item(node: str) -> bool:
    return node.startswith(_ITEM)


def _over(
    store: Store,
    pack: ScenePack,
    concepts: Concepts,
    catalogue: Catalogue,
    recogniser: SceneRecogniser,
    trained: Trained,
    retriever: Retriever,
    graph: KnowledgeGraph,
) -> tuple[FusionRanker, Mapping[str, StructuredTool]]:
    """Make the ranker and the tools over the engines."""
    tools = (
        scene_tool.make_tool(recogniser, pack),
        graph_tool.make_tool(graph),
        collaborative_tool.make_tool(trained.collaborative, catalogue, SceneReader(recogniser)),
        retrieval_tool.make_tool(retriever),
        *catalogue_tool.make_tools(catalogue, concepts),
        *profile_tool.make_tools(store, catalogue),
    )
    return FusionRanker(catalogue, pack, trained.calibration), MappingProxyType({tool.name: tool for tool in tools})


def _features(catalogue: Catalogue, retriever: Retriever, graph: KnowledgeGraph) -> Features:
    """Make the catalogue's features in the columns of a version's, when they are wanted; the texts' vectors are those of the index."""

    def features(artefact: Artefact, rows: NDArray[np.int32]) -> ItemFeatures:
        known = [item for item, row in zip(catalogue.items, rows.tolist(), strict=True) if row >= 0]
        text = retriever.vectors(text_encoder(known, retriever.encoders))
        return features_like(artefact.folder / FEATURES, catalogue, rows, text=text, graph=ItemGraph.of(graph))

    return features


def _told(trained: Trained, catalogue: Catalogue, make: Features) -> Trained:
    """With the catalogue's features at hand, so that the first change need not make them."""
    return trained if trained.features is not None else replace(trained, features=trained.features_of(catalogue, make))
