"""A model that says what it was told to say: for tests, examples and measuring the product without an LLM's time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from scenewise.agent.model import Call, PlanAnswer, ToolSchema, WritePrompt, Written
from scenewise.prompts import Message
from scenewise.store.errors import ModelError


@dataclass
class ScriptedModel:
    """Answer plans and texts in the order given, the last one again and again; an exception in the script is raised. `complete` answers
    with `written`, a plan in the short writing.

    Each call reads and writes so many `tokens`. `delay_s` is slept before each answer and counts against the caller's `timeout_s`.
    `asked` keeps what was sent, `patterns` what `complete` was held to.
    """

    plans: Sequence[Sequence[Call] | Exception] = ((),)
    texts: Sequence[str | Exception] = ("",)
    written: str | Exception = "none"
    delay_s: float = 0.0
    name: str = "scripted"
    tokens: tuple[int, int] = (0, 0)
    asked: list[Sequence[Message]] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    rounds: int = 0

    async def plan(self, messages: Sequence[Message], tools: Sequence[ToolSchema], *, max_tokens: int, timeout_s: float) -> PlanAnswer:
        """Return the next plan of the script."""
        self.asked.append(messages)
        await self._take_time(timeout_s)
        planned = self.plans[min(self.rounds, len(self.plans) - 1)]
        self.rounds += 1
        if isinstance(planned, Exception):
            raise planned
        return PlanAnswer(tuple(planned), "tool_calls", *self.tokens, self.delay_s)

    async def write(self, prompts: Sequence[WritePrompt], *, max_tokens: int, timeout_s: float) -> tuple[Written, ...]:
        """Return the script's texts, one a prompt."""
        self.asked.extend(prompt.messages for prompt in prompts)
        await self._take_time(timeout_s)
        written = []
        for i in range(len(prompts)):
            text = self.texts[min(i, len(self.texts) - 1)]
            if isinstance(text, Exception):
                raise text
            written.append(Written(text, self.tokens[1], prompt_tokens=self.tokens[0]))
        return tuple(written)

    async def complete(self, messages: Sequence[Message], *, pattern: str, max_tokens: int, timeout_s: float) -> Written:
        """Return the script's plan in the short writing, whether or not the pattern lets it through."""
        self.asked.append(messages)
        self.patterns.append(pattern)
        await self._take_time(timeout_s)
        if isinstance(self.written, Exception):
            raise self.written
        return Written(self.written, self.tokens[1], prompt_tokens=self.tokens[0])

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _take_time(self, timeout_s: float) -> None:
        await asyncio.sleep(min(self.delay_s, timeout_s))
        if self.delay_s > timeout_s:
            raise ModelError("the scripted model is slower than the deadline", reason="too slow")
