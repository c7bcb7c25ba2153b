"""Evidence rows as short facts on one line, for a writer that says the first of them first: what makes it personal, then what it is."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scenewise.store.types import Item
from scenewise.tools.copywriter.evidence import EvidenceRow
from scenewise.tools.copywriter.nouns import TOLD, noun_of
from scenewise.tools.copywriter.spans import CLOSE_TO, close_to
from scenewise.tools.copywriter.template import LONG_MIN, TIMED, scene_clauses
from scenewise.tools.graph.sentences import spoken

PERSONAL = ("asked", "taste", "why", "scene", "people")
PERSONAL_SHARE = 0.6
"""Of texts that begin with what makes them personal, where there is such a thing."""
MAX_QUOTE = 100
MAX_FACT = 110


@dataclass(frozen=True, slots=True)
class Fact:
    """`kind` is asked, taste, why, liked, scene, people, thing, genre, mood, maker, topic, level, cuisine, diet, equipment or quote; `text`
    as the writer is given it; `values` its parts."""

    kind: str
    text: str
    values: tuple[str, ...] = ()


def facts_for(item: Item, rows: Sequence[EvidenceRow], *, seed: int = 0) -> tuple[Fact, ...]:
    """List the facts that a text may tell, at most nine, the one that it is to begin with first. Same item, rows and seed: same facts."""
    digest = hashlib.blake2b(f"facts:{seed}:{item.item_id}".encode(errors="surrogatepass"), digest_size=8).digest()
    rng = random.Random(int.from_bytes(digest, "big"))
    facts = {fact.kind: fact for fact in _facts(item, {row.row_id: row for row in rows}) if len(fact.text) <= MAX_FACT}
    personal = [kind for kind in PERSONAL if kind in facts]
    if len(personal) > 1 and "people" in facts and facts["people"].text.startswith(CLOSE_TO):
        personal.remove("people")  # true of most of a list: what says more comes first
    plain = [kind for kind in ("thing", "thing", "maker", "quote", "mood") if kind in facts]
    lead = rng.choice(personal if personal and (rng.random() < PERSONAL_SHARE or not plain) else plain)
    told = [lead, *(kind for kind in personal[:2] if kind not in (lead, "scene"))]
    if "why" in told and "liked" in facts:
        told.insert(told.index("why"), "liked")
    told += [kind for kind in facts if kind not in (*told, *PERSONAL, "liked", "quote")]
    told += [kind for kind in ("quote", "scene") if kind in facts and kind not in told]
    return tuple(facts[kind] for kind in told[:9])


def facts_line(facts: Sequence[Fact]) -> str:
    """The facts as the writer reads them."""
    return " | ".join(" ".join(fact.text.split()) for fact in facts)


def _facts(item: Item, rows: Mapping[str, EvidenceRow]) -> Iterator[Fact]:
    """Every fact, what it is first."""
    yield _thing(item, rows)
    for row_id, most in (("genre", 2), ("mood", 2), ("level", 1), ("cuisine", 1), ("diet", 1), ("equipment", 1)):
        if row_id in rows and rows[row_id].values:
            values = tuple(spoken(value) if row_id == "genre" else value for value in rows[row_id].values[:most])
            label = "" if row_id == "genre" else f"{row_id} "
            yield Fact(row_id, label + ", ".join(values), values)
    if "creator" in rows and (makers := rows["creator"].values[:2]):
        yield Fact("maker", f"by {' and '.join(makers)}", makers)
    if "topic" in rows and item.domain in TOLD and (topics := rows["topic"].values[:2]):
        yield Fact("topic", f"about {', '.join(topics)}", topics)
    if "asked" in rows:
        yield Fact("asked", rows["asked"].values[0], rows["asked"].values[:1])
    if "taste" in rows:
        yield Fact("taste", rows["taste"].values[0], rows["taste"].values)
    if "path" in rows:
        yield Fact("why", rows["path"].values[0], rows["path"].values)
    if "history" in rows:
        yield Fact("liked", rows["history"].values[0], rows["history"].values[:1])
    if "people" in rows:
        people = close_to(rows["people"].text)
        yield Fact("people", people, (people,))
    if "scene" in rows:
        name = (rows["scene"].values or (rows["scene"].text,))[0]
        clauses = scene_clauses(name)
        yield Fact("scene", clauses[0].strip(), (name, *clauses))
    if quote := _quote(rows):
        yield Fact("quote", f'"{quote}"', (quote,))


def _thing(item: Item, rows: Mapping[str, EvidenceRow]) -> Fact:
    """What kind of thing it is, with its year, or its length where that says more."""
    noun = "dish" if item.domain == "recipes" else noun_of(item.domain).words[0]
    size = ""
    if item.domain in TIMED and "duration" in rows and (item.duration_min or 0) <= LONG_MIN:
        size = re.sub(r" minutes?$", "-minute", rows["duration"].values[0])
    elif item.domain not in TIMED and "year" in rows:
        size = rows["year"].text
    return Fact("thing", f"{size} {noun}".strip(), (size, noun))


def _quote(rows: Mapping[str, EvidenceRow]) -> str:
    """The shortest sentence of the item's text, or the part of it before a semicolon or a colon, without its stop; "" where all are
    long."""
    parts = []
    for row_id in ("text.1", "text.2"):
        if row_id in rows:
            part = re.split(r"[;:] ", rows[row_id].text)[0].rstrip(".")
            parts += [part] if len(part.split()) >= 4 and len(part) <= MAX_QUOTE and '"' not in part else []
    return min(parts, key=len, default="")
