"""One tool called from outside a turn, by another agent or a program. The function that takes an Agent is its method (agent/agent.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from scenewise.agent.act import call_tool
from scenewise.agent.memory import Memory
from scenewise.agent.perceive import perceive
from scenewise.store.errors import InputError, NotFound
from scenewise.store.types import Moment

if TYPE_CHECKING:
    from scenewise.agent.agent import Agent


def use_tool(
    agent: Agent, name: str, arguments: Mapping[str, Any], user_id: str | None = None, *, moment: Moment | None = None
) -> tuple[str, object]:
    """Call a tool of `toolbox().tools` as a turn of this user in this moment would; return what it tells an LLM, and its artifact.

    Nothing of a user is changed: `update_profile` raises NotAllowed (`edit_profile` changes profiles). Raises NotFound (no such tool),
    InputError naming an argument that does not fit, and what the tool raises.
    """
    request = replace(agent._request("", user_id, moment, None, None, 1), may_write=False)
    around = agent._surroundings()
    if (tool := around.box.tools.get(name)) is None:
        raise NotFound(f"there is no such tool; there are {', '.join(around.box.tools)}")
    context = perceive(request, around.box, around.intents, Memory()).context
    try:
        return call_tool(tool, {**arguments, "context": context})
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
