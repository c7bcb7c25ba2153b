import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scenewise.store import Busy, Store

HOLD = """
import sys
from scenewise.store import Store
with Store.open(sys.argv[1], create=True, purpose="a test", clock=lambda: 0.0) as store:
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_writer_is_told_who_writes_and_readers_are_let_in(tmp_path: Path) -> None:
    with held_by_another_process(tmp_path / "store") as holder:
        with pytest.raises(Busy) as caught:
            Store.open(tmp_path / "store")
        for part in (f"process {holder.pid}", socket.gethostname(), "1970-01-01T00:00:00+00:00", "a test"):
            assert part in str(caught.value)
        assert caught.value.retry_after_s > 0
        with Store.open(tmp_path / "store", read_only=True) as reader:
            assert reader.items.count() == 0


def test_a_killed_writer_frees_the_lock(tmp_path: Path) -> None:
    with held_by_another_process(tmp_path / "store") as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with Store.open(tmp_path / "store") as store:
            assert json.loads((tmp_path / "store" / "store.lock").read_text())["pid"] == os.getpid()
            assert store.items.count() == 0


def test_two_writers_in_one_process_exclude_each_other(store: Store) -> None:
    with pytest.raises(Busy, match=f"process {os.getpid()}"):
        Store.open(store.path)


def test_closing_frees_the_lock_and_empties_its_note(tmp_path: Path) -> None:
    for _ in range(2):
        with Store.open(tmp_path / "store", create=True):
            assert (tmp_path / "store" / "store.lock").read_text() != ""
        assert (tmp_path / "store" / "store.lock").read_text() == ""


def test_a_holder_that_has_not_signed_yet_is_busy_all_the_same(store: Store) -> None:
    (store.path / "store.lock").write_text('{"pid": 1')
    with pytest.raises(Busy, match="another process"):
        Store.open(store.path)
