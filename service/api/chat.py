"""OpenAI's chat completions over `Agent.aturn` and `Agent.astream`; the turn's record comes along under `scenewise`."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from scenewise.agent.agent import Agent
from scenewise.agent.record import Step, Turn
from scenewise.service.api.access import Asking, Caller, acting_user, own_conversation
from scenewise.service.api.errors import Refused, body_of
from scenewise.service.api.limits import Gate, Limits
from scenewise.service.api.messages import Messages, conversation_of, new_message, side_answer
from scenewise.service.api.metrics import Metrics
from scenewise.service.api.moments import Metadata
from scenewise.service.api.schemas import TurnOut, Usage, turn_out
from scenewise.service.api.stream import EventStream, unless_gone
from scenewise.store.errors import InputError

MODEL = "scenewise"
MOMENT_HEADER, CONVERSATION_HEADER = "x-scenewise-moment", "x-scenewise-conversation"
ONCE_HEADER = "idempotency-key"


class StreamOptions(BaseModel):
    """What a stream has beside the words."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False


class ChatIn(BaseModel):
    """A request of OpenAI's chat API. Fields that are not listed (temperature, tools, ...) are left aside."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                {
                    "model": MODEL,
                    "messages": [{"role": "user", "content": "a funny film for tonight"}],
                    "metadata": {"user_id": "42", "device": "tv", "place": "home"},
                }
            ]
        },
    )

    model: str
    messages: Messages
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = Field(None, max_length=512, description="Who asks, as metadata.user_id says it.")
    metadata: Metadata | None = Field(None, description="The moment, the user, the conversation.")
    n: Literal[1] | None = None


class Said(BaseModel):
    """The assistant's message."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """The one answer there is."""

    index: int = 0
    message: Said
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class ChatOut(BaseModel):
    """An answer of OpenAI's chat API; `scenewise` is the record of the turn, null for what was asked on the side."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: list[Choice]
    usage: Usage
    scenewise: TurnOut | None


class ModelOut(BaseModel):
    """A model of this server."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "scenewise"


class ModelsOut(BaseModel):
    """The models of this server: one."""

    object: Literal["list"] = "list"
    data: list[ModelOut] = [ModelOut()]


@dataclass(frozen=True, slots=True)
class Asked:
    """A chat request, read: what to answer, for whom, in which conversation and moment."""

    text: str
    user_id: str | None
    conversation_id: str
    metadata: Metadata
    turn_id: str | None

    def rest(self) -> dict[str, Any]:
        """What the agent takes beside the message."""
        data = self.metadata
        rest = {"user_id": self.user_id, "moment": data.moment(), "scene": data.scene, "k": data.k}
        return rest | {"conversation_id": self.conversation_id, "turn_id": self.turn_id}


def chat_routes(agent: Agent, gate: Gate, metrics: Metrics, limits: Limits) -> APIRouter:
    """The routes that OpenAI's clients know."""
    router = APIRouter(tags=["chat"])

    async def count(turn: Turn, caller: Caller) -> None:
        metrics.saw_turn(turn)
        await gate.spend(caller, turn.tokens)

    @router.get("/v1/models")
    def list_models(caller: Asking) -> ModelsOut:
        """List the models; there is one."""
        return ModelsOut()

    @router.get("/v1/models/{model}")
    def show_model(model: str, caller: Asking) -> ModelOut:
        """Show the model."""
        return ModelOut(id=_known(model))

    @router.post("/v1/chat/completions", response_model=ChatOut, responses={200: {"content": {"text/event-stream": {}}}})
    async def complete(body: ChatIn, request: Request, caller: Asking) -> ChatOut | Response:
        """Answer the last message of a conversation; with `stream`, as server-sent events."""
        _known(body.model)
        text, wants_usage = new_message(body.messages), bool(body.stream_options and body.stream_options.include_usage)
        if (aside := side_answer(text)) is not None:
            if body.stream:
                return EventStream(_told(aside, wants_usage), keep_alive_s=limits.keep_alive_s, at_end=lambda: None)
            return _answer(aside, None)
        asked = await run_in_threadpool(_read, agent, body, text, request, caller)
        slot = await gate.enter(caller)
        if not body.stream:
            with slot:
                turn, is_new = await unless_gone(request, _whole(agent.astream(asked.text, **asked.rest())))
            if is_new:
                await count(turn, caller)
            return _answer(turn.reply, turn)
        try:
            parts = agent.astream(asked.text, **asked.rest())
            first = await unless_gone(request, _first(parts))  # what is wrong with the request shows here, before a status is sent
        except BaseException:
            slot.release()
            raise
        events = _events(first, parts, asked.conversation_id, lambda turn: count(turn, caller), wants_usage)
        return EventStream(events, keep_alive_s=limits.keep_alive_s, at_end=slot.release)

    return router


