"""Why an item is not on the list, and what the list would be in another moment: from the record of the turn, and its ranking done again.

The ranking is done again without an LLM: the recorded message, its scene and its calls go through the same steps. Nothing is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from scenewise.agent.act import act
from scenewise.agent.intents import Intent, IntentReader
from scenewise.agent.memory import Memory
from scenewise.agent.perceive import fits_scene, may_repeat, perceive
from scenewise.agent.policy import complete
from scenewise.agent.record import Found, Plan, PlannedCall, Reply, Seen
from scenewise.agent.slate import rank
from scenewise.agent.words import SOURCES, join_words
from scenewise.store.types import Item, Moment
from scenewise.tools.catalogue.conditions import conditions
from scenewise.tools.copywriter.evidence import clean
from scenewise.tools.ranking.slate.repeats import asks_for_known
from scenewise.tools.scene.hints import merge_moment, moment_hints
from scenewise.tools.toolbox import Toolbox

WHY_NOT = re.compile(
    r"\bwhy (?:isn.t|wasn.t|didn.t you|don.t you|is there no|not|did you (?:not|leave out|skip))\b|为什么(?:没有?|不)",
    re.IGNORECASE,
)
WHAT_IF = re.compile(
    r"\bwhat if\b|\bwhat would\b.{0,60}\bif\b|^\W*(?:and )?if (?:i|it|we) (?:was|were|had)\b|^\W*(?:如果|要是)", re.IGNORECASE
)
_OWN_WORDS = re.compile(
    rf"^.*?(?:{WHY_NOT.pattern})(?:\W*(?:you|just|simply|pick|picked|recommend\w*|suggest\w*|show\w*|include\w*|choose|chosen?|have|put|推荐|选|有))*",
    re.IGNORECASE,
)
_REST = re.compile(r"\b(?:on|in|among) (?:the|this|that|your|my)\b.*$|\b(?:here|there|instead|too|either)\W*$", re.IGNORECASE)
_SURE = 0.9
SHOWN = 3
WEATHER = (("rain", r"\brain|下雨"), ("snow", r"\bsnow|下雪"), ("sunny", r"\bsun(?:ny|ning|shine)?\b|晴"))


class _Recorded(IntentReader):
    """Reads the intent that the turn had."""

    def __init__(self, intent: Intent) -> None:
        self._intent = intent

    def read(self, text: str, *, has_list: bool) -> Intent:
        """The recorded intent, whatever the text."""
        return self._intent


def answer_otherwise(seen: Seen, box: Toolbox) -> Reply | None:
    """Answer "why not X" and "what if ..." about the last list; None where the message asks neither."""
    if seen.memory.turn_id is None or not (WHY_NOT.search(seen.text) or WHAT_IF.search(seen.text)):
        return None
    record: Mapping[str, Any] = box.store.turns.get(seen.memory.turn_id)
    return Reply(clean(what_if(seen, record, box) if WHAT_IF.search(seen.text) else why_not(seen, record, box)))


def why_not(seen: Seen, record: Mapping[str, Any], box: Toolbox) -> str:
    """Say which condition kept an item off the list, or which place it had and what others had more of."""
    zh = seen.context.moment.locale.startswith("zh")
    if (row := asked_about(seen.text, box)) is None:
        return "目录里没有这个名字的内容。" if zh else "The catalogue has nothing by that name, so it could not be on the list."
    item = box.catalogue.items[row]
    places = [data["item_id"] for data in record["items"]]
    if item.item_id in places:
        place = places.index(item.item_id) + 1
        return f"《{item.title}》就在列表里，第{place}个。" if zh else f"{item.title} is on the list: number {place}."
    then, found = again(seen, record, seen.request.moment, record.get("scene"), box)
    if why := list(excluded_by(item, row, then, found, box)):
        return f"《{item.title}》被排除：{'、'.join(why)}。" if zh else f"{item.title} was left out: {join_words(why[:3])}."
    return rank_of(item, record, then, found, box, zh=zh)


def asked_about(text: str, box: Toolbox) -> int | None:
    """The row of the item that "why not ..." asks about: a title written out, else what stands after the question's own words."""
    if matches := box.catalogue.find_titles(text):
        return matches[0].rows[0]
    found = box.catalogue.look_up(_REST.sub(" ", _OWN_WORDS.sub(" ", text)).strip(" ?!.,？。"), 1)
    return box.catalogue.row(found[0][0]) if found and found[0][1] >= _SURE else None


def excluded_by(item: Item, row: int, then: Seen, found: Found, box: Toolbox) -> Iterator[str]:
    """Every condition of the turn that the item fails."""
    columns, context = box.catalogue.columns, found.context
    if item.item_id in context.constraints.ban_items:
        yield "you did not want it again"
    for condition in conditions(replace(context.constraints, ban_items=frozenset()), box.catalogue.shown):
        if not condition.passes(columns)[row]:
            yield "it is not available" if condition.usual else f"the condition “{condition.name}”"
    scene = box.pack.get(context.scene.scene) if context.scene.scene else None
    if not fits_scene(scene, Moment(), then.reading, box)[row] and scene is not None:
        what = item.domain if scene.domains.get(item.domain, 1.0) == 0 else "it"
        yield f"{what} does not suit {scene.name}" if what == "it" else f"{what} do not suit {scene.name}"
    elif not fits_scene(scene, context.moment, then.reading, box)[row]:
        yield f"it is longer than the {context.moment.available_min:.0f} minutes that you have"
    every = np.ones(box.catalogue.n, dtype=np.bool_)
    if not may_repeat(context.history, context.now_s, asks_for_known(then.text), every, box)[row]:
        yield "you know it already"


