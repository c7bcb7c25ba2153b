"""A turn answered without being remembered: once more, from its record, to see what is different now; or only to warm up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from scenewise.agent.model import VllmModel
from scenewise.agent.record import Request, Turn
from scenewise.agent.turn import GIVEN, STEPS, State, make_turn
from scenewise.store.codec import load_moment
from scenewise.store.errors import InputError
from scenewise.store.types import Moment, UserId

if TYPE_CHECKING:
    from scenewise.agent.agent import Agent

COMPARED = ("intent", "scene", "calls", "items", "reply", "model", "prompts", "artefact")
"""Parts of a turn in the order in which one brings about the next; the last three are what else may have changed."""


WARMING = ("something funny for tonight", "晚上看点轻松的")
"""One for each encoder."""


@dataclass(frozen=True, slots=True)
class Replay:
    """`before` as it is kept, `now` as it came out of the store as it is; `differs` names the parts that are not the same, of intent,
    scene, calls (tools with their arguments), items (their ids, in order), reply, model, prompts and artefact."""

    before: Turn
    now: Turn

    @property
    def differs(self) -> tuple[str, ...]:
        """The parts that differ; none for a turn that is answered as it was."""
        before, now = _compared(self.before), _compared(self.now)
        return tuple(name for name in COMPARED if before[name] != now[name])


def replay(self: Agent, turn_id: str, *, use_llm: bool | None = None) -> Replay:
    """Answer a kept turn once more, with the message, moment, time, seed and memory that it had then, and with the profile, history,
    items and models that the store has now. Nothing is written.

    `use_llm` None does as the turn did. Raises NotFound, InputError for a turn whose record is too old to hold what it began with,
    StoreError.
    """
    return self._run(_replayed(self, turn_id, use_llm))


async def areplay(self: Agent, turn_id: str, *, use_llm: bool | None = None) -> Replay:
    """`replay` for async callers."""
    return await self._arun(_replayed(self, turn_id, use_llm))


async def _replayed(agent: Agent, turn_id: str, use_llm: bool | None) -> Replay:
    record = await asyncio.to_thread(agent.store.turns.get, turn_id)
    before = Turn.from_record(record)
    return Replay(before, await _answered(agent, _request_of(before, use_llm), before.given["memory"] or {}))


async def _answered(agent: Agent, request: Request, memory: Mapping[str, Any]) -> Turn:
    runtime: Any = SimpleNamespace(context=await asyncio.to_thread(agent._surroundings))
    state: State = {"request": request, "memory": dict(memory)}
    for _, step in STEPS:
        state |= await step(state, runtime)
    return make_turn(state, runtime.context)


def warm_up(self: Agent) -> None:
    """Answer something that nobody asked, without the LLM and without a trace of it: what the first turns would wait for, code that is
    loaded late and caches, is then there. A server does it before it says that it is ready."""
    self._run(_warmed(self))


async def _warmed(agent: Agent) -> None:
    if isinstance(agent.model, VllmModel):
        agent.model.client(1)  # its libraries take a second to load
    for words in WARMING:
        request = agent._request(words, None, None, None, None, 5)
        await _answered(agent, replace(request, use_llm=False, may_write=False), {})


def _request_of(turn: Turn, use_llm: bool | None) -> Request:
    given = turn.given
    if not {*GIVEN, "moment", "memory"} <= given.keys():
        raise InputError("the record of this turn does not hold what it began with: it cannot be answered again")
    asked = {name: given[name] for name in GIVEN}
    if use_llm is not None:
        asked["use_llm"] = use_llm
    user = UserId(turn.user_id) if turn.user_id is not None else None
    moment = load_moment(given["moment"]) or Moment()
    return Request(
        user_id=user, moment=moment, conversation_id=turn.conversation_id, now_s=turn.time_s, may_write=False, turn_id=turn.turn_id, **asked
    )


def _compared(turn: Turn) -> Mapping[str, Any]:
    calls = [(call.name, dict(call.arguments), call.status) for call in turn.plan]
    parts = {name: getattr(turn, name) for name in COMPARED if name not in ("calls", "items")}
    return parts | {"calls": calls, "items": [item.item_id for item in turn.items]}
