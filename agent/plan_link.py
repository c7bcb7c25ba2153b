"""From a plan in the short writing to calls that name what the store has, and from a turn to the planner's request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rapidfuzz import fuzz

from scenewise.agent.ground import TITLE_LIKENESS, is_named, speaks_of
from scenewise.agent.model import Call
from scenewise.agent.plan_request import PlanRequest
from scenewise.agent.record import Seen
from scenewise.agent.tastes import own_tastes, stated_tastes
from scenewise.store.types import ItemId, Taste
from scenewise.tools.toolbox import Toolbox

LIKES, DISLIKES = 4, 3  # tastes that a planner is told of
SURE = TITLE_LIKENESS / 100
_ALIKE = 4


def of_seen(seen: Seen, box: Toolbox) -> PlanRequest:
    """What the planner is told of a turn: the message and the one before it, the scene, the newest tastes, the last list's titles."""
    last = box.store.turns.last(seen.request.conversation_id, before=seen.request.turn_id)
    said = [str(last["message"])] if last and last.get("message") else []
    messages = tuple({"role": "user", "content": text} for text in (*said, seen.text))
    return PlanRequest(messages, seen.context.scene.scene, profile_words(seen, box), last_titles(seen, box))


def last_titles(seen: Seen, box: Toolbox) -> tuple[str, ...]:
    """The titles of the last list in order; what has been deleted since keeps its place without one."""
    rows = [box.catalogue.row(item_id) for item_id in seen.memory.items]
    return tuple("" if row is None else box.catalogue.items[row].title for row in rows)


def profile_words(seen: Seen, box: Toolbox) -> str:
    """The newest tastes in a few words: "likes Fargo, jazz; dislikes horror"."""
    profile = seen.context.profile
    told = (("likes", _newest(profile.likes, LIKES, box)), ("dislikes", _newest(profile.dislikes, DISLIKES, box)))
    return "; ".join(f"{verb} {', '.join(names)}" for verb, names in told if names)


def link(seen: Seen, calls: Sequence[Call], box: Toolbox) -> tuple[Call, ...]:
    """The calls with titles as the catalogue has them, and domains that it has; titles that it has not are looked up, which says so."""
    return tuple(linked for call in calls for linked in _linked(seen, call, box))


def _linked(seen: Seen, call: Call, box: Toolbox) -> Iterator[Call]:
    arguments = dict(call.arguments)
    if call.name == "collaborative_candidates" and arguments.get("like_titles"):
        known, unknown = _titles(arguments["like_titles"], seen, box)
        if known:
            yield replace(call, arguments={"like_titles": known})
        said = [title for title in unknown if is_named(seen, title, box)]
        if said:
            yield Call("look_up_items", {"titles": said})
        if not known and not said:
            yield call  # words that are no titles: refused where it is judged, and seen in the record
    elif call.name == "look_up_items":
        known, unknown = _titles(arguments["titles"], seen, box)
        yield replace(call, arguments={"titles": [*known, *unknown]})
    elif call.name == "retrieve" and arguments.get("domain") not in (None, *box.catalogue.domains):
        yield replace(call, arguments={"query": arguments["query"]})
    elif call.name == "filter_catalogue" and "domains" in arguments:
        arguments["domains"] = [domain for domain in arguments["domains"] if domain in box.catalogue.domains]
        yield replace(call, arguments=arguments)
    elif call.name == "update_profile":
        yield _as_stated(seen, call, box)
    else:
        yield call


def _titles(titles: Iterable[str], seen: Seen, box: Toolbox) -> tuple[list[str], list[str]]:
    """Titles as the catalogue writes them, and those that it does not have."""
    rows = {title: _row(title, seen, box) for title in titles}
    known = [box.catalogue.items[row].title for row in rows.values() if row is not None]
    return list(dict.fromkeys(known)), [title for title, row in rows.items() if row is None]


def _row(title: str, seen: Seen, box: Toolbox) -> int | None:
    """The item that a title means. Of a film and the album of its music, whose titles are one but for what stands in brackets, it is the
    one that rules read out of the message, else one that may be shown, else the one of the shorter title."""
    found = [(item_id, score) for item_id, score in box.catalogue.look_up(title, _ALIKE) if score >= SURE]
    rows = [row for item_id, score in found if score == found[0][1] and (row := box.catalogue.row(item_id)) is not None]
    items = box.catalogue.items
    return min(
        rows, key=lambda row: (items[row].item_id not in seen.mentioned, not seen.context.allowed[row], len(items[row].title)), default=None
    )


def _as_stated(seen: Seen, call: Call, box: Toolbox) -> Call:
    """The taste as rules read it out of the message, else as the catalogue names what one of its sentences may state a taste for; any other
    stays as it is, and is refused."""
    wanted = str(call.arguments["value"]).casefold()
    for stated in stated_tastes(seen, box):
        value = str(stated.arguments["value"])
        row = box.catalogue.row(ItemId(value)) if stated.arguments["attribute"] == "item" else None
        name = value if row is None else box.catalogue.items[row].title
        alike = max(fuzz.ratio(wanted, name.casefold()), fuzz.ratio(wanted.removesuffix("s"), name.casefold()))
        if stated.arguments["action"] == call.arguments["action"] and alike >= TITLE_LIKENESS:
            return Call(call.name, dict(stated.arguments))
    for action, attribute, value in sorted(own_tastes(seen, box)):
        if action != call.arguments["action"]:
            continue
        row = box.catalogue.row(ItemId(value)) if attribute == "item" else None
        name = value if row is None else box.catalogue.items[row].title
        if speaks_of(str(call.arguments["value"]), name) or fuzz.ratio(wanted, name.casefold()) >= TITLE_LIKENESS:
            return Call(call.name, {"action": action, "attribute": attribute, "value": value})
    return call


def _newest(tastes: Iterable[Taste], most: int, box: Toolbox) -> list[str]:
    newest = sorted(tastes, key=lambda taste: -taste.time_s)[:most]
    rows = [box.catalogue.row(ItemId(taste.value)) if taste.attribute == "item" else None for taste in newest]
    named = [taste.value if row is None else box.catalogue.items[row].title for taste, row in zip(newest, rows, strict=True)]
    return [name for name, taste, row in zip(named, newest, rows, strict=True) if taste.attribute != "item" or row is not None]
