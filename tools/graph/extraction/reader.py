"""What extraction needs of an LLM: many short questions at once, each answered under a grammar. Implemented above this room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: an answer out of `options`, or, where there are none, JSON that fits `grammar` (a JSON schema)."""

    messages: Sequence[Mapping[str, Any]]
    options: tuple[str, ...] = ()
    grammar: Mapping[str, Any] | None = None
    max_tokens: int = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """`shares` maps options to probabilities that add up to 1, as far as the server told; `certainty` in [0, 1] is the geometric mean of
    the probabilities of the tokens written. `error` says why there is no answer."""

    text: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)
    certainty: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    error: str = ""


class Reader(Protocol):
    """An LLM. Tests bring a scripted one."""

    @property
    def name(self) -> str:
        """The model's name, for records."""

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answer in order. What fails has `error`; fewer answers than questions mean that the rest failed. Raises ModelError where
        nothing can be answered."""
