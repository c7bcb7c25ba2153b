"""The LLM as the reader of texts for the graph: questions go out at once and the server batches them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scenewise.agent.model import EXTRA_BODY, VllmModel, connect, in_time, usage
from scenewise.agent.settings import Settings
from scenewise.store.errors import InputError, ModelError
from scenewise.tools.graph.extraction.choosing import Blend, ChoosingExtractor
from scenewise.tools.graph.extraction.claims import Extractor
from scenewise.tools.graph.extraction.heads import load_examples
from scenewise.tools.graph.extraction.reader import Answer, Ask
from scenewise.tools.graph.extraction.writing import WritingExtractor
from scenewise.tools.graph.schema import Schema
from scenewise.tools.retrieval.encoders import TextEncoder

IN_FLIGHT = 32
TIMEOUT_S = 300.0
_TOP = 20
READINGS = ("spans", "choose", "write")


def make_extractor(
    reading: str, schema: Schema, encoder: TextEncoder, settings: Settings, *, weight: float = 0.0, cache: Path | None = None
) -> Extractor:
    """Make a reader of texts: "spans" (a trained classifier, no LLM), "choose" (the LLM confirms its spans) or "write" (the LLM writes).

    `weight` says how much the LLM's log-odds count in "choose"; the heads are kept in the folder `cache`. Raises InputError for another
    word, and for "choose" with an LLM that counts nothing; ModelError where an LLM is needed and there is none.
    """
    if reading not in READINGS:
        raise InputError(f"a reading is one of {', '.join(READINGS)}")
    if reading == "spans":
        return ChoosingExtractor(None, schema, encoder, cache=cache)
    if reading == "choose" and not weight > 0:
        raise InputError(
            "the LLM's choice counts nothing (weight 0), so it is not asked: the default model's adds nothing to the heads'. "
            "Use --reading spans, or give --llm-weight for a model that earned it"
        )
    model = connect(settings)
    if not isinstance(model, VllmModel):
        raise ModelError("no LLM is set up: run `scenewise llm start`, set SCENEWISE_LLM_URL, or use --reading spans", reason="no LLM")
    reader = VllmReader(model)
    if reading == "write":
        return WritingExtractor(reader, schema)
    blends = {section: Blend(llm=weight) for section in load_examples()}
    return ChoosingExtractor(reader, schema, encoder, blends=blends, cache=cache)


class VllmReader:
    """Answers under vLLM's structured output; a question that fails does not spoil the others."""

    def __init__(self, model: VllmModel, *, timeout_s: float = TIMEOUT_S) -> None:
        self.name = model.name
        self._model, self._timeout_s = model, timeout_s

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answer in order; raises ModelError where all questions failed. Not to be called on a running event loop."""
        answers = asyncio.run(self._answer(asks))
        if answers and all(answer.error for answer in answers):
            raise ModelError(f"the LLM answered nothing ({answers[0].error})", reason=answers[0].error)
        return answers

    async def _answer(self, asks: Sequence[Ask]) -> list[Answer]:
        gate = asyncio.Semaphore(IN_FLIGHT)

        async def one(ask: Ask) -> Answer:
            async with gate:
                try:
                    return await self._one(ask)
                except ModelError as error:
                    return Answer(error=error.reason)

        try:
            return list(await asyncio.gather(*(one(ask) for ask in asks)))
        finally:
            await self._model.close()

    async def _one(self, ask: Ask) -> Answer:
        rule: dict[str, Any] = {"choice": list(ask.options)} if ask.options else {"json": ask.grammar}
        client = self._model.client(ask.max_tokens).bind(logprobs=True, top_logprobs=_TOP)
        extra = {**EXTRA_BODY, "structured_outputs": rule}
        message = await in_time(client.ainvoke(list(ask.messages), extra_body=extra), self._timeout_s, "answer")
        tokens = _tokens(message.response_metadata)
        logs = [float(token["logprob"]) for token in tokens]
        certainty = math.exp(sum(logs) / len(logs)) if logs else 0.0
        shares = share_out(ask.options, tokens[0].get("top_logprobs") or ()) if ask.options and tokens else {}
        return Answer(str(message.content), shares, min(1.0, certainty), *usage(message))


def _tokens(metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = (metadata.get("logprobs") or {}).get("content") or []
    return [token for token in found if isinstance(token, dict) and isinstance(token.get("logprob"), int | float)]


def share_out(options: Sequence[str], top: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Share the first token's probabilities out among the options that begin with it; {} where none does.

    >>> share_out(("red", "blue"), [{"token": "re", "logprob": 0.0}, {"token": "x", "logprob": 0.0}])
    {'red': 1.0, 'blue': 0.0}
    """
    mass = dict.fromkeys(options, 0.0)
    for entry in top:
        token = str(entry.get("token", "")).strip()
        begun = [option for option in options if token and option.startswith(token)]
        for option in begun:
            mass[option] += math.exp(float(entry.get("logprob", -math.inf))) / len(begun)
    total = sum(mass.values())
    return {option: value / total for option, value in mass.items()} if total > 0 else {}
