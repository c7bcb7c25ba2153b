"""Health, lists for programs, scenes, records of turns, and feedback."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from scenewise.agent.agent import Agent
from scenewise.service.api.access import Asking, Caller, acting_user, own_conversation
from scenewise.service.api.limits import Gate
from scenewise.service.api.metrics import Metrics, metrics_page
from scenewise.service.api.schemas import Done, EventIn, RecommendIn, ReplayIn, ReplayOut, SceneOut, ScenesOut, StateOut, TurnOut, turn_out
from scenewise.service.api.stream import unless_gone
from scenewise.store.errors import InputError, NotFound
from scenewise.store.persons import person_of
from scenewise.store.types import UserId

TurnId = Annotated[str, Path(min_length=1, max_length=512)]


def state_routes(agent: Agent, metrics: Metrics) -> APIRouter:
    """Whether the server lives, whether it is ready, and its counters."""
    router = APIRouter(tags=["state"])

    @router.get("/health")
    async def health() -> StateOut:
        """Say that the process answers; it touches neither store nor LLM."""
        return StateOut(status="ok")

    @router.get("/ready")
    def ready() -> StateOut:
        """Say that the store can be read and turns be answered; an LLM that is down only degrades them."""
        return StateOut(status="ready", items=agent.store.items.count(), llm=agent.model.name if agent.model else None)

    @router.get("/metrics", responses={200: {"content": {"text/plain": {}}}})
    async def counters(caller: Asking) -> Response:
        """Give the counters in Prometheus' text format."""
        return metrics_page(metrics)

    return router


def scenes_out(agent: Agent) -> ScenesOut:
    """The scenes as they go out."""
    told = [
        SceneOut(name=one.name, description=one.description, examples=list(one.examples), domains=dict(one.domains))
        for one in agent.scenes()
    ]
    return ScenesOut(scenes=told)


def shown_to(caller: Caller, agent: Agent, turn_id: str) -> dict[str, Any]:
    """The record of a turn, if it may be shown: to its user, for nobody in particular to the key that asked, to keys with the scope
    admin. Raises NotFound for others as for an id that is not there."""
    record = agent.store.turns.get(turn_id)
    user, owner = acting_user(agent, caller, None), record["user_id"]
    if owner is None:
        mine = record["conversation_id"] == own_conversation(caller, None, record["conversation_id"])
    else:
        mine = user is not None and person_of(agent.store, UserId(owner)) == person_of(agent.store, UserId(user))
    if not mine and "admin" not in caller.scopes:
        raise NotFound("no turn of the store has this id")
    return record


def recommend_routes(agent: Agent, gate: Gate, metrics: Metrics) -> APIRouter:
    """Lists for programs, and what goes with them."""
    router = APIRouter(prefix="/v1", tags=["recommend"])

    @router.post("/recommend")
    async def recommend(body: RecommendIn, request: Request, caller: Asking) -> TurnOut:
        """Give one list, without an LLM unless asked for; with `conversation_id` as the last list of that conversation."""
        user = await run_in_threadpool(acting_user, agent, caller, body.user_id)
        with await gate.enter(caller if body.use_llm else None):
            moment = body.moment.moment()
            talk = own_conversation(caller, user, body.conversation_id)
            work = agent.arecommend(
                user, text=body.text, scene=body.scene, moment=moment, k=body.k, use_llm=body.use_llm, conversation_id=talk
            )
            turn = await unless_gone(request, work)
        metrics.saw_turn(turn)
        await gate.spend(caller, turn.tokens)
        return turn_out(turn.to_record())

    @router.get("/scenes")
    def scenes(caller: Asking) -> ScenesOut:
        """List the scenes that this store knows."""
        return scenes_out(agent)

    @router.get("/turns/{turn_id}")
    def show_turn(turn_id: TurnId, caller: Asking) -> TurnOut:
        """Show the record of a turn to the user whose it is, without a user to the key that asked, and to keys with the scope admin; for
        others it is not there."""
        return turn_out(shown_to(caller, agent, turn_id))

    @router.post("/turns/{turn_id}/replay")
    async def replay_turn(turn_id: TurnId, request: Request, caller: Asking, body: ReplayIn | None = None) -> ReplayOut:
        """Answer a kept turn once more, with what it began with and with the store as it is now; nothing is written."""
        kept = await run_in_threadpool(shown_to, caller, agent, turn_id)
        wanted = body.use_llm if body is not None else None
        pays = wanted if wanted is not None else bool(kept.get("given", {}).get("use_llm"))
        with await gate.enter(caller if pays else None):
            replay = await unless_gone(request, agent.areplay(turn_id, use_llm=wanted))
        metrics.saw_tokens(replay.now.prompt_tokens, replay.now.completion_tokens)
        await gate.spend(caller, replay.now.tokens)
        before, now = (turn_out(one.to_record()) for one in (replay.before, replay.now))
        return ReplayOut(before=before, now=now, differs=list(replay.differs))

    @router.post("/events")
    def tell(body: EventIn, caller: Asking) -> Done:
        """Record that a user did something with an item; it counts in their next turn."""
        user = acting_user(agent, caller, body.user_id)
        if user is None:
            raise InputError("say whose event it is: user_id")
        agent.tell(user, body.item_id, body.kind, body.value, moment=body.moment.moment() if body.moment else None)
        return Done(changed=1)

    return router
