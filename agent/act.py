"""Acting: the plan's calls run as the tools that they name; candidates gather on the bus, conditions narrow the context first."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from annotated_types import Le
from langchain_core.tools import StructuredTool
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from scenewise.agent import tracing
from scenewise.agent.ground import names_circumstances_only
from scenewise.agent.record import Found, Plan, PlannedCall, Seen
from scenewise.agent.subjects import unspoken
from scenewise.store.errors import NotAllowed, NotFound, ToolError
from scenewise.tools.candidates import Candidate, Candidates
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.context import TurnContext
from scenewise.tools.toolbox import Toolbox

FIRST = ("filter_catalogue", "update_profile")
K_EACH = 60
FEW = 3  # times k: below this many candidates the list is filled up from the catalogue


def act(plan: Plan, seen: Seen, box: Toolbox) -> Found:
    """Run the planned calls, those that change the conditions first; a tool that fails is recorded and the others go on."""
    context, candidates = seen.context, Candidates()
    outcome: dict[int, PlannedCall] = {}
    unknown: list[str] = []
    for_scene = names_circumstances_only(seen, box)
    order = sorted(range(len(plan.calls)), key=lambda i: (plan.calls[i].name not in FIRST, i))
    for i in order:
        call = plan.calls[i]
        if call.status != "planned":
            outcome[i] = call
            continue
        done, artifact = run_call(call, context, box)
        if isinstance(artifact, Candidates):
            candidates += _for_the_scene(artifact) if for_scene else artifact
        elif done.status == "run":
            context = _narrow(context, artifact, box)
            unknown += getattr(artifact, "unknown", ())
        outcome[i] = done
    filled = fill_up(candidates, context, box)
    calls = tuple(outcome[i] for i in range(len(plan.calls)))
    return Found(candidates + filled, calls, context, tuple(dict.fromkeys(unknown)), unspoken(seen, box))


def _for_the_scene(candidates: Candidates) -> Candidates:
    """Searches that stand for the scene, not for the user's words, count as a source of their own, and their hits are no reason."""
    return Candidates(tuple(replace(row, source="scene_search", reason="") if row.source == "retrieve" else row for row in candidates))


def run_call(call: PlannedCall, context: TurnContext, box: Toolbox) -> tuple[PlannedCall, Any]:
    """Run one call; return it with its outcome, and what the tool gave."""
    with tracing.tool(call.name) as told:
        done, artifact = _run(call, context, box)
        told(done)
    return done, artifact


def _run(call: PlannedCall, context: TurnContext, box: Toolbox) -> tuple[PlannedCall, Any]:
    tool = box.tools[call.name]
    begun = time.perf_counter()
    arguments: dict[str, Any] = {**call.arguments, "context": context}
    if "k" not in arguments and (length := _fields(tool).get("k")) is not None:
        arguments["k"] = _most(length, K_EACH)
    try:
        said, artifact = call_tool(tool, arguments)
    except (ToolError, NotAllowed, NotFound, ValidationError) as error:
        reason = "arguments do not fit the tool" if isinstance(error, ValidationError) else str(error)
        return call.became("failed", reason, ms=1000 * (time.perf_counter() - begun)), None
    n = len(artifact) if isinstance(artifact, Candidates) else 0
    note = "; ".join(part for part in (call.note, "" if n else said[:120]) if part)
    return call.became("run", note, candidates=n, ms=1000 * (time.perf_counter() - begun)), artifact


def call_tool(tool: StructuredTool, arguments: Mapping[str, Any]) -> tuple[str, Any]:
    """Check arguments by the tool's schema and call its function: what `tool.invoke` does, without LangChain's callbacks and run trees,
    which take longer than most of the tools. Raises ValidationError, and what the tool raises."""
    schema: Any = tool.args_schema
    given = schema.model_validate(dict(arguments))
    assert tool.func is not None, "the agent's tools are functions"
    said, artifact = tool.func(**{name: getattr(given, name) for name in _fields(tool)})
    return str(said), artifact


def _fields(tool: StructuredTool) -> Mapping[str, FieldInfo]:
    schema: Any = tool.args_schema
    fields: Mapping[str, FieldInfo] = schema.model_fields
    return fields


def _most(field: FieldInfo, wanted: int) -> int:
    most: list[int] = [int(one.le) for one in field.metadata if isinstance(one, Le)]  # type: ignore[call-overload]
    return min([wanted, *most])


def _narrow(context: TurnContext, artifact: Any, box: Toolbox) -> TurnContext:
    """Conditions that a tool set can only take items away."""
    constraints = artifact if isinstance(artifact, Constraints) else getattr(artifact, "constraints", None)
    if not isinstance(constraints, Constraints):
        return context
    allowed = context.allowed & box.catalogue.allowed(constraints)
    return replace(context, constraints=constraints, allowed=allowed)


def fill_up(candidates: Candidates, context: TurnContext, box: Toolbox) -> Candidates:
    """Items that pass every condition, for lists that the tools left short: a user and a message that say nothing, a tiny catalogue."""
    have = {row.item_id for row in candidates}
    seen_before = {event.item_id for event in context.history}
    missing = FEW * context.k - len(have)
    if missing <= 0:
        return Candidates()
    rows = np.flatnonzero(context.allowed)
    rows = np.random.default_rng(context.seed).permutation(rows)
    ids = [box.catalogue.items[row].item_id for row in rows]
    fresh = [item_id for item_id in ids if item_id not in have and item_id not in seen_before] or [i for i in ids if i not in have]
    return Candidates(tuple(Candidate(item_id, "catalogue", 0.0, "") for item_id in fresh[:missing]))
