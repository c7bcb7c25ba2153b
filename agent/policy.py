"""The policy: which of the LLM's calls may run, and the default plan that completes them.

An LLM's call runs only where the request bears it out: a title must be named in the message or stand in the last list, a query or a value
must
share a word with the message, a condition must be one that the words say. So a poor planner costs little, and a planted one gains nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from unicodedata import category

from pydantic import ValidationError

from scenewise.agent.ground import ground, names_circumstances_only, only_names_the_scene, tidy, wanted_text, words
from scenewise.agent.intents import NEEDS_NO_TOOLS, RECOMMEND
from scenewise.agent.model import Call
from scenewise.agent.record import PlannedCall, Seen
from scenewise.agent.tastes import own_tastes, stated_tastes
from scenewise.agent.wants import CHANGES
from scenewise.tools.toolbox import Toolbox

MAX_MODEL_CALLS = 4
CLEAR_SCENE = 0.8
ALREADY_DONE = frozenset({"recognise_scene", "read_profile"})
K_DOMAIN = 20
FEW = 4  # words of a message that names a wish or an item and needs no verb to ask for it
ASKS = re.compile(
    r"\b(?:find|show|give|get|recommend|suggest|bring|play|want|need|like|love|looking|fancy|mood|something|anything|some|any|ideas?|more|"
    r"how about|what about|got|have you|do you have|please|pls)\b|推荐|想|来|有没有|找|给我|求|一[部本首张个]",
    re.IGNORECASE,
)
"""Words that ask for items; "why do people hate country music" and "turn off the lights" have none."""
ORDERS = re.compile(
    r"\b(?:wake (?:me|us)|alarms?|timers?|remind(?:er)?s?|(?:book|order|reserve|cancel) (?:me |us )?(?:a|an|the|my|our|two|some)|"
    r"(?:call|text|e-?mail|ring|message) (?:my|our|the|him|her|them)|turn (?:on|off|up|down)|switch (?:on|off)|"
    r"schedule|prompts?|instructions)\b"
    r"|闹钟|叫醒|提醒我|打电话|发邮件|发短信|打车|叫车|(?:帮我|给我)(?:定|订|约|设)|提示词",
    re.IGNORECASE,
)
"""Words of orders that other programs take, however much like a scene they sound."""
_OF_A_SUBJECT = re.compile(r"\b(?:some|any)thing about (?!it\b|that\b|this\b|me\b|you\b)\w{3}", re.IGNORECASE)
WISHED = 2  # values that are wished for and get a query of their own
SPREAD = 3  # domains that a scene favours and that get a search of their own


def needs_no_tools(seen: Seen) -> bool:
    """Whether the turn is answered from the last turn's record or with a word."""
    return seen.intent in NEEDS_NO_TOOLS and not (seen.intent == "explain" and not seen.memory.items)


def reads_a_request(seen: Seen, box: Toolbox) -> bool:
    """Whether rules alone read enough out of a message to make a list of it: what `changes_or_shows` says, or words that name an item,
    a person, a kind of items, a condition or a wish. A model's "ask" or "none" does not stand against that. A scene that is only likely
    is not enough: an alarm for seven sounds like bedtime too."""
    reading = seen.reading
    said = bool(reading.domains_only or reading.domains_added or seen.unknown or _OF_A_SUBJECT.search(seen.text))
    if seen.mentioned or reading.said or reading.wishes:
        said |= ASKS.search(seen.text) is not None or len(seen.text.split()) <= FEW
    return said or changes_or_shows(seen, box)


def changes_or_shows(seen: Seen, box: Toolbox) -> bool:
    """Whether a message asks by what it is and not by its words, surely (`asks_by_itself`) or maybe: it points at an item of the last list
    ("the first one, but indoors", "fine, the first one"), or sounds like a scene while it gives an order ("wake me at six")."""
    return asks_by_itself(seen, box) or bool(seen.referred) or _is_a_scene(seen, box)


def asks_by_itself(seen: Seen, box: Toolbox) -> bool:
    """Whether a message asks for a list whatever a model says: a change of the last one or of what was asked for, a taste, a scene named or
    put right, a moment that is clearly a scene, a row of emoji, one that is a kind of items."""
    named = bool(seen.correction or seen.request.scene or seen.asked)
    scene = _is_a_scene(seen, box) and not ORDERS.search(seen.text)
    return named or seen.intent != RECOMMEND or scene or _is_signs(seen.text) or _shows_a_kind(seen.text, box)


