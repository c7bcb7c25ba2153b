"""A turn reads top to bottom: perceive -> plan -> act -> rank -> compose -> verify -> remember.

Each step is a plain function of its own module. LangGraph wires them for checkpoints and streaming; only the conversation's memory is
kept in a
checkpoint, everything else of a turn lives for that turn and then in the store's record.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from langgraph.channels import UntrackedValue
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from scenewise.agent import tracing
from scenewise.agent.act import act
from scenewise.agent.compose import compose
from scenewise.agent.explain import answer_otherwise
from scenewise.agent.intents import IntentReader, positions
from scenewise.agent.memory import KEPT_SHOWN, Memory
from scenewise.agent.model import ChatModel
from scenewise.agent.perceive import moment_key, perceive
from scenewise.agent.plan import make_plan, plan_form
from scenewise.agent.policy import main_domains, needs_no_tools
from scenewise.agent.record import Draft, Found, Plan, Reply, Request, Seen, Slate, Step, Turn, TurnItem
from scenewise.agent.settings import Settings
from scenewise.agent.slate import rank
from scenewise.agent.told import tell
from scenewise.agent.verify import verify
from scenewise.agent.wants import asking, lasting
from scenewise.agent.words import explain, no_longer_there, nothing_to_explain, only_so_many, small_talk, unlinked, word_back
from scenewise.prompts import load
from scenewise.store.codec import dump_moment
from scenewise.store.errors import NotAllowed, NotFound
from scenewise.store.store import Store
from scenewise.store.types import UserId
from scenewise.tools.candidates import Candidates
from scenewise.tools.copywriter.evidence import clean
from scenewise.tools.scene.own import teach
from scenewise.tools.toolbox import Toolbox

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph
    from opentelemetry.context import Context

ANONYMOUS = UserId("anonymous")
NO_LIST = frozenset({"explain", "thanks", "greet", "about", "ask", "outside", "facts"})
GIVEN = ("message", "scene", "k", "seed", "use_llm")
"""Of a request, what its turn's record does not hold under a name of its own."""
PLAN_SHARE = 0.5  # of the deadline; the rest is for writing


@dataclass(frozen=True)
class Surroundings:
    """What the steps work with, handed to the graph as its runtime context."""

    box: Toolbox
    intents: IntentReader
    model: ChatModel | None
    settings: Settings
    trace: Context | None = None


class State(TypedDict, total=False):
    """What the steps hand on. Of it `memory` alone outlives the turn; the graph is given the request and gives the turn back."""

    memory: dict[str, Any]
    request: Annotated[Request, UntrackedValue]
    turn: Annotated[Turn, UntrackedValue]
    begun: Annotated[float, UntrackedValue]
    seen: Annotated[Seen, UntrackedValue]
    plan: Annotated[Plan, UntrackedValue]
    found: Annotated[Found, UntrackedValue]
    slate: Annotated[Slate, UntrackedValue]
    draft: Annotated[Draft, UntrackedValue]
    reply: Annotated[Reply, UntrackedValue]
    timings_ms: Annotated[dict[str, float], UntrackedValue]


def build_graph(checkpointer: BaseCheckpointSaver[Any]) -> CompiledStateGraph[State, Surroundings, State, State]:
    """Wire the seven steps: one node that takes them in order, since a node's own cost is that of a tool's search.

    Its custom stream has a `Step` as each is done, its updates the turn.
    """
    graph = StateGraph(State, context_schema=Surroundings)
    graph.add_node("turn", _turn)
    graph.add_edge(START, "turn")
    graph.add_edge("turn", END)
    return graph.compile(checkpointer=checkpointer)


async def _turn(state: State, runtime: Runtime[Surroundings]) -> State:
    for name, step in (*STEPS, ("remember", _remember)):
        update: State = await tracing.step(name, step)(state, runtime)
        state = {**state, **update}
        runtime.stream_writer(Step(name, state["timings_ms"].get(name, 0.0)))
    return {"memory": state["memory"], "turn": state["turn"]}


def _timed(state: State, name: str, begun: float) -> dict[str, float]:
    return {**state.get("timings_ms", {}), name: round(1000 * (time.perf_counter() - begun), 2)}


async def _perceive(state: State, runtime: Runtime[Surroundings]) -> State:
    begun = time.perf_counter()
    around, memory = runtime.context, Memory.from_json(state.get("memory"))
    seen = await asyncio.to_thread(perceive, state["request"], around.box, around.intents, memory)
    return {"seen": seen, "begun": begun, "timings_ms": {"perceive": round(1000 * (time.perf_counter() - begun), 2)}}


