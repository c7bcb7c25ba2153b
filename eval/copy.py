"""Copy on real lists: evidence as in a turn, the LLM's texts, what the check makes of them, and how they read in figures."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenewise.agent.act import act
from scenewise.agent.compose import compose
from scenewise.agent.intents import IntentReader
from scenewise.agent.memory import Memory
from scenewise.agent.model import ChatModel
from scenewise.agent.perceive import perceive
from scenewise.agent.policy import complete
from scenewise.agent.record import Draft, Found, Plan, Reply, Request, Seen, Slate, TurnItem
from scenewise.agent.slate import rank
from scenewise.agent.verify import verify
from scenewise.eval.copy_proof import strange_words
from scenewise.store.types import Moment, UserId
from scenewise.tools.toolbox import Toolbox

LIST = 5
COLD_SHARE = 0.15
ASKS = ("", "", "", "something funny", "I have 45 minutes", "a thriller", "calm, please", "comedy")
PERSONAL = frozenset({"scene", "path", "history", "asked", "people"})
"""Rows that speak of this user, this moment or this request."""
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class List_:
    """A list of a drawn moment, before a word is written."""

    seen: Seen
    found: Found
    slate: Slate


def draw_lists(box: Toolbox, n_items: int, n_users: int, *, seed: int, now_s: float, progress: Progress) -> list[List_]:
    """Lists of five until there are n items: users with histories and new ones, every scene in turn, some with a request."""
    rng = random.Random(seed)
    intents = IntentReader(box.encoders)
    users = rng.sample(sorted(box.store.users.ids()), min(n_users, len(box.store.users.ids())))
    lists: list[List_] = []
    held = 0
    while held < n_items:
        user = UserId(f"new-{len(lists)}") if rng.random() < COLD_SHARE else users[len(lists) % len(users)]
        scene = box.pack.names[len(lists) % len(box.pack.names)]
        request = Request(
            rng.choice(ASKS), user, Moment(), f"copy-{len(lists)}", scene, min(LIST, n_items - held), now_s, seed, use_llm=True
        )
        seen = perceive(request, box, intents, Memory())
        found = act(Plan(complete(seen, (), box)), seen, box)
        slate = rank(found, seen, box)
        lists.append(List_(seen, found, slate))
        held += len(slate.entries)
        progress(held, n_items)
    return lists


def run(lists: Sequence[List_], model: ChatModel | None, *, writing: str, progress: Progress) -> tuple[dict[str, Any], list[TurnItem]]:
    """Write all lists, guided, free or by template alone, and report; also the items with their words."""
    items: list[TurnItem] = []
    drafts: list[Draft] = []
    seconds: list[float] = []
    agree = 0
    for done, one in enumerate(lists, 1):
        begun = time.perf_counter()
        draft = asyncio.run(_write(one, model, writing)) if model is not None and writing != "template" else Draft()
        seconds.append(time.perf_counter() - begun)
        reply = verify(draft, one.slate, one.seen, one.found)
        agree += _agrees(reply, one.slate)
        items += reply.items
        drafts.append(draft)
        progress(done, len(lists))
    return _report(items, drafts, seconds, agree, writing), items


async def _write(one: List_, model: ChatModel, writing: str) -> Draft:
    context = one.seen.context
    try:
        return await compose(
            one.slate, model, locale="en", timeout_s=120.0, guided=writing == "guided", scene=context.scene.scene, seed=context.seed
        )
    finally:
        await model.close()


def _agrees(reply: Reply, slate: Slate) -> bool:
    """Whether the reply names exactly the list, in its order."""
    lines = reply.text.split("\n")[1:]
    wanted = [f"{place}. {entry.item.title}: " for place, entry in enumerate(slate.entries, 1)]
    return len(lines) == len(wanted) and all(line.startswith(start) for line, start in zip(lines, wanted, strict=True))


def _report(items: Sequence[TurnItem], drafts: Sequence[Draft], seconds: Sequence[float], agree: int, writing: str) -> dict[str, Any]:
    n, texts = max(len(items), 1), [item.copy for item in items]
    strange = [strange_words(item.copy, [*(text for _, text in item.evidence), item.title]) for item in items]
    first = [refused for draft in drafts for refused in (draft.refused or ((),) * len(draft.texts))]
    again = sum(bool(refused) for refused in first)
    templates = sum(item.copy_source == "template" for item in items)
    saved = sum(item.copy_source == "model" and bool(item.refused) for item in items)
    why = Counter(re.split(r": ", reason)[0] for refused in first for reason in refused[:1])
    return {
        "writing": writing,
        "items": len(items),
        "lists": len(drafts),
        "supported": round(sum(not words for words in strange) / n, 4),
        "strange_words": dict(Counter(word for words in strange for word in words).most_common(20)),
        "template_rate": round(templates / n, 4),
        "refused_first": round(again / n, 4),
        "saved_by_rewriting": saved,
        "refused_because": dict(why.most_common(8)),
        "lists_agree": round(agree / max(len(drafts), 1), 4),
        "personal": round(sum(any(PERSONAL & {*rows} for _, rows in item.claims) for item in items) / n, 4),
        "distinct_1": distinct(texts, 1),
        "distinct_2": distinct(texts, 2),
        "same_first_three_words": _commonest_start(texts),
        "chars_mean": round(float(np.mean([len(text) for text in texts])), 1) if texts else 0,
        "chars_max": max(map(len, texts), default=0),
        "tokens_per_item": round(sum(draft.completion_tokens for draft in drafts) / n, 1),
        "seconds_per_list": {f"p{q}": round(float(np.percentile(seconds, q)), 2) for q in (50, 95)},
        "trouble": dict(Counter(draft.trouble for draft in drafts if draft.trouble)),
    }


def distinct(texts: Sequence[str], size: int) -> float:
    """Different n-grams over all n-grams (Li et al. 2016, A Diversity-Promoting Objective Function)."""
    grams: list[tuple[str, ...]] = []
    for text in texts:
        words = re.findall(r"[\w'-]+", text.casefold())
        grams += zip(*(words[start:] for start in range(size)), strict=False)
    return round(len({*grams}) / max(len(grams), 1), 4)


def _commonest_start(texts: Sequence[str]) -> float:
    starts = Counter(" ".join(text.casefold().split()[:3]) for text in texts)
    return round(max(starts.values(), default=0) / max(len(texts), 1), 4)


def readable(items: Sequence[TurnItem], n: int, *, seed: int) -> str:
    """Some of the texts with their evidence, for a person to read."""
    chosen = random.Random(seed).sample(list(items), min(n, len(items)))
    parts = []
    for item in chosen:
        refused = f"\n  refused first: {'; '.join(item.refused)}" if item.refused else ""
        parts.append(
            f"{item.title} ({item.domain}, {item.copy_source})\n  {item.copy}{refused}\n  " + " | ".join(text for _, text in item.evidence)
        )
    return "\n\n".join(parts) + "\n"
