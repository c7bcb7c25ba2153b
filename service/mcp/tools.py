"""The tools: the agent's own, with the schemas that its planner has, and those for lists, conversations and copy."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from mcp.server.mcpserver import Context, Elicit, MCPServer, Resolve
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from scenewise.agent.item_copy import MAX_VARIANTS
from scenewise.service.api.access import own_conversation
from scenewise.service.api.copy import MAX_ITEMS, CopiesOut, copies_out
from scenewise.service.api.moments import Count, Id, MomentIn, Word
from scenewise.service.api.schemas import Text, TurnOut, profile_out, turn_out
from scenewise.service.mcp.results import RESULTS, ProfileRead, Told
from scenewise.service.mcp.session import Door, told
from scenewise.store.errors import NotAllowed
from scenewise.tools.copywriter.channels import Channel, Locale, Tone
from scenewise.tools.profile.tastes import Action
from scenewise.tools.profile.tool import describe

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
TALKS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)  # it is remembered
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
MOMENT = "The user's circumstances, as far as they are known."


def add_tools(server: MCPServer, door: Door) -> None:
    """Add the agent's own tools that only read; their schemas are those of the catalogue as it is when the server starts."""
    for tool in door.agent.toolbox().tools.values():
        if tool.name in RESULTS:
            schema: Any = tool.args_schema
            fn = _reading(door, tool.name, schema)
            server.add_tool(fn, tool.name, description=tool.description, annotations=READS, structured_output=True)


def _reading(door: Door, name: str, schema: type[BaseModel]) -> Callable[..., Awaitable[Told]]:
    """A function over a tool, with the signature that its schema tells, and the moment."""
    result, make = RESULTS[name]

    def use(ctx: Context, arguments: dict[str, Any], moment: MomentIn | None) -> Told:
        with told():
            given = moment.moment() if moment is not None else None
            text, artifact = door.agent.use_tool(name, arguments, door.user(ctx), moment=given)
            return make(text, artifact, door.agent.toolbox().catalogue)

    async def call(*, ctx: Context, moment: MomentIn | None = None, **arguments: Any) -> Told:
        return await asyncio.to_thread(use, ctx, arguments, moment)

    annotations = {"ctx": Context, "return": result}
    parameters = [inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=Context)]
    fields = {field: (info.rebuild_annotation(), info) for field, info in schema.model_fields.items() if field != "context"}
    for field, (annotation, info) in fields.items():
        annotations[field] = Annotated[annotation, Field(description=info.description)]
        default = inspect.Parameter.empty if info.is_required() else info.get_default(call_default_factory=True)
        parameters.append(inspect.Parameter(field, inspect.Parameter.KEYWORD_ONLY, annotation=annotations[field], default=default))
    annotations["moment"] = Annotated[MomentIn | None, Field(description=MOMENT)]
    parameters.append(inspect.Parameter("moment", inspect.Parameter.KEYWORD_ONLY, annotation=annotations["moment"], default=None))
    call.__name__ = name
    call.__annotations__ = annotations
    call.__signature__ = inspect.Signature(parameters, return_annotation=result)  # type: ignore[attr-defined]
    return call


