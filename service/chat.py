"""Opening the agent for a command, and talking with it line by line."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from scenewise.agent.agent import Agent
from scenewise.agent.record import Step, Turn
from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.service.render import show_turn
from scenewise.store.errors import InputError
from scenewise.store.store import Store
from scenewise.store.types import Moment
from scenewise.tools.retrieval.encoders import Encoders, default_encoders
from scenewise.tools.toolbox import Toolbox


@contextmanager
def opened_agent(store: Path | None, *, no_llm: bool, keep_tastes: bool | None = None, encoders: Encoders | None = None) -> Iterator[Agent]:
    """An agent on the given or the demo store, with a progress bar while its tools are made ready; None leaves it to the settings."""
    settings = load_settings(store=store, llm_off=no_llm or None, keep_tastes=keep_tastes)
    with c.step_bar(short=True) as progress:
        agent = Agent.open(settings=settings, encoders=encoders, report=progress)
    with agent:
        yield agent


def reindex_store(store: Path | None) -> dict[str, Any]:
    """Throw the caches away and make them again."""
    import shutil

    settings = load_settings(store=store)
    with Store.open(settings.store_path, purpose="reindex") as opened:
        shutil.rmtree(opened.cache, ignore_errors=True)
        opened.cache.mkdir(exist_ok=True)
        with c.step_bar() as progress:
            box = Toolbox.open(opened, default_encoders(settings.encoder), report=progress)
        return {"items": box.catalogue.n, "nodes": box.graph.n_nodes, "edges": box.graph.n_edges}


def hold_chat(
    agent: Agent, *, user: str | None, moment: Moment, conversation: str | None, details: bool, as_json: bool, live: bool = False
) -> None:
    """Read messages until the end of input; an impossible message is answered with its error and the talk goes on.

    `live` takes the clock anew at each message.
    """
    for said in _lines():
        moment = replace(moment, local_time=datetime.now()) if live else moment
        try:
            turn = _listen(agent, said, user, moment, conversation, as_json)
        except InputError as error:
            c.err.print(f"[red]{c.safe(str(error))}[/]")
            continue
        conversation = turn.conversation_id
        if as_json:
            c.print_json(turn.to_record())
        else:
            show_turn(turn, c.out, details=details)


def _listen(agent: Agent, said: str, user: str | None, moment: Moment, conversation: str | None, as_json: bool) -> Turn:
    if as_json or not sys.stdout.isatty():
        return agent.turn(said, user, moment, conversation_id=conversation)
    with c.out.status("reading the moment") as status:
        for part in agent.stream(said, user, moment, conversation_id=conversation):
            if isinstance(part, Step):
                status.update(
                    {"perceive": "planning", "plan": "asking the tools", "act": "ranking", "rank": "writing"}.get(part.name, "checking")
                )
            else:
                return part
    raise AssertionError("a stream ends with its turn")


def _lines() -> Iterator[str]:
    """Messages: with editing and history on a terminal, plain lines elsewhere."""
    if not sys.stdin.isatty():
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")  # a file may hold anything
        yield from (line.strip() for line in sys.stdin if line.strip())
        return
    from prompt_toolkit import PromptSession

    session: PromptSession[str] = PromptSession("you> ")
    while True:
        try:
            line = session.prompt().strip()
        except (EOFError, KeyboardInterrupt):
            return
        if line in ("exit", "quit", ":q"):
            return
        if line:
            yield line
