from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.ranking.calibration import Calibration
from scenewise.tools.ranking.logit import Lists
from scenewise.tools.ranking.tune import _for_the_rare, tune_fusion


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """80 people walk through 30 films in one fixed order, each from another place: the next film is certain, popularity useless."""
    with Store.open(tmp_path / "store", create=True) as store:
        store.items.upsert(Item(ItemId(f"m{n:02}"), "movies", f"Film {n}") for n in range(30))
        store.events.add(
            Event(UserId(f"u{u}"), ItemId(f"m{(u + step) % 30:02}"), "view", None, float(step)) for u in range(80) for step in range(9)
        )
        yield store


def test_the_source_that_knows_gets_the_weight(store: Store) -> None:
    calibration = tune_fusion(store, Catalogue.from_store(store))
    weights = {name: sum(calibration.of(name).weights) for name in ("popularity", "item_knn", "ease", "transition_knn", "next_knn")}
    assert calibration.n_users == 80
    assert max(weights, key=lambda name: weights[name]) in ("transition_knn", "next_knn")
    assert weights["popularity"] < 0.1 * max(weights.values())
    assert all(np.isfinite(weight) and weight >= 0 for weight in weights.values())
    assert calibration.of("retrieve") == Calibration().of("retrieve")


def test_it_is_kept_and_read_again(store: Store) -> None:
    catalogue = Catalogue.from_store(store)
    first = tune_fusion(store, catalogue)
    (path,) = (store.cache / "ranking").iterdir()
    path.write_text(path.read_text().replace('"n_users": 80', '"n_users": 79'))
    assert tune_fusion(store, catalogue).n_users == 79
    path.write_text("damaged")
    assert tune_fusion(store, catalogue) == first


def test_a_few_events_more_change_nothing_many_do(store: Store) -> None:
    catalogue = Catalogue.from_store(store)
    tune_fusion(store, catalogue)
    (path,) = (store.cache / "ranking").iterdir()
    store.events.add([Event(UserId("new"), ItemId("m00"), "view", None, 0.0)])
    tune_fusion(store, catalogue)
    assert list((store.cache / "ranking").iterdir()) == [path]
    store.events.add(Event(UserId("new"), ItemId(f"m{n % 30:02}"), "view", None, float(n)) for n in range(60))
    tune_fusion(store, catalogue)
    (other,) = (store.cache / "ranking").iterdir()
    assert other != path


def test_too_few_people_give_the_default(tmp_path: Path) -> None:
    with Store.open(tmp_path / "small", create=True) as store:
        store.items.upsert([Item(ItemId("a"), "movies", "A"), Item(ItemId("b"), "movies", "B")])
        store.events.add(Event(UserId("u"), ItemId(item), "view", None, time_s) for item, time_s in (("a", 0.0), ("b", 1.0)))
        assert tune_fusion(store, Catalogue.from_store(store)) == Calibration()


def test_nothing_at_all_gives_the_default(tmp_path: Path) -> None:
    with Store.open(tmp_path / "empty", create=True) as store:
        assert tune_fusion(store, Catalogue.from_store(store)) == Calibration()


def test_a_cache_that_cannot_be_written_is_done_without(store: Store) -> None:
    (store.cache / "ranking").write_text("a file where the folder should be")
    assert tune_fusion(store, Catalogue.from_store(store)).n_users == 80


@pytest.mark.parametrize(("lead", "more"), [(9.0, 3.0), (0.1, 0.0)])
def test_the_popular_lose_as_long_as_the_questions_lose_nothing(lead: float, more: float) -> None:
    """One source puts each list's target, which is the popular candidate, ahead of eleven others by `lead`."""
    one = np.zeros((12, 2), dtype=np.float32)
    one[0] = [lead, -1.0]
    n = 20
    lists = Lists(np.tile(one, (n, 1)), np.full(n, 12), np.zeros(n, dtype=np.int64), np.ones(n))
    assert _for_the_rare(lists, np.ones(2) * [1.0, 0.0]) == more
