"""The policy: which of the LLM's calls may run, and the default plan that completes them.

An LLM's call runs only where the request bears it out: a title must be named in the message or stand in the last list, a query or a value
must
share a word with the message, a condition must be one that the words say. So a poor planner costs little, and a planted one gains nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from rapidfuzz import fuzz

from scenewise.agent.intents import NEEDS_NO_TOOLS
from scenewise.agent.model import Call
from scenewise.agent.record import PlannedCall, Seen
from scenewise.tools.toolbox import Toolbox

MAX_MODEL_CALLS = 4
ALREADY_DONE = frozenset({"recognise_scene", "read_profile"})
TITLE_LIKENESS = 85.0
WORDS_DECIDE = 0.2  # share of the scene's log-odds that the words must have for the message to be about the scene
K_DOMAIN = 20
SPREAD = 3  # domains that a scene favours and that get a search of their own
_WORD = re.compile(r"[^\W\d_]{3,}|[\u3400-\u9fff]")
_COMMON = frozenset(
    """the and for with you your something anything some any good like want need would please recommend show find give that this not but
    are have has can could one two more what who how why when where there them they our out very just too also well
    read watch listen hear see play cook learn tonight today now time thanks""".split()  # noqa: SIM905
)


def needs_no_tools(seen: Seen) -> bool:
    """Whether the turn is answered from the last turn's record or with a word."""
    return seen.intent in NEEDS_NO_TOOLS and not (seen.intent == "explain" and not seen.memory.items)


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
    asked = PlannedCall(call.name, dict(call.arguments), "model")
    tool = box.tools.get(call.name)
    if tool is None:
        return asked.became("refused", "no such tool")
    if call.name in ALREADY_DONE:
        return asked.became("refused", "known already")
    if call.name == "update_profile" and not seen.context.may_write_profile:
        return asked.became("refused", "not asked for in this turn")
    arguments, dropped = ground(seen, call.name, call.arguments, box)
    if not arguments:
        return asked.became("refused", f"not in the request: {', '.join(dropped) or 'no arguments'}")
    try:
        tool.args_schema.model_validate({**arguments, "context": seen.context})  # type: ignore[union-attr]
    except ValidationError:
        return asked.became("refused", "arguments do not fit the tool")
    return replace(asked, arguments=arguments, note=f"left out, not in the request: {', '.join(dropped)}" if dropped else "")


def ground(seen: Seen, name: str, arguments: Mapping[str, Any], box: Toolbox) -> tuple[dict[str, Any], list[str]]:
    """Keep the arguments that the request bears out; return them and the names of the others."""
    kept: dict[str, Any] = {}
    dropped: list[str] = []
    for key, value in arguments.items():
        held = _held(seen, name, key, value, box)
        if held is None or held in ("", []):
            if value not in (None, "", []):
                dropped.append(key)
        else:
            kept[key] = held
    if not set(kept) - {"k", "domain", "relation", "about"}:
        return {}, dropped or sorted(kept)  # what is left narrows nothing and looks for nothing
    return kept, dropped


def _held(seen: Seen, name: str, key: str, value: Any, box: Toolbox) -> Any:
    constraints, reading = seen.context.constraints, seen.reading
    if key == "k":
        return value
    if key in ("title", "titles", "like_titles"):
        titles = [value] if isinstance(value, str) else [title for title in value if isinstance(title, str)]
        named = [title for title in titles if is_named(seen, title, box)]
        return named[0] if key == "title" and named else named if key != "title" else None
    if key in ("domain", "domains"):
        wanted = [value] if isinstance(value, str) else list(value)
        asked = reading.domains_only | reading.domains_added
        open_ = [domain for domain in wanted if domain in box.catalogue.domains and (not asked or domain in asked)]
        if name == "filter_catalogue":
            open_ = [domain for domain in open_ if domain in reading.domains_only]
        return (open_[0] if open_ else None) if key == "domain" else open_
    if key == "query" and names_circumstances_only(seen, box):
        return None
    if key in ("query", "value") and isinstance(value, str):
        return value if words(value) & words(wanted_text(seen)) else None
    if key in ("genre", "mood", "ban_genre") and not isinstance(value, str):
        said = reading.constraints.ban if key == "ban_genre" else reading.wishes
        known = said.get("mood" if key == "mood" else "genre", ())
        return [one for one in value if isinstance(one, str) and one.casefold() in known]
    if key in ("min_year", "max_year", "max_duration_min"):
        return value if getattr(constraints, key) == value else None
    if name == "update_profile":
        return value if key != "value" or words(str(value)) & words(seen.text) else None
    return value if key in ("relation", "about") else None


