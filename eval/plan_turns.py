"""Measured cases as turns of the product over a store: what perception makes of them, what its rules plan, what its policy keeps."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from scenewise.agent.ground import speaks_of
from scenewise.agent.intents import IntentReader
from scenewise.agent.memory import Memory
from scenewise.agent.model import Call
from scenewise.agent.perceive import perceive
from scenewise.agent.plan_slots import conditions_of
from scenewise.agent.policy import limit, needs_no_tools, search_words
from scenewise.agent.record import Request, Seen
from scenewise.agent.tastes import actions_of, own_sentences, stated_tastes
from scenewise.eval.plan_cases import PlanCase
from scenewise.eval.plan_score import FILTER, UPDATE, Outcome
from scenewise.store.errors import ScenewiseError
from scenewise.store.types import ItemId, UserId
from scenewise.tools.toolbox import Toolbox

NOBODY_KNOWN = UserId("measured")  # a user of whom nothing is known: a taste may be stated, and no history speaks
SAME_TITLE = 0.9
NAMES = frozenset({"creator"})  # attributes that are names of people
_CHANGES = frozenset({"shorter", "longer", "cheaper", "newer", "older", "reject", "anything"})


class CaseReader:
    """Reads cases as a turn does, over one toolbox at a fixed time."""

    def __init__(self, box: Toolbox, *, now_s: float) -> None:
        self.box, self._now_s, self._intents = box, now_s, IntentReader(box.encoders)

    def seen(self, case: PlanCase) -> Seen:
        """Perceive the last message, with those items of the last list in memory that the catalogue has. Raises InputError and NotFound."""
        said = [one["content"] for one in case.request.messages if one["role"] == "user"]
        memory = Memory(turn_id="measured", items=tuple(self._items(case))) if case.request.last_items else Memory()
        request = Request(said[-1] if said else "", NOBODY_KNOWN, case.moment, case.case_id, case.request.scene, 5, self._now_s)
        return perceive(request, self.box, self._intents, memory)

    def _items(self, case: PlanCase) -> Iterator[ItemId]:
        for title in case.request.last_items:
            found = self.box.catalogue.look_up(title, 1)
            if found and found[0][1] >= SAME_TITLE:
                yield found[0][0]

    def limited(self, case: PlanCase, outcome: Outcome) -> Outcome:
        """The outcome with the calls that the policy lets run, as it lets them run."""
        try:
            seen = self.seen(case)
        except ScenewiseError:
            return replace(outcome, calls=())
        kept = [call for call in limit(seen, outcome.calls, self.box) if call.status == "planned"]
        return replace(outcome, calls=tuple(Call(call.name, call.arguments) for call in kept))


class RulesPlanner:
    """What the product plans without any LLM, reduced to what the request names.

    Without an LLM every turn asks all sources: the collaborative models, the graph, the index, the best kinds of the scene. Counted as a
    plan that would be wrong for almost every request, though it serves well as a default. So only those calls count that carry something
    out of the message: items named or pointed at, a query of its own words, people named, the conditions that perception reads (a turn
    applies them without a call), tastes stated. Where none is left, the collaborative source alone counts, since it is what such a turn
    goes by. It never asks back, and never looks a title up.
    """

    name = "rules"

    def __init__(self, reader: CaseReader) -> None:
        self._reader = reader

    def plan(self, case: PlanCase) -> Outcome:
        """Perceive and keep what the words name."""
        begun = time.perf_counter()
        try:
            calls = tuple(self._calls(self._reader.seen(case)))
        except ScenewiseError:
            return Outcome(readable=False, seconds=time.perf_counter() - begun)
        return Outcome(calls, seconds=time.perf_counter() - begun)

    def _calls(self, seen: Seen) -> Iterator[Call]:
        if needs_no_tools(seen):
            return
        found = [*self._sources(seen), *self._conditions(seen), *self._tastes(seen)]
        yield from found or [Call("collaborative_candidates", {})]

    def joined(self, seen: Seen, calls: Sequence[Call]) -> tuple[Call, ...]:
        """A model's calls with the conditions and tastes that rules read, which a turn goes by whatever a model says of them: its own
        conditions stay where rules read none of their kind, its own tastes do not."""
        conditions = {key: value for call in calls if call.name == FILTER for key, value in call.arguments.items()}
        read = {key: value for call in self._conditions(seen) for key, value in call.arguments.items()}
        conditions |= {key: value for key, value in read.items() if key != "without" or not conditions.get("without")}
        asked = seen.reading.domains_only | seen.reading.domains_added
        kind = {"domain": next(iter(asked))} if len(asked) == 1 else {}
        searches = sum(call.name == "retrieve" for call in calls)
        others = [
            replace(call, arguments={**call.arguments, **kind}) if call.name == "retrieve" and searches == 1 else call
            for call in calls
            if call.name not in (FILTER, UPDATE)
        ]
        said = [call for call in calls if call.name == UPDATE and self._may_be_stated(seen, call)]
        return (
            *others,
            *([Call(FILTER, conditions)] if conditions else []),
            *(said or (self._tastes(seen) if seen.intent == "state_taste" else ())),
        )

    def _may_be_stated(self, seen: Seen, call: Call) -> bool:
        """Whether the message may state this taste, known to the catalogue or not; a turn refuses what is neither."""
        value = str(call.arguments.get("value", ""))
        pointed = [self._reader.box.catalogue.items[row].title for row in self._reader.box.catalogue.rows(seen.referred)]
        action = call.arguments.get("action")
        return value in pointed or any(speaks_of(value, one) and action in actions_of(one) for one in own_sentences(seen.text))

    def _sources(self, seen: Seen) -> Iterator[Call]:
        box = self._reader.box
        items = box.catalogue.items
        titles = [items[row].title for row in box.catalogue.rows(seen.referred if seen.intent == "more_like" else seen.mentioned)][:3]
        states = seen.intent == "state_taste"
        if titles and not states:
            yield Call("collaborative_candidates", {"like_titles": titles})
        elif seen.intent in _CHANGES:
            yield Call("collaborative_candidates", {})
        names = [value for key, values in seen.reading.wishes.items() if key in NAMES for value in values]
        if names and not states:
            yield Call("query_graph", {"value": names[0]})
        query = "" if titles or names or states or seen.intent in _CHANGES else search_words(seen, box)
        if query:
            asked = sorted(seen.reading.domains_only | seen.reading.domains_added)
            yield Call("retrieve", {"query": query, **({"domain": asked[0]} if asked else {})})

    def _conditions(self, seen: Seen) -> Iterator[Call]:
        conditions = conditions_of(seen.reading, seen.text)
        if conditions and seen.intent != "state_taste":
            yield Call(FILTER, conditions)

    def _tastes(self, seen: Seen) -> Iterator[Call]:
        box = self._reader.box
        for call in stated_tastes(seen, box) if seen.context.may_write_profile else ():
            row = box.catalogue.row(ItemId(call.arguments["value"])) if call.arguments["attribute"] == "item" else None
            shown = box.catalogue.items[row].title if row is not None else call.arguments["value"]
            attribute = "person" if call.arguments["attribute"] in NAMES else call.arguments["attribute"]
            yield Call(UPDATE, {**call.arguments, "attribute": attribute, "value": shown})
