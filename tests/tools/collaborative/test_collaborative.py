from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, UserId
from scenewise.tools.candidates import Candidates
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative import collaborative as module
from scenewise.tools.collaborative.collaborative import Collaborative, top_rows
from scenewise.tools.collaborative.interactions import Worth, from_columns
from scenewise.tools.features import ItemFeatures

ME = UserId("me")


def rating(user: str, item: str, value: float, time_s: float) -> Event:
    return Event(UserId(user), ItemId(item), "rating", value, time_s)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Crime lovers see c0..c5, romance lovers r0..r5; nobody saw x."""
    with Store.open(tmp_path / "store", create=True) as store:
        names = [f"{kind}{n}" for kind in "cr" for n in range(6)] + ["x"]
        store.items.upsert(Item(ItemId(name), "movies", f"Title {name}") for name in names)
        events = [rating(f"u{u}", f"{'cr'[u % 2]}{n}", 5.0, float(n)) for u in range(12) for n in range(6) if u // 2 != n]
        store.events.add(events)
        yield store


@pytest.fixture
def catalogue(store: Store) -> Catalogue:
    return Catalogue.from_store(store)


@pytest.fixture
def collaborative(store: Store, catalogue: Catalogue) -> Collaborative:
    return Collaborative.from_store(store, catalogue)


def everything(catalogue: Catalogue) -> np.ndarray:
    return np.ones(catalogue.n, dtype=bool)


def test_each_source_finds_the_rest_of_the_taste(collaborative: Collaborative, catalogue: Catalogue) -> None:
    history = [rating("me", f"c{n}", 5.0, float(n)) for n in range(5)]
    found = collaborative.candidates(history, 3, allowed=everything(catalogue)).by_source()
    assert set(found) == {"ease", "item_knn", "transition_knn", "next_knn", "popularity"}
    assert all(found[source][0].item_id == "c5" for source in found if source != "popularity")


def test_what_was_seen_or_forbidden_is_left_out(collaborative: Collaborative, catalogue: Catalogue) -> None:
    allowed = everything(catalogue)
    allowed[catalogue.row(ItemId("c5"))] = False
    history = [rating("me", "c0", 5.0, 0.0), Event(ME, ItemId("c1"), "skip", None, 1.0), rating("me", "gone", 5.0, 2.0)]
    ids = {one.item_id for one in collaborative.candidates(history, 50, allowed=allowed)}
    assert ids & {"c0", "c1", "c5", "gone", "x"} == set()
    assert {"c2", "c3", "c4"} <= ids


def test_scores_are_positive_and_fall_within_a_source(collaborative: Collaborative, catalogue: Catalogue) -> None:
    history = [rating("me", "c0", 5.0, 0.0)]
    for rows in collaborative.candidates(history, 50, allowed=everything(catalogue)).by_source().values():
        scores = [one.score for one in rows]
        assert min(scores) > 0
        assert scores == sorted(scores, reverse=True)


def test_k_limits_what_each_source_proposes_and_all_score_what_any_proposes(collaborative: Collaborative, catalogue: Catalogue) -> None:
    found = collaborative.candidates([rating("me", "c0", 5.0, 0.0)], 2, allowed=everything(catalogue)).by_source()
    pool = {one.item_id for rows in found.values() for one in rows}
    assert 2 <= len(pool) <= 2 * len(found)
    assert all(len([one for one in rows if one.reason]) <= 2 for rows in found.values())


def test_a_new_event_of_the_same_second_counts(collaborative: Collaborative, catalogue: Catalogue) -> None:
    now = [rating("me", "c0", 5.0, 7.0)]
    before = collaborative.candidates(now, 5, allowed=everything(catalogue)).by_source()
    after = collaborative.candidates([*now, rating("me", "r0", 5.0, 7.0)], 5, allowed=everything(catalogue)).by_source()
    assert before["item_knn"][0].item_id.startswith("c")
    assert after["item_knn"][0].item_id.startswith("r")
    assert "r0" not in {one.item_id for rows in after.values() for one in rows}


def test_sources_of_ones_own(catalogue: Catalogue) -> None:
    users, rows = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    data = from_columns(users, rows, np.arange(12.0), np.ones(12, np.float32), shape=(4, catalogue.n))
    features = ItemFeatures(csr_matrix(np.eye(catalogue.n, 2, dtype=np.float32)), np.zeros(catalogue.n, dtype=np.int16))
    assert "content_knn" in Collaborative.fit(data, catalogue, Worth({}), features=features).models
    own = Collaborative.fit(data, catalogue, Worth({}), sources={"mine": replace(module.SOURCES["item_knn"], recency=0.5)})
    assert own.candidates([rating("me", "c0", 5.0, 0.0)], 2, allowed=everything(catalogue)).by_source().keys() == {"mine"}


def test_nobody_gets_popularity_alone(collaborative: Collaborative, catalogue: Catalogue) -> None:
    found = collaborative.candidates([], 4, allowed=everything(catalogue))
    assert {one.source for one in found} == {"popularity"}
    assert [one.reason for one in found] == ["5 people chose it"] * 4


def test_reasons_name_a_liked_item_and_never_a_disliked_one(collaborative: Collaborative, catalogue: Catalogue) -> None:
    history = [rating("me", "c0", 5.0, 0.0), rating("me", "c1", 1.0, 1.0)]
    reasons = {
        one.source: one.reason for one in collaborative.candidates(history, 20, allowed=everything(catalogue)) if one.item_id == "c3"
    }
    assert reasons["ease"] == reasons["item_knn"] == "people who liked Title c0 also liked it"
    assert reasons["transition_knn"] == "people often choose it soon before or after Title c0"
    only_bad = collaborative.candidates([rating("me", "c1", 1.0, 1.0)], 5, allowed=everything(catalogue))
    assert not any("Title" in one.reason for one in only_bad)


def test_reasons_speak_chinese_where_asked(collaborative: Collaborative, catalogue: Catalogue) -> None:
    history = [rating("me", "c0", 5.0, 0.0)]
    found = collaborative.candidates(history, 5, allowed=everything(catalogue), locale="zh-CN").by_source()
    assert found["item_knn"][0].reason == "喜欢《Title c0》的人也喜欢它"


def test_named_items_outweigh_the_history(collaborative: Collaborative, catalogue: Catalogue) -> None:
    history = [rating("me", f"c{n}", 5.0, float(n)) for n in range(3)]
    found = collaborative.candidates(history, 3, allowed=everything(catalogue), seeds=[ItemId("r0"), ItemId("nowhere")]).by_source()
    for source in ("item_knn", "transition_knn", "next_knn"):
        assert found[source][0].item_id.startswith("r")
        assert "Title r0" in found[source][0].reason
    assert all(one.item_id != "r0" for rows in found.values() for one in rows)


def test_fold_keeps_an_item_at_its_latest_event(collaborative: Collaborative, catalogue: Catalogue) -> None:
    history = [rating("me", "c0", 1.0, 0.0), rating("me", "c1", 5.0, 1.0), rating("me", "c0", 5.0, 2.0)]
    rows, worth, seen = collaborative.fold(history, [])
    assert [catalogue.items[row].item_id for row in rows] == ["c1", "c0"]
    assert worth.tolist() == [1.0, 1.0]
    assert sorted(seen) == [0, 1]


def test_the_cache_gives_the_same_candidates(store: Store, collaborative: Collaborative, catalogue: Catalogue) -> None:
    history = [rating("me", "c0", 5.0, 0.0), rating("me", "c2", 3.0, 1.0)]
    files = {path.name: path.stat().st_mtime_ns for path in (store.cache / "collaborative").iterdir()}
    again = Collaborative.from_store(store, catalogue)
    assert again.candidates(history, 9, allowed=everything(catalogue)) == collaborative.candidates(
        history, 9, allowed=everything(catalogue)
    )
    assert {path.name: path.stat().st_mtime_ns for path in (store.cache / "collaborative").iterdir()} == files


def test_new_events_make_the_cache_stale_and_old_files_go(store: Store, collaborative: Collaborative, catalogue: Catalogue) -> None:
    before = {path.name for path in (store.cache / "collaborative").iterdir()}
    store.events.add([rating("u99", "x", 5.0, 1.0)])
    fresh = Collaborative.from_store(store, catalogue)
    assert "x" in {one.item_id for one in fresh.candidates([], 50, allowed=everything(catalogue))}
    after = {path.name for path in (store.cache / "collaborative").iterdir()}
    assert len(after) == len(before)
    assert not after & before


def test_a_damaged_cache_is_fitted_anew(store: Store, collaborative: Collaborative, catalogue: Catalogue) -> None:
    for path in (store.cache / "collaborative").glob("ease-*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    again = Collaborative.from_store(store, catalogue)
    assert [one.item_id for one in again.candidates([rating("me", "c0", 5.0, 0.0)], 3, allowed=everything(catalogue))]
    assert Collaborative.from_store(store, catalogue).models.keys() == again.models.keys()


def test_without_a_cache_nothing_is_written(store: Store, catalogue: Catalogue) -> None:
    Collaborative.from_store(store, catalogue, cached=False)
    assert not (store.cache / "collaborative").exists()


def test_a_cache_that_cannot_be_written_is_done_without(store: Store, catalogue: Catalogue) -> None:
    (store.cache / "collaborative").write_text("a file where the folder should be")
    found = Collaborative.from_store(store, catalogue).candidates([], 3, allowed=everything(catalogue))
    assert len(found) == 3


def test_an_empty_store_gives_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path / "empty", create=True) as store:
        catalogue = Catalogue.from_store(store)
        found = Collaborative.from_store(store, catalogue).candidates([], 5, allowed=everything(catalogue))
    assert len(found) == 0


def test_als_takes_over_from_ease_in_a_large_catalogue(store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EASE_ITEMS", 5)
    found = Collaborative.from_store(store, catalogue)
    assert set(found.models) == {"als", "item_knn", "transition_knn", "next_knn", "popularity"}
    again = Collaborative.from_store(store, catalogue)
    assert set(again.models) == set(found.models)
    history = [rating("me", "c0", 5.0, 0.0), rating("me", "c1", 5.0, 1.0)]
    assert again.candidates(history, 5, allowed=everything(catalogue)).by_source()["als"][0].reason == (
        "people with a similar history chose it"
    )


def test_top_rows_breaks_ties_by_row() -> None:
    rows, scores = top_rows(np.array([1, 2, 0, 2, 1, -1], dtype=np.float32), 3)
    assert rows.tolist() == [1, 3, 0]
    assert scores.tolist() == [2, 2, 1]


def in_two_scenes(catalogue: Catalogue, *, scenes: tuple[str, ...] = ("gym", "train")) -> Collaborative:
    """After c0 came c1 in scene 0 and c2 in scene 1, each for ten people."""
    users, rows = np.repeat(np.arange(20), 2), np.ravel([(0, 1 + user % 2) for user in range(20)])
    codes = np.repeat(np.arange(20) % 2, 2).astype(np.int16)
    data = from_columns(users, rows, np.arange(40.0), np.ones(40, np.float32), shape=(20, catalogue.n), scenes=codes)
    sources = {name: module.SOURCES[name] for name in ("popularity", "transition_knn", "next_knn")}
    return Collaborative.fit(data, catalogue, Worth({}), sources=sources, scenes=scenes)


def first_by(found: Candidates) -> dict[str, str]:
    return {source: str(rows[0].item_id) for source, rows in found.by_source().items() if source != "popularity"}


def test_scenes_go_by_name_and_an_unknown_one_is_none(catalogue: Catalogue) -> None:
    history, allowed = [rating("me", "c0", 5.0, 0.0)], everything(catalogue)
    model = in_two_scenes(catalogue)
    assert {*first_by(model.candidates(history, 2, allowed=allowed, scene="gym")).values()} == {"c1"}
    assert {*first_by(model.candidates(history, 2, allowed=allowed, scene="train")).values()} == {"c2"}
    other = in_two_scenes(catalogue, scenes=("train", "gym"))
    assert {*first_by(other.candidates(history, 2, allowed=allowed, scene="train")).values()} == {"c1"}
    plain = model.candidates(history, 2, allowed=allowed)
    assert model.candidates(history, 2, allowed=allowed, scene="beach") == plain
    assert in_two_scenes(catalogue, scenes=()).candidates(history, 2, allowed=allowed, scene="gym") == plain


def test_events_bring_the_scenes_that_they_were_in(catalogue: Catalogue) -> None:
    asked: list[tuple[int, list[int] | None]] = []

    @dataclass(frozen=True)
    class Listener:
        name: str = "item_knn"

        def scores(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
            return np.ones(catalogue.n, dtype=np.float32)

        def scores_in(self, rows: np.ndarray, weights: np.ndarray, *, scene: int, scenes: np.ndarray | None = None) -> np.ndarray:
            asked.append((scene, None if scenes is None else scenes.tolist()))
            return self.scores(rows, weights)

        def save(self, path: Path) -> None:
            raise NotImplementedError

    model = Collaborative(catalogue, {"item_knn": Listener()}, Worth({}), scenes=("gym", "train"))
    history = [rating("me", name, 5.0, 0.0) for name in ("c0", "c1", "c2", "c1", "gone")]
    model.candidates(history, 2, allowed=everything(catalogue), scene="gym", scenes=["train", None, "train", "beach"])
    assert asked == [(0, [-1, -1, 1])]  # c0 is older than what is told; c2 before the second c1
    model.candidates(history, 2, allowed=everything(catalogue))
    model.candidates([], 2, allowed=everything(catalogue), scene="gym")  # nothing to read a scene into
    assert len(asked) == 1


def with_new_items(catalogue: Catalogue) -> Collaborative:
    """Ten people chose c0..c3, one c4, nobody the rest; films of crime c0..c5, and romances r0..r5."""
    users, rows = np.append(np.repeat(np.arange(10), 4), 0), np.append(np.tile(np.arange(4), 10), 4)
    data = from_columns(users, rows, np.arange(41.0), np.ones(41, np.float32), shape=(10, catalogue.n))
    kind = [["crime", "romance", "other"].index(one) for one in ["crime"] * 6 + ["romance"] * 6 + ["other"]]
    features = ItemFeatures(csr_matrix(np.eye(3, dtype=np.float32)[kind]), np.zeros(catalogue.n, dtype=np.int16))
    return Collaborative.fit(data, catalogue, Worth({}), features=features)


def test_new_items_come_from_the_regression_on_features_and_no_others(catalogue: Catalogue) -> None:
    model = with_new_items(catalogue)
    found = model.candidates([rating("me", "c0", 5.0, 0.0)], 20, allowed=everything(catalogue)).by_source()["feature_regression"]
    assert found[0].item_id == "c5"
    assert {"c1", "c2", "c3", "c4"}.isdisjoint(one.item_id for one in found)
    assert found[0].reason == "it has much in common with what people who liked Title c0 chose"


def test_nobody_is_said_to_have_chosen_what_is_new(catalogue: Catalogue) -> None:
    model = with_new_items(catalogue)

    @dataclass(frozen=True)
    class Guesser:
        name: str = "transformer"

        def scores(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
            return np.ones(catalogue.n, dtype=np.float32)

        def save(self, path: Path) -> None:
            raise NotImplementedError

    model = replace(model, models={**model.models, "transformer": Guesser()}, sources=module.SOURCES)
    found = model.candidates([rating("me", "c0", 5.0, 0.0)], 20, allowed=everything(catalogue), locale="en")
    reasons = {one.item_id: one.reason for one in found if one.source == "transformer"}
    assert reasons["c1"] == "people with a similar history chose it"
    assert reasons["c5"] == "it has much in common with what people with a similar history chose"


def test_the_history_may_come_again_where_it_is_allowed(collaborative: Collaborative, catalogue: Catalogue) -> None:
    allowed = everything(catalogue)
    allowed[catalogue.row(ItemId("c1"))] = False
    history = [rating("me", f"c{n}", 5.0, float(n)) for n in range(3)]
    ids = {one.item_id for one in collaborative.candidates(history, 50, allowed=allowed, repeats=True)}
    assert {"c0", "c2", "c3"} <= ids
    assert "c1" not in ids
    named = collaborative.candidates(history, 50, allowed=allowed, repeats=True, seeds=[ItemId("c0")])
    assert "c0" not in {one.item_id for one in named}