def _is_a_scene(seen: Seen, box: Toolbox) -> bool:
    return seen.context.scene.probability >= CLEAR_SCENE and bool(seen.text) and names_circumstances_only(seen, box)


def _is_signs(text: str) -> bool:
    """Whether a message is a row of emoji, and no mere row of points and dashes."""
    return bool(text) and not any(char.isalnum() for char in text) and any(category(char) == "So" for char in text)


def _shows_a_kind(text: str, box: Toolbox) -> bool:
    """Whether an emoji of the message names a kind of items: 🎬."""
    if not any(category(char) == "So" for char in text):
        return False
    found = box.concepts.find(text)
    return any(one.concept.domains and not one.negated and not any(map(str.isalnum, text[one.start : one.end])) for one in found)


def main_domains(box: Toolbox, most: int = 3) -> tuple[str, ...]:
    """The kinds of items that the catalogue has most of."""
    columns = box.catalogue.columns
    sizes = {domain: int(columns.in_domains({domain}).sum()) for domain in box.catalogue.domains}
    return tuple(sorted(sizes, key=lambda domain: (-sizes[domain], domain))[:most])


def limit(seen: Seen, calls: Sequence[Call], box: Toolbox) -> tuple[PlannedCall, ...]:
    """Judge each of the LLM's calls: planned with arguments that hold, or refused with the reason."""
    judged = [_judge(seen, call, box) for call in calls]
    kept: list[PlannedCall] = []
    for call in judged:
        twin = any(call.name == other.name and call.arguments == other.arguments for other in kept)
        too_many = call.status == "planned" and sum(other.status == "planned" for other in kept) >= MAX_MODEL_CALLS
        kept.append(call.became("refused", "said twice") if twin else call.became("refused", "too many calls") if too_many else call)
    return tuple(kept)


def _judge(seen: Seen, call: Call, box: Toolbox) -> PlannedCall:
    asked = PlannedCall(tidy(call.name), tidy(call.arguments), "model")
    tool = box.tools.get(call.name)
    if tool is None:
        return asked.became("refused", "no such tool")
    if call.name in ALREADY_DONE:
        return asked.became("refused", "known already")
    if call.name == "update_profile" and not seen.context.may_write_profile:
        return asked.became("refused", "not asked for in this turn")
    try:
        tool.args_schema.model_validate({**call.arguments, "context": seen.context})  # type: ignore[union-attr]
    except ValidationError:
        return asked.became("refused", "arguments do not fit the tool")
    if call.name == "update_profile":
        stated = any(dict(one.arguments) == dict(call.arguments) for one in stated_tastes(seen, box))
        stated = stated or tuple(str(call.arguments.get(key)) for key in ("action", "attribute", "value")) in own_tastes(seen, box)
        return asked if stated else asked.became("refused", "not what the message states")
    arguments, dropped = ground(seen, call.name, asked.arguments, box)
    if not arguments:
        return asked.became("refused", f"not in the request: {', '.join(dropped) or 'no arguments'}")
    return replace(asked, arguments=arguments, note=f"left out, not in the request: {', '.join(dropped)}" if dropped else "")


def complete(seen: Seen, calls: tuple[PlannedCall, ...], box: Toolbox) -> tuple[PlannedCall, ...]:
    """Add what the default plan has and the LLM did not ask for."""
    running = {(call.name, tuple(sorted((k, str(v)) for k, v in call.arguments.items()))) for call in calls if call.status == "planned"}
    added = [
        call
        for call in _default_plan(seen, box)
        if (call.name, tuple(sorted((k, str(v)) for k, v in call.arguments.items()))) not in running
    ]
    return calls + tuple(added)


