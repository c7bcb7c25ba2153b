"""The local vLLM: started, found, stopped, with a small real server in its place; what was started never stays behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from scenewise import Busy, InputError, ModelError
from scenewise.agent.model import RunningServer, read_run_file, run_file
from scenewise.service import llm

Home = Callable[..., Path]
NAME = "some-model"


def is_gone(pid: int) -> bool:
    """Whether the process has ended (one that only waits to be reaped has)."""
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def start(home: Path, **options: Any) -> RunningServer:
    """Start the stand-in."""
    return llm.start(home, model=NAME, **options)


def test_nothing_fetched_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="scenewise llm fetch"):
        llm.launch(tmp_path)
    with pytest.raises(ModelError, match="scenewise llm fetch"), llm.serving(tmp_path):
        pytest.fail("nothing can be served")


def test_half_an_environment_is_none(vllm_home: Home) -> None:
    home = vllm_home()
    (home / "vllm-env" / "bin" / "python").unlink()
    assert not llm.installed(home).environment_ready
    with pytest.raises(ModelError, match="scenewise llm fetch"):
        llm.launch(home)


def test_started_found_and_stopped(vllm_home: Home) -> None:
    home, heard = vllm_home(), list[tuple[str, float]]()
    server = start(home, report=lambda what, share: heard.append((what, share)))
    assert server.model == NAME
    assert llm.healthy(server.url)
    assert read_run_file(home) == server
    assert heard[-1] == ("vLLM is ready", 1.0)
    assert all(0 <= share <= 1 for _, share in heard)
    assert start(home) == server  # a second start takes the one that runs
    with llm.serving(home) as launched:
        assert launched.wait() == server
    assert llm.healthy(server.url)  # and `serving` leaves it alone
    assert llm.stop(home)
    assert is_gone(server.pid)
    assert not llm.healthy(server.url)
    assert not run_file(home).exists()
    assert not llm.stop(home)


def test_what_it_measures(vllm_home: Home) -> None:
    server = start(vllm_home())
    assert llm.read_metrics(server.url) == {"waiting": 3.0, "prefix_cache_hit_rate": 0.75, "mean_first_token_s": 0.5}
    assert llm.read_metrics("http://127.0.0.1:9/v1") == {}


def test_a_proxy_does_not_stand_before_our_own_machine(vllm_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert llm.healthy(start(vllm_home()).url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://[", "no url", "http://127.0.0.1:99999/v1", ""])
def test_an_address_where_nothing_answers(url: str) -> None:
    assert not llm.healthy(url)


def test_a_port_that_is_taken(vllm_home: Home) -> None:
    home = vllm_home()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Busy, match=f"port {port} is taken"):
            llm.launch(home, port=port)
    assert not run_file(home).exists()


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none(vllm_home: Home, port: int) -> None:
    with pytest.raises(InputError, match="65535"):
        llm.launch(vllm_home(), port=port)


def test_a_vllm_that_ends_at_once_is_explained_by_its_log(vllm_home: Home) -> None:
    home = vllm_home(
        "import sys\nprint('WARNING [x.py:1] hm')\nprint('ERROR [core.py:7] RuntimeError: no memory left for the KV cache')\nsys.exit(1)"
    )
    with pytest.raises(ModelError, match=r"RuntimeError: no memory left.*vllm\.log") as error:
        start(home)
    assert error.value.reason == "start failed"
    assert not run_file(home).exists()


def test_a_vllm_that_says_nothing_and_ends(vllm_home: Home) -> None:
    with pytest.raises(ModelError, match="no error in its log"):
        start(vllm_home("raise SystemExit(3)"))


def test_a_vllm_that_does_not_get_ready_is_stopped(vllm_home: Home) -> None:
    home = vllm_home("import time\ntime.sleep(600)")
    started = llm.launch(home, model=NAME)
    with pytest.raises(ModelError, match="not ready"):
        started.wait(timeout_s=0.2)
    started.end()
    assert is_gone(started.server.pid)
    assert not run_file(home).exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ModelError])
def test_serving_stops_what_it_launched_however_the_block_ends(vllm_home: Home, error: type[BaseException]) -> None:
    home = vllm_home()
    raised = ModelError("x", reason="y") if error is ModelError else error()
    with pytest.raises(error), llm.serving(home) as launched:  # noqa: PT012
        launched.wait()
        assert read_run_file(home) is not None
        raise raised
    assert is_gone(launched.server.pid)
    assert not run_file(home).exists()


def test_serving_stops_one_that_was_never_waited_for(vllm_home: Home) -> None:
    with llm.serving(vllm_home("import time\ntime.sleep(600)")) as launched:
        pass
    assert is_gone(launched.server.pid)


@pytest.mark.slow
def test_its_children_end_with_it(vllm_home: Home) -> None:
    child = "import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True)\nimport time\ntime.sleep(600)"
    home = vllm_home(child)
    with llm.serving(home):
        until = time.monotonic() + 20
        while not (told := re.findall(r"^\d+$", llm.log_file(home).read_text(), flags=re.MULTILINE)):
            assert time.monotonic() < until
            time.sleep(0.02)
    assert is_gone(int(told[0]))


@pytest.mark.slow
def test_one_that_does_not_listen_is_killed(vllm_home: Home) -> None:
    home = vllm_home("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(600)")
    with llm.serving(home) as launched:
        while "deaf" not in llm.log_file(home).read_text():
            time.sleep(0.02)
    assert is_gone(launched.server.pid)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_it_ends_even_where_the_demo_is_killed(vllm_home: Home) -> None:
    home = vllm_home()
    serve = "import sys, time; from pathlib import Path; from scenewise.service import llm\nwith llm.serving(Path(sys.argv[1])) as launched:\n    print(launched.wait().pid, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", serve, str(home)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while not is_gone(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert is_gone(pid)


def write_run_file(home: Path, pid: int) -> None:
    """Write the run file of an earlier day."""
    run_file(home).parent.mkdir(parents=True)
    run_file(home).write_text(json.dumps(asdict(RunningServer("http://127.0.0.1:9/v1", "m", pid, 0.0))))


def test_an_old_run_file_whose_process_is_gone(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_run_file(tmp_path, gone.pid)
    assert llm.find_running(tmp_path) is None
    assert not llm.stop(tmp_path)
    assert not run_file(tmp_path).exists()


def test_an_old_run_file_whose_number_now_belongs_to_another_process(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, start_new_session=True) as other:
        write_run_file(tmp_path, other.pid)
        assert llm.find_running(tmp_path) is None
        assert not llm.stop(tmp_path)
        assert other.poll() is None
        assert other.stdin is not None
        other.stdin.close()
        assert other.wait() == 0


@pytest.mark.parametrize("pid", [0, 1, -1, os.getppid()])
def test_a_run_file_never_names_what_must_not_be_killed(tmp_path: Path, pid: int) -> None:
    write_run_file(tmp_path, pid)
    assert not llm.stop(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"url": 1, "model": 2, "pid": "x", "started_s": 0}', "\x00"])
def test_a_broken_run_file_is_none(tmp_path: Path, text: str) -> None:
    run_file(tmp_path).parent.mkdir(parents=True)
    run_file(tmp_path).write_text(text)
    assert not llm.stop(tmp_path)


def test_a_home_with_a_blank_in_its_path(vllm_home: Home) -> None:
    home = vllm_home(name="my home")
    (home / "vllm-env" / "lib").mkdir()
    (home / "vllm-env" / "lib" / "libiomp5.so").write_bytes(b"the library")
    found = llm.installed(home)
    _, environment = llm.command_line(home, 8000, model=NAME)
    if not found.gpu:
        assert " " not in environment["LD_PRELOAD"]
        assert Path(environment["LD_PRELOAD"]).read_bytes() == b"the library"
    assert llm.healthy(start(home).url)


def test_what_vllm_is_told(vllm_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    command, environment = llm.command_line(vllm_home(), 8123, model="/models/big one")
    assert command[command.index("--port") + 1] == "8123"
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--served-model-name") + 1] == "big one"
    assert "--trust-remote-code" not in command
    assert environment["VLLM_NO_USAGE_STATS"] == environment["DO_NOT_TRACK"] == "1"
    assert "PYTHONPATH" not in environment


@pytest.fixture
def adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the package's adapter; empty, and not there yet."""
    folder = tmp_path / "package" / "scenewise-135m"
    monkeypatch.setattr(llm, "ADAPTER", folder)
    return folder


