"""Copy over HTTP: texts for items, as `scenewise copy` writes them."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from scenewise.agent.agent import Agent
from scenewise.agent.audience import MAX_LIKES, Audience, Segment
from scenewise.agent.item_copy import MAX_VARIANTS, Copy, Source
from scenewise.service.api.access import Asking, Caller, acting_user
from scenewise.service.api.limits import Gate
from scenewise.service.api.metrics import Metrics
from scenewise.service.api.moments import Id, Word
from scenewise.service.api.schemas import In, Usage
from scenewise.service.api.stream import unless_gone
from scenewise.store.errors import InputError, NotFound
from scenewise.store.item_json import WrittenItem
from scenewise.store.persons import person_of
from scenewise.store.types import Item, UserId
from scenewise.tools.copywriter.channels import Channel, Locale, Tone

MAX_ITEMS = 64  # of one request; for more there is `scenewise copy`, which is gone on with after a kill
Likes = Annotated[dict[Word, Annotated[list[Id], Field(min_length=1, max_length=MAX_LIKES)]], Field(min_length=1, max_length=50)]


class SegmentIn(In):
    """A group of users by what they like: attribute (genre, creator, item, ...) to values; items by title or id."""

    name: Word = "segment"
    likes: Likes


class CopyIn(In):
    """Which texts to write, of what, for whom."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"item_ids": ["916", "820"], "user_id": "42", "channel": "push", "scene": "date night"}]},
    )

    item_ids: Annotated[list[Id], Field(max_length=MAX_ITEMS)] = Field([], description="Items of the catalogue.")
    items: Annotated[list[WrittenItem], Field(max_length=MAX_ITEMS)] = Field([], description="Items of your own; they are not kept.")
    channel: Channel = "card"
    user_id: Id | None = Field(None, description="Whom it is for; left out, nobody in particular.")
    segment: SegmentIn | None = Field(None, description="Or a group.")
    scene: Word | None = Field(None, description="A scene, named where an item suits it.")
    tone: Tone = "plain"
    locale: Locale = "en"
    seed: int = Field(0, ge=0, lt=2**31, description="Another seed, other words.")
    variants: int = Field(1, ge=1, le=MAX_VARIANTS, description="The most different texts of each item.")


class CopyOut(BaseModel):
    """One text."""

    model_config = ConfigDict(from_attributes=True)

    item_id: str
    channel: Channel
    variant: int
    text: str
    claims: list[tuple[str, list[str]]] = Field(description="Claims of the text with the ids of their evidence.")
    evidence: list[tuple[str, str]] = Field(description="Rows of (id, text) of all that may be said.")
    source: Source
    refused: list[str] = Field(description="Why the model's text was not taken, where it was not.")
    model: str | None
    prompt: str | None = Field(description="Id and version of the prompt.")
    prompt_tokens: int = Field(description="Of the item's calls, counted with its first text.")
    completion_tokens: int


class CopiesOut(BaseModel):
    """The texts, those of the catalogue's items first, each in its order, and what they cost."""

    copies: list[CopyOut]
    usage: Usage


def copies_out(copies: Sequence[Copy]) -> CopiesOut:
    """Texts as they go out."""
    usage = Usage.of(sum(one.prompt_tokens for one in copies), sum(one.completion_tokens for one in copies))
    return CopiesOut(copies=[CopyOut.model_validate(one) for one in copies], usage=usage)


def copy_routes(agent: Agent, gate: Gate, metrics: Metrics) -> APIRouter:
    """Texts for items."""
    router = APIRouter(prefix="/v1", tags=["copy"])

    @router.post("/copy")
    async def write(body: CopyIn, request: Request, caller: Asking) -> CopiesOut:
        """Write copy for items that their evidence bears out; the same request gives the same texts."""
        audience = await run_in_threadpool(_audience, agent, caller, body)
        items: list[Item | str] = [*body.item_ids, *(one.item() for one in body.items)]
        if not 1 <= len(items) <= MAX_ITEMS:
            raise InputError(f"a request is for 1 to {MAX_ITEMS} items, in item_ids and items together")
        with await gate.enter(caller):
            work = agent.awrite_copy(
                items,
                audience,
                scene=body.scene,
                channel=body.channel,
                tone=body.tone,
                locale=body.locale,
                seed=body.seed,
                variants=body.variants,
            )
            copies = await unless_gone(request, work)
        answer = copies_out(copies)
        metrics.saw_tokens(answer.usage.prompt_tokens, answer.usage.completion_tokens)
        await gate.spend(caller, answer.usage.total_tokens)
        return answer

    return router


def _audience(agent: Agent, caller: Caller, body: CopyIn) -> Audience:
    """Whom it is for. A key that is bound to a user writes for that user, or for a group."""
    named = body.user_id if body.user_id is not None else caller.declared
    if body.segment is not None:
        if named is not None:
            raise InputError("user_id and segment are two ways to say whom it is for: give one")
        return Segment(body.segment.name, MappingProxyType({name: tuple(values) for name, values in body.segment.likes.items()}))
    user = acting_user(agent, caller, body.user_id)
    if named is not None and not agent.store.users.exists(person_of(agent.store, UserId(named))):
        raise NotFound("there is no such user in the store: leave user_id out for copy that is for nobody in particular")
    return user
