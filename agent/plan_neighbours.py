"""Plans from the nearest known requests: what was right for a request that means nearly the same, with the arguments of this one.

The neighbours vote on which calls are made (k nearest neighbours by the cosine of sentence vectors, the nearer the heavier); the words of
the new message fill them: titles, conditions and kinds that the catalogue's readers find in it, else what stands in it where the argument
stands in the neighbour's message.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenewise.agent.intents import positions
from scenewise.agent.model import Call
from scenewise.agent.plan_request import PlanRequest
from scenewise.agent.plan_slots import aligned, conditions_of, core, quoted
from scenewise.agent.plan_text import FILTER, Ask, Planned, decode
from scenewise.store.errors import InputError
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.concepts import constraints_from_text
from scenewise.tools.catalogue.mentions import Concepts
from scenewise.tools.retrieval.encoders import Encoders

NEAREST = 9
SHARPNESS = 12.0  # of the votes: a neighbour at .8 weighs three times one at .7
Shape = tuple[str, ...]
"""The tools that a plan calls, in order; `("ask",)` for a question back."""


@dataclass(frozen=True, slots=True)
class KnownPlan:
    """A request with its right plan."""

    request: PlanRequest
    plan: Planned

    @property
    def message(self) -> str:
        """The message that the plan answers."""
        return _last(self.request)

    @property
    def shape(self) -> Shape:
        """Which calls it makes."""
        return ("ask",) if isinstance(self.plan, Ask) else tuple(call.name for call in self.plan)


def read_known(path: Path) -> list[KnownPlan]:
    """Read training pairs, a JSON object a line with `request` and `plan` in the short writing; InputError where it is not that."""
    known = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            request = PlanRequest.from_json(row["request"])
            plan = decode(str(row["plan"]), request.last_items)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"line {number} of {path.name} is no training pair: it needs request and plan") from error
        if plan is not None and request.messages:
            known.append(KnownPlan(request, plan))
    if not known:
        raise InputError(f"{path.name} has no plan that can be read")
    return known


class NeighbourPlanner:
    """Plan by the nearest of known requests, each compared in the encoder of the script it is written in."""

    def __init__(self, known: Sequence[KnownPlan], encoders: Encoders, catalogue: Catalogue, concepts: Concepts) -> None:
        self._encoders, self._catalogue, self._concepts = encoders, catalogue, concepts
        by_script: dict[str, list[KnownPlan]] = defaultdict(list)
        for one in known:
            by_script[encoders.pick(one.message).name].append(one)
        self._known = {name: tuple(rows) for name, rows in by_script.items()}
        self._vectors: dict[str, NDArray[np.float32]] = {}  # float32 (n_known, dim), made when a script is first asked for

    def nearest(self, request: PlanRequest, k: int = NEAREST) -> list[tuple[KnownPlan, float]]:
        """The k nearest known requests with their cosines, best first; of those with a last list where this has one, else of
        those without."""
        script = self._encoders.pick(_last(request)).name
        known = self._known.get(script, ())
        if not known:
            return []
        if script not in self._vectors:
            self._vectors[script] = self._encoders.by_name(script).encode([one.message for one in known])
        similarity = self._vectors[script] @ self._encoders.encode_one(_last(request))[1]
        alike = np.array([bool(one.request.last_items) == bool(request.last_items) for one in known])
        similarity = np.where(alike, similarity, similarity - 1.0) if alike.any() else similarity
        best = np.argsort(-similarity, kind="stable")[:k]
        return [(known[row], float(similarity[row])) for row in best.tolist()]

    def plan(self, request: PlanRequest) -> Planned:
        """Return the calls of the likeliest shape with this message's arguments; an Ask where nothing is known in its script."""
        near = self.nearest(request)
        if not near or not _last(request).strip():
            return Ask()
        votes: dict[Shape, float] = defaultdict(float)
        for one, similarity in near:
            votes[one.shape] += float(np.exp(SHARPNESS * similarity))
        shape = max(votes, key=lambda one: votes[one])
        of_shape = [one for one, _ in near if one.shape == shape]
        if shape == ("ask",):
            return Ask()
        return self._filled(request, of_shape) if shape else ()

    def _filled(self, request: PlanRequest, models: Sequence[KnownPlan]) -> Planned:
        model, text = models[0], _last(request)
        conditions = conditions_of(constraints_from_text(text, self._catalogue, self._concepts), text)
        filled = [self._call(call, request, models) for call in _calls(model) if call.name != FILTER]
        if any(call.name == FILTER for call in _calls(model)) and not conditions:
            conditions = _aligned_conditions(model, text)
        calls = [call for call in filled if call is not None] + ([Call(FILTER, conditions)] if conditions else [])
        return tuple(calls) if calls else (Call("collaborative_candidates", {}),)

    def _call(self, call: Call, request: PlanRequest, models: Sequence[KnownPlan]) -> Call | None:
        """The call with this message's arguments; None where it has none to put there."""
        arguments = dict(call.arguments)
        for key in ("like_titles", "titles"):
            if key in arguments:
                arguments[key] = self._titles(arguments[key], request, models[0])
                if not arguments[key]:
                    return None
        for key in ("value", "query"):
            if key not in arguments:
                continue
            item = arguments.get("attribute") == "item" or arguments[key] in models[0].request.last_items
            found = (
                (self._titles([arguments[key]], request, models[0]) or [""])[0] if item else self._words(arguments[key], request, models)
            )
            if not found:
                return None
            arguments[key] = found
        if call.name == "retrieve":
            arguments.pop("domain", None)
            if (domain := self._domain(request, models)) is not None:
                arguments["domain"] = domain
        return Call(call.name, arguments)

    def _titles(self, theirs: Sequence[str], request: PlanRequest, model: KnownPlan) -> list[str]:
        text, listed = _last(request), list(request.last_items)
        if any(title in model.request.last_items for title in theirs) and listed:
            places = positions(text, len(listed))
            named = [title for title in listed if title.casefold() in text.casefold()]
            return [listed[place] for place in places] if places else named or listed[:1]
        found = quoted(text) or [text[match.start : match.end] for match in self._catalogue.find_titles(text)]
        if found:
            return found[:3]
        spans = [aligned(title, model.message, text) for title in theirs]
        return [span for span in dict.fromkeys(spans) if span]

    def _words(self, theirs: str, request: PlanRequest, models: Sequence[KnownPlan]) -> str:
        """What describes: what stands where the neighbour's words stand; else the message without its frame, after what it changes."""
        text = _last(request)
        if span := aligned(theirs, models[0].message, text):
            return span
        said = constraints_from_text(text, self._catalogue, self._concepts).said
        for condition in sorted(said, key=lambda one: -one.start):
            text = text[: condition.start] + " " + text[condition.end :]
        before = [one["content"] for one in request.messages[:-1] if one["role"] == "user"]
        earlier = [one["content"] for one in models[0].request.messages[:-1] if one["role"] == "user"]
        goes_on = bool(before and earlier) and any(word in earlier[-1].casefold() for word in core(theirs).casefold().split())
        return " ".join(part for part in (core(before[-1]) if goes_on else "", core(text)) if part)[:60].strip()

    def _domain(self, request: PlanRequest, models: Sequence[KnownPlan]) -> str | None:
        """The kind that the message names, else the one that most of the neighbours have."""
        reading = constraints_from_text(_last(request), self._catalogue, self._concepts)
        if len(named := reading.domains_only | reading.domains_added) == 1:
            return min(named)
        votes = [call.arguments.get("domain") for one in models for call in _calls(one) if call.name == "retrieve"]
        return max(votes, key=votes.count) if votes else None


def _last(request: PlanRequest) -> str:
    return next((one["content"] for one in reversed(request.messages) if one["role"] == "user"), "")


def _calls(known: KnownPlan) -> Iterable[Call]:
    return () if isinstance(known.plan, Ask) else known.plan


def _aligned_conditions(model: KnownPlan, text: str) -> Mapping[str, Any]:
    """What is not wanted, where no reader knows the word: it stands where the neighbour's does."""
    theirs = [name for call in _calls(model) if call.name == FILTER for name in call.arguments.get("without", ())]
    spans = [aligned(name, model.message, text) for name in theirs]
    kept = [span for span in dict.fromkeys(spans) if span]
    return {"without": kept} if kept else {}
