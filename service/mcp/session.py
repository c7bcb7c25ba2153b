"""Who calls a tool, whether they may, and what they are told where it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from starlette.exceptions import HTTPException

from scenewise.agent.agent import Agent
from scenewise.agent.record import Turn
from scenewise.service.api.access import NOBODY, Caller, acting_user
from scenewise.service.api.errors import kind_of
from scenewise.service.api.keys import Scope
from scenewise.service.api.limits import Gate
from scenewise.service.api.metrics import Metrics
from scenewise.store.errors import InputError, NotAllowed, ScenewiseError


@dataclass(frozen=True)
class Door:
    """The agent, and the bounded queue before its turns. `user_id` is the user of a session over stdio; `metrics` counts, over HTTP.

    A user is never an argument of a tool: an LLM writes those.
    """

    agent: Agent
    gate: Gate
    user_id: str | None = None
    metrics: Metrics | None = None

    def caller(self, ctx: Context) -> Caller:
        """Who asks: over HTTP whom the guard found, else the session's user, who may do everything."""
        request = ctx.request_context.request
        return replace(NOBODY, bound_to=self.user_id) if request is None else request.scope["scenewise.caller"]

    def user(self, ctx: Context, scope: Scope = "chat") -> str | None:
        """For whom a call is. Raises NotAllowed where a key lacks the scope."""
        caller = self.caller(ctx)
        if scope not in caller.scopes:
            raise NotAllowed(f"this key lacks the scope {scope}")
        return acting_user(self.agent, caller, None)

    def known_user(self, ctx: Context, scope: Scope) -> str:
        """The user, who must be known."""
        if (user := self.user(ctx, scope)) is None:
            raise InputError("this session has no user: start it with --user, or name one in the header X-Scenewise-User")
        return user

    async def count(self, ctx: Context, turn: Turn) -> None:
        """Count an answered turn, and its tokens for who asked."""
        if self.metrics is not None:
            self.metrics.saw_turn(turn)
        await self.gate.spend(self.caller(ctx), turn.tokens)


@contextmanager
def told() -> Iterator[None]:
    """Tell the client what is wrong with its call; what fails inside is logged, and the client learns no more than that."""
    try:
        yield
    except ScenewiseError as error:
        if kind_of(error)[0] == 500:
            raise
        raise ToolError(str(error)) from error
    except HTTPException as error:
        raise ToolError(error.detail) from error