def _default_plan(seen: Seen, box: Toolbox) -> Iterator[PlannedCall]:
    context = seen.context
    if (seen.intent == "state_taste" or seen.referred) and context.may_write_profile:
        yield from stated_tastes(seen, box)
    seeds = seen.referred if seen.intent == "more_like" else seen.mentioned
    titles = [box.catalogue.items[row].title for row in box.catalogue.rows(seeds)][:3]
    yield PlannedCall("collaborative_candidates", {"like_titles": titles} if titles else {}, "policy")
    for title in titles[:2]:
        yield PlannedCall("query_graph", {"title": title[:80]}, "policy")
    domains = open_domains(seen, box)
    if titles and not seen.reading.wishes.keys() & box.catalogue.vocabulary.keys():
        yield from _like_title(seen, box, titles[0], domains)
        return
    wide = len(domains) == len(box.catalogue.domains)
    yield (
        PlannedCall("query_graph", {}, "policy")
        if wide
        else PlannedCall("query_graph", {"domain": domains[0]} if domains else {}, "policy")
    )
    for value in wished_values(seen, box)[:WISHED]:
        yield PlannedCall("query_graph", {"value": value[:80], **({"domain": domains[0]} if domains and not wide else {})}, "policy")
    query = search_words(seen, box)
    if query and wide:
        yield PlannedCall("retrieve", {"query": query}, "policy")
    for domain in favoured_domains(seen, box, domains):
        if not (domain == domains[0] and not wide):
            yield PlannedCall("query_graph", {"domain": domain, "k": K_DOMAIN}, "policy")
        if query:
            yield PlannedCall("retrieve", {"query": query, "domain": domain, "k": K_DOMAIN}, "policy")


def wished_values(seen: Seen, box: Toolbox) -> list[str]:
    """Genres, moods, topics ... that the message wishes for and items have, those of the fewest items first: a search for its words alone
    may find none of them."""
    sizes = box.catalogue.vocabulary
    named = {
        (sizes[name][value], value) for name, values in seen.reading.wishes.items() for value in values if value in sizes.get(name, {})
    }
    return [value for _, value in sorted(named)]


def _like_title(seen: Seen, box: Toolbox, title: str, domains: Sequence[str]) -> Iterator[PlannedCall]:
    """Searches for the like of a named item in the kinds that were asked for; its own name is nothing to search for."""
    for domain in favoured_domains(seen, box, domains):
        if domain in seen.reading.domains_only | seen.reading.domains_added:
            yield PlannedCall("query_graph", {"title": title[:80], "domain": domain, "k": K_DOMAIN}, "policy")


def open_domains(seen: Seen, box: Toolbox) -> tuple[str, ...]:
    """The kinds of items that may be on the list."""
    columns = box.catalogue.columns
    return tuple(domain for domain in box.catalogue.domains if bool((seen.context.allowed & columns.in_domains({domain})).any()))


def favoured_domains(seen: Seen, box: Toolbox, domains: Sequence[str]) -> tuple[str, ...]:
    """The kinds that get a search of their own: those asked for, then those that the scene suits best."""
    asked = seen.reading.domains_only | seen.reading.domains_added
    scene = box.pack.get(seen.context.scene.scene) if seen.context.scene.scene else None
    weight = {domain: scene.domains.get(domain, 1.0) if scene else 1.0 for domain in domains}
    best = sorted((domain for domain in domains if weight[domain] >= 1.0), key=lambda domain: -weight[domain])
    named = [domain for domain in domains if domain in asked]
    return tuple(dict.fromkeys([*named, *best[:SPREAD]]))


def search_words(seen: Seen, box: Toolbox) -> str:
    """What to search for: the message, or, where it only says what the moment is like, what suits the scene."""
    if not names_circumstances_only(seen, box):
        asked = seen.before if seen.intent in CHANGES else f"{seen.before} {wanted_text(seen, conditions=True)}".strip()
        if seen.intent == "anything":
            return ""
        if words(asked) and not only_names_the_scene(asked, seen, box):
            return asked[:120]
    if seen.context.scene.scene is None:
        return ""
    prefer, columns = box.pack.get(seen.context.scene.scene).prefer, box.catalogue.columns
    kinds = seen.reading.domains_only  # of these only what some have: no thrillers among recipes
    there = columns.in_domains(kinds)
    said = (
        value.casefold() for name in sorted(prefer) for value in prefer[name] if not kinds or (columns.having(name, {value}) & there).any()
    )
    return " ".join(dict.fromkeys(said))[:120]
