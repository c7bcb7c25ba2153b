"""Scenewise: an LLM agent that recommends across scenes."""
