"""A request with its right plan, as it is written to a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scenewise.agent.plan_request import PlanRequest
from scenewise.agent.plan_text import decode, encode

NUMBERS = tuple(f"#{place}" for place in range(1, 10))
"""Stand for the titles of a last list where a plan is read to be written again."""


@dataclass(frozen=True, slots=True)
class Pair:
    """`plan` is in the short writing; `group` names the template or the rule that made the pair; `source` and `licence` say what it is
    made of."""

    request: PlanRequest
    plan: str
    group: str
    source: str
    licence: str

    @property
    def message(self) -> str:
        """The user's new message."""
        return self.request.messages[-1]["content"]

    def to_row(self) -> dict[str, Any]:
        """Plain data: the pair, and the very messages that a server is sent with the completion that is right."""
        request = self.request
        return {
            "task": "plan",
            "source": self.source,
            "licence": self.licence,
            "group": self.group,
            "request": {
                "messages": [dict(one) for one in request.messages],
                "scene": request.scene,
                "profile": request.profile,
                "last_items": list(request.last_items),
            },
            "plan": self.plan,
            "messages": request.prompt_messages(),
            "completion": self.plan,
        }


def in_order(plan: str) -> str:
    """The plan with its calls in the order of docs/planning.md; ValueError where it is none."""
    read = decode(plan, NUMBERS)
    if read is None:
        raise ValueError(f"no plan: {plan!r}")
    return encode(read)
