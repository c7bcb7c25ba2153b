"""An open toolbox takes changed items and facts up, and then answers as one that is opened anew."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scenewise import Edge, Item, ItemId, Store
from scenewise.tools import toolbox
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.features import encode_items
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.retrieval.retriever import Retriever
from scenewise.tools.toolbox import Toolbox
from scenewise.tools.training.train import Order, train_store

QUERIES = ("a comedy about a robot", "horror in space", "Ridley Scott", "something calm to cook")
SEEDS = ("film-alien", "film-babe", "film-fargo")


@pytest.fixture(scope="module")
def trained_store(small_store: Path, encoders: Encoders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small world with a trained version, so that what is fitted is the same however often a toolbox is opened."""
    path = tmp_path_factory.mktemp("trained") / "store"
    shutil.copytree(small_store, path)
    with Store.open(path) as store:
        train_store(store, encoders, Order(parts=frozenset({"sources", "fusion"})))
    return path


@pytest.fixture
def store(trained_store: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copytree(trained_store, tmp_path / "own")
    with Store.open(tmp_path / "own") as opened:
        yield opened


def change(store: Store, rng: random.Random) -> None:
    """Put, change or delete an item, or state or close a fact."""
    ids = store.items.ids()
    some = ItemId(rng.choice(ids))
    match rng.randrange(6):
        case 0 | 1:
            name = f"new-{rng.randrange(6)}"
            genres = tuple(rng.sample(["Comedy", "Horror", "Robots", "Sci-Fi"], 2))
            text = rng.choice(["", "A robot learns to cook.", "Alone in space."])
            store.items.upsert([Item(ItemId(name), rng.choice(["movies", "games"]), f"The {name}: a story", text, {"genre": genres}, 2024)])
        case 2:
            item = store.items.get(some)
            store.items.upsert([replace(item, title=f"{item.title} again", available=rng.random() < 0.5)])
        case 3:
            store.items.delete([some, ItemId("nobody")])
        case 4:
            store.edges.add([Edge(f"item:{some}", "directed_by", f"creator:Director {rng.randrange(3)}", "test")])
        case _:
            open_ = [edge for edge in store.edges.holding() if edge.source == "test"]
            if open_:
                store.edges.close(open_[0], 2_000_000_000.0 - rng.randrange(10) - 1e9)


def answers(box: Toolbox, store: Store) -> dict[str, object]:
    """What a toolbox says, as far as it depends on items and facts."""
    n, everything = box.catalogue.n, np.ones(box.catalogue.n, dtype=np.bool_)
    allowed = box.catalogue.allowed(Constraints(ban={"genre": frozenset({"horror"})}))
    seeds = {f"item:{item_id}": 1.0 for item_id in SEEDS} | {"genre:comedy": 0.5}
    rows = box.catalogue.rows(map(ItemId, SEEDS))
    scores = {
        name: box.collaborative.score(name, rows, np.ones(len(rows), dtype=np.float32))
        for name in box.collaborative.models
        if name != "content_knn"  # opened anew it is fitted to the items there are
    }
    return {
        "items": box.catalogue.items,
        "allowed": allowed.tolist(),
        "vocabulary": {name: [*counts.items()] for name, counts in box.catalogue.vocabulary.items()},
        "titles": [box.catalogue.look_up(name) for name in ("The new-1: a story", "Alien", "Toy Story again")],
        "found": [[one.item_id for one in box.retriever.retrieve(text, 10, allowed=everything)] for text in QUERIES],
        "similar": [one.item_id for one in box.retriever.similar([ItemId("film-alien")], 5, allowed=everything)],
        "graph": {one.item_id: round(one.score, 5) for one in box.graph.candidates(seeds, n, allowed=everything)},
        "around": {item.item_id: box.graph.neighbours(f"item:{item.item_id}") for item in box.catalogue.items},
        "schemas": {name: tool.tool_call_schema.model_json_schema() for name, tool in box.tools.items() if name != "query_graph"},
        "kinds": (set(box.graph.kinds), set(box.graph.relations)),
        "scores": {name: np.round(values, 3).tolist() for name, values in scores.items()},
        "stale": box.retriever.stale(),
    }


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_after_any_changes_it_answers_as_one_opened_anew(store: Store, encoders: Encoders, seed: int, monkeypatch) -> None:
    rng, box = random.Random(seed), Toolbox.open(store, encoders)
    old, before = box, answers(box, store)
    for step in range(6):
        for _ in range(rng.randrange(1, 4)):
            change(store, rng)
        with monkeypatch.context() as here:
            here.setattr(Toolbox, "open", lambda *_args, **_more: pytest.fail("read anew"))
            box = box.fresh()
            assert box.fresh() is box
        if step % 2:
            anew = Toolbox.open(store, encoders)
            mine, other = answers(box, store), answers(anew, store)
            for name, answer in other.items():
                assert mine[name] == answer, name
    after = answers(old, store)
    lasting = {"items", "allowed", "vocabulary", "titles", "similar", "graph", "around", "schemas", "kinds", "scores"}
    assert {name: after[name] for name in lasting} == {name: before[name] for name in lasting}


def test_a_new_item_is_found_everywhere_and_a_deleted_one_nowhere(store: Store, encoders: Encoders) -> None:
    box = Toolbox.open(store, encoders)
    encode_items(box.catalogue.items, encoders, cache=store.cache / "features")
    new = Item(ItemId("film-aaa"), "movies", "Cosmic Terror", "Horror aboard a spaceship.", {"genre": ("Horror", "Sci-Fi")}, 2024)
    store.items.upsert([new])
    store.edges.add([Edge("item:film-aaa", "directed_by", "creator:Ridley Scott", "test")])
    box = box.fresh()
    assert_found(box, new.item_id)
    store.items.delete([new.item_id])
    box = box.fresh()
    assert all(new.item_id not in found for found in places(box, new.item_id).values())
    assert box.graph.neighbours("item:film-aaa") == []
    assert new.item_id not in box.retriever._index.vectors(encoders.english.name)[0]
    assert [[*store.edges.holding()], len(store.edges.of("item:film-aaa"))] == [[], 1]


def assert_found(box: Toolbox, item_id: ItemId) -> None:
    for place, found in places(box, item_id).items():
        assert item_id in found, place


def places(box: Toolbox, item_id: ItemId) -> dict[str, list[str]]:
    """Where an item of that kind turns up."""
    everything = np.ones(box.catalogue.n, dtype=np.bool_)
    rows = box.catalogue.rows([ItemId("film-alien")])
    folded = (rows, np.ones(len(rows), dtype=np.float32))
    named = {name: box.collaborative.score(name, *folded) for name in ("content_knn", "feature_regression")}
    only_words = Retriever(box.store, box.catalogue, box.encoders, index=box.retriever._index)._search_words("cosmic", 5, everything)
    return {
        "title": [one for one, _ in box.catalogue.look_up("Cosmic Terror")],
        "conditions": [box.catalogue.items[row].item_id for row in np.flatnonzero(box.catalogue.columns.having("genre", {"horror"}))],
        "meaning": [one.item_id for one in box.retriever.similar([ItemId("film-alien")], 5, allowed=everything)],
        "index": [str(one) for one in box.retriever._index.vectors(box.encoders.english.name)[0]],
        "full text": [box.catalogue.items[row].item_id for row in only_words],
        "graph": [one.item_id for one in box.graph.candidates({"creator:ridley scott": 1.0}, 20, allowed=everything)],
        **{name: [box.catalogue.items[row].item_id for row in np.flatnonzero(scores > 0)] for name, scores in named.items()},
    }


def test_its_text_is_gone_from_the_features_cache(store: Store, encoders: Encoders) -> None:
    cache = store.cache / "features"
    box = Toolbox.open(store, encoders)
    encode_items(box.catalogue.items, encoders, cache=cache)
    gone = box.catalogue.items[0]

    def n_kept() -> int:
        with np.load(next(cache.glob("text-*.npz"))) as arrays:
            return len(arrays["hashes"])

    before = n_kept()
    store.items.delete([gone.item_id])
    box.fresh()
    assert n_kept() == before - 1


def test_a_store_without_trained_models_does_not_fit_them_again(own_store: Path, encoders: Encoders, monkeypatch) -> None:
    with Store.open(own_store) as store:
        box = Toolbox.open(store, encoders)
        rows = box.catalogue.rows([ItemId("film-babe")])
        before = dict(
            zip([i.item_id for i in box.catalogue.items], box.collaborative.score("ease", rows, np.ones(1, np.float32)), strict=True)
        )
        monkeypatch.setattr(toolbox.Trained, "open", lambda *_: pytest.fail("fitted again"))
        store.items.upsert([Item(ItemId("film-aaa"), "movies", "Cosmic Terror", attributes={"genre": ("Comedy", "Drama")})])
        store.items.delete([ItemId("film-vertigo")])
        box = box.fresh()
        rows = box.catalogue.rows([ItemId("film-babe")])
        now = dict(
            zip([i.item_id for i in box.catalogue.items], box.collaborative.score("ease", rows, np.ones(1, np.float32)), strict=True)
        )
        assert now.pop(ItemId("film-aaa")) == 0
        assert now == {item_id: score for item_id, score in before.items() if item_id != "film-vertigo"}
        content = box.collaborative.score("content_knn", rows, np.ones(1, np.float32))
        assert content[box.catalogue.row(ItemId("film-aaa"))] > 0  # type: ignore[call-overload]


def test_very_many_changes_are_read_anew(store: Store, encoders: Encoders) -> None:
    box = Toolbox.open(store, encoders)
    store.items.upsert(Item(ItemId(f"many-{number}"), "games", f"Game {number}") for number in range(toolbox.AT_ONCE + 1))
    assert box.fresh().catalogue.n == box.catalogue.n + toolbox.AT_ONCE + 1
