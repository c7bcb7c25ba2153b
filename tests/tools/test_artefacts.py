"""Versions of trained models: written whole, checked when read, an older one in the place of a damaged one."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError, StoreError
from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.als import Als
from scenewise.tools.collaborative.item_knn import ItemKnn
from scenewise.tools.collaborative.model import Sequences, load_arrays
from scenewise.tools.collaborative.transition_knn import TransitionKnn
from scenewise.tools.ranking.artefacts import Artefact, Manifest, Renumbered, clean, first_usable, mark, publish, versions

NOW_S = 1_760_000_000.0
IDS = tuple(map(ItemId, ("1", "2", "3", "4")))
TASTES = csr_matrix(np.asarray([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]], dtype=np.float32))


def manifest(**stated: object) -> Manifest:
    """What a training would say."""
    return Manifest.model_validate({"n_users": 4, "n_events": 8, "until_s": NOW_S, "seed": 0, "sources": (), "scales": {}, **stated})


def put(models: Path, ids: Sequence[ItemId] = IDS, *, text: str = "{}", now_s: float = NOW_S) -> Path:
    """Publish a version of one file and return its folder."""

    def write(stage: Path) -> None:
        (stage / "fusion.json").write_text(text)

    return models / publish(models, manifest(), ids, write, now_s=now_s).version


def catalogue(*ids: str) -> Catalogue:
    """A catalogue of films with these ids."""
    return Catalogue.from_items(Item(ItemId(one), "movies", f"film {one}") for one in ids)


def test_a_version_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = put(tmp_path, ("a", "b\0c", "ß"))
    read = Artefact.read(folder)
    assert read.item_ids == ("a", "b\0c", "ß")
    assert (read.manifest.version, read.manifest.n_items, read.manifest.created_s) == (folder.name, 3, NOW_S)
    assert {*read.manifest.files} == {"fusion.json", "items.npz"}
    assert load_arrays(folder / "items.npz")["item_ids"].dtype == np.uint8
    assert first_usable(tmp_path, lambda artefact: artefact.folder) == (folder, ())


def test_the_version_before_is_kept_and_older_ones_go(tmp_path: Path) -> None:
    folders = [put(tmp_path, now_s=NOW_S + day) for day in range(4)]
    assert versions(tmp_path) == [folders[3], folders[2]]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([folders[2].name, folders[3].name, "current"])


def test_a_clock_that_was_set_back_still_makes_a_later_version(tmp_path: Path) -> None:
    first, second = put(tmp_path), put(tmp_path, now_s=NOW_S - 1000)
    assert second.name > first.name
    assert versions(tmp_path)[0] == second


def test_another_current_version_is_seen(tmp_path: Path) -> None:
    assert mark(tmp_path / "none") == (0, 0)
    put(tmp_path)
    before = mark(tmp_path)
    assert mark(tmp_path) == before
    put(tmp_path)
    assert mark(tmp_path) != before


def spoil(folder: Path, how: str) -> None:
    """Damage a version in one of the ways that happen."""
    manifest = folder / "manifest.json"
    match how:
        case "cut":
            os.truncate(folder / "fusion.json", 1)
        case "flipped":
            data = bytearray((folder / "items.npz").read_bytes())
            data[len(data) // 2] ^= 1
            (folder / "items.npz").write_bytes(data)
        case "gone":
            (folder / "fusion.json").unlink()
        case "no manifest":
            manifest.unlink()
        case "half a manifest":
            os.truncate(manifest, 40)
        case "newer format":
            manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 2}))
        case "a path in the manifest":
            manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"files": {"../fusion.json": "0"}}))
        case "ids of another version":
            read = json.loads(manifest.read_text())
            manifest.write_text(json.dumps(read | {"items": "0" * 64}))


DAMAGE = ("cut", "flipped", "gone", "no manifest", "half a manifest", "newer format", "a path in the manifest", "ids of another version")


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_version_is_refused_and_the_one_before_serves(tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture) -> None:
    before, last = put(tmp_path), put(tmp_path)
    spoil(last, how)
    with pytest.raises(StoreError, match=last.name):
        Artefact.read(last)
    used, problems = first_usable(tmp_path, lambda artefact: artefact.folder)
    assert used == before
    assert len(problems) == 1
    assert last.name in caplog.text
    spoil(before, how)
    assert first_usable(tmp_path, lambda artefact: artefact.folder)[0] is None


@pytest.mark.parametrize("text", ["", "../../etc", "20251009T085320000000", "\0\0"])
def test_a_damaged_name_of_the_current_version_leaves_the_newest(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    before, last = put(tmp_path), put(tmp_path)
    (tmp_path / "current").write_text(text)
    assert versions(tmp_path) == [last, before]
    assert "does not name a version" in caplog.text
    clean(tmp_path)
    assert put(tmp_path) == versions(tmp_path)[0]


def test_what_a_killed_training_left_is_removed(tmp_path: Path) -> None:
    first = put(tmp_path)
    (tmp_path / ".part-20990101T000000000000Z").mkdir()
    (tmp_path / ".part-20990101T000000000000Z" / "ease.npz").write_bytes(b"half")
    (tmp_path / ".part-current").write_text("")
    (tmp_path / "20990101T000000000000Z").mkdir()  # whole, perhaps, but never made current
    (tmp_path / "notes.txt").write_text("of a person")
    assert versions(tmp_path) == [first]
    clean(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {first.name, "current", "notes.txt"}
    clean(tmp_path / "none")


def test_a_training_that_cannot_write_leaves_the_current_version(tmp_path: Path) -> None:
    first = put(tmp_path)

    def fail(stage: Path) -> None:
        (stage / "ease.npz").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        publish(tmp_path, manifest(), IDS, fail, now_s=NOW_S)
    assert Artefact.read(first).item_ids == IDS
    assert {path.name for path in tmp_path.iterdir()} == {first.name, "current"}


def test_rows_follow_the_ids_of_the_catalogue(tmp_path: Path) -> None:
    artefact = Artefact.read(put(tmp_path))
    assert artefact.rows_of(catalogue("1", "2", "3", "4")).tolist() == [0, 1, 2, 3]
    assert artefact.rows_of(catalogue("0", "2", "4", "5")).tolist() == [-1, 1, 3, -1]
    assert artefact.rows_of(catalogue("4")).tolist() == [3]
    assert artefact.rows_of(catalogue(*map(str, range(1, 100)))).tolist()[:2] == [0, -1]  # ids are text: "10" comes after "1"


@pytest.mark.parametrize("ids", [("7", "8", "9"), ("1", "7", "8", "9"), ("01", "02", "03"), ()])
def test_models_of_another_catalogue_are_refused_with_the_reason(tmp_path: Path, ids: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=f"another catalogue: {len({*ids} & {*IDS})} of its {len(ids)} items"):
        Artefact.read(put(tmp_path)).rows_of(catalogue(*ids))


def test_a_model_of_other_rows_scores_its_own_items_and_leaves_new_ones_at_zero() -> None:
    model = ItemKnn().fit(TASTES)
    # the catalogue now: "0" (new), "1", "2", "3b" (new), "4"; "3" is gone
    moved = Renumbered(model, np.asarray([-1, 0, 1, -1, 3], dtype=np.int32))
    history, weights = np.asarray([0, 1, 3], dtype=np.int32), np.asarray([1, 1, 1], dtype=np.float32)
    own = model.scores(np.asarray([0], dtype=np.int32), np.ones(1, dtype=np.float32))
    scores = moved.scores(history, weights)
    assert scores.dtype == np.float32
    assert scores.tolist() == [0, own[0], own[1], 0, own[3]]
    parts = moved.contributions(history, weights, np.asarray([2, 0], dtype=np.int32))
    assert parts.tolist() == [[0, 0], [own[1], 0], [0, 0]]
    assert moved.scores(history[:0], weights[:0]).tolist() == [0] * 5
    assert moved.name == "item_knn"


def test_a_model_that_cannot_tell_the_parts_of_a_score_tells_none() -> None:
    moved = Renumbered(Als(factors=2).fit(TASTES), np.asarray([3, 2, 1, 0], dtype=np.int32))
    rows = np.asarray([0, 1], dtype=np.int32)
    assert moved.contributions(rows, np.ones(2, dtype=np.float32), rows).tolist() == [[0, 0], [0, 0]]


def test_a_model_of_other_rows_is_asked_for_the_scene() -> None:
    sequences = Sequences(
        np.asarray([0, 1, 0, 2], dtype=np.int32), np.arange(4.0), np.asarray([0, 2, 4]), np.asarray([0, 0, 1, 1], np.int16)
    )
    model = TransitionKnn().fit(csr_matrix((2, 3), dtype=np.float32), sequences)
    moved = Renumbered(model, np.asarray([2, -1, 1, 0], dtype=np.int32))
    (own, here), one = (np.asarray([row], dtype=np.int32) for row in (0, 3)), np.ones(1, dtype=np.float32)
    for scene in (0, 1):
        told, wanted = moved.scores_in(here, one, scene=scene), model.scores_in(own, one, scene)
        assert told.tolist() == [wanted[2], 0, wanted[1], wanted[0]]
    assert moved.scores_in(here, one, scene=0)[2] > moved.scores(here, one)[2] > moved.scores_in(here, one, scene=1)[2]
