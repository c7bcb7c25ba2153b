from pathlib import Path

import pytest

from scenewise.store import Store
from scenewise.store.errors import InputError, NotFound
from scenewise.store.ingest import ingest, preview


def test_users_and_their_attributes(store: Store, make, quarantined) -> None:
    path = make("x.user", "user_id:token\tage:token\tjob:token\n1\t24\tclerk\n2\t\t\n\t30\tcook\n1\t25\tclerk\n")
    report = ingest(store, path)
    assert quarantined(report) == [(4, "missing id")]
    assert (report.written, report.skipped) == (2, {"earlier row of an id that comes again": 1})
    assert store.users.attributes("1") == {"age": "25", "job": "clerk"}
    assert store.users.attributes("2") == {}
    again = ingest(store, path)
    assert (again.written, again.unchanged) == (0, 2)


def refuse(path: Path) -> None:
    if "good" not in path.read_text():
        raise InputError(f"{path.name} is not good")


def test_a_scene_pack_is_checked_and_copied_whole(store: Store, make) -> None:
    target = store.path / "scenes.toml"
    with pytest.raises(InputError, match=r"mine\.toml is not good"):
        ingest(store, make("mine.toml", "bad = 1\n"), validate=refuse)
    assert not target.exists()
    path = make("mine.toml", "good = 1\n")
    report = ingest(store, path, validate=refuse)
    assert (report.kind, report.read, report.written) == ("scenes", 1, 1)
    assert target.read_text() == "good = 1\n"
    assert ingest(store, path, "scenes", validate=refuse).unchanged == 1
    with pytest.raises(InputError, match="not good"):
        ingest(store, make("mine.toml", "bad = 1\n"), validate=refuse)
    assert target.read_text() == "good = 1\n"
    assert [entry.name for entry in store.path.iterdir() if entry.name.startswith(".scenes-")] == []


def test_scene_packs_that_cannot_be_taken(store: Store, make, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="validate"):
        ingest(store, make("x.toml", "good = 1\n"))
    with pytest.raises(InputError, match="empty"):
        ingest(store, make("x.toml", "\n"), validate=refuse)
    with pytest.raises(NotFound):
        ingest(store, tmp_path / "none.toml", validate=refuse)
    assert preview(tmp_path / "x.toml").kind == "scenes"
