"""The planners that plans are measured with, beside the product's rules: an LLM with the short writing, the untrained one with examples,
the nearest known plans, and LangChain's agent loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from scenewise.agent.model import EXTRA_BODY, Call, VllmModel, in_time, usage
from scenewise.agent.plan import planner_tools, word_instead, words_left
from scenewise.agent.plan_grammar import WORDS, Word, plan_pattern
from scenewise.agent.plan_neighbours import NeighbourPlanner
from scenewise.agent.plan_text import Ask, Planned, decode
from scenewise.agent.policy import needs_no_tools
from scenewise.agent.told import asks_about, look_up
from scenewise.eval.plan_cases import PlanCase
from scenewise.eval.plan_score import Outcome
from scenewise.eval.plan_turns import CaseReader, RulesPlanner
from scenewise.prompts import load
from scenewise.store.errors import ModelError, ScenewiseError

MAX_TOKENS, UNTRAINED_TOKENS, TIMEOUT_S = 60, 120, 120.0
LOOP_CALLS = 2  # model calls of the agent loop; the product makes one


class KnnPlanner:
    """The nearest known plans, with this message's arguments."""

    name = "knn"

    def __init__(self, planner: NeighbourPlanner) -> None:
        self._planner = planner

    def plan(self, case: PlanCase) -> Outcome:
        """Look the nearest up and fill their arguments."""
        begun = time.perf_counter()
        planned = self._planner.plan(case.request)
        return outcome_of(planned, seconds=time.perf_counter() - begun)


class LlmPlanner:
    """A served model with the prompt that plans are trained on, its answer held by the server's grammar to a plan of the case's words."""

    name = "llm"

    def __init__(self, model: VllmModel, reader: CaseReader, runner: asyncio.Runner) -> None:
        self._model, self._runner, self._domains = model, runner, reader.box.catalogue.domains

    def plan(self, case: PlanCase, *, words: Collection[Word] = WORDS) -> Outcome:
        """Ask for one short text and read it."""
        return self._runner.run(self._plan(case, words))

    async def _plan(self, case: PlanCase, words: Collection[Word]) -> Outcome:
        begun = time.perf_counter()
        body = {**EXTRA_BODY, "structured_outputs": {"regex": plan_pattern(self._domains, case.request, words=words)}}
        pending = self._model.client(MAX_TOKENS).ainvoke(case.request.prompt_messages(), extra_body=body)
        try:
            answer = await in_time(pending, TIMEOUT_S, "plan")
        except ModelError as error:
            return Outcome(readable=False, seconds=time.perf_counter() - begun, raw=error.reason)
        raw = str(answer.content)
        return outcome_of(decode(raw, case.request.last_items), time.perf_counter() - begun, tokens=usage(answer)[1], raw=raw)


class TurnPlanner:
    """The same within a turn: what rules answer without tools is no plan of the model's, it may not say "none" or ask back where they read
    a request, and the conditions and tastes that they read hold whatever it says of these."""

    name = "turn"

    def __init__(self, model: VllmModel, reader: CaseReader, runner: asyncio.Runner) -> None:
        self._llm, self._reader, self._rules = LlmPlanner(model, reader, runner), reader, RulesPlanner(reader)

    def plan(self, case: PlanCase) -> Outcome:
        """Perceive, ask, and join what both read."""
        begun = time.perf_counter()
        try:
            seen = self._reader.seen(case)
        except ScenewiseError:
            return Outcome(readable=False, seconds=time.perf_counter() - begun)
        if needs_no_tools(seen):
            return Outcome(seconds=time.perf_counter() - begun)
        if about := asks_about(seen, by_name=False):
            call = look_up(about, self._reader.box)
            return Outcome((Call(call.name, call.arguments),), seconds=time.perf_counter() - begun)
        if word := word_instead(seen, self._reader.box):
            return Outcome(ask=word == "ask", seconds=time.perf_counter() - begun)
        outcome = self._llm.plan(case, words=words_left(seen, self._reader.box))
        if not outcome.ask and outcome.calls:
            outcome = replace(outcome, calls=self._rules.joined(seen, outcome.calls))
        return replace(outcome, seconds=time.perf_counter() - begun)


