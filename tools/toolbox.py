"""All tools of a store at one revision, ready to be called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from scenewise.store.store import Store
from scenewise.tools.catalogue import tool as catalogue_tool
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.mentions import Concepts
from scenewise.tools.collaborative import tool as collaborative_tool
from scenewise.tools.collaborative.collaborative import Collaborative
from scenewise.tools.graph import tool as graph_tool
from scenewise.tools.graph.graph import KnowledgeGraph
from scenewise.tools.profile import tool as profile_tool
from scenewise.tools.ranking.fusion import FusionRanker
from scenewise.tools.ranking.model import Ranker
from scenewise.tools.ranking.tune import tune_fusion
from scenewise.tools.retrieval import tool as retrieval_tool
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.retrieval.retriever import Retriever
from scenewise.tools.scene import tool as scene_tool
from scenewise.tools.scene.pack import ScenePack, default_pack, load_pack
from scenewise.tools.scene.recogniser import SceneRecogniser

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool

Report = Callable[[str, int, int], None]
"""Called with (what is being made, steps done, steps in all)."""


@dataclass(frozen=True)
class Toolbox:
    """The engines and, by name, the LangChain tools over them."""

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

    @classmethod
    def open(cls, store: Store, encoders: Encoders, *, report: Report = lambda what, done, total: None) -> Toolbox:
        """Load what is cached beside the store and build the rest."""
        version = _version(store)
        report("catalogue", 0, 6)
        catalogue = Catalogue.from_store(store)
        pack = read_pack(store)
        concepts = Concepts.of_store(store)
        report("encoders", 1, 6)
        encoders.encode_one("ready")  # loads the model now rather than in somebody's first turn
        recogniser = SceneRecogniser(pack, encoders)
        report("collaborative models", 2, 6)
        collaborative = Collaborative.from_store(store, catalogue)
        report("vector index", 3, 6)
        retriever = Retriever(store, catalogue, encoders)
        retriever.reindex()
        report("knowledge graph", 4, 6)
        graph = KnowledgeGraph.from_store(store, catalogue, pack)
        report("ranker", 5, 6)
        ranker = FusionRanker(catalogue, pack, tune_fusion(store, catalogue))
        tools = (
            scene_tool.make_tool(recogniser, pack),
            graph_tool.make_tool(graph),
            collaborative_tool.make_tool(collaborative, catalogue),
            retrieval_tool.make_tool(retriever),
            *catalogue_tool.make_tools(catalogue),
            *profile_tool.make_tools(store, catalogue),
        )
        report("ranker", 6, 6)
        by_name = MappingProxyType({tool.name: tool for tool in tools})
        return cls(store, encoders, pack, concepts, catalogue, recogniser, collaborative, retriever, graph, ranker, by_name, version)

    def fresh(self) -> Toolbox:
        """This toolbox, or a new one where items, edges or scenes have changed since it was made.

        New events alone need no rebuilding: a user's history is folded in at request time.
        """
        return self if self.version == _version(self.store) else Toolbox.open(self.store, self.encoders)


def read_pack(store: Store) -> ScenePack:
    """The store's scenes.toml where it has one, else the default pack."""
    return load_pack(store.scenes_path) if store.scenes_path.is_file() else default_pack()


def _version(store: Store) -> tuple[int, ...]:
    """What a toolbox depends on: items, edges, and when scenes.toml and concepts.toml changed, in nanoseconds."""
    files = (store.scenes_path, store.path / "concepts.toml")
    return store.revision("items"), store.revision("edges"), *(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)