def is_named(seen: Seen, title: str, box: Toolbox) -> bool:
    """Whether the message, or the last list, has this title."""
    plain = title.casefold().strip()
    if len(plain) < 3:
        return False
    if re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", seen.text.casefold()):
        return True
    rows = box.catalogue.rows(seen.memory.items)
    return any(fuzz.ratio(plain, box.catalogue.items[row].title.casefold()) >= TITLE_LIKENESS for row in rows)


def wanted_text(seen: Seen, *, conditions: bool = False) -> str:
    """The message without the parts that say what is not wanted: "nothing violent" is no wish for something violent. With `conditions`
    without those that set any condition: "under two hours" is nothing to search for."""
    text = seen.text
    for said in sorted(seen.reading.said, key=lambda said: -said.start):
        if conditions or said.name.startswith("no "):
            text = text[: said.start] + " " + text[said.end :]
    return text


def words(text: str) -> frozenset[str]:
    """The words that carry meaning, casefolded; Chinese by character."""
    return frozenset(word for word in _WORD.findall(text.casefold()) if word not in _COMMON)


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
    if seen.intent == "state_taste" and context.may_write_profile:
        yield from _profile_calls(seen, box)
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
    query = search_words(seen, box)
    if query and wide:
        yield PlannedCall("retrieve", {"query": query}, "policy")
    for domain in favoured_domains(seen, box, domains):
        if not (domain == domains[0] and not wide):
            yield PlannedCall("query_graph", {"domain": domain, "k": K_DOMAIN}, "policy")
        if query:
            yield PlannedCall("retrieve", {"query": query, "domain": domain, "k": K_DOMAIN}, "policy")


def _like_title(seen: Seen, box: Toolbox, title: str, domains: Sequence[str]) -> Iterator[PlannedCall]:
    """Searches for the like of a named item in the kinds that were asked for; its own name is nothing to search for."""
    for domain in favoured_domains(seen, box, domains):
        if domain in seen.reading.domains_only | seen.reading.domains_added:
            yield PlannedCall("query_graph", {"title": title[:80], "domain": domain, "k": K_DOMAIN}, "policy")


def _profile_calls(seen: Seen, box: Toolbox) -> Iterator[PlannedCall]:
    """What the user's own words say they like or dislike, as calls of update_profile."""
    dislikes = re.search(r"\b(hate|dislike|don.t|do not|cannot|can.t)\b|讨厌|不喜欢", seen.text, re.IGNORECASE) is not None
    for item_id in seen.mentioned[:2]:
        yield PlannedCall("update_profile", {"action": "dislike" if dislikes else "like", "attribute": "item", "value": item_id}, "policy")
    said: dict[tuple[str, str], str] = {}
    for attribute, banned in seen.reading.constraints.ban.items():
        said |= {(attribute, value): "dislike" for value in banned}
    for attribute, wished in seen.reading.wishes.items():
        said |= {
            (attribute, value): "dislike" if dislikes else "like"
            for value in wished
            if value in box.catalogue.vocabulary.get(attribute, {})
        }
    for (attribute, value), action in sorted(said.items())[:6]:
        yield PlannedCall("update_profile", {"action": action, "attribute": attribute, "value": value}, "policy")


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
        asked = wanted_text(seen, conditions=True)
        return asked[:120] if words(asked) and seen.intent != "anything" else ""
    if seen.context.scene.scene is None:
        return ""
    prefer = box.pack.get(seen.context.scene.scene).prefer
    return " ".join(dict.fromkeys(value.casefold() for name in sorted(prefer) for value in prefer[name]))[:120]


def names_circumstances_only(seen: Seen, box: Toolbox) -> bool:
    """Whether the message says what the moment is like and nothing of what is wanted ("friends are over on Saturday night").

    Its words then stand for a scene: searching for them would find titles with a train in them.
    """
    if not seen.text:
        return True
    reading = seen.reading
    asks = bool(reading.domains_only or reading.domains_added or seen.mentioned or reading.constraints.ban)
    asks = asks or any(name in box.catalogue.vocabulary for name in reading.wishes)
    spoken = sum(abs(signal.share) for signal in seen.context.scene.signals if signal.name == "words")
    return seen.context.scene.scene is not None and not asks and spoken >= WORDS_DECIDE
