"""Whether a server keeps its word about tool calls: some versions and parsers ignore `tool_choice="required"` or the arguments' schema."""

from __future__ import annotations

import time
from dataclasses import dataclass

from scenewise.agent.model import ChatModel
from scenewise.store.errors import ModelError

WANTED = ("amber", "cobalt", "fuchsia")
TOOL = {
    "type": "function",
    "function": {
        "name": "pick_colour",
        "description": "Pick a colour.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"colour": {"type": "string", "enum": list(WANTED)}},
            "required": ["colour"],
            "additionalProperties": False,
        },
    },
}


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """`required`: a tool was called although the message asks for none; `strict`: its arguments keep to the schema."""

    model: str
    required: bool
    strict: bool
    seconds: float


async def probe_model(model: ChatModel, *, timeout_s: float = 60.0) -> ProbeResult:
    """Ask for prose with a tool required. Raises ModelError where the server does not answer at all."""
    begun = time.monotonic()
    messages = [{"role": "user", "content": "Tell me a story. Do not call any tool."}]
    try:
        answer = await model.plan(messages, [TOOL], max_tokens=64, timeout_s=timeout_s)
    except ModelError as error:
        if error.reason in ("unreachable", "too slow"):
            raise
        return ProbeResult(model.name, False, False, time.monotonic() - begun)
    finally:
        await model.close()
    required = bool(answer.calls) and all(call.name == "pick_colour" for call in answer.calls)
    strict = required and all(dict(call.arguments).keys() == {"colour"} and call.arguments["colour"] in WANTED for call in answer.calls)
    return ProbeResult(model.name, required, strict, time.monotonic() - begun)