async def _plan(state: State, runtime: Runtime[Surroundings]) -> State:
    begun, around = time.perf_counter(), runtime.context
    model = around.model if state["request"].use_llm else None
    timeout_s = PLAN_SHARE * around.settings.deadline_s
    form = plan_form(model, around.settings)
    plan = await make_plan(state["seen"], around.box, model, max_tokens=around.settings.plan_tokens, timeout_s=timeout_s, form=form)
    return {"plan": plan, "timings_ms": _timed(state, "plan", begun)}


async def _act(state: State, runtime: Runtime[Surroundings]) -> State:
    begun, seen, plan = time.perf_counter(), state["seen"], state["plan"]
    if needs_no_tools(seen) or (plan.word and not plan.about):
        return {"found": Found(Candidates(), (), seen.context), "timings_ms": _timed(state, "act", begun)}
    found = await asyncio.to_thread(act, plan, seen, runtime.context.box)
    return {"found": found, "timings_ms": _timed(state, "act", begun)}


async def _rank(state: State, runtime: Runtime[Surroundings]) -> State:
    begun, seen = time.perf_counter(), state["seen"]
    if needs_no_tools(seen) or state["plan"].word:
        return {"slate": Slate(), "timings_ms": _timed(state, "rank", begun)}
    around = runtime.context
    slate = await asyncio.to_thread(rank, state["found"], seen, around.box, exploration=around.settings.exploration)
    return {"slate": slate, "timings_ms": _timed(state, "rank", begun)}


async def _compose(state: State, runtime: Runtime[Surroundings]) -> State:
    begun, around = time.perf_counter(), runtime.context
    left_s = around.settings.deadline_s - (begun - state["begun"])
    model = around.model if state["request"].use_llm else None
    draft = await compose(
        state["slate"],
        model,
        locale=state["seen"].context.moment.locale,
        timeout_s=left_s,
        guided=around.settings.writing == "guided",
        scene=state["seen"].context.scene.scene,
        seed=state["seen"].context.seed,
    )
    return {"draft": draft, "timings_ms": _timed(state, "compose", begun)}


async def _verify(state: State, runtime: Runtime[Surroundings]) -> State:
    begun, seen = time.perf_counter(), state["seen"]
    if needs_no_tools(seen):
        reply = answer_from_record(seen, runtime.context.box)
    elif about := state["plan"].about:
        reply = Reply(tell(about, runtime.context.box, seen.context.moment.locale))
    elif word := state["plan"].word:
        reply = Reply(word_back(word, main_domains(runtime.context.box), seen.context.moment.locale))
    else:
        reply = verify(state["draft"], state["slate"], seen, state["found"])
    return {"reply": reply, "timings_ms": _timed(state, "verify", begun)}


async def _remember(state: State, runtime: Runtime[Surroundings]) -> State:
    begun = time.perf_counter()
    timings = {**state.get("timings_ms", {}), "total": round(1000 * (begun - state["begun"]), 2)}
    turn = _with_timings(make_turn(state, runtime.context), timings)
    request = state["request"]
    record = turn.to_record()
    save = runtime.context.box.store.turns.save
    owner = request.user_id or ANONYMOUS
    await asyncio.to_thread(save, turn.turn_id, turn.conversation_id, user_id=owner, time_s=request.now_s, record=record)
    memory = remember(Memory.from_json(state.get("memory")), turn, state["seen"], runtime.context.box)
    if state["seen"].taught is not None:
        await asyncio.to_thread(keep_taught, owner, state["seen"].taught, runtime.context.box)
    timings = _timed(state, "remember", begun)
    timings["total"] = round(1000 * (time.perf_counter() - state["begun"]), 2)
    return {"memory": memory.to_json(), "turn": _with_timings(turn, timings), "timings_ms": timings}


STEPS: tuple[tuple[str, Any], ...] = (
    ("perceive", _perceive),
    ("plan", _plan),
    ("act", _act),
    ("rank", _rank),
    ("compose", _compose),
    ("verify", _verify),
)
"""The steps that change nothing but a profile, and that only where the request may."""


def keep_taught(user_id: UserId, taught: tuple[str, str], box: Toolbox) -> None:
    """Keep what a user put right in their profile."""
    box.store.profiles.save(teach(box.store.profiles.get(user_id), *taught))


def _with_timings(turn: Turn, timings: Mapping[str, float]) -> Turn:
    from dataclasses import replace

    return replace(turn, timings_ms=dict(timings))