class UntrainedPlanner:
    """The model as it comes, with the tools' schemas and a few examples (`prompts/plan.jinja`): tool calls as JSON under a grammar."""

    name = "untrained"

    def __init__(self, model: VllmModel, reader: CaseReader, runner: asyncio.Runner) -> None:
        self._model, self._runner, self._tools = model, runner, planner_tools(reader.box)

    def plan(self, case: PlanCase) -> Outcome:
        """Ask for tool calls; the conversation before the message is not shown, as in the product's turn with this prompt."""
        begun = time.perf_counter()
        messages = load("plan").messages(message=str(case.request.messages[-1]["content"])[:400])
        try:
            answer = self._runner.run(self._model.plan(messages, self._tools, max_tokens=UNTRAINED_TOKENS, timeout_s=TIMEOUT_S))
        except ModelError as error:
            return Outcome(readable=False, seconds=time.perf_counter() - begun, raw=error.reason)
        calls = tuple(as_planned(call) for call in answer.calls)
        return Outcome(calls, readable=bool(calls), tokens=answer.completion_tokens, seconds=time.perf_counter() - begun)


class ReactPlanner:
    """LangChain's `create_agent`: the model calls tools, sees what they answer, and goes on, for two model calls at most."""

    name = "react"

    def __init__(self, model: VllmModel, reader: CaseReader, runner: asyncio.Runner) -> None:
        self._model, self._runner, self._box = model, runner, reader.box

    def plan(self, case: PlanCase) -> Outcome:
        """Run the loop and gather the calls of all its steps."""
        begun = time.perf_counter()
        try:
            messages = self._runner.run(self._loop(case))
        except ModelError as error:
            return Outcome(readable=False, seconds=time.perf_counter() - begun, raw=error.reason)
        asked = [call for message in messages for call in getattr(message, "tool_calls", None) or ()]
        calls = tuple(as_planned(Call(call["name"], call["args"])) for call in asked)
        tokens = sum(usage(message)[1] for message in messages if getattr(message, "usage_metadata", None))
        return Outcome(calls, tokens=tokens, seconds=time.perf_counter() - begun, raw=str(messages[-1].content) if messages else "")

    async def _loop(self, case: PlanCase) -> list[Any]:
        from langchain.agents import create_agent
        from langchain.agents.middleware import ModelCallLimitMiddleware

        limit: Any = ModelCallLimitMiddleware(run_limit=LOOP_CALLS, exit_behavior="end")
        system = next(one["content"] for one in load("plan").messages(message="") if one["role"] == "system")
        agent = create_agent(self._model.client(UNTRAINED_TOKENS), self._tools(), system_prompt=str(system), middleware=[limit])
        said: Any = {"messages": [{"role": one["role"], "content": one["content"]} for one in case.request.messages]}
        answer: Any = await in_time(agent.ainvoke(said), TIMEOUT_S, "plan")
        return list(answer["messages"][len(case.request.messages) :])

    def _tools(self) -> list[Any]:
        """The tools that the untrained prompt shows, each answering that it has done its work: measured is what is asked of them."""
        from langchain_core.tools import StructuredTool

        async def done(**arguments: Any) -> str:
            return "done: the items found are kept for the list"

        schemas = [tool["function"] for tool in planner_tools(self._box)]
        return [
            StructuredTool.from_function(
                coroutine=done, name=one["name"], description=one["description"], args_schema=one["parameters"], infer_schema=False
            )
            for one in schemas
        ]


def outcome_of(planned: Planned | None, seconds: float, *, tokens: int = 0, raw: str = "") -> Outcome:
    """A plan as an outcome; None is one that could not be read."""
    if planned is None or isinstance(planned, Ask):
        return Outcome(ask=planned is not None, readable=planned is not None, tokens=tokens, seconds=seconds, raw=raw)
    return Outcome(tuple(planned), tokens=tokens, seconds=seconds, raw=raw)


def as_planned(call: Call) -> Call:
    """A call with the argument names of plans, and without what says nothing."""
    arguments: Mapping[str, Any] = {"without" if key == "ban_genre" else key: value for key, value in call.arguments.items()}
    empty: Sequence[Any] = (None, "", [])
    return Call(call.name, {key: value for key, value in arguments.items() if value not in empty})