def _read(agent: Agent, body: ChatIn, text: str, request: Request, caller: Caller) -> Asked:
    """Read who asks, when, and in which conversation: `metadata` counts more than headers."""
    metadata = body.metadata or Metadata()
    given = metadata.model_dump(mode="json", exclude_unset=True)
    try:
        headers = json.loads(request.headers.get(MOMENT_HEADER, "{}"))
        if CONVERSATION_HEADER in request.headers:
            headers = {"conversation_id": request.headers[CONVERSATION_HEADER], **headers}
        metadata = Metadata.model_validate({**headers, **given}) if headers != {} else metadata
    except (ValueError, TypeError, RecursionError) as error:
        field = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else "it is no JSON object"
        raise InputError(f"the headers {MOMENT_HEADER} and {CONVERSATION_HEADER} cannot be used: {field}") from error
    if metadata.user_id is not None and body.user is not None and metadata.user_id != body.user:
        raise InputError("user and metadata.user_id name different users")
    user = acting_user(agent, caller, metadata.user_id or body.user or None)
    whose, once = json.dumps([caller.key_id, user]), request.headers.get(ONCE_HEADER) or None
    turn_id = None if once is None else hashlib.sha256(json.dumps([whose, once, text]).encode()).hexdigest()[:32]
    conversation_id = metadata.conversation_id
    if conversation_id is None:
        begin = own_conversation(caller, user, "") or ""
        conversation_id = conversation_of(body.messages, whose, agent.store.turns, begin=begin, exact=user is None, new=turn_id)
    conversation_id = own_conversation(caller, user, conversation_id) or conversation_id
    return Asked(text, user, conversation_id, metadata, turn_id)


async def _whole(parts: AsyncIterator[Step | Turn]) -> tuple[Turn, bool]:
    """The turn, and whether it was answered just now: one that was kept comes without steps."""
    gathered = [part async for part in parts]
    assert isinstance(gathered[-1], Turn), "a stream ends with its turn"
    return gathered[-1], len(gathered) > 1


async def _first(parts: AsyncIterator[Step | Turn]) -> Step | Turn:
    return await anext(parts)


async def _events(
    first: Step | Turn,
    parts: AsyncIterator[Step | Turn],
    conversation_id: str,
    count: Callable[[Turn], Awaitable[None]],
    wants_usage: bool,
) -> AsyncGenerator[str, None]:
    chunk = _chunks(wants_usage)
    yield chunk({"role": "assistant", "content": ""}, scenewise={"conversation_id": conversation_id})
    try:
        part: Step | Turn | None = first
        while isinstance(part, Step):
            yield chunk({}, scenewise={"step": {"name": part.name, "ms": part.ms}})
            part = await anext(parts, None)
        assert part is not None, "a stream ends with its turn"
        if isinstance(first, Step):  # else it was had before, and is given again
            await count(part)
        for line in part.reply.splitlines(keepends=True):
            yield chunk({"content": line})
        yield chunk({}, finish="stop", scenewise=turn_out(part.to_record()).model_dump(by_alias=True))
        if wants_usage:
            yield chunk(None, usage=_usage(part))
        yield "data: [DONE]\n\n"
    except Exception as error:  # the status is sent: it can only be said in the stream, and in the log by who reads this
        yield _event(body_of(error))
        raise


async def _told(text: str, wants_usage: bool) -> AsyncGenerator[str, None]:
    chunk = _chunks(wants_usage)
    yield chunk({"role": "assistant", "content": text})
    yield chunk({}, finish="stop")
    if wants_usage:
        yield chunk(None, usage=Usage())
    yield "data: [DONE]\n\n"


def _chunks(wants_usage: bool) -> Any:
    """A maker of chunks of one answer: `chunk(delta, finish=None, scenewise=None, usage=None)`; delta None is the chunk of the usage."""
    head = {"id": _new_id(), "object": "chat.completion.chunk", "created": int(time.time()), "model": MODEL}

    def chunk(
        delta: dict[str, str] | None, *, finish: str | None = None, scenewise: dict[str, Any] | None = None, usage: Usage | None = None
    ) -> str:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        rest: dict[str, Any] = {} if scenewise is None else {"scenewise": scenewise}
        if wants_usage:
            rest["usage"] = usage.model_dump() if usage else None
        return _event(head | {"choices": choices} | rest)

    return chunk


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False, allow_nan=False)}\n\n"


def _answer(text: str, turn: Turn | None) -> ChatOut:
    record = turn_out(turn.to_record()) if turn is not None else None
    usage = _usage(turn) if turn is not None else Usage()
    return ChatOut(id=_new_id(), created=int(time.time()), choices=[Choice(message=Said(content=text))], usage=usage, scenewise=record)


def _usage(turn: Turn) -> Usage:
    return Usage.of(turn.prompt_tokens, turn.completion_tokens)


def _known(model: str) -> str:
    if model != MODEL:
        raise Refused(404, f"there is no such model; there is {MODEL}", code="model_not_found")
    return model


def _new_id() -> str:
    return f"chatcmpl-{uuid.uuid4().hex}"
