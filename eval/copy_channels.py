"""Copy of `Agent.write_copy` measured: support, templates, length, variety, whether it names what its reader likes, and a swap test.

The swap test: each item is written for two users, a judge sees a text and both histories and says whose it is. The judge is no LLM: it
takes the history whose likest title is nearer to the text in MiniLM's space (cosine). As both users get the same item, only what is
personal in a text can decide; a text that is the same for both counts a half. Its limits: it sees titles, so a text that names a liked
item is easy, and one that only alludes to a taste is beyond it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from scenewise.agent.agent import Agent
from scenewise.agent.item_copy import Copy, Wanted
from scenewise.eval.copies.sources import read_blocks
from scenewise.eval.copy import distinct
from scenewise.eval.copy_proof import strange_words
from scenewise.store.persons import history_of
from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, UserId
from scenewise.tools.copywriter.channels import MAX_CHARS
from scenewise.tools.graph.seeds import liked_items
from scenewise.tools.retrieval.encoders import TextEncoder

KNOWN = 8
"""Products that each drawn shopper has bought."""
LEAST = 5
"""Liked items that a user must have to be judged by."""
JUDGED = 40
"""Liked titles that the judge sees of each user, the best liked first."""


def build_retail(file: Path, folder: Path, *, shoppers: int, seed: int) -> None:
    """Make a store of the Retail Demo Store's products and drawn shoppers, each of whom has bought products of two styles.

    The set has no events: what shoppers like is drawn, and so says nothing of real ones.
    """
    items = []
    for fields in read_blocks(file):
        style, category = fields["style"].replace("_", " "), fields["category"]
        values = {"genre": (style,), "category": (category,)}
        item_id, price = ItemId(fields["id"]), round(100 * float(fields["price"]))
        items.append(Item(item_id, "shopping", fields["name"], fields["description"], values, price_cents=price, currency="USD"))
    rng = random.Random(seed)
    by_style: dict[str, list[Item]] = {}
    for item in items:
        by_style.setdefault(item.attributes["genre"][0], []).append(item)
    styles = sorted(style for style, its in by_style.items() if len(its) >= KNOWN)
    with Store.open(folder, create=True, purpose="eval") as store:
        store.items.upsert(items)
        for number in range(shoppers):
            pool = [item for style in rng.sample(styles, 2) for item in rng.sample(by_style[style], KNOWN // 2)]
            user = UserId(f"shopper-{number}")
            store.events.add(Event(user, item.item_id, "purchase", None, 1.7e9 + place) for place, item in enumerate(pool))


def measure(
    agent: Agent, wanted: Wanted, *, pairs: int, each: int, seed: int, progress: Callable[[int, int | None], None]
) -> dict[str, Any]:
    """Write `each` items for both users of `pairs` pairs, and report."""
    rng = random.Random(seed)
    ids = [ItemId(one) for one in agent.store.items.ids()]
    liked = {user: list(liked_items(history_of(agent.store, user)))[:JUDGED] for user in sorted(agent.store.users.ids())}
    users = [user for user, its in liked.items() if len(its) >= LEAST]
    judge = Judge(agent, agent._box.encoders.english)
    copies: list[tuple[Copy, UserId]] = []
    right: list[float] = []
    named = {"own": 0, "other": 0}
    for done in range(pairs):
        both = rng.sample(users, 2)
        chosen = rng.sample([one for one in ids if one not in {*liked[both[0]], *liked[both[1]]}], each)
        texts = [agent.write_copy(chosen, user, scene=wanted.scene, channel=wanted.channel, tone=wanted.tone, seed=seed) for user in both]
        for mine, other, group in ((0, 1, texts[0]), (1, 0, texts[1])):
            copies += [(copy, both[mine]) for copy in group]
            named["own"] += sum(judge.names(copy.text, liked[both[mine]]) for copy in group)
            named["other"] += sum(judge.names(copy.text, liked[both[other]]) for copy in group)
        right += judge.assign([copy.text for copy in texts[0]], [copy.text for copy in texts[1]], liked[both[0]], liked[both[1]])
        progress(done + 1, pairs)
    written, n = [copy for copy, _ in copies], max(len(copies), 1)
    sources = {name: round(sum(copy.source == name for copy in written) / n, 4) for name in ("model", "template", "none")}
    titles = {copy.item_id: agent.store.items.get(copy.item_id).title for copy in written}
    strange = [strange_words(copy.text, [*(text for _, text in copy.evidence), titles[copy.item_id]]) for copy in written]
    share, wide = float(np.mean(right)), 1.96 * sqrt(float(np.var(right)) / max(len(right), 1))
    lengths = [len(copy.text) for copy in written]
    return {
        "channel": wanted.channel,
        "texts": len(written),
        "pairs": pairs,
        "unsupported": sum(bool(words) for words in strange),
        "strange_words": sorted({word for words in strange for word in words})[:20],
        "share": sources,
        "chars": {"mean": round(float(np.mean(lengths)), 1), "max": max(lengths), "allowed": MAX_CHARS[wanted.channel]},
        "distinct_1": distinct([copy.text for copy in written], 1),
        "distinct_2": distinct([copy.text for copy in written], 2),
        "names_something_liked": round(named["own"] / n, 4),
        "names_something_the_other_likes": round(named["other"] / n, 4),
        "swap_test": {"right": round(share, 4), "interval": [round(share - wide, 4), round(share + wide, 4)], "texts": len(right)},
        "tokens_per_text": round(sum(copy.completion_tokens for copy in written) / n, 1),
    }


class Judge:
    """Says whose a text is by the nearness of liked titles."""

    def __init__(self, agent: Agent, encoder: TextEncoder) -> None:
        self._agent, self._encoder = agent, encoder

    def names(self, text: str, liked: Sequence[ItemId]) -> bool:
        """Whether a title that the user likes stands in the text, as whole words."""
        return any(re.search(rf"(?<!\w){re.escape(title)}(?!\w)", text) is not None for title in self._titles(liked) if len(title) > 2)

    def assign(self, mine: Sequence[str], theirs: Sequence[str], my_liked: Sequence[ItemId], their_liked: Sequence[ItemId]) -> list[float]:
        """1 for each text that goes to its own reader, 0 to the other, a half where the two readers got the same text."""
        nearest = [self._nearest([*mine, *theirs], liked) for liked in (my_liked, their_liked)]
        won = np.sign(nearest[0] - nearest[1]) * np.repeat([1.0, -1.0], len(mine))
        same = np.array([a == b for a, b in zip(mine, theirs, strict=True)] * 2)
        return [float(x) for x in np.where(same, 0.5, (won + 1) / 2)]

    def _nearest(self, texts: Sequence[str], liked: Sequence[ItemId]) -> Any:
        """float32 (n_texts,): the cosine of each text with the likest title."""
        return (self._encoder.encode(texts) @ self._encoder.encode(self._titles(liked)).T).max(axis=1)

    def _titles(self, liked: Sequence[ItemId]) -> list[str]:
        found = self._agent.store.items.get_many(liked)
        return [found[item_id].title for item_id in liked if item_id in found]
