"""The knowledge graph: what items have in common, how a liked item leads to another, and what lies near a scene."""

from scenewise.tools.graph.graph import KnowledgeGraph
from scenewise.tools.graph.paths import GraphPath

__all__ = ["GraphPath", "KnowledgeGraph"]
