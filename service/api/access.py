"""Who may go where: one table of routes and scopes, and the guard that holds every request to it before anything reads the body."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from scenewise.agent.agent import Agent
from scenewise.agent.turn import ANONYMOUS
from scenewise.service.api.errors import Refused, response_of
from scenewise.service.api.keys import SCOPES, KeyFile, Scope
from scenewise.service.api.limits import Rate
from scenewise.service.api.moments import is_plain
from scenewise.store.errors import InputError, NotAllowed
from scenewise.store.persons import person_of
from scenewise.store.types import UserId

USER_HEADER = "x-scenewise-user"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route needs: a scope, or None where it is open. Where `bound` is False, a key that is bound to a user may not come here."""

    method: str
    path: str
    scope: Scope | None
    bound: bool = True


RULES = (
    Rule("GET", "/", None),
    Rule("GET", "/web/{name}", None),
    Rule("GET", "/health", None),
    Rule("GET", "/ready", None),
    Rule("GET", "/openapi.json", None),
    Rule("GET", "/metrics", "admin", bound=False),
    Rule("GET", "/v1/me", "chat"),
    Rule("GET", "/v1/models", "chat"),
    Rule("GET", "/v1/models/{model}", "chat"),
    Rule("POST", "/v1/chat/completions", "chat"),
    Rule("POST", "/v1/recommend", "chat"),
    Rule("POST", "/v1/copy", "copy"),
    Rule("GET", "/v1/scenes", "chat"),
    Rule("GET", "/v1/turns/{turn_id}", "chat"),
    Rule("POST", "/v1/turns/{turn_id}/replay", "chat"),
    Rule("POST", "/v1/events", "write"),
    Rule("POST", "/v1/items", "write", bound=False),
    Rule("POST", "/v1/items/delete", "write", bound=False),
    Rule("GET", "/v1/items/{item_id:path}", "chat"),
    Rule("DELETE", "/v1/items/{item_id:path}", "write", bound=False),
    Rule("GET", "/v1/graph/items/{item_id:path}", "chat"),
    Rule("GET", "/v1/graph/nodes/{node:path}", "chat"),
    Rule("GET", "/v1/graph/paths/{item_id:path}", "chat"),
    Rule("GET", "/v1/users/{user_id}", "chat"),
    Rule("POST", "/v1/users/{user_id}/profile", "write"),
    Rule("PUT", "/v1/users/{user_id}/profile/lock", "write"),
    Rule("GET", "/v1/users/{user_id}/export", "write"),
    Rule("DELETE", "/v1/users/{user_id}", "write"),
    Rule("POST", "/v1/users/{user_id}/identities", "admin", bound=False),
    Rule("DELETE", "/v1/users/{user_id}/identities/{platform}/{platform_user_id}", "write"),
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the key's id (None without keys), its scopes, the user it is bound to, the user that a header names, and
    what the LLM may read and write for it in a day."""

    key_id: str | None
    scopes: frozenset[str]
    bound_to: str | None = None
    declared: str | None = None
    tokens_per_day: int | None = None


NOBODY = Caller(None, frozenset(SCOPES))


class Guard:
    """Middleware: finds the rule of a request, who asks, and whether they may; 404 and 405 for what the table does not have.

    Without keys only the names of this machine are answered.
    """

    def __init__(
        self, app: ASGIApp, *, keys: KeyFile | None, rate: Rate, rules: Sequence[Rule] = RULES, clock: Callable[[], float] = time.time
    ) -> None:
        self.app, self.keys, self.rate, self.clock = app, keys, rate, clock
        self._patterns = tuple((compile_path(rule.path)[0], rule) for rule in rules)

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Let the request through with `scenewise.rule` and `scenewise.caller` in its scope, or answer with an error."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # a websocket is not accepted
        try:
            rule = self._rule(scope["method"], scope["path"])
            scope["scenewise.rule"] = rule
            scope["scenewise.caller"] = self._admit(rule, Headers(scope=scope))
        except Refused as refused:
            await response_of(refused)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _admit(self, rule: Rule, headers: Mapping[str, str]) -> Caller:
        named = unquote(headers[USER_HEADER], errors="replace") if USER_HEADER in headers else None
        if named is not None and not is_plain(named):
            raise Refused(400, f"the header {USER_HEADER} holds no user id", code="invalid_input")
        if self.keys is None:
            if _host_of(headers.get("host", "")) not in LOCAL_HOSTS:
                raise Refused(403, "without keys the server answers under its local name only", code="unknown_host")
            return Caller(None, NOBODY.scopes, None, named)
        if rule.scope is None:
            return Caller(None, frozenset())
        scheme, _, token = headers.get("authorization", "").partition(" ")
        key = self.keys.find(token.strip(), self.clock()) if scheme.casefold() == "bearer" else None
        if key is None:
            given = "this key is unknown or has expired" if token else ""
            raise Refused(401, given)
        if rule.scope not in key.scopes:
            raise Refused(403, f"this key lacks the scope {rule.scope}", code="scope_missing")
        if key.user_id is not None and not rule.bound:
            raise Refused(403, "this key is bound to a user, and this route is not for one user alone", code="bound_key")
        self.rate.take(key.key_id)
        return Caller(key.key_id, frozenset(key.scopes), key.user_id, named, key.tokens_per_day)

    def _rule(self, method: str, path: str) -> Rule:
        fitting = [rule for pattern, rule in self._patterns if pattern.match(path)]
        for rule in fitting:
            if rule.method == method:
                return rule
        if not fitting:
            raise Refused(404)
        refused = Refused(405)
        refused.headers = {"Allow": ", ".join(sorted({rule.method for rule in fitting}))}
        raise refused


def caller_of(request: Request, _: Annotated[object, Depends(HTTPBearer(auto_error=False))]) -> Caller:
    """Who asks, as the guard found; the second parameter only tells OpenAPI of the key."""
    caller: Caller = request.scope["scenewise.caller"]
    return caller


Asking = Annotated[Caller, Depends(caller_of)]


def acting_user(agent: Agent, caller: Caller, given: str | None) -> str | None:
    """For whom a request is: the user it names, else the one the key is bound to, else nobody in particular.

    Raises InputError where header and body name different ones or the reserved one, NotAllowed where the key is bound to another.
    """
    if given is not None and caller.declared is not None and given != caller.declared:
        raise InputError(f"the header {USER_HEADER} and the request name different users")
    named = given if given is not None else caller.declared
    if named == ANONYMOUS:
        raise InputError(f"nobody is called {ANONYMOUS}: leave the user out")
    if caller.bound_to is None or named is None or named == caller.bound_to:
        return named if named is not None else caller.bound_to
    if person_of(agent.store, UserId(named)) != person_of(agent.store, UserId(caller.bound_to)):
        raise NotAllowed("this key is bound to another user")
    return named


def own_conversation(caller: Caller, user: str | None, given: str | None) -> str | None:
    """The id under which the agent knows a conversation. Where nobody in particular talks it is the key's own: no other key reaches it."""
    if user is not None or caller.key_id is None:
        return given
    own, given = f"{caller.key_id}/", given if given is not None else uuid.uuid4().hex
    return given if given.startswith(own) else own + given


def _host_of(header: str) -> str:
    if header.startswith("["):
        return header[1:].partition("]")[0].casefold()
    return header.partition(":")[0].casefold()
