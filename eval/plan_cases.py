"""The measured requests of eval/plans/cases.jsonl, whose format docs/planning.md describes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from scenewise.agent.plan_request import PlanRequest
from scenewise.store.errors import InputError, NotFound
from scenewise.store.types import Moment, Place

CASES = Path(__file__).resolve().parent / "plans" / "cases.jsonl"
ARGUMENTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "collaborative_candidates": frozenset({"like_titles"}),
        "query_graph": frozenset({"value"}),
        "retrieve": frozenset({"query", "domain"}),
        "look_up_items": frozenset({"titles"}),
        "filter_catalogue": frozenset({"domains", "without", "max_duration_min", "max_price", "min_year", "max_year"}),
        "update_profile": frozenset({"action", "attribute", "value"}),
    }
)
"""The tools that a plan may call, with the arguments that one may give."""
Wanted = Mapping[str, Any]
"""The arguments of one call: name -> the value, or a list of those accepted."""


@dataclass(frozen=True, slots=True)
class Expect:
    """What is right for a case: `required` tools must be called, `allowed` ones may be; `args` holds, for a required tool, the arguments of
    each of its calls."""

    required: frozenset[str]
    allowed: frozenset[str]
    args: Mapping[str, tuple[Wanted, ...]]
    no_tool: bool
    ask: bool


@dataclass(frozen=True, slots=True)
class PlanCase:
    """A request in its moment, with what is right for it; `half` is dev, test, or empty in sets without halves."""

    case_id: str
    request: PlanRequest
    moment: Moment
    expect: Expect
    tags: tuple[str, ...]
    half: str


def read_cases(path: Path = CASES, half: str = "all") -> list[PlanCase]:
    """Read the cases of a half, or all. Raises NotFound (no file) and InputError (a line that is no case, no case in the half)."""
    if not path.is_file():
        raise NotFound(f"there is no file {path.name}: give the cases with --cases")
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            case = _case(json.loads(line), number) if line.strip() else None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"line {number} of {path.name} is no case: docs/planning.md says what one is") from error
        if case is not None and half in ("all", case.half):
            cases.append(case)
    if not cases:
        raise InputError(f"{path.name} has no cases of the half {half!r}")
    return cases


def _case(row: Mapping[str, Any], number: int) -> PlanCase:
    expect = row["expect"]
    args = {tool: _calls(given) for tool, given in (expect.get("args") or {}).items()}
    required, allowed = frozenset(expect.get("required") or ()), frozenset(expect.get("allowed") or ())
    unknown = (required | allowed | args.keys()) - ARGUMENTS.keys()
    if unknown or not args.keys() <= required:
        raise ValueError("a tool that no plan may call, or arguments of one that is not required")
    if any(not call.keys() <= ARGUMENTS[tool] for tool, calls in args.items() for call in calls):
        raise ValueError("an argument that its tool does not have")
    no_tool, ask = bool(expect.get("no_tool")), bool(expect.get("ask"))
    if (no_tool or ask) == bool(required) or (no_tool and ask):
        raise ValueError("a case wants calls, or no tool, or a question back")
    expected = Expect(required, allowed, args, no_tool, ask)
    tags = tuple(str(tag) for tag in row.get("tags") or ())
    case_id = str(row.get("id") or number)
    return PlanCase(case_id, PlanRequest.from_json(row), _moment(row.get("moment") or {}), expected, tags, str(row.get("split") or ""))


def _calls(given: Wanted | Sequence[Wanted]) -> tuple[Wanted, ...]:
    calls = (given,) if isinstance(given, Mapping) else tuple(given)
    return tuple(dict(call) for call in calls)


def _moment(row: Mapping[str, Any]) -> Moment:
    time = datetime.fromisoformat(row["local_time"]) if row.get("local_time") else None
    return Moment(device=row.get("device"), local_time=time, place=Place(row["place"]) if row.get("place") else None)
