"""`train_store`: what is trained on which events, what goes on from where, and what too little data gives."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from worlds import START_S, build_crowd_store

from scenewise.store.errors import Busy, InputError, StoreError
from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, Moment, Place, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.model import load_arrays
from scenewise.tools.features import encode_items
from scenewise.tools.ranking.artefacts import Artefact, Manifest, versions
from scenewise.tools.ranking.trained import Trained
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.toolbox import Toolbox
from scenewise.tools.training.item_features import FEATURES
from scenewise.tools.training.ranker import enough
from scenewise.tools.training.snapshot import Snapshot
from scenewise.tools.training.train import CHECKPOINTS, Order, train_store

QUICK = Order(epochs=2)
SOURCES = {"ease", "item_knn", "transition_knn", "next_knn", "popularity", "content_knn", "feature_regression"}


@pytest.fixture(scope="module")
def encoded(small_store: Path, encoders: Encoders) -> None:
    """Encode the items once: copies of the store have the cache."""
    with Store.open(small_store, read_only=True) as store:
        encode_items(list(store.items.all()), encoders, cache=store.cache / "features")


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory, encoders: Encoders) -> Path:
    """A store of eighty users, trained once."""
    path = tmp_path_factory.mktemp("crowd") / "store"
    build_crowd_store(path)
    train(path, encoders, QUICK)
    return path


@pytest.fixture
def own_crowd(crowd: Path, tmp_path: Path) -> Path:
    """A copy that the test may change."""
    return Path(shutil.copytree(crowd, tmp_path / "store"))


def train(path: Path, encoders: Encoders, order: Order = QUICK, report: Callable[[str, int, int], None] | None = None) -> Manifest:
    """Train on a store as a command would."""
    with Store.open(path, read_only=True) as store:
        return train_store(store, encoders, order, **({"report": report} if report else {}))


def add(path: Path, *events: Event) -> None:
    """Let something happen."""
    with Store.open(path) as store:
        store.events.add(events)


def test_a_training_makes_all_parts_and_says_what_it_learned_from(crowd: Path) -> None:
    artefact = Artefact.read(versions(crowd / "models")[0])
    said = artefact.manifest
    assert {*said.sources} == SOURCES | {"transformer"}
    assert {"fusion.json", "features.npz", "transformer.safetensors", "items.npz"} < {*said.files}
    assert (said.n_items, said.n_users, said.n_events, said.until_s) == (24, 80, 480, START_S + 5079)
    assert said.notes == ()
    assert said.settings["transformer"]["epochs"] == 2
    assert said.scenes[:2] == ("commute", "focus at work")
    assert not (crowd / "models" / CHECKPOINTS).exists()


def test_the_same_events_and_seed_give_the_same_models(crowd: Path, own_crowd: Path, encoders: Encoders) -> None:
    first, again = Artefact.read(versions(crowd / "models")[0]).manifest, train(own_crowd, encoders)
    assert again.files == first.files
    other = train(own_crowd, encoders, dataclasses.replace(QUICK, seed=1))
    assert other.files["transformer.safetensors"] != first.files["transformer.safetensors"]
    assert other.seed == 1


def test_scenes_are_read_from_the_moments_of_events(crowd: Path, encoders: Encoders) -> None:
    with Store.open(crowd, read_only=True) as store:
        seen = Snapshot.of(store, encoders, scenes=("of an earlier version",))
    assert seen.scenes[:2] == ("of an earlier version", "commute")
    assert seen.interactions.sequences.scenes is not None
    names = [seen.scenes[code] if code >= 0 else "" for code in seen.interactions.sequences.scenes.tolist()]
    by_user = [{*names[6 * user : 6 * user + 6]} for user in range(80)]
    assert by_user[0] == by_user[3] == {""}  # no moment
    assert by_user[1] == by_user[5] == {"commute"}  # the phone on a train in the morning
    assert by_user[2] == by_user[4]  # television at home on a Saturday evening: all alike, whatever it is read as
    assert len(by_user[2]) == 1


@pytest.mark.usefixtures("encoded")
def test_events_without_moments_have_no_scenes(own_store: Path, encoders: Encoders) -> None:
    with Store.open(own_store, read_only=True) as store:
        assert Snapshot.of(store, encoders).interactions.sequences.scenes is None


def test_circumstances_are_read_once_however_many_events_share_them(
    own_crowd: Path, encoders: Encoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scenewise.tools.scene.recogniser import SceneRecogniser

    read: list[Moment] = []
    recognise = SceneRecogniser.recognise

    def counted(self: SceneRecogniser, text: str, moment: Moment):  # type: ignore[no-untyped-def]
        read.append(moment)
        return recognise(self, text, moment)

    with Store.open(own_crowd) as store:
        moments = [
            Moment("phone", datetime(2025, 6, 2 + 7 * week, 8, 11, week), Place("train", speed_mps=20 + week / 1000)) for week in range(4)
        ]
        store.events.add(
            Event(UserId("u001"), ItemId("m01"), "play", None, START_S + 9e6 + place, one) for place, one in enumerate(moments)
        )
        monkeypatch.setattr(SceneRecogniser, "recognise", counted)
        Snapshot.of(store, encoders)
    assert len(read) == 3  # the two of the crowd, and one for four Mondays at ten past eight


def test_users_with_new_events_are_taken_whole(crowd: Path, encoders: Encoders) -> None:
    with Store.open(crowd, read_only=True) as store:
        seen = Snapshot.of(store, encoders)
    some = seen.of_users_since(START_S + 5000 + 77)
    assert np.diff(some.sequences.starts).tolist() == [0] * 78 + [6, 6]
    assert some.matrix.shape == seen.interactions.matrix.shape
    assert some.sequences.scenes is not None
    assert len(some.sequences.scenes) == 12


def test_going_on_takes_the_new_events_in_and_keeps_the_second_stage(own_crowd: Path, encoders: Encoders) -> None:
    first = versions(own_crowd / "models")[0]
    before = Artefact.read(first).manifest
    unchanged = train(own_crowd, encoders, Order(go_on=True))
    assert (unchanged.version, unchanged.notes) == (first.name, ("no events have come since: the version stays as it is",))
    add(own_crowd, Event(UserId("u003"), ItemId("m01"), "play", None, START_S + 9000))
    after = train(own_crowd, encoders, Order(go_on=True, epochs=1))
    assert after.started_from == first.name
    assert after.n_events == before.n_events + 1
    assert after.files["fusion.json"] == before.files["fusion.json"]
    assert after.files["transformer.safetensors"] != before.files["transformer.safetensors"]
    assert after.files["transition_knn.npz"] != before.files["transition_knn.npz"]
    assert train(own_crowd, encoders, Order(go_on=True, since_s=START_S + 9000)).version == after.version


def test_going_on_with_new_items_puts_them_in_their_rows(own_crowd: Path, encoders: Encoders) -> None:
    with Store.open(own_crowd) as store:
        store.items.upsert([Item(ItemId("b05x"), "books", "A new book", attributes={"genre": ("kind 1",)})])
    add(own_crowd, *(Event(UserId(f"u00{user}"), ItemId("b05x"), "play", None, START_S + 9000 + user) for user in range(4)))
    said = train(own_crowd, encoders, Order(go_on=True, epochs=1, parts=frozenset({"ranker"})))
    assert "the items have changed since: sources and ranker were trained too" in said.notes
    assert said.n_items == 25
    with Store.open(own_crowd, read_only=True) as store:
        catalogue = Catalogue.from_store(store)
        trained = Trained.load(store, catalogue, lambda artefact, rows: pytest.fail("all items are known"))
    assert trained is not None
    row = catalogue.row(ItemId("b05x"))
    assert row is not None
    history = np.asarray([row], dtype=np.int32), np.ones(1, dtype=np.float32)
    assert all(len(model.scores(*history)) == 25 for model in trained.collaborative.models.values())
    assert trained.collaborative.models["popularity"].scores(*history)[row] == 4


def test_parts_can_be_trained_alone(own_crowd: Path, encoders: Encoders) -> None:
    before = Artefact.read(versions(own_crowd / "models")[0]).manifest
    add(own_crowd, Event(UserId("u003"), ItemId("m01"), "play", None, START_S + 9000))
    after = train(own_crowd, encoders, Order(parts=frozenset({"sources"})))
    assert {*after.sources} == {*before.sources}
    assert after.files["popularity.npz"] != before.files["popularity.npz"]
    for kept in ("transformer.safetensors", "features.npz", "fusion.json"):
        assert after.files[kept] == before.files[kept]
    fused = train(own_crowd, encoders, Order(parts=frozenset({"fusion"}), epochs=1))
    assert fused.files["popularity.npz"] == after.files["popularity.npz"]
    assert fused.files["transformer.safetensors"] == before.files["transformer.safetensors"]


def test_an_item_that_came_later_is_ranked_by_what_it_is(own_crowd: Path, encoders: Encoders) -> None:
    with Store.open(own_crowd) as store:
        store.items.upsert([Item(ItemId("a-new-one"), "movies", "movies number 3 again", attributes={"genre": ("kind 3",)})])
        box = Toolbox.open(store, encoders)
        assert box.artefact == versions(own_crowd / "models")[0].name
        row, rows = box.catalogue.row(ItemId("a-new-one")), np.asarray([box.catalogue.row(ItemId("m02"))], dtype=np.int32)
        models = box.collaborative.models
        assert models["transformer"].scores(rows, np.ones(1, dtype=np.float32))[row] > 0
        assert models["transition_knn"].scores(rows, np.ones(1, dtype=np.float32))[row] == 0
        history = [Event(UserId("me"), ItemId(f"m{place:02}"), "play", None, START_S + place) for place in range(3)]
        found = box.collaborative.candidates(history, 5, allowed=np.ones(25, dtype=bool), scene="commute").by_source()
        assert [one.item_id for one in found["feature_regression"]] == ["a-new-one"]
        assert found["feature_regression"][0].reason.startswith("it has much in common with what people who liked movies number")


def test_what_stays_finds_its_columns_in_the_features(own_crowd: Path, encoders: Encoders) -> None:
    before = load_arrays(versions(own_crowd / "models")[0] / FEATURES)["values"]
    with Store.open(own_crowd) as store:
        store.items.upsert(Item(ItemId(f"m0{place}"), "movies", "Another", attributes={"genre": ("a later kind",)}) for place in range(2))
    train(own_crowd, encoders, Order(epochs=1, parts=frozenset({"ranker"})))
    assert load_arrays(versions(own_crowd / "models")[0] / FEATURES)["values"].tolist() == before.tolist()
    train(own_crowd, encoders, Order(epochs=1, parts=frozenset({"ranker", "sources"})))
    assert b"a later kind" in load_arrays(versions(own_crowd / "models")[0] / FEATURES)["values"].tobytes()


@pytest.mark.usefixtures("encoded")
def test_too_few_events_train_what_they_can(own_store: Path, encoders: Encoders) -> None:
    said = train(own_store, encoders)
    assert {*said.sources} == SOURCES
    assert [note.split(":")[0] for note in said.notes] == [
        "fewer than 50 users with several events",
        "too few users with several events to weigh the sources",
    ]


def test_a_store_without_events_says_so_and_one_without_items_is_refused(tmp_path: Path, encoders: Encoders) -> None:
    with Store.open(tmp_path / "store", create=True) as store:
        with pytest.raises(InputError, match="no items to learn about"):
            train_store(store, encoders, QUICK)
        store.items.upsert([Item(ItemId("only"), "movies", "The only one")])
        said = train_store(store, encoders, QUICK)
        assert said.notes[0].startswith("the store has no events")
        assert said.until_s is None
        assert Toolbox.open(store, encoders).artefact == said.version


@pytest.mark.usefixtures("encoded")
def test_one_training_at_a_time(own_store: Path, encoders: Encoders) -> None:
    def second(what: str, done: int, total: int) -> None:
        with pytest.raises(Busy, match=r"\(train\)"):
            train(own_store, encoders)

    train(own_store, encoders, report=second)
    train(own_store, encoders)


@pytest.mark.usefixtures("encoded")
def test_a_folder_that_cannot_be_written_is_said(own_store: Path, encoders: Encoders) -> None:
    (own_store / "models").write_text("in the way")
    with pytest.raises(StoreError, match="the earlier version stays"):
        train(own_store, encoders)


def test_a_training_that_was_cut_goes_on_from_its_checkpoint(own_crowd: Path, encoders: Encoders) -> None:
    wanted = train(own_crowd, encoders, Order(epochs=3))
    steps: list[int] = []

    def cut(what: str, done: int, total: int) -> None:
        if what == "second stage":
            raise KeyboardInterrupt

    def count(what: str, done: int, total: int) -> None:
        steps.append(done) if what == "ranker" else None

    with pytest.raises(KeyboardInterrupt):
        train(own_crowd, encoders, Order(epochs=3), cut)
    assert versions(own_crowd / "models")[0].name == wanted.version
    again = train(own_crowd, encoders, Order(epochs=3), count)
    assert steps == []  # both fits were whole
    assert again.files == wanted.files


def test_few_users_are_not_enough_to_learn_an_order(crowd: Path, encoders: Encoders) -> None:
    with Store.open(crowd, read_only=True) as store:
        seen = Snapshot.of(store, encoders)
    assert enough(seen.interactions)
    assert not enough(seen.of_users_since(START_S + 5040))
