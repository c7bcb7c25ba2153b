"""Items and evidence rows for training pairs, of catalogues that may be passed on: ours, the films of ReDial's graph, exercises, products.

The rows are those of a turn. What a user is said to have liked, and what others chose, is drawn: the writer learns to say what a row says,
and what the rows of a real turn say comes from the store.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scenewise.store.types import Item, ItemId
from scenewise.tools.candidates import Candidate
from scenewise.tools.copywriter.evidence import EvidenceRow, evidence_for
from scenewise.tools.copywriter.template import asked_clause
from scenewise.tools.graph.paths import GraphPath
from scenewise.tools.graph.sentences import Link, clause
from scenewise.tools.scene.pack import SceneDef, ScenePack

PEOPLE = (
    *("people who liked {} also liked it",) * 4,
    "people often choose it soon after {}",
    "people often choose it soon before or after {}",
    *("it has much in common with what people who liked {} chose",) * 3,
    "people with a similar history chose it",
    "{n} people chose it",
)
LINKS = {
    "director": "directed_by",
    "writer": "written_by",
    "star": "starring",
    "creator": "created_by",
    "genre": "in_genre",
    "mood": "has_mood",
    "topic": "about",
}
_YEAR = re.compile(r"^(.*) \((\d{4})\)$")


@dataclass(frozen=True, slots=True)
class Source:
    """A catalogue: `items` of it, and `people[item id]` names by role that are no attributes of the item."""

    name: str
    licence: str
    items: tuple[Item, ...]
    people: Mapping[str, Mapping[str, tuple[str, ...]]]
    share: float


def own_catalogue(items: Sequence[Item]) -> Source:
    """The hand-written part of the demo store: all that is not a film."""
    own = tuple(item for item in items if item.domain != "movies")
    return Source("scenewise demo catalogue", "Apache-2.0", own, {}, 0.57)


def redial_films(folder: Path) -> Source:
    """Films of the graph that comes with ReDial (`id2info.json.gz`)."""
    items, people = [], {}
    for key, info in read_json(folder / "id2info.json.gz").items():
        match = _YEAR.match(info["name"])
        if match and info.get("genre"):
            item_id = f"film-{key}"
            names = {role: tuple(info.get(role, ())) for role in ("director", "writer", "star")}
            # Half of them name their makers among their attributes, as a catalogue may or may not.
            creator = {"creator": names["director"][:1]} if int(key) % 2 and names["director"] else {}
            genres = tuple(genre for genre in info["genre"][:3] if genre not in ("short", "news", "adult"))
            items.append(Item(ItemId(item_id), "movies", match[1], "", {"genre": genres, **creator}, int(match[2])))
            people[item_id] = names
    return Source("ReDial film graph", "CC-BY-4.0, MIT", tuple(items), people, 0.36)


def exercises(file: Path) -> Source:
    """Free Exercise DB, as workouts."""
    items = []
    for entry in read_json(file):
        equipment = (entry["equipment"],) if entry.get("equipment") not in (None, "other", "body only", "none") else ()
        values = {"genre": (entry["category"],), "level": (entry["level"],), "equipment": equipment}
        kept = {name: value for name, value in values.items() if value and value[0]}
        items.append(Item(ItemId(f"exercise-{entry['name']}"), "workouts", entry["name"], "", kept))
    return Source("Free Exercise DB", "Unlicense", tuple(items), {}, 0.05)


def read_blocks(file: Path) -> Iterator[dict[str, str]]:
    """Products of the Retail Demo Store as plain fields. Its file is plain enough to need no YAML reader: a value may go on over lines
    that are set in further, and be quoted."""
    for block in re.split(r"^- id: ", gzip.decompress(file.read_bytes()).decode("utf-8"), flags=re.MULTILINE)[1:]:
        pairs = re.findall(r"^  (\w+):((?: .*)?(?:\n    .*)*)$", block, flags=re.MULTILINE)
        yield {"id": block.split("\n")[0].strip()} | {name: _unquoted(" ".join(value.split())) for name, value in pairs}


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    if len(value) > 1 and value[0] == value[-1] == '"':
        inner = re.sub(r"\\x([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), value[1:-1])
        return re.sub(r"\\\s?", "", inner.replace('\\"', '"'))
    return value


def products(file: Path) -> Source:
    """Retail Demo Store's products."""
    items = []
    for fields in read_blocks(file):
        if {"name", "style"} <= fields.keys() and "'" not in fields["name"]:
            style = fields["style"].replace("_", " ")
            if style.endswith("s") or fields["name"].casefold().split()[-1] != style:
                continue  # only styles that name the thing: "lighting" is not what one calls a lamp
            items.append(Item(ItemId(f"product-{fields['id']}"), "products", fields["name"], "", {"genre": (style,)}))
    return Source("AWS Retail Demo Store", "MIT-0", tuple(items), {}, 0.03)


