"""`scenewise llm`: fetch, start, stop, status, probe."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from scenewise.agent.model import connect
from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.service import llm
from scenewise.store.errors import ModelError

app = typer.Typer(no_args_is_help=True, help="The local vLLM: fetch, start, stop, status, probe.")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def _say(data: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        c.print_json(data)
    else:
        c.out.print(c.safe(text))


@app.command()
def fetch(json_: Json = False) -> None:
    """Make vLLM's environment and the default model (once)."""
    with c.clear_errors(json_), c.step_bar() as progress:
        found = llm.fetch(load_settings().home, progress=progress)
    text = f"vLLM ({'GPU' if found.gpu else 'CPU'}) and the model are ready"
    _say({key: str(value) if key in ("environment", "model") else value for key, value in asdict(found).items()}, text, json_)


@app.command()
def start(
    port: Annotated[int | None, typer.Option("--port", help="A free one where it is left out.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="A model's folder, or a name that vLLM can load.")] = None,
    json_: Json = False,
) -> None:
    """Start vLLM in the background and wait until it answers."""
    with c.clear_errors(json_):
        with c.step_bar() as progress:
            server = llm.start(
                load_settings().home, port=port, model=model, report=lambda what, share: progress(what, int(100 * share), 100)
            )
        _say(asdict(server), f"{server.model} at {server.url}, process {server.pid}", json_)


@app.command()
def stop(json_: Json = False) -> None:
    """Stop the vLLM that `start` started."""
    with c.clear_errors(json_):
        stopped = llm.stop(load_settings().home)
        _say({"stopped": stopped}, "stopped" if stopped else "none was running", json_)


@app.command()
def status(json_: Json = False) -> None:
    """Say what runs and what it has done; exit code 1 where nothing runs."""
    with c.clear_errors(json_):
        settings = load_settings()
        server = llm.find_running(settings.home)
        url = settings.llm_url or (server.url if server else None)
        if url is None or not llm.healthy(url):
            _say({"running": False}, "not running: `scenewise llm start` starts it", json_)
            raise typer.Exit(1)
        figures = llm.read_metrics(url)
        _say({"running": True, "url": url} | (asdict(server) if server else {}) | figures, f"running at {url}  " + str(figures), json_)


@app.command()
def probe(json_: Json = False) -> None:
    """Check that the server enforces tool calls and their arguments, which not every version and parser does."""
    from scenewise.agent.probe import probe_model

    with c.clear_errors(json_):
        model = connect(load_settings())
        if model is None:
            raise ModelError("no LLM is set up: run `scenewise llm start`, or set SCENEWISE_LLM_URL", reason="no LLM")
        result = asyncio.run(probe_model(model))
        lines = [
            f"tool_choice=required {'enforced' if result.required else 'NOT enforced'}",
            f"arguments {'enforced' if result.strict else 'NOT enforced'}",
        ]
        _say(asdict(result), f"{result.model}: " + ", ".join(lines) + f", {result.seconds:.1f} s", json_)
        if not (result.required and result.strict):
            raise typer.Exit(1)