def rank_of(item: Item, record: Mapping[str, Any], then: Seen, found: Found, box: Toolbox, *, zh: bool) -> str:
    """Say where the item came in the ranking, and what the last one shown had more of."""
    ranked = box.ranker.rank(found.candidates, found.context, len(found.candidates) or 1, wishes=then.reading.wishes)
    order = [one.item_id for one in ranked]
    if item.item_id not in order:
        none = "none of the searches of that turn led to it: neither your words nor what you liked point to it"
        return f"《{item.title}》没有被任何一次搜索找到。" if zh else f"{item.title} passed every condition, but {none}."
    place = order.index(item.item_id) + 1
    if place <= len(record["items"]) or not record["items"]:
        even = "the list was spread over kinds of items and what it is most like stood on it already"
        return f"《{item.title}》排第{place}，但列表要兼顾多样。" if zh else f"{item.title} came {ordinal(place)} by score, but {even}."
    last = record["items"][-1]
    mine = ranked[place - 1].contributions
    gaps = {name: last["contributions"].get(name, 0.0) - mine.get(name, 0.0) for name in {*last["contributions"], *mine}}
    told = [name for name, gap in gaps.items() if gap > 0.01 and name not in ("bias", "tie_break")]
    told.sort(key=lambda name: (-gaps[name], name))
    more = join_words([f"{SOURCES.get(name, name.replace('_', ' '))} (+{gaps[name]:.2f})" for name in told[:2]])
    if zh:
        return f"《{item.title}》在{len(order)}个候选中排第{place}。"
    ahead = f" {last['title']}, the last on the list, was ahead of it by {more}." if more else ""
    return f"{item.title} came {ordinal(place)} of {len(order)} candidates.{ahead}"


def what_if(seen: Seen, record: Mapping[str, Any], box: Toolbox) -> str:
    """Say how the list would begin in the moment that the message supposes."""
    zh = seen.context.moment.locale.startswith("zh")
    said = supposed(seen.text)
    moment = merge_moment(said, seen.request.moment)
    read = box.recogniser.recognise(supposition(seen.text), said)
    scene = read.scene or record.get("scene")
    then, found = again(seen, {**record, "plan": []}, moment, scene, box)
    titles = [entry.item.title for entry in rank(found, then, box).entries[:SHOWN]]
    before = [data["title"] for data in record["items"]]
    if zh:
        shown = "、".join(f"《{title}》" for title in titles)
        return f"那样的话（{scene or '没有特定场景'}），列表会以{shown}开头。" if titles else "那样就没有合适的了。"
    taken = "I would see no particular scene in it"
    if scene:
        taken = "I would see the same scene" if scene == record.get("scene") else f"I would take it as {scene.replace('_', ' ')}"
    if not titles:
        return f"Then {taken}, and nothing would fit all that you asked for."
    if titles == before[:SHOWN]:
        return f"Then {taken}, and the list would begin as it does: {join_words(titles)}."
    new = [title for title in titles if title not in before]
    change = f" New would be {join_words(new)}." if new else ""
    return f"Then {taken}, and the list would begin with {join_words(titles)}.{change}"


def supposition(text: str) -> str:
    """What the message supposes: "it were raining" of "what if it were raining?"."""
    match = re.search(r"(?:\bif|如果|要是)\W*(.+?)\W*$", text, re.IGNORECASE)
    return match[1] if match else text


def supposed(text: str) -> Moment:
    """The moment that the message supposes, as far as its words say."""
    words = supposition(text)
    weather = next((name for name, pattern in WEATHER if re.search(pattern, words, re.IGNORECASE)), None)
    return replace(moment_hints(words), weather=weather) if weather else moment_hints(words)


def again(seen: Seen, record: Mapping[str, Any], moment: Moment, scene: str | None, box: Toolbox) -> tuple[Seen, Found]:
    """Go through the recorded turn again, in this moment and scene: what was seen, and found by the recorded calls (none: the default
    plan)."""
    request = replace(seen.request, message=str(record["message"]), scene=scene, moment=moment, use_llm=False)
    request = replace(request, k=len(record["items"]) or request.k)
    memory = Memory(ban=seen.memory.ban, rejected=seen.memory.rejected)
    then = perceive(request, box, _Recorded(str(record["intent"])), memory)
    then = replace(then, context=replace(then.context, may_write_profile=False))
    ran = tuple(PlannedCall(call["name"], call["arguments"], call["asked_by"]) for call in record["plan"] if call["status"] == "run")
    ran = tuple(call for call in ran if call.name != "update_profile")
    return then, act(Plan(ran or complete(then, (), box)), then, box)


def ordinal(number: int) -> str:
    """Write a place as a word.

    >>> [ordinal(number) for number in (1, 12, 23)]
    ['1st', '12th', '23rd']
    """
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