def read_json(path: Path) -> Any:
    """Read a gzipped JSON file."""
    return json.loads(gzip.decompress(path.read_bytes()))


class Drawer:
    """Draws a moment for an item: a liked item it is joined to, a scene it suits, what others did, what was asked."""

    def __init__(self, source: Source, pack: ScenePack) -> None:
        self._source, self._pack = source, pack
        self._having: dict[tuple[str, str], list[Item]] = defaultdict(list)
        for item in source.items:
            for role, value in self._values(item):
                self._having[role, value].append(item)

    def _values(self, item: Item) -> Iterator[tuple[str, str]]:
        roles = {**{name: item.attributes.get(name, ()) for name in ("creator", "genre", "mood", "topic")}}
        roles |= self._source.people.get(item.item_id, {})
        yield from ((role, value) for role, values in roles.items() for value in values)

    def rows(self, item: Item, rng: random.Random) -> tuple[EvidenceRow, ...]:
        """Evidence rows of the item in a drawn moment."""
        path, liked = self._path(item, rng) if rng.random() < 0.55 else (None, "")
        scene = self._scene(item, rng) if rng.random() < 0.65 else None
        reasons = [self._people(item, rng)] if rng.random() < 0.4 else []
        return evidence_for(
            item,
            path=path,
            scene=scene.name if scene else None,
            fits=_preferred(item, scene),
            reasons=reasons,
            history=[liked] if liked and rng.random() < 0.8 else [],
            asked=_asked(item, rng) if rng.random() < 0.25 else [],
        )

    def _path(self, item: Item, rng: random.Random) -> tuple[GraphPath | None, str]:
        shared = [pair for pair in self._values(item) if len(self._having[pair]) > 1]
        strong = [pair for pair in shared if pair[0] not in ("genre", "mood")]
        if not shared:
            return None, ""
        role, value = rng.choice(strong if strong and rng.random() < 0.75 else shared)
        others = [one for one in self._having[role, value] if one.title != item.title]
        near = [one for one in others if one.domain == item.domain]
        other = rng.choice((near if near and rng.random() < 0.8 else others) or [item])
        if other is item:
            return None, ""
        named = value if role in ("genre", "mood") or (role in ("topic", "star") and rng.random() < 0.7) else None
        sentence = clause(Link(LINKS[role], LINKS[role], named), other.title)
        nodes = (f"item:{other.item_id}", f"{role}:{value}", f"item:{item.item_id}")
        return GraphPath(nodes, (LINKS[role],) * 2, sentence, 0.5), other.title

    def _scene(self, item: Item, rng: random.Random) -> SceneDef | None:
        scenes = [self._pack.get(name) for name in self._pack.names]
        if item.domain == "products":
            return None  # no scene of the pack says anything of them
        apt = [scene for scene in scenes if scene.domains.get(item.domain, 1.0) >= 0.6 or _preferred(item, scene)]
        return rng.choice(apt) if apt else None

    def _people(self, item: Item, rng: random.Random) -> Candidate:
        title = rng.choice(self._source.items).title
        sentence = rng.choice(PEOPLE).format(title, n=rng.randint(2, 400))
        return Candidate(item.item_id, "item_knn", 1.0, sentence)


def _preferred(item: Item, scene: SceneDef | None) -> list[str]:
    if scene is None:
        return []
    prefer = {name: {value.casefold() for value in values} for name, values in scene.prefer.items()}
    return [value for name, values in item.attributes.items() for value in values if value.casefold() in prefer.get(name, ())]


def _asked(item: Item, rng: random.Random) -> list[str]:
    said = [asked_clause(name, value, item.domain) for name in ("genre", "mood", "topic") for value in item.attributes.get(name, ())[:1]]
    if item.duration_min and item.duration_min <= 120:
        said.append(f"within your {int(item.duration_min) + rng.choice([0, 1, 3, 5, 10, 15])} minutes")
    return rng.sample(said, 1) if said else []


def without_some(item: Item, rng: random.Random) -> Item:
    """The item as a thinner catalogue would have it: some attributes left out, so that pairs also show what to do with few facts."""
    kept = {name: values for name, values in item.attributes.items() if name == "genre" or rng.random() < 0.75}
    return replace(item, attributes=kept, text=item.text if rng.random() < 0.6 else "")
