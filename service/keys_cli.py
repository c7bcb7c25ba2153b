"""`scenewise keys`: make, list and remove the keys of the server."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.service.api.keys import SCOPES, KeyFile

app = typer.Typer(no_args_is_help=True, help="Make, list and remove API keys; a running server knows at its next request.")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
FileOption = Annotated[Path | None, typer.Option("--keys", help="File of keys; default: keys.json in the home folder.")]


def _file(path: Path | None) -> KeyFile:
    return KeyFile(path or load_settings().home / "keys.json")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[list[str] | None, typer.Option("--scope", help=f"{', '.join(SCOPES)}; as often as needed. Default: chat.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="The user for whom alone it acts.")] = None,
    days: Annotated[float | None, typer.Option("--days", min=0, help="Days after which it expires.")] = None,
    tokens: Annotated[
        int | None, typer.Option("--tokens-per-day", min=1, help="What the LLM may read and write for it in a day (UTC).")
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Whose store it opens, on a server of several.")] = None,
    keys: FileOption = None,
    json_: Json = False,
) -> None:
    """Make a key and show it, once: only its hash is kept."""
    with c.clear_errors(json_):
        now_s = time.time()
        expires_s = None if days is None else now_s + days * 86_400
        key, token = (
            _file(keys).of(tenant).add(name, scope or ["chat"], user_id=user, expires_s=expires_s, now_s=now_s, tokens_per_day=tokens)
        )
        if json_:
            kept = {name: value for name, value in asdict(key).items() if name not in ("digest", "name", "created_s")}
            c.print_json({"key": token} | kept)
        else:
            c.err.print("This key is shown once; keep it safe.")
            typer.echo(token)


@app.command(name="list")
def list_(keys: FileOption = None, json_: Json = False) -> None:
    """List the keys, without what they are."""
    with c.clear_errors(json_):
        file = _file(keys)
        found = file.all()
        if json_:
            c.print_json([{name: value for name, value in asdict(key).items() if name != "digest"} for key in found])
            return
        for key in found:
            of = f" of tenant {c.safe(key.tenant)}" if key.tenant is not None else ""
            whom = f" for user {c.safe(key.user_id)}" if key.user_id is not None else ""
            until = f" until {datetime.fromtimestamp(key.expires_s):%Y-%m-%d %H:%M}" if key.expires_s is not None else ""
            spent = f"{file.spent(key.key_id, time.time()):,} of {key.tokens_per_day:,} tokens today" if key.tokens_per_day else ""
            c.out.print(f"[bold]{key.key_id}[/]  {c.safe(key.name)}  {', '.join(key.scopes)}{of}{whom}{until}  {spent}".rstrip())


@app.command()
def remove(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id.")], keys: FileOption = None, json_: Json = False
) -> None:
    """Remove a key. Exit code 3 where there is none with this id."""
    with c.clear_errors(json_):
        _file(keys).remove(key_id)
        if json_:
            c.print_json({"removed": True})
        else:
            c.out.print("removed")