def write_small_adapter(folder: Path, *, value: float) -> None:
    """Write an adapter of the tiny model's last layer."""
    import torch

    from scenewise.tools.training.language.adapter import write_adapter
    from scenewise.tools.training.language.config import LanguageConfig

    name = "base_model.model.model.layers.3.self_attn.o_proj.lora_{}.weight"
    tensors = {name.format("A"): torch.full((2, 32), value), name.format("B"): torch.ones(32, 2)}
    write_adapter(folder, tensors, LanguageConfig(layers=1, rank=2, alpha=4), n_layers=4, card="# A card")


def test_without_an_adapter_the_small_model_is_served(vllm_home: Home, adapter: Path) -> None:
    found = llm.installed(vllm_home())
    assert found.model.name == llm.SMALL_MODEL
    assert found.model_ready


def test_with_an_adapter_its_merged_model_is_served_once_it_is_made(vllm_home: Home, adapter: Path) -> None:
    write_small_adapter(adapter, value=1.0)
    home = vllm_home()
    found = llm.installed(home)
    assert (found.model.name, found.model_ready) == ("scenewise-135m", True)
    command, _ = llm.command_line(home, 8123)
    assert command[command.index("--served-model-name") + 1] == "scenewise-135m"
    assert "--chat-template" in command
    write_small_adapter(adapter, value=2.0)  # another version of the package
    assert not llm.installed(home).model_ready
    with pytest.raises(ModelError, match="scenewise llm fetch"):
        llm.command_line(home, 8123)