def add_talk(server: MCPServer, door: Door) -> None:
    """Add what a program asks of the agent: a list, an answer in a conversation, copy."""
    agent = door.agent

    @server.tool(annotations=TALKS)
    async def recommend(
        ctx: Context,
        text: Annotated[Text, Field(description="What is wished for, in words.")] = "",
        scene: Annotated[Word | None, Field(description="A scene by name; recognised from the rest where it is left out.")] = None,
        moment: Annotated[MomentIn | None, Field(description=MOMENT)] = None,
        k: Count = 5,
        use_llm: Annotated[bool, Field(description="Let the server's LLM plan and write as in a conversation.")] = False,
    ) -> TurnOut:
        """Give the user one ranked list, each item with its reason, a sentence about it and the evidence for both."""
        with told():
            user, given = await asyncio.to_thread(door.user, ctx), moment.moment() if moment is not None else None
            with await door.gate.enter(door.caller(ctx) if use_llm else None):
                turn = await agent.arecommend(user, text=text, scene=scene, moment=given, k=k, use_llm=use_llm)
            await door.count(ctx, turn)
            return turn_out(turn.to_record())

    @server.tool(annotations=TALKS)
    async def converse(
        ctx: Context,
        message: Annotated[Text, Field(min_length=1, description="What the user says, in their own words.")],
        conversation_id: Annotated[Id | None, Field(description="That of the answer before, to go on; left out, a new one begins.")] = None,
        scene: Annotated[Word | None, Field(description="A scene by name, where it is known.")] = None,
        moment: Annotated[MomentIn | None, Field(description=MOMENT)] = None,
        k: Count = 5,
    ) -> TurnOut:
        """Answer one message of a conversation: a list, an explanation ("why the second one?"), a list that follows from the last one."""
        with told():
            user, given = await asyncio.to_thread(door.user, ctx), moment.moment() if moment is not None else None
            with await door.gate.enter(door.caller(ctx)):
                own = own_conversation(door.caller(ctx), user, conversation_id)
                turn = await agent.aturn(message, user, given, conversation_id=own, scene=scene, k=k)
            await door.count(ctx, turn)
            return turn_out(turn.to_record())

    @server.tool(annotations=READS)
    async def write_copy(
        ctx: Context,
        item_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_ITEMS)],
        channel: Channel = "card",
        scene: Annotated[Word | None, Field(description="A scene, named where an item suits it.")] = None,
        tone: Tone = "plain",
        locale: Locale = "en",
        seed: Annotated[int, Field(ge=0, lt=2**31)] = 0,
        variants: Annotated[int, Field(ge=1, le=MAX_VARIANTS)] = 1,
    ) -> CopiesOut:
        """Write copy for items, for the user if there is one; every claim is borne out by evidence."""
        with told():
            user = await asyncio.to_thread(door.user, ctx, "copy")
            with await door.gate.enter(door.caller(ctx)):
                work = agent.awrite_copy(
                    item_ids, user, scene=scene, channel=channel, tone=tone, locale=locale, seed=seed, variants=variants
                )
                answer = copies_out(await work)
            await door.gate.spend(door.caller(ctx), answer.usage.total_tokens)
            return answer


class Agreed(BaseModel):
    """What the user answers to a change of their profile."""

    agreed: bool = Field(description="Make this change?")


async def ask_first(action: Action, attribute: str, value: str) -> Elicit[Agreed]:
    """Ask the user, whom the client shows it, before their profile is changed."""
    return Elicit(f"Change your profile: {action} {attribute} “{value}”", Agreed)


def add_profile(server: MCPServer, door: Door) -> None:
    """Add the one tool that changes something of a user; the user confirms it, or the client cannot use it."""

    def change(ctx: Context, action: Action, attribute: str, value: str) -> ProfileRead:
        profile = door.agent.edit_profile(door.known_user(ctx, "write"), action, attribute, value)
        return ProfileRead(text=describe(profile, door.agent.toolbox().catalogue), profile=profile_out(profile))

    @server.tool(annotations=WRITES)
    async def update_profile(
        ctx: Context,
        answer: Annotated[Agreed, Resolve(ask_first)],
        action: Action,
        attribute: Annotated[Word, Field(description="item (value: an id or a title), domain, or an attribute of the catalogue.")],
        value: Annotated[str, Field(min_length=1, max_length=120)],
    ) -> ProfileRead:
        """Keep a like or dislike that the user states, or remove one. The user is asked to confirm it."""
        with told():
            if not answer.agreed:
                raise NotAllowed("the user did not agree to the change")
            return await asyncio.to_thread(change, ctx, action, attribute, value)
