"""`scenewise serve`: the server, in this process, until it is told to stop."""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.store.errors import Busy, InputError, NotAllowed

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from scenewise.agent.agent import Agent
    from scenewise.service.api.keys import KeyFile
    from scenewise.service.api.limits import Limits

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen at; other than loopback needs keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port; 0 takes a free one.")] = 8080,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="File of keys; default: keys.json in the home folder, if it is there.")
    ] = None,
    store: Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")] = None,
    tenant: Annotated[
        list[str] | None,
        typer.Option("--tenant", help="NAME=STORE, as often as there are tenants; their keys are made with `keys add --tenant NAME`."),
    ] = None,
    no_llm: Annotated[bool, typer.Option("--no-llm", help="Answer without an LLM.")] = False,
    turns: Annotated[int, typer.Option("--turns", min=1, max=1_000, help="Turns that may run at once; four times as many may wait.")] = 16,
    per_minute: Annotated[int, typer.Option("--per-minute", min=1, help="Requests a minute that a key may make.")] = 600,
) -> None:
    """Serve chat (OpenAI's API), lists, items and users over HTTP. Ctrl-C lets running turns finish."""
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    with c.clear_errors():
        from scenewise.service.api.limits import Limits
        from scenewise.service.telemetry import telemetry

        stores = read_tenants(tenant or (), store)
        used = read_keys(keys, host)
        if tenant and used is None:
            raise NotAllowed("a server of several tenants needs their keys: `scenewise keys add NAME --tenant TENANT`")
        limits = Limits(running=turns, waiting=4 * turns, per_minute=per_minute)
        with telemetry(), bound(host, port) as listener, opened_app(stores, used, limits, no_llm=no_llm) as (served, stop_s):
            logging.basicConfig(level=logging.INFO, format="%(message)s")
            logging.getLogger("httpx").setLevel(logging.WARNING)
            name = f"[{host}]" if ":" in host else host
            address = f"http://{name}:{listener.getsockname()[1]}"
            c.err.print(
                f"Scenewise listens at {address}, where its page is; OpenAI's clients take base_url {address}/v1"
                + ("" if used else "; no key is needed")
            )
            run(served, listener, stop_s=stop_s)


def read_tenants(given: Sequence[str], store: Path | None) -> dict[str | None, Path | None]:
    """The stores by tenant; that of None where there are no tenants. Raises InputError for what is no NAME=STORE, or both."""
    from scenewise.service.api.keys import TENANT

    if not given:
        return {None: store}
    if store is not None:
        raise InputError("--store is for a server of one store: leave it out beside --tenant")
    stores: dict[str | None, Path | None] = {}
    for one in given:
        name, _, path = one.partition("=")
        if not TENANT.fullmatch(name) or not path or name in stores:
            raise InputError("--tenant is NAME=STORE, each name once: small letters, digits, - and _")
        stores[name] = Path(path)
    return stores


@contextmanager
def opened_app(
    stores: Mapping[str | None, Path | None], keys: KeyFile | None, limits: Limits, *, no_llm: bool
) -> Iterator[tuple[ASGIApp, float]]:
    """The app over one store, or over each tenant's; and how long a turn of it may run on when it is stopped, in seconds."""
    from scenewise.service.api.app import create_app
    from scenewise.service.api.tenants import Tenants
    from scenewise.service.chat import opened_agent
    from scenewise.tools.retrieval.encoders import default_encoders

    encoders = default_encoders(load_settings().encoder)
    with ExitStack() as stack:
        agents = {name: stack.enter_context(opened_agent(path, no_llm=no_llm, encoders=encoders)) for name, path in stores.items()}
        for agent in agents.values():
            agent.warm_up()
        apps = {name or "": create_app(agent, keys=keys and keys.of(name), limits=limits) for name, agent in agents.items()}
        stop_s = max(agent.settings.deadline_s for agent in agents.values()) + 5
        yield (Tenants(apps, keys) if keys is not None and None not in stores else apps[""]), stop_s


def read_keys(path: Path | None, host: str) -> KeyFile | None:
    """The file of keys: that at `path`, else that of the home folder, else None.

    Raises InputError where `path` has no keys, NotAllowed where there are none for an address that others reach.
    """
    from scenewise.service.api.keys import KeyFile

    given = KeyFile(path or load_settings().home / "keys.json")
    if path is not None and not given.all():
        raise InputError("--keys names no file of keys; make one with `scenewise keys add NAME --keys FILE`")
    used = given if given.path.exists() else None
    if not is_loopback(host) and not (used and used.all()):
        raise NotAllowed("to listen beyond this machine the server needs a key: `scenewise keys add NAME`")
    return used


def run(app: ASGIApp, listener: socket.socket, *, stop_s: float) -> None:
    """Serve until SIGINT or SIGTERM; running requests may take `stop_s` seconds more."""
    import uvicorn

    # uvicorn raises the signal again once it has finished: then the store is to be closed, not the process killed.
    signal.signal(signal.SIGTERM, _leave)

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(stop_s),
        timeout_keep_alive=30,
        limit_concurrency=2_000,
        lifespan="auto",
    )
    uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def beside(agent: Agent, *, port: int = 8080) -> Iterator[str]:
    """Serve an agent to this machine beside what else the process does; yields the page's address. Where the port is taken, another."""
    import uvicorn

    from scenewise.service.api.app import create_app

    try:
        listener = bound("127.0.0.1", port)
    except Busy:
        listener = bound("127.0.0.1", 0)
    with listener:
        server = uvicorn.Server(uvicorn.Config(create_app(agent), log_config=None, lifespan="off", timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="scenewise-page", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join(timeout=10)


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(0)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens at the address. Raises Busy where it is taken, InputError where there is no such address."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(2_048)
        except BaseException:
            listener.close()
            raise
    except socket.gaierror as error:
        raise InputError("--host is no address of this machine") from error
    except PermissionError as error:
        raise NotAllowed("this port may not be used: take one above 1023") from error
    except OSError as error:
        raise Busy(f"port {port} cannot be listened at: {error.strerror}; take another with --port") from error
    return listener


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
