"""A request with its right plan, as it is written to a file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from scenewise.agent.plan_grammar import plan_pattern
from scenewise.agent.plan_request import PlanRequest
from scenewise.agent.plan_text import decode, encode

NUMBERS = tuple(f"#{place}" for place in range(1, 10))
"""Stand for the titles of a last list where a plan is read to be written again."""


_INSIDE = re.compile(r"\( ((?:(?:like|dislike|forget) (?:genre|person|item|thing) )?)([^()]+)\)")


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


def as_written(pair: Pair) -> Pair:
    """The pair with the arguments of its plan in the case in which its messages have them."""
    said = f"{pair.request.earlier_text} {pair.request.new_text}"
    folded = said.lower()  # of the same length but for a few letters that no argument has

    def copied(argument: str) -> str:
        at = folded.find(argument.lower()) if len(folded) == len(said) and argument not in said else -1
        return said[at : at + len(argument)] if at >= 0 else argument

    return replace(pair, plan=_INSIDE.sub(lambda one: f"( {one[1]}{'; '.join(copied(part) for part in one[2].split('; '))})", pair.plan))


def fits_its_request(pair: Pair, domains: Iterable[str]) -> bool:
    """Whether the grammar that a turn makes of this request lets its plan through."""
    return re.fullmatch(plan_pattern(domains, pair.request), pair.plan) is not None


def in_order(plan: str) -> str:
    """The plan with its calls in the order of docs/planning.md; ValueError where it is none."""
    read = decode(plan, NUMBERS)
    if read is None:
        raise ValueError(f"no plan: {plan!r}")
    return encode(read)
