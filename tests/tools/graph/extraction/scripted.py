"""An LLM that answers from a script, for the tests of extraction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scenewise.tools.graph.extraction.reader import Answer, Ask


class ScriptedReader:
    """Answers each question with what `script` says of it; keeps the questions."""

    name = "scripted"

    def __init__(self, script: Callable[[Ask], Answer], *, at_most: int | None = None) -> None:
        self._script, self._at_most = script, at_most
        self.asked: list[Ask] = []

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answer, at most so many."""
        self.asked += asks
        return [self._script(ask) for ask in asks][: self._at_most]
