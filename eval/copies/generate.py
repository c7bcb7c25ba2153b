"""Pairs of facts and text: every text passes the check that guards a turn's copy, or it is not taken."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from scenewise.eval.copies.grammar import texts_for
from scenewise.eval.copies.sources import Drawer, Source, without_some
from scenewise.prompts import load
from scenewise.store.types import Item
from scenewise.tools.copywriter.check import check_copy
from scenewise.tools.copywriter.evidence import EvidenceRow
from scenewise.tools.copywriter.facts import facts_for, facts_line
from scenewise.tools.scene.pack import ScenePack

DEV_SHARE = 0.07
MIN_CHARS, MAX_CHARS = 28, 150
MAX_START = 0.02
"""Of all texts, how many may begin with the same three words."""


def generate(sources: Sequence[Source], pack: ScenePack, n: int, *, seed: int) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Yield n pairs, each with whether it belongs to the dev part, which shares no item with the other."""
    rng = random.Random(seed)
    drawers = [Drawer(source, pack) for source in sources]
    starts, seen = Counter[str](), set[str]()
    made = 0
    while made < n:
        place = rng.choices(range(len(sources)), [source.share for source in sources])[0]
        source = sources[place]
        item = rng.choice(source.items)
        item = without_some(item, rng)
        rows = drawers[place].rows(item, rng)
        facts = facts_for(item, rows, seed=rng.randrange(1_000_000))
        line = facts_line(facts)
        good = [
            one
            for one in texts_for(facts, item.domain, rng)
            if _is_good(one[0], item, rows) and starts[_start(one[0])] < MAX_START * max(n, 500)
        ]
        text = rng.choices([text for text, _ in good], [_worth(text, told, starts) for text, told in good])[0] if good else ""
        if not text or line in seen:
            continue
        made += 1
        seen.add(line)
        starts[_start(text)] += 1
        messages = load("write_short").messages(facts=line)
        yield (
            is_dev(item.item_id),
            {
                "task": "write",
                "source": source.name,
                "licence": source.licence,
                "item": item.item_id,
                "messages": messages,
                "completion": text,
            },
        )


def is_dev(item_id: str) -> bool:
    """Whether an item's pairs are kept for development."""
    return int.from_bytes(hashlib.blake2b(item_id.encode(), digest_size=4).digest(), "big") / 2**32 < DEV_SHARE


def _is_good(text: str, item: Item, rows: Sequence[EvidenceRow]) -> bool:
    """Short enough, supported, and no telling word twice."""
    if not MIN_CHARS <= len(text) <= MAX_CHARS or not check_copy(text, item, rows).accepted:
        return False
    if re.search(r"[.?!][:;,]|\b(\w+) \1\b", text):
        return False
    words = [
        word for word in re.findall(r"\w{4,}", text.casefold()) if word not in ("with", "your", "also", "liked", "people", "this", "here")
    ]
    return max(Counter(words).values(), default=1) < 2


def _worth(text: str, told: frozenset[str], starts: Counter[str]) -> float:
    """Prefer what is personal, neither bare nor long, and begins as few others do."""
    personal = len(told & {"liked", "why", "scene", "asked", "people"})
    size = 1.0 if 55 <= len(text) <= 125 else 0.35
    return float((0.2, 1.0, 1.7)[min(personal, 2)] * (0.4 + 0.3 * len(told)) * size / (1 + starts[_start(text)]) ** 0.5)


def _start(text: str) -> str:
    return " ".join(text.casefold().split()[:3])


def write(
    pairs: Iterator[tuple[bool, dict[str, Any]]],
    train: Path,
    dev: Path,
    *,
    n: int = 0,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Write the pairs, one JSON object a line, and say what they are."""
    counts, lengths = Counter[str](), list[int]()
    for path in (train, dev):
        path.parent.mkdir(parents=True, exist_ok=True)
    with train.open("w", encoding="utf-8") as one, dev.open("w", encoding="utf-8") as other:
        for is_kept_back, pair in pairs:
            (other if is_kept_back else one).write(json.dumps(pair, ensure_ascii=False) + "\n")
            counts.update(["dev" if is_kept_back else "train", pair["source"]])
            lengths.append(len(pair["completion"]))
            progress(len(lengths), n or None)
    return {"pairs": dict(counts), "mean_chars": round(sum(lengths) / max(len(lengths), 1), 1)}
