"""`scenewise copy`: what it prints and writes, and that a kill costs nothing that was written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from scenewise import Busy, Copy, InputError, ItemId
from scenewise.service.copy_cli import read_ids
from scenewise.service.copy_file import opened_copy_file

Run = Callable[..., Result]
Read = Callable[..., Any]


def copies(item_id: str, n: int = 2) -> list[Copy]:
    return [Copy(ItemId(item_id), "card", i + 1, f"Ein „Film“ {i}", (), (), "template") for i in range(n)]


def fill(path: Path, ids: list[str]) -> None:
    with opened_copy_file(path, "job") as file:
        for item_id in ids:
            if item_id not in file.done:
                file.add(copies(item_id))


def test_a_file_cut_anywhere_is_gone_on_with_to_the_same_file(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    fill(whole, ["a", "b", "c"])
    expected = whole.read_bytes()
    for cut in range(len(expected) + 1):
        path = tmp_path / "cut.jsonl"
        path.write_bytes(expected[:cut])
        fill(path, ["a", "b", "c"])
        assert path.read_bytes() == expected, cut


@pytest.mark.parametrize(
    "line",
    [
        b"hello\n",
        b"[]\n",
        b'{"item_id": "a"}\n',
        b"\xff\n",
        b'{"item_id": "a", "variant": 2, "of": 2, "job": "job"}\n',
        b'{"item_id": "a", "variant": 1, "of": 1, "job": "job"}\n' * 2,
        b'{"item_id": "a", "variant": 1, "of": 1, "job": "other"}\n',
    ],
)
def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(line)
    with pytest.raises(InputError, match=r"notes\.txt.*name another file"):
        fill(path, ["a"])
    assert path.read_bytes() == line


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    with opened_copy_file(tmp_path / "x.jsonl", "job"), pytest.raises(Busy):
        fill(tmp_path / "x.jsonl", ["a"])


def test_items_are_named_by_file_or_list(tmp_path: Path) -> None:
    assert read_ids("a, b,a") == ["a", "b"]
    assert read_ids("all") is None
    (tmp_path / "items.csv").write_text('title,item_id\n"One, two",a\nThree,b\n')
    assert read_ids(str(tmp_path / "items.csv")) == ["a", "b"]
    (tmp_path / "ids").write_text("a\n\nb\n")
    assert read_ids(str(tmp_path / "ids")) == ["a", "b"]
    (tmp_path / "bad.csv").write_text("title,sku\nx,y\n")
    for name, said in ((tmp_path / "bad.csv", "column item_id"), ("none.csv", "no file none.csv")):
        with pytest.raises(InputError, match=said):
            read_ids(str(name))


def test_copy_is_printed_and_written(read: Read, run: Run, own_store: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy.jsonl"
    options = ("copy", "--items", "film-fargo,film-alien", "--channel", "push", "--user", "hal", "--store", own_store, "--no-llm")
    shown = read(*options)
    assert [one["item_id"] for one in shown] == ["film-fargo", "film-alien"]
    summary = read(*options, "--out", out)
    assert (summary["before"], summary["items"], summary["template"]) == (0, 2, 2)
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {one["text"] for one in lines} == {one["text"] for one in shown}
    before = out.read_bytes()
    assert read(*options, "--out", out)["before"] == 2
    assert out.read_bytes() == before
    assert "other options" in read(*options[:4], "card", *options[5:], "--out", out, code=2)["error"]


def test_what_is_wrong_is_said_in_one_sentence(read: Read, own_store: Path, tmp_path: Path) -> None:
    (tmp_path / "style.toml").write_text("banned = 1")
    for options, code in (
        (("--user", "a", "--segment", "b.toml"), 2),
        (("--segment", tmp_path / "none.toml"), 3),
        (("--style", tmp_path / "style.toml"), 2),
        (("--channel", "poem"), 2),
        (("--user", "nobody-we-know"), 3),
    ):
        assert read("copy", "--items", "a", "--store", own_store, *options, code=code)["exit_code"] == code


class Slow(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that takes its time and counts."""

    asked: int = 0

    def do_GET(self) -> None:
        self._answer({"data": [{"id": "scenewise-test"}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).asked += 1
        time.sleep(0.25)
        message = {"role": "assistant", "content": "A film."}
        usage = {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._answer({"id": "x", "object": "chat.completion", "created": 0, "model": "scenewise-test", "choices": [choice], "usage": usage})

    def _answer(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        try:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass  # whoever asked was killed

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Slow.asked = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_address[1]}/v1"
        made.shutdown()


@pytest.mark.slow
def test_a_killed_job_goes_on_and_pays_for_no_item_twice(own_store: Path, tmp_path: Path, server: str) -> None:
    ids, out = tmp_path / "ids.csv", tmp_path / "copy.jsonl"
    films = sorted(path for path in read_films(own_store))
    ids.write_text("item_id\n" + "\n".join(films) + "\n")
    command = [
        sys.executable,
        "-m",
        "scenewise",
        "copy",
        "--items",
        str(ids),
        "--store",
        str(own_store),
        "--out",
        str(out),
        "--at-once",
        "2",
        "--json",
    ]
    environment = os.environ | {"SCENEWISE_LLM_URL": server}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 90
    while (not out.is_file() or out.read_bytes().count(b"\n") < 4) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = out.read_bytes().count(b"\n")
    assert 4 <= kept < len(films)
    torn = out.read_bytes() + b'{"item_id": "half'
    out.write_bytes(torn)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    summary = json.loads(done.stdout)
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert sorted(line["item_id"] for line in lines) == films
    assert {line["source"] for line in lines} == {"model"}
    assert (summary["before"], summary["items"], summary["completion_tokens"]) == (kept, len(films) - kept, 3 * (len(films) - kept))
    assert Slow.asked <= len(films) + 2  # what was in flight when it was killed


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_workers_on_ray_write_what_one_process_writes(own_store: Path, tmp_path: Path, server: str) -> None:
    pytest.importorskip("ray")
    films = ",".join(read_films(own_store)[:12])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    written = {}
    for name, llm, channel in (
        ("model", {"SCENEWISE_LLM_URL": server}, "card"),
        ("template", {"SCENEWISE_LLM_OFF": "true"}, "description"),
    ):
        for engine in ("local", "ray"):
            out = tmp_path / f"{name}-{engine}.jsonl"
            command = [
                sys.executable,
                "-m",
                "scenewise",
                "copy",
                "--items",
                films,
                "--channel",
                channel,
                "--user",
                "ann",
                "--variants",
                "2",
            ]
            command += ["--store", str(own_store), "--out", str(out), "--engine", engine, "--workers", "2", "--at-once", "4", "--json"]
            done = subprocess.run(command, env=environment | llm, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-2000:]
            assert json.loads(done.stdout)["items"] == 12
            written[engine] = sorted(out.read_text(encoding="utf-8").splitlines())
        assert written["ray"] == written["local"]
        assert f'"source": "{name}"' in written["ray"][0]


def test_ray_is_for_files(run: Run, own_store: Path) -> None:
    refused = run("copy", "--items", "film-fargo", "--engine", "ray", "--store", own_store)
    assert refused.exit_code == 2
    assert "--out" in refused.output


def read_films(store: Path) -> list[str]:
    from scenewise import Store

    with Store.open(store, read_only=True) as opened:
        return [item_id for item_id in opened.items.ids() if item_id.startswith("film-")]
