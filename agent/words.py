"""The agent's own words around the list: openings, explanations, and answers that need no list. English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from scenewise.agent.record import Found, Seen, Slate
from scenewise.agent.refine import unmeasured
from scenewise.tools.catalogue.texts import INGREDIENT

SOURCES = {
    "bias": "where every item starts",
    "parity": "a fair chance for kinds without ratings",
    "scene_prefer": "what the scene prefers",
    "scene_domain": "the scene's kinds of items",
    "scene_ban": "what the scene rules out",
    "scene_duration": "too long for the scene",
    "scene_search": "a search for what suits the scene",
    "graph": "the knowledge graph",
    "retrieve": "a match with your words",
    "catalogue": "fits your conditions",
    "transition_knn": "what people chose before or after yours",
    "next_knn": "what people chose right after your last ones",
    "transformer": "what people with a like history chose next (Transformer)",
    "content_knn": "likeness to what you chose",
    "feature_regression": "likeness to what people with your taste chose",
    "trending": "what is chosen more of late",
    "item_knn": "items liked together",
    "ease": "items liked together (EASE)",
    "als": "your taste against everybody's (ALS)",
    "popularity": "popularity",
    "novelty": "a little less for what everybody knows",
    "wishes": "your wishes",
    "likes": "your likes",
    "dislikes": "your dislikes",
    "tie_break": "chance between equals",
}
"""What a contribution is called when it is told to a person."""

UNMEASURED = {
    "shorter": ("How long those are is not known to me, so these are others, not shorter ones.", "不知道那些有多长，先换一批。"),
    "longer": ("How long those are is not known to me, so these are others, not longer ones.", "不知道那些有多长，先换一批。"),
    "cheaper": ("What those cost is not known to me, so these are others, not cheaper ones.", "不知道那些的价格，先换一批。"),
    "newer": ("How old those are is not known to me, so these are others, not newer ones.", "不知道那些的年份，先换一批。"),
    "older": ("How old those are is not known to me, so these are others, not older ones.", "不知道那些的年份，先换一批。"),
}
"""Said where a comparison with the last list was asked for and nothing on it has the measure: in English and in Chinese."""

_REST = r"[^\s()<>\[\]]*[^\s()<>\[\]:：,.;]"
_REFUSED = re.compile(
    r"^.*\b(?:no|not|nothing|without|allergic to|eat|avoid|skip|hates?|with|any)\s+|-free$|\s+allerg(?:y|ies)$", re.IGNORECASE
)
_ADDRESS = re.compile(
    rf"(?:\b[a-z][a-z0-9+.-]{{0,20}}:|(?<![\w/:]))//{_REST}|\bwww\.{_REST}|\b(?:javascript|mailto):{_REST}", re.IGNORECASE
)


def unlinked(text: str) -> str:
    """A reply without addresses, and without what a program that shows it would make a link, an image or a tag of: names of items and
    words of the message stand in it, and copy alone is checked.

    >>> unlinked("1. [Free](https://a.example/x) <img src=y>: a film"), unlinked("Face//Off, I <3 You")
    ('1. [Free] (…) ‹img src=y>: a film', 'Face//Off, I <3 You')
    """
    text = re.sub(r"\](?=[(\[])", "] ", _ADDRESS.sub("…", text))
    return re.sub(r"<(?=[a-z!/?])", "‹", text, flags=re.IGNORECASE)


def opening(seen: Seen, found: Found, locale: str) -> str:
    """The line above the list: the scene, what was held to, and titles that are not in the catalogue."""
    scene = seen.context.scene.scene
    unknown = list(dict.fromkeys([*seen.unknown, *found.unknown_titles]))
    if locale.startswith("zh"):
        noted = "（配料只能按描述判断）" if INGREDIENT in seen.reading.constraints.ban else ""
        return (
            _not_compared(seen, 1)
            + ("这个时刻的推荐：" if scene else "为你推荐：")
            + noted
            + (f"（目录里没有：{'、'.join(unknown)}）" if unknown else "")
        )
    head = f"For this moment ({scene}):" if scene else "Here is what I would pick:"
    ban = seen.reading.constraints.ban
    diets = diets_kept(seen)
    if diets:
        head = head[:-1] + f", all {join_words(diets)}:"
    others = [] if diets else sorted({value for name in ban if name != INGREDIENT for value in ban[name]})
    if bans := foods_refused(seen) or others:
        head = head[:-1] + f", leaving out {join_words(bans[:6])}:"
    if INGREDIENT in ban:
        head = head[:-1] + ", as far as the descriptions tell:"
    if unknown:
        head = f"The catalogue has nothing of {join_words(unknown)}. " + head
    if found.unspoken:
        head = f"Nothing here names {join_words([*found.unspoken])}, so these are the closest that I have. " + head
    return f"{_not_compared(seen, 0)} {head}".lstrip()


def _not_compared(seen: Seen, tongue: int) -> str:
    told = unmeasured(seen.intent) in seen.notes and seen.intent in UNMEASURED
    return UNMEASURED[seen.intent][tongue] if told else ""


def diets_kept(seen: Seen) -> list[str]:
    """The diets that the message names, in its own words: what they rule out is a long list."""
    said = (seen.text[one.start : one.end].casefold() for one in seen.reading.said if one.name.startswith("diet "))
    return list(dict.fromkeys(said))


def foods_refused(seen: Seen) -> list[str]:
    """What the message says that it wants no dish with, in its own words: "dairy" for all that is made of milk."""
    said = (seen.text[one.start : one.end] for one in seen.reading.said if one.name.startswith(f"no {INGREDIENT} "))
    return list(dict.fromkeys(food for words in said if (food := _REFUSED.sub("", words).strip()) != words))


def nothing_fits(slate: Slate, found: Found, locale: str) -> str:
    """What to say where no item passes all conditions: which one to drop, and what that would bring."""
    if locale.startswith("zh"):
        return "没有同时满足所有条件的内容。" + (f"放宽“{slate.relax[0][0]}”后有 {slate.relax[0][1]} 个。" if slate.relax else "")
    if slate.relax:
        offers = [f"without “{name}” there would be {n}" for name, n in slate.relax[:2]]
        return f"Nothing fits all of that at once: {join_words(offers)}. Shall I drop one?"
    if not found.context.allowed.size:
        return "The catalogue is empty, so there is nothing to recommend yet: `scenewise ingest` adds items."
    return "Nothing that you have not seen fits all of that. Shall I leave out one of the conditions?"


def explain(data: Mapping[str, Any], place: int, scene: str | None, locale: str) -> str:
    """Why an item is on the list, from its entry in the turn's record: reason, evidence, and how much each source added."""
    told = {name: value for name, value in data["contributions"].items() if name not in ("bias", "tie_break")}
    parts = sorted(told.items(), key=lambda pair: -abs(pair[1]))[:3]
    weights = join_words([f"{SOURCES.get(name, name.replace('_', ' '))} {value:+.2f}" for name, value in parts])
    rows = dict(data["evidence"])
    facts = [rows[name] for name in ("genre", "mood", "creator", "duration") if name in rows]
    if locale.startswith("zh"):
        return f"第{place}个是《{data['title']}》：{data['reason']}。分数来自：{weights}。"
    reason = sentence_of(data["reason"])
    known = f" What I know of it: {'; '.join(facts)}." if facts else ""
    where = f" The scene was {scene}." if scene else ""
    return f"Number {place}, {data['title']}: {reason}.{known}{where} What moved its score most: {weights}."