def answer_from_record(seen: Seen, box: Toolbox) -> Reply:
    """Answer "why", thanks and greetings: no tool, no LLM; an explanation comes from the record of the turn that made the list."""
    locale = seen.context.moment.locale
    if seen.intent != "explain":
        return Reply(small_talk(seen.intent, locale))
    if (told := answer_otherwise(seen, box)) is not None:
        return told
    if seen.memory.turn_id is None:
        return Reply(nothing_to_explain(locale))
    if not seen.referred:
        length = len(seen.memory.items)
        return Reply(only_so_many(length, locale) if positions(seen.text, length) == () else no_longer_there(locale))
    record: Mapping[str, Any] = box.store.turns.get(seen.memory.turn_id)
    wanted = set(seen.referred)
    chosen = [(place, data) for place, data in enumerate(record["items"], 1) if data["item_id"] in wanted]
    text = " ".join(explain(data, place, record.get("scene"), locale) for place, data in chosen)
    return Reply(clean(text), tuple(TurnItem.from_record(data) for _, data in chosen))


def kept_turn(request: Request, store: Store) -> Turn | None:
    """The turn that was answered already under the id of a request. Raises NotAllowed where it is another conversation's."""
    try:
        record = store.turns.get(request.turn_id or "")
    except NotFound:
        return None
    if record["conversation_id"] != request.conversation_id:
        raise NotAllowed("this turn id belongs to another conversation; choose a new one")
    return Turn.from_record(record)


def make_turn(state: State, around: Surroundings) -> Turn:
    """Gather the record of the turn."""
    seen, request, reply = state["seen"], state["request"], state["reply"]
    plan, draft = state["plan"], state["draft"]
    model = around.model if request.use_llm else None
    rounds = plan.rounds + draft.rounds
    used = (*((plan.prompt,) if plan.rounds else ()), *draft.prompts)
    return Turn(
        turn_id=request.turn_id or uuid.uuid4().hex,
        conversation_id=request.conversation_id,
        user_id=request.user_id,
        message=seen.text,
        time_s=request.now_s,
        reply=unlinked(reply.text),
        items=reply.items,
        intent=plan.word or seen.intent,
        scene=seen.context.scene.scene,
        scene_probability=float(seen.context.scene.probability),
        signals=tuple((signal.name, signal.value, float(signal.share)) for signal in seen.context.scene.signals),
        plan=state["found"].calls,
        llm_rounds=rounds,
        timings_ms=state.get("timings_ms", {}),
        notes=seen.notes,
        degraded=tuple(trouble for trouble in (plan.trouble, draft.trouble) if trouble) if request.use_llm else (),
        model=model.name if model else None,
        prompts=tuple(load(name).tag for name in used),
        completion_tokens=plan.completion_tokens + draft.completion_tokens,
        prompt_tokens=plan.prompt_tokens + draft.prompt_tokens,
        artefact=around.box.artefact,
        given=given_to(state),
    )


def given_to(state: State) -> dict[str, Any]:
    """What a turn began with beside the store, as plain data: of the moment nothing finer than the type of a place."""
    request = state["request"]
    plain = {name: getattr(request, name) for name in GIVEN}
    return plain | {"moment": dump_moment(state["seen"].context.moment), "memory": state.get("memory")}


def remember(memory: Memory, turn: Turn, seen: Seen, box: Toolbox) -> Memory:
    """What the next turn will know: the new list where there is one, what was ruled out, and the scene."""
    rejected = memory.rejected + seen.refused + (seen.referred if seen.intent == "reject" else ())
    ban = {name: tuple(sorted(values)) for name, values in seen.reading.constraints.ban.items()}
    before = memory.constraints(lifted=seen.reading.wishes).ban
    kept = {name: tuple(sorted({*before.get(name, ()), *ban.get(name, ())})) for name in {*before, *ban}}
    has_list = bool(turn.items) and turn.intent != "explain"
    ids = tuple(item.item_id for item in turn.items)
    asks = turn.intent not in NO_LIST and seen.correction is None and (turn.intent != "state_taste" or bool(seen.mentioned))
    return Memory(
        turn_id=turn.turn_id if has_list else memory.turn_id,
        items=ids if has_list else memory.items,
        shown_s=memory.showing(ids, turn.time_s) if has_list else memory.shown_s,
        rejected=tuple(dict.fromkeys(rejected))[-KEPT_SHOWN:],
        ban=kept,
        scene=turn.scene if turn.intent not in NO_LIST else memory.scene,
        turns=memory.turns + 1,
        corrected=_corrected(memory, turn, seen),
        place=seen.correction.place or memory.place if seen.correction else memory.place,
        moment=moment_key(seen.context.moment, seen.request.now_s),
        asked=asking(memory.asked, lasting(seen, box), seen.intent, goes_on=bool(seen.asked)) if asks else memory.asked,
        focus=None if has_list else seen.referred[0] if seen.referred else memory.focus,
    )


def _corrected(memory: Memory, turn: Turn, seen: Seen) -> str | None:
    """The scene put right: by this message, or before and not left since."""
    if seen.correction is not None:
        return seen.correction.reading.scene
    return memory.corrected if turn.intent in NO_LIST or turn.scene == memory.corrected else None
