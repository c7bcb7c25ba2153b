"""Pairs from templates: the request in a conversation with a last list, a scene and a profile that may or may not matter."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from scenewise.agent.plan_request import PlanRequest
from scenewise.eval.plans.conditions import DECADES, condition, money
from scenewise.eval.plans.noise import noisy
from scenewise.eval.plans.pair import Pair, in_order
from scenewise.eval.plans.pools import Pools, made_up_title
from scenewise.eval.plans.slots import CLOSE, DOMAINS, OPEN, Slots
from scenewise.eval.plans.templates import Template, choose

SOURCE, LICENCE = "templates", "Apache-2.0 (ours; titles and names as names only)"
_SLOT = re.compile(r"\{(\w+)\}")


def make_pair(template: Template, pools: Pools, rng: random.Random) -> Pair | None:
    """Fill an English template; None where what was drawn does not go together."""
    wanted = template.slots
    listed = last_list(template, pools, rng)
    slots = Slots(pools, rng, wanted, listed)
    slots.limits(wanted)
    if "about" in wanted and not pools.words[slots.domain]["abouts"]:
        return None
    text = fill(choose(template.text, rng), slots.text)
    before = fill(choose(template.before, rng), slots.text).replace(OPEN, "").replace(CLOSE, "")
    plan = [fill(template.plan, slots.plan), *(slots.plan[name] for name in ("cond", "cond2") if f"{{{name}}}" in template.text)]
    if "cond" in template.flags and "not(" not in template.plan and not wanted & {"cond", "cond2"}:
        text, more = _with_condition(text, slots, rng)
        plan += more
    banned = [slots.plan[name] for name in ("ban", "ban2", "ban3") if name in wanted or slots.plan[name] in " ".join(plan)]
    if any(text.lower().count(word.lower()) > 1 for word in banned if len(word) > 3):
        return None
    if "money" in template.flags and rng.random() < 0.35:
        said, amount = money(rng)
        text += f"{rng.choice((' under ', ' for less than ', ', at most ', ' up to ', ', max '))}{OPEN}{said}{CLOSE}"
        plan.append(f"max({amount} usd)")
    text = _decorated(text, pools.words["frame"], rng, whole="req" in template.flags) if template.flags & {"req", "open"} else text
    text, case = noisy(text, rng)
    if not text:
        return None
    before = before.lower() if case == "lower" else before.upper() if case == "upper" else before
    written = in_order(" ".join(part for part in plan if part))
    return Pair(_request(template, text, before, listed, pools, rng), cased(written, case), template.name, SOURCE, LICENCE)


def make_chinese_pair(template: Template, pools: Pools, words: Mapping[str, Any], rng: random.Random) -> Pair:
    """Fill a Chinese template."""
    listed = last_list(template, pools, rng)
    if listed and rng.random() < 0.5:
        listed = rng.sample(words["titles"], min(len(listed), 6))
    slots = _chinese_slots(words, pools, listed, rng)
    text, before = (fill(choose(said, rng), slots) for said in (template.text, template.before))
    return Pair(_request(template, text, before, listed, pools, rng), in_order(fill(template.plan, slots)), template.name, SOURCE, LICENCE)


def fill(text: str, slots: Mapping[str, str]) -> str:
    """Fill in slots; KeyError for one that is not there."""
    return _SLOT.sub(lambda match: slots[match[1]], text)


def cased(plan: str, case: str) -> str:
    """The plan with the words that it copies in the case that the message came to have."""
    if case == "lower":
        return plan.lower()
    if case != "upper":
        return plan
    plan = re.sub(r"\(([^()]*)\)", lambda match: f"({match[1].upper()})", plan)
    plan = re.sub(r"(max\()([^()]*)", lambda match: match[0].lower(), plan)
    plan = re.sub(r"(only|ask)\(([^()]*)", lambda match: match[0].lower(), plan)
    plan = re.sub(r"(save\( ?)(\w+ \w+)", lambda match: match[0].lower(), plan)
    return re.sub(rf"; ({'|'.join(DOMAINS)})\)", lambda match: match[0].lower(), plan, flags=re.IGNORECASE)


def last_list(template: Template, pools: Pools, rng: random.Random) -> list[str]:
    """The titles of a last list: always where the template speaks of one, never where it may not, else sometimes."""
    wanted = template.slots & {"ord", "ordb", "k", "kz", "num", "lt"} or "list" in template.flags
    if "nolist" in template.flags or template.group in ("ask_little", "ask"):
        return []
    if not wanted and rng.random() > (0.85 if template.before else 0.33):
        return []
    domain = rng.choices(list(DOMAINS), list(DOMAINS.values()))[0]
    n = rng.choice((3, 4, 5, 5, 5, 5, 6, 8))
    titles = rng.sample(pools.titles.get(domain) or pools.titles["movies"], n)
    if rng.random() < 0.15:
        titles[0] = made_up_title(pools.words, rng)
    return list(dict.fromkeys(titles))


def profile_words(pools: Pools, rng: random.Random) -> str:
    """A profile in a few words."""
    general = pools.words["general"]
    any_title = [rng.choice(pools.titles[rng.choice(list(pools.titles))]) for _ in range(2)]
    likes = rng.sample([*rng.sample(general["like_genres"], 3), *any_title, *rng.sample(general["like_things"], 1)], rng.randint(1, 3))
    dislikes = rng.sample(general["like_genres"], rng.randint(0, 2))
    parts = [f"likes {', '.join(likes)}"] if rng.random() < 0.85 or not dislikes else []
    return "; ".join([*parts, *([f"dislikes {', '.join(dislikes)}"] if dislikes else [])])


def _request(template: Template, text: str, before: str, listed: Sequence[str], pools: Pools, rng: random.Random) -> PlanRequest:
    messages: list[dict[str, str]] = []
    if not before and listed and rng.random() < 0.6:
        before = earlier(pools, rng)
    if before:
        shown = f"Here is what I would pick: {', '.join(listed)}." if listed else "What kind of thing are you looking for?"
        messages += [{"role": "user", "content": before}, {"role": "assistant", "content": shown}]
    messages.append({"role": "user", "content": text})
    scene = rng.choice(pools.words["general"]["scenes"]) if rng.random() < 0.4 else None
    profile = profile_words(pools, rng) if rng.random() < 0.45 else ""
    return PlanRequest(tuple(messages), scene, profile, tuple(listed))


def earlier(pools: Pools, rng: random.Random) -> str:
    """An earlier request that the new message has nothing to do with."""
    slots = Slots(pools, rng, frozenset(), ())
    text = rng.choice(("{a_np}", "find me {a_np}", "something like {t1}", "{gadj} please", "surprise me", "something {gadj}", "{np}"))
    return fill(text, slots.text).replace(OPEN, "").replace(CLOSE, "")


def _with_condition(text: str, slots: Slots, rng: random.Random) -> tuple[str, list[str]]:
    roll = rng.random()
    if roll > 0.3:
        return text, []
    if roll < 0.15:
        ban = slots.plan["ban"]
        return f"{text}{rng.choice((', no ', ', nothing ', ', but no ', ' without ', ', not '))}{OPEN}{ban}{CLOSE}", [f"not({ban})"]
    said, plan, _ = condition(slots.domain, rng, set())
    return f"{text}{rng.choice((' ', ', ', ', ', ', and '))}{OPEN}{said}{CLOSE}", [plan]


def _decorated(text: str, frame: Mapping[str, Sequence[str]], rng: random.Random, *, whole: bool) -> str:
    ending = rng.choice(frame["endings"]) if rng.random() < 0.4 else ""
    opening = rng.choice(frame["openings"]) if rng.random() < 0.2 else ""
    if not whole:
        return f"{opening}{text}{ending if rng.random() < 0.5 else ''}"
    after = rng.choice(frame["times"]) if rng.random() < 0.06 else ""
    around = rng.choice(frame["circumstances"]) if rng.random() < 0.12 else ""
    text = f"{text}{after}"
    if around:
        text = rng.choice(
            (
                f"{around}, {text}",
                f"{around}. {text}",
                f"{around} and I want {text}" if text.startswith(("a ", "some")) else f"{around}; {text}",
            )
        )
    elif rng.random() < 0.04:
        return f"{opening}{text}{ending}, {rng.choice(frame['circumstances'])}"
    return f"{opening}{text}{ending}"


def _chinese_slots(words: Mapping[str, Any], pools: Pools, listed: Sequence[str], rng: random.Random) -> dict[str, str]:
    kinds: Mapping[str, Mapping[str, Any]] = words["kinds"]
    dom, dom2 = rng.sample(list(kinds), 2)
    titles = [rng.choice(words["titles"]) if rng.random() < 0.7 else rng.choice(pools.titles["movies"]) for _ in range(2)]
    bans, rubbish = rng.sample(words["bans"], 2), rng.sample(words["garbage"], 2)
    place = rng.randint(1, min(len(listed), 5)) if listed else 2
    year, decade = rng.randint(1950, 2020), rng.choice(list(DECADES.values()))
    slots = {"dom": dom, "dom2": dom2, "n": rng.choice(kinds[dom]["nouns"]), "verb": kinds[dom]["verb"]}
    slots["n2"] = rng.choice(kinds[dom2]["nouns"])
    slots |= {"phrase": rng.choice(kinds[dom]["phrases"]), "phrase2": rng.choice(kinds[dom2]["phrases"])}
    slots |= {"t1": titles[0], "t2": titles[1], "ban": bans[0], "ban2": bans[1]}
    slots |= dict(zip(("p", "p2", "g", "g2"), (*rng.sample(words["people"], 2), *rng.sample(words["genres"], 2)), strict=True))
    slots |= {"th": rng.choice(words["things"]), "adj": rng.choice(words["adjs"])}
    slots |= {"purpose": rng.choice(words["purposes"]), "ingr": rng.choice(words["ingredients"]), "fban": rng.choice(words["food_bans"])}
    slots |= {"mealn": rng.choice(("菜", "晚餐", "早餐", "汤")), "garbage": rubbish[0], "garbage2": rubbish[1]}
    slots |= {"about": rng.choice(words["abouts"]), "item": rng.choice(words["items"]), "too": rng.choice(words["toos"])}
    slots |= {"lt": listed[place - 1] if listed else titles[0], "rel": rng.choice(words["relatives"]), "mw": rng.choice(words["measures"])}
    slots |= {"k": str(place), "kz": "零一二三四五"[place], "min": str(rng.choice((10, 20, 30, 45, 60, 90, 120)))}
    slots |= {"usd": str(rng.choice((20, 50, 100, 200, 300))), "year": str(year), "next": str(year + 1), "prev": str(year - 1)}
    slots |= {"dec": str(decade % 100), "dec0": str(decade), "dec9": str(decade + 9), "和": rng.choice("和跟")}
    slots |= {"decw": f"{rng.choice((str(decade % 100), '二三四五六七八九'[decade // 10 - 192] + '十'))}年代"}
    for name, bare, amounts in (("minw", "minn", words["minutes"]), ("usdw", "usdn", words["sums"])):
        slots[bare] = rng.choice(list(amounts))
        slots[name] = rng.choice(amounts[slots[bare]])
    slots["nonsense"] = "".join(rng.choices("的了在是我不吗呢吧啊和就都也很到说要去会着没看好自己这那个们来", k=rng.randint(4, 9)))
    return slots