def sentence_of(reason: str) -> str:
    """A reason as it reads after a colon."""
    return reason.rstrip(".") or "it passes everything you asked for"


ABOUT = (
    "I am a program that recommends what is in this catalogue, for the moment that you are in. Name a mood, an occasion or something that"
    " you like; set conditions, such as “under 90 minutes” or “nothing violent”; ask why an item is there or what it is. What you say you"
    " like or dislike I keep, and you can read it, change it and have it forgotten.",
    "我是一个推荐程序，按你此刻的情况推荐目录里的内容。说说心情、场合或你喜欢的东西；可以加条件，比如“九十分钟以内”“不要暴力”；"
    "也可以问为什么推荐某一个、它讲什么。你说过的喜好我会记下，你可以查看、修改或让我忘掉。",
)
"""What the assistant says of itself: in English and in Chinese."""


def small_talk(intent: str, locale: str) -> str:
    """A word back where no list is asked for."""
    zh = locale.startswith("zh")
    if intent == "thanks":
        return "不客气！" if zh else "You're welcome. Say when you want something else."
    if intent == "about":
        return ABOUT[zh]
    return "你好！想找点什么？" if zh else "Hello. Tell me what the moment is like, or what you feel like, and I will look."


KINDS_ZH = {"movies": "电影", "music": "音乐", "books": "书", "recipes": "菜谱", "apps": "应用", "courses": "课程", "workouts": "健身"}


def word_back(word: str, domains: Sequence[str], locale: str) -> str:
    """What is said in the place of a list: a question ("ask") with ways on, or what the assistant is for ("outside")."""
    if locale.startswith("zh"):
        kinds = "、".join(KINDS_ZH.get(domain, domain) for domain in domains)
        if word == "ask":
            return f"想找哪一类？{f'比如{kinds}，' if kinds else ''}说一个你喜欢的名字，或者说说现在的心情也行。"
        return f"这个我帮不上：我只会推荐{kinds or '目录里的内容'}。说说你想要什么，或者说“随便”。"
    kinds = join_words([*domains]).replace(" and ", " or ")
    if word == "ask":
        return f"What should it be{f': {kinds}' if kinds else ''}? A title that you like, a mood or an occasion is enough to go by."
    mine = join_words([*domains]) or "what is in the catalogue"
    return f"That is beyond me: I only recommend {mine}. Say what you feel like, or “surprise me”."


def nothing_to_explain(locale: str) -> str:
    """What to say to "why" before there is a list."""
    return "还没有推荐过内容。" if locale.startswith("zh") else "There is no list yet to explain: ask for something first."


def only_so_many(length: int, locale: str) -> str:
    """What to say to "why the seventh" of five."""
    return f"上次的列表只有{length}个。" if locale.startswith("zh") else f"The last list has {length} items: name one of them."


def no_longer_there(locale: str) -> str:
    """What to say to "why the second" where that item has been deleted."""
    return "它已不在目录里。" if locale.startswith("zh") else "That one is no longer in the catalogue: ask for something else."


def join_words(words: list[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""
