"""A causal Transformer over what users did, with text, graph, attributes and scene (see model.py)."""

from scenewise.tools.ranking.transformer.config import TransformerConfig
from scenewise.tools.ranking.transformer.model import SequenceTransformer

__all__ = ["SequenceTransformer", "TransformerConfig"]
