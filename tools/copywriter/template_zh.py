"""Chinese sentences of template copy: values stand as the catalogue has them, the words around them are Chinese."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping

from scenewise.store.types import Item
from scenewise.tools.copywriter.evidence import EvidenceRow
from scenewise.tools.copywriter.nouns import TOLD, noun_of

_HAN = re.compile(r"[\u4e00-\u9fff]")


def sentences_zh(item: Item, rows: Mapping[str, EvidenceRow], rng: random.Random) -> Iterator[str]:
    """Yield sentences from the most telling to one that always holds."""
    noun = noun_of(item.domain)
    title, year, genre = (_first(rows, row_id) for row_id in ("title", "year", "genre"))
    thing = f"{noun.zh_one}{f'{year}年的' if year else ''}{genre}{noun.zh[0]}"
    heads = [f"《{title}》是{thing}", thing] if title else [thing]
    tails = [part for part in _tails(item, rows) if part]
    for count in range(len(tails), 0, -1):
        for head in rng.sample(heads, len(heads)):
            yield f"{head}{''.join(tails[:count])}。"
        yield f"{thing}{tails[count - 1]}。"
    yield f"{heads[0]}。"
    yield f"{thing}。"
    yield f"为你推荐这{noun.zh_one[1]}{noun.zh[0]}。"


def _tails(item: Item, rows: Mapping[str, EvidenceRow]) -> Iterator[str]:
    maker, topic, scene, length = (_first(rows, row_id) for row_id in ("creator", "topic", "scene", "duration"))
    path, people = (rows[name].text if name in rows and _HAN.search(rows[name].text) else "" for name in ("path", "people"))
    taste = _first(rows, "taste")
    yield f"，{taste}" if taste else ""
    yield f"，出自{maker}" if maker and maker not in taste else ""
    yield f"，{path}" if path else ""
    yield f"，适合{scene}" if scene else ""
    yield f"，{people}" if people and not path and not scene else ""
    yield f"，关于{topic}" if topic and not path and item.domain in TOLD else ""
    yield f"，时长{length.split()[0]}分钟" if length else ""


def _first(rows: Mapping[str, EvidenceRow], row_id: str) -> str:
    values = rows[row_id].values if row_id in rows else ()
    return next((value for value in values if len(value) <= 60), "")
