"""Planning: one message of tool calls from the LLM, limited to what the request bears out, and completed by the default plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenewise.agent.model import ChatModel, PlanAnswer, ToolSchema
from scenewise.agent.policy import complete, limit, needs_no_tools
from scenewise.agent.record import Plan, Seen
from scenewise.prompts import load
from scenewise.store.errors import ModelError
from scenewise.tools.toolbox import Toolbox

SHORT_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "query_graph": ("value",),
    "collaborative_candidates": ("like_titles",),
    "retrieve": ("query", "domain"),
    "look_up_items": ("titles",),
    "filter_catalogue": ("domains", "ban_genre"),
}
"""The arguments a small model is shown. What it leaves out, the tool's default or the policy fills in; every call still passes the whole
schema."""


async def make_plan(seen: Seen, box: Toolbox, model: ChatModel | None, *, max_tokens: int, timeout_s: float, full: bool = False) -> Plan:
    """Return the turn's calls; with no model, or one that fails, the default plan alone, with the trouble named."""
    if needs_no_tools(seen):
        return Plan()
    if model is None or not seen.text:
        return Plan(complete(seen, (), box), trouble="" if model else "no LLM")
    prompt = load("plan")
    messages = prompt.messages(message=seen.text[:400])
    try:
        answer: PlanAnswer = await model.plan(messages, planner_tools(box, full=full), max_tokens=max_tokens, timeout_s=timeout_s)
    except ModelError as error:
        return Plan(complete(seen, (), box), rounds=1, trouble=f"planning: {error.reason}")
    limited = limit(seen, answer.calls, box)
    trouble = "" if answer.calls else "planning: no tool call in the answer"
    return Plan(complete(seen, limited, box), rounds=1, trouble=trouble, completion_tokens=answer.completion_tokens)


def planner_tools(box: Toolbox, *, full: bool = False) -> list[ToolSchema]:
    """The tools as the LLM sees them, in OpenAI's form; `full` gives every argument, else only SHORT_ARGUMENTS, all required."""
    names = sorted(box.tools) if full else sorted(name for name in box.tools if name in SHORT_ARGUMENTS)
    return [_schema(box, name, full=full) for name in names]


def _schema(box: Toolbox, name: str, *, full: bool) -> ToolSchema:
    tool = box.tools[name]
    whole: dict[str, Any] = tool.tool_call_schema.model_json_schema()  # type: ignore[union-attr]
    properties = {key: _plain(value) for key, value in whole.get("properties", {}).items() if key != "context"}
    if not full:
        properties = {key: properties[key] for key in SHORT_ARGUMENTS[name] if key in properties}
    parameters: dict[str, Any] = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    if "$defs" in whole:
        parameters["$defs"] = whole["$defs"]
    description = tool.description if full else tool.description.split(". ")[0].split(":")[0].rstrip(".")
    return {"type": "function", "function": {"name": name, "description": description, "strict": True, "parameters": parameters}}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A property without its null branch, title, default and description: what a grammar needs, and no more tokens than that."""
    branches = [branch for branch in schema.get("anyOf", []) if branch.get("type") != "null"]
    chosen = branches[0] if len(branches) == 1 else schema
    plain = {key: value for key, value in chosen.items() if key not in ("title", "default", "description")}
    if plain.get("type") == "array":
        plain["maxItems"] = min(int(plain.get("maxItems", 2)), 2)
        plain["items"] = _plain(plain["items"]) if isinstance(plain.get("items"), dict) else plain.get("items")
    if plain.get("type") == "string" and "enum" not in plain:
        plain["maxLength"] = min(int(plain.get("maxLength", 60)), 60)
    return plain
