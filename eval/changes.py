"""How soon a changed item is found everywhere by a toolbox that is open, and a deleted one nowhere."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from scenewise.eval.latency import made_up_events, made_up_items
from scenewise.store.store import Store
from scenewise.store.types import Edge, Item, ItemId
from scenewise.tools.retrieval.encoders import Encoders, default_encoders
from scenewise.tools.toolbox import Toolbox

_EVENTS_AN_ITEM = 10


def run(
    folder: Path,
    *,
    source: Path | None = None,
    items: int = 0,
    changes: int = 30,
    seed: int = 0,
    now_s: float,
    encoders: Encoders | None = None,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Put, change and delete an item in turn, through a second connection as another program would; ready for JSON.

    The store is a copy of `source`, or is made of `items` made-up items; it lies in `folder`. The time of a change is from before the
    write until the toolbox has it; then it is looked for in every place.
    """
    if source is None:
        with Store.open(folder, create=True, purpose="changes") as store:
            store.items.upsert(made_up_items(items, seed))
            store.events.add(made_up_events(items, _EVENTS_AN_ITEM * items, seed, now_s))
    else:
        shutil.copytree(source, folder)
    with Store.open(folder, purpose="changes") as store, Store.open(folder, beside=True) as other:
        box = Toolbox.open(store, encoders or default_encoders())
        item, wall_s, cpu_s, wrong = _item(box, 0), [], [], []
        for number in range(changes + 1):
            begun, begun_cpu = time.perf_counter(), time.process_time()
            item = _change(other, box, item, number)
            box = box.fresh()
            wall_s.append(time.perf_counter() - begun)
            cpu_s.append(time.process_time() - begun_cpu)
            wrong += [place for place, there in _places(box, item).items() if there == (number % 3 == 2)]
            progress(number, changes)
        begun = time.perf_counter()
        n = Toolbox.open(store, box.encoders).catalogue.n
        anew_s = time.perf_counter() - begun
    return {
        "protocol": "an item is put, changed and deleted in turn by a second connection; time from before the write until the open toolbox "
        "has it, the first change left out; then it is looked for by title, attribute, words, meaning, graph and likeness",
        "store": f"{items:,} made-up items" if source is None else "a copy of the store",
        "items": n,
        "changes": changes,
        "seed": seed,
        "wall_ms": _spread(wall_s[1:]),
        "cpu_ms": _spread(cpu_s[1:]),
        "wrong_places": sorted(set(wrong)),
        "read_anew_s": round(anew_s, 2),
    }


def _item(box: Toolbox, number: int) -> Item:
    domain = box.catalogue.domains[number % len(box.catalogue.domains)]
    genre = next(iter(box.catalogue.vocabulary.get("genre", {"odd": 1})))
    attributes = {"genre": (genre,), "creator": (f"Somebody {number}",)}
    return Item(ItemId(f"made-up {number}"), domain, f"Zanzibar {number}", f"All about zanzibar, number {number}.", attributes, 2020)


def _change(store: Store, box: Toolbox, item: Item, number: int) -> Item:
    match number % 3:
        case 0:
            item = _item(box, number)
            store.items.upsert([item])
            store.edges.add([Edge(f"item:{item.item_id}", "about", "topic:Zanzibar", "changes")])
        case 1:
            item = _item(box, number - 1)
            item = Item(item.item_id, item.domain, f"{item.title} again", item.text, item.attributes, item.year)
            store.items.upsert([item])
        case _:
            store.items.delete([item.item_id])
    return item


def _places(box: Toolbox, item: Item) -> dict[str, bool]:
    """Say where the item, as it is now, is found."""
    everything = np.ones(box.catalogue.n, dtype=np.bool_)
    row, name = box.catalogue.row(item.item_id), item.attributes["creator"][0]
    found = box.retriever.retrieve(item.text, 20, allowed=everything)
    reasons = {one.item_id: one.reason for one in found}
    content = [box.collaborative.models[name] for name in ("content_knn", "feature_regression") if name in box.collaborative.models]
    warm = np.flatnonzero(box.catalogue.columns.having("genre", item.attributes["genre"]))[:50].astype(np.int32)
    scores = [model.scores(warm, np.ones(len(warm), dtype=np.float32)) for model in content]
    return {
        "title": item.item_id in {one for one, score in box.catalogue.look_up(item.title) if score > 0.99},
        "attribute": row is not None and bool(box.catalogue.columns.having("creator", [name])[row]),
        "words and meaning": "words and meaning" in reasons.get(item.item_id, ""),
        "graph": item.item_id in {one.item_id for one in box.graph.candidates({f"creator:{name.casefold()}": 1.0}, 5)},
        "facts": any(item.item_id in node for _, node, _ in box.graph.neighbours("topic:zanzibar")),
        "likeness": row is not None and any(one[row] != 0 for one in scores),
    }


def _spread(seconds: list[float]) -> dict[str, float]:
    return {name: round(1000 * float(np.percentile(seconds, share)), 1) for name, share in (("p50", 50), ("p95", 95), ("max", 100))}