def test_the_untrained_model_can_still_be_served_and_speaks_by_the_same_template(vllm_home: Home, adapter: Path) -> None:
    write_small_adapter(adapter, value=1.0)
    home = vllm_home()
    command, _ = llm.command_line(home, 8123, model=str(home / "models" / llm.SMALL_MODEL))
    assert command[command.index("--served-model-name") + 1] == llm.SMALL_MODEL
    assert "--chat-template" in command
    assert "--chat-template" not in llm.command_line(home, 8123, model="/models/another")[0]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_fetching_merges_the_adapter_and_again_when_it_is_another(vllm_home: Home, adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import load_file
    from tiny_llama import build_tiny_llama

    monkeypatch.setattr(llm.bootstrap, "make_environment", lambda *arguments, **options: False)
    home = vllm_home()
    base = build_tiny_llama(home / "models" / llm.SMALL_MODEL)
    weights, name = load_file(base / "model.safetensors"), "model.layers.3.self_attn.o_proj.weight"
    for value in (1.0, 0.5):
        write_small_adapter(adapter, value=value)
        assert not llm.installed(home).model_ready
        found = llm.fetch(home, progress=lambda what, done, total: None)
        assert (found.model, found.model_ready) == (home / "models" / "scenewise-135m", True)
        merged = load_file(found.model / "model.safetensors")
        assert (merged[name] - weights[name]).allclose(merged[name] * 0 + 4 * value)  # alpha/r 2, times a sum over rank 2
        assert all(merged[other].equal(weights[other]) for other in weights if other != name)
        changed = (found.model / "model.safetensors").stat().st_mtime_ns
        llm.fetch(home, progress=lambda what, done, total: pytest.fail(what))
        assert (found.model / "model.safetensors").stat().st_mtime_ns == changed
    assert load_file(base / "model.safetensors")[name].equal(weights[name])


Read = Callable[..., Any]
Run = Callable[..., Result]


def test_the_commands_where_nothing_runs(read: Read, run: Run) -> None:
    assert read("llm", "status", code=1) == {"running": False}
    assert read("llm", "stop") == {"stopped": False}
    assert "scenewise llm start" in read("llm", "probe", code=6)["error"]
    assert "scenewise llm fetch" in read("llm", "start", code=6)["error"]
    assert "65535" in read("llm", "start", "--port", "99999", code=2)["error"]
    assert "not running" in run("llm", "status").stdout
    assert "none was running" in run("llm", "stop").stdout


def test_the_commands_where_one_runs(vllm_home: Home, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    home = vllm_home()
    monkeypatch.setenv("SCENEWISE_HOME", str(home))
    started = read("llm", "start", "--model", NAME)
    assert started["model"] == NAME
    assert read("llm", "status") == {"running": True} | started | {"waiting": 3.0, "prefix_cache_hit_rate": 0.75, "mean_first_token_s": 0.5}
    probed = read("llm", "probe", code=1)  # it answers, and enforces nothing
    assert (probed["required"], probed["strict"]) == (False, False)
    assert read("llm", "stop") == {"stopped": True}
    assert is_gone(started["pid"])


@pytest.mark.slow
def test_a_server_elsewhere_is_asked_at_its_address(vllm_home: Home, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(vllm_home(name="elsewhere"))
    monkeypatch.setenv("SCENEWISE_LLM_URL", server.url)
    assert read("llm", "status")["url"] == server.url
    monkeypatch.setenv("SCENEWISE_LLM_URL", "http://127.0.0.1:9/v1")
    assert read("llm", "status", code=1) == {"running": False}
    assert read("llm", "probe", code=6)["error"]
