"""`scenewise mcp`: the agent's tools for other agents, over stdio or streamable HTTP."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from scenewise.service import console as c
from scenewise.service.serve_cli import bound, read_keys, run
from scenewise.store.errors import InputError

app = typer.Typer()


@app.command()
def mcp(
    http: Annotated[bool, typer.Option("--http", help="Listen for streamable HTTP at /mcp; else speak over stdin and stdout.")] = False,
    user: Annotated[str | None, typer.Option("--user", help="Who is asking, over stdio; over HTTP the key or a header says it.")] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen at; other than loopback needs keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port; 0 takes a free one.")] = 8081,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="File of keys; default: keys.json in the home folder, if it is there.")
    ] = None,
    store: Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")] = None,
    no_llm: Annotated[bool, typer.Option("--no-llm", help="Answer without an LLM.")] = False,
) -> None:
    """Serve the agent's tools, lists, conversations and copy over MCP. What is said changes no profile unless the user confirms it."""
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    with c.clear_errors():
        if importlib.util.find_spec("mcp") is None:
            raise InputError("`scenewise mcp` needs the package mcp: install the extra `mcp` (pip install 'scenewise[mcp]')")
        if http and user is not None:
            raise InputError("--user is for stdio; over HTTP a key is bound to a user, or the header X-Scenewise-User names one")
        from scenewise.service.chat import opened_agent

        logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
        if not http:
            with opened_agent(store, no_llm=no_llm, keep_tastes=False) as agent:
                import anyio

                from scenewise.service.api.limits import Gate, Limits
                from scenewise.service.mcp.server import create_server
                from scenewise.service.mcp.session import Door

                anyio.run(create_server(Door(agent, Gate(Limits()), user)).run_stdio_async)
            return
        used = read_keys(keys, host)
        from scenewise.service.telemetry import telemetry

        with telemetry(), bound(host, port) as listener, opened_agent(store, no_llm=no_llm, keep_tastes=False) as agent:
            from scenewise.service.mcp.http import PATH, create_http_app

            logging.getLogger("scenewise.api.access").setLevel(logging.INFO)
            name = f"[{host}]" if ":" in host else host
            c.err.print(f"Scenewise speaks MCP at http://{name}:{listener.getsockname()[1]}{PATH}" + ("" if used else "; no key is needed"))
            run(create_http_app(agent, keys=used), listener, stop_s=agent.settings.deadline_s + 5)
