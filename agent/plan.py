"""Planning: one message of tool calls from the LLM, limited to what the request bears out, and completed by the default plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from scenewise.agent.gate import SURE, shipped_gate
from scenewise.agent.ground import names_circumstances_only
from scenewise.agent.model import ChatModel, PlanAnswer, ToolSchema
from scenewise.agent.plan_grammar import WORDS, Word, plan_pattern
from scenewise.agent.plan_link import link, of_seen
from scenewise.agent.plan_request import PROMPT
from scenewise.agent.plan_text import Ask, decode
from scenewise.agent.policy import asks_by_itself, changes_or_shows, complete, limit, needs_no_tools, reads_a_request
from scenewise.agent.record import Plan, PlannedCall, Seen
from scenewise.agent.settings import Settings
from scenewise.agent.told import asks_about, look_up, looked_up
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
SURER = 0.9
"""The chance from which on the gate outweighs rules that read a request, and from which on it bears them out."""
NO_WORDS: frozenset[Word] = frozenset()

Form = Literal["short", "tools", "full"]
"""How a plan is asked for: in the short writing, or as calls of tools with a few of their arguments or all."""


def plan_form(model: ChatModel | None, settings: Settings) -> Form:
    """The form that suits the model, by the settings."""
    trained = model is not None and model.name.startswith("scenewise")
    if settings.planning == "short" or (settings.planning == "auto" and trained):
        return "short"
    return "full" if settings.tool_detail == "full" else "tools"


def word_instead(seen: Seen, box: Toolbox) -> Literal["", "ask", "outside"]:
    """What stands in a list's place where the gate is sure of it, surer where rules read a request; nothing for what changes a list or says
    what the moment is like."""
    if changes_or_shows(seen, box) or (seen.text and names_circumstances_only(seen, box)):
        return ""
    chances = shipped_gate().read(seen.text, box.encoders, has_list=bool(seen.memory.items))
    if chances is None:
        return ""
    ruled = reads_a_request(seen, box)
    if chances.none >= (SURER if ruled else SURE):
        return "outside"
    return "ask" if chances.ask >= SURE and not ruled else ""


def words_left(seen: Seen, box: Toolbox) -> frozenset[Word]:
    """The words that the model may answer with in a plan's place.

    None where a message asks by what it is, or where rules read a request out of its words and the gate bears them out. Where it may ask by
    what it is, or may not, only "none".
    """
    if changes_or_shows(seen, box):
        return NO_WORDS if asks_by_itself(seen, box) else frozenset({"none"})
    chances = shipped_gate().read(seen.text, box.encoders, has_list=bool(seen.memory.items))
    return NO_WORDS if reads_a_request(seen, box) and (chances is None or chances.call >= SURER) else WORDS


async def make_plan(seen: Seen, box: Toolbox, model: ChatModel | None, *, max_tokens: int, timeout_s: float, form: Form = "tools") -> Plan:
    """Return the turn's calls; with no model, or one that fails, the default plan alone, with the trouble named."""
    if needs_no_tools(seen):
        return Plan()
    if about := asks_about(seen, by_name=model is None):
        return Plan((look_up(about, box),), word="facts", about=about)
    if word := word_instead(seen, box):
        return Plan(word=word)
    if model is None or not seen.text:
        return Plan(complete(seen, (), box), trouble="" if model else "no LLM")
    prompt = PROMPT if form == "short" else "plan"
    try:
        if form == "short":
            return await _short_plan(seen, box, model, max_tokens=max_tokens, timeout_s=timeout_s)
        messages = load("plan").messages(message=seen.text[:400])
        tools = planner_tools(box, full=form == "full")
        answer: PlanAnswer = await model.plan(messages, tools, max_tokens=max_tokens, timeout_s=timeout_s)
    except ModelError as error:
        return Plan(complete(seen, (), box), rounds=1, trouble=f"planning: {error.reason}", prompt=prompt)
    limited = limit(seen, answer.calls, box)
    trouble = "" if answer.calls else "planning: no tool call in the answer"
    done = Plan(rounds=1, trouble=trouble, completion_tokens=answer.completion_tokens, prompt_tokens=answer.prompt_tokens)
    return _completed(done, seen, limited, box)


async def _short_plan(seen: Seen, box: Toolbox, model: ChatModel, *, max_tokens: int, timeout_s: float) -> Plan:
    """Ask for a plan in the short writing. A question back, or no tool at all, is a plan only where `words_left` has it: the grammar leaves
    it out, and where a server does not keep to that, it does not count."""
    request, words = of_seen(seen, box), words_left(seen, box)
    pattern = plan_pattern(box.catalogue.domains, request, words=words)
    answer = await model.complete(request.prompt_messages(), pattern=pattern, max_tokens=max_tokens, timeout_s=timeout_s)
    read = decode(answer.text, request.last_items)
    done = Plan(rounds=1, completion_tokens=answer.completion_tokens, prompt_tokens=answer.prompt_tokens, prompt=PROMPT)
    if isinstance(read, Ask) or read == ():
        if ("ask" if isinstance(read, Ask) else "none") in words:
            return replace(done, word="ask" if isinstance(read, Ask) else "outside")
        return replace(done, calls=complete(seen, (), box))
    if read is None:
        return replace(done, calls=complete(seen, (), box), trouble="planning: no plan in the answer")
    return _completed(done, seen, limit(seen, link(seen, read, box), box), box)


def _completed(plan: Plan, seen: Seen, calls: tuple[PlannedCall, ...], box: Toolbox) -> Plan:
    """The plan with the model's calls and what the default plan adds; with the calls alone where they only look up what is asked about."""
    if about := looked_up(calls, box):
        return replace(plan, calls=calls, word="facts", about=about)
    return replace(plan, calls=complete(seen, calls, box))


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
