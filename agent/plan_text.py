"""The short writing of plans, `like( Fargo) not( horror) max( 90 min)`: what it means is in docs/planning.md.

An argument follows a blank, so that a model copies the very tokens that its words have in the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenewise.agent.model import Call

NONE = "none"
MAX_PARTS, MAX_ITEMS, MAX_CHARS, MAX_TEXT = 6, 3, 60, 2_000
ACTIONS, ATTRIBUTES = ("like", "dislike", "forget"), ("genre", "person", "item", "thing")
FILTER = "filter_catalogue"
ORDER = ("collaborative_candidates", "query_graph", "retrieve", "look_up_items", FILTER, "update_profile")
_PART = re.compile(r"\b(like|graph|find|facts|only|not|max|since|until|save|ask)\(([^()]{0,400})\)")
_NUMBER = re.compile(r"#(\d{1,2})")
_AMOUNT = re.compile(r"(\d{1,6}(?:\.\d{1,2})?)\s*([a-z]*)")
_NO_TEXT = re.compile(r"[()\[\];\s]+")


@dataclass(frozen=True, slots=True)
class Ask:
    """A question back; `about` is what has to be known first."""

    about: str = "kind"


Planned = tuple[Call, ...] | Ask
"""What a plan comes to: calls (none for no tool), or a question back."""


def encode(plan: Planned) -> str:
    """Write a plan down: calls of the six tools of docs/planning.md in their order there; other arguments than its table has are left out.

    >>> encode((Call("collaborative_candidates", {"like_titles": ["Fargo"]}), Call("filter_catalogue", {"without": ["horror"]})))
    'like( Fargo) not( horror)'
    >>> encode(()), encode(Ask())
    ('none', 'ask(kind)')
    """
    if isinstance(plan, Ask):
        return f"ask({plain(plan.about)})"
    parts = [part for name in ORDER for call in plan if call.name == name for part in _written(call)]
    return " ".join(parts) or NONE


def decode(text: str, last_items: Sequence[str] = ()) -> Planned | None:
    """Read a plan; `#2` becomes the second title of the last list. What is cut off or no part of a plan is passed over; None where nothing
    is left.

    >>> decode("like(#1) not(horr", ["Heat"])
    (Call(name='collaborative_candidates', arguments={'like_titles': ['Heat']}),)
    >>> decode("none"), decode("so be it")
    ((), None)
    """
    text = text[:MAX_TEXT]
    calls: list[Call] = []
    conditions: dict[str, Any] = {}
    parts = [(match[1], _items(match[2], last_items)) for match in _PART.finditer(text)]
    for verb, items in parts[:MAX_PARTS]:
        if verb == "ask":
            return Ask(items[0] if items else "kind")
        if verb in _CONDITIONS:
            for name, value in _condition(verb, items).items():
                conditions[name] = [*conditions.get(name, ()), *value] if isinstance(value, list) else value
        elif (call := _call(verb, items)) is not None and call not in calls:
            calls.append(call)
    if conditions:
        calls.append(Call(FILTER, conditions))
    if calls:
        return tuple(sorted(calls, key=lambda call: ORDER.index(call.name)))
    return () if re.match(r"\s*none\b", text) else None


def plain(text: str) -> str:
    """A text as it may stand in a plan: without the marks that divide one, at most 60 characters."""
    return _NO_TEXT.sub(" ", text)[:MAX_CHARS].strip()


_CONDITIONS = frozenset({"only", "not", "max", "since", "until"})


def _written(call: Call) -> list[str]:
    arguments = call.arguments
    if call.name == "collaborative_candidates":
        titles = _joined(arguments.get("like_titles") or ())
        return [f"like( {titles})" if titles else "like()"]
    if call.name == "query_graph":
        return [f"graph( {plain(arguments['value'])})"] if arguments.get("value") else []
    if call.name == "retrieve":
        kind = f"; {arguments['domain']}" if arguments.get("domain") else ""
        return [f"find( {plain(arguments['query'])}{kind})"] if arguments.get("query") else []
    if call.name == "look_up_items":
        return [f"facts( {_joined(arguments['titles'])})"] if arguments.get("titles") else []
    if call.name == FILTER:
        return _written_conditions(arguments)
    return [f"save( {arguments['action']} {arguments['attribute']} {plain(arguments['value'])})"]


def _written_conditions(arguments: Mapping[str, Any]) -> list[str]:
    parts = [f"only( {_joined(arguments['domains'])})"] if arguments.get("domains") else []
    if arguments.get("without"):
        parts.append(f"not( {_joined(arguments['without'])})")
    for name, unit in (("max_duration_min", "min"), ("max_price", "usd")):
        if arguments.get(name) is not None:
            parts.append(f"max( {arguments[name]:g} {unit})")
    for name, verb in (("min_year", "since"), ("max_year", "until")):
        if arguments.get(name) is not None:
            parts.append(f"{verb}( {arguments[name]})")
    return parts


def _joined(items: Iterable[str]) -> str:
    return "; ".join(text for item in list(items)[:MAX_ITEMS] if (text := plain(item)))


def _items(inside: str, last_items: Sequence[str]) -> list[str]:
    """The parts between the brackets, numbers of the last list as its titles; a number that it does not have is dropped."""

    def titled(match: re.Match[str]) -> str:
        return last_items[int(match[1]) - 1] if 1 <= int(match[1]) <= len(last_items) else ""

    items = [_NUMBER.sub(titled, item.strip()).strip() for item in inside.split(";")]
    return [item for item in items if item]


def _call(verb: str, items: list[str]) -> Call | None:
    if verb == "like":
        return Call("collaborative_candidates", {"like_titles": items[:MAX_ITEMS]} if items else {})
    if not items:
        return None
    if verb == "graph":
        return Call("query_graph", {"value": items[0]})
    if verb == "find":
        return Call("retrieve", {"query": items[0], **({"domain": items[1]} if len(items) > 1 else {})})
    if verb == "facts":
        return Call("look_up_items", {"titles": items[:MAX_ITEMS]})
    action, _, rest = "; ".join(items).partition(" ")
    attribute, _, value = rest.partition(" ")
    if action not in ACTIONS or attribute not in ATTRIBUTES or not value.strip():
        return None
    return Call("update_profile", {"action": action, "attribute": attribute, "value": value.strip()})


def _condition(verb: str, items: list[str]) -> dict[str, Any]:
    if not items:
        return {}
    if verb == "only":
        return {"domains": items[:MAX_ITEMS]}
    if verb == "not":
        return {"without": items[:MAX_ITEMS]}
    amount = _AMOUNT.match(items[0])
    if amount is None:
        return {}
    number = float(amount[1])
    if verb == "max":
        value = int(number) if number.is_integer() else number
        return {"max_duration_min" if amount[2] in ("", "min", "mins", "minutes") else "max_price": value} if number > 0 else {}
    return {"min_year" if verb == "since" else "max_year": int(number)} if 1000 <= number <= 2100 else {}
