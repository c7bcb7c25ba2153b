"""`item -fits-> scene` from what people did: how much more often an item is chosen in a scene than chance would have it.

lift = (chosen in the scene + CALM) / (expected + CALM), with expected = events of the item x share of the scene among all events whose
scene is known. CALM pulls small counts to 1, and there is a floor on counts, so that one event says nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from scenewise.store.types import Edge, Event, ItemId, Moment
from scenewise.tools.graph.build import item_node
from scenewise.tools.graph.facts import EVENTS
from scenewise.tools.graph.seeds import liking

if TYPE_CHECKING:
    from scenewise.store.store import Store

FITS = "fits"
LEAST_EVENTS = 3
LEAST_USERS = 2
LEAST_LIFT = 1.25
CALM = 3.0

SceneOf = Callable[[Moment | None], str | None]


def fit_edges(events: Iterable[Event], scene_of: SceneOf) -> list[Edge]:
    """Make the edges of all items and scenes that fit by these events, in the order of items and scenes.

    `evidence` says the counts ("9 of 12 choices, 4.5 expected, 7 people"), `confidence` is 1 - 1 / lift. Only choices count: what was
    disliked or skipped speaks for no scene. Fewer than 3 choices, or choices of one person, make no edge.
    """
    in_scene: Counter[tuple[ItemId, str]] = Counter()
    of_item, of_scene = Counter[ItemId](), Counter[str]()
    people: dict[tuple[ItemId, str], set[str]] = {}
    for event in events:
        scene = scene_of(event.moment)
        if scene is None or liking(event) <= 0:
            continue
        in_scene[event.item_id, scene] += 1
        of_item[event.item_id] += 1
        of_scene[scene] += 1
        people.setdefault((event.item_id, scene), set()).add(event.user_id)
    total = of_scene.total()
    edges = []
    for (item_id, scene), n in sorted(in_scene.items()):
        expected = of_item[item_id] * of_scene[scene] / total
        lift = (n + CALM) / (expected + CALM)
        persons = len(people[item_id, scene])
        if n >= LEAST_EVENTS and persons >= LEAST_USERS and lift >= LEAST_LIFT:
            evidence = f"{n} of {of_item[item_id]} choices, {expected:.1f} expected, {persons} people"
            edges.append(Edge(item_node(item_id), FITS, f"scene:{scene}", EVENTS, evidence, 1.0 - 1.0 / lift))
    return edges


def events_with_moments(store: Store, *, until_s: float | None = None) -> Iterator[Event]:
    """Iterate over the store's events whose moment is known, of all times or until `until_s` (unix seconds)."""
    table = store.events.arrays(moments=True)
    if table.moment is None:
        return
    known = (table.moment >= 0) & (table.time_s <= (math.inf if until_s is None else until_s))
    for at in np.flatnonzero(known).tolist():
        value = float(table.value[at])
        user_id, item_id, moment = table.user_ids[table.user[at]], table.item_ids[table.item[at]], table.moments[table.moment[at]]
        yield Event(user_id, item_id, table.kind[at], None if math.isnan(value) else value, float(table.time_s[at]), moment)
