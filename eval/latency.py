"""How long the agent's own part of a turn takes over a large made-up catalogue, without an LLM."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from scenewise.agent.agent import Agent
from scenewise.agent.settings import load_settings
from scenewise.eval.turns import Progress, run_turns
from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, UserId
from scenewise.tools.retrieval.encoders import Encoders

DOMAINS = ("movies", "books", "music", "recipes", "workouts", "courses", "apps")
_EVENTS_A_USER = 50
_ATTRIBUTES = {"genre": 30, "creator": 3_000, "mood": 12}  # how many values each has
_WORDS = (
    "river stone winter night garden house light shadow road train morning city forest ocean silver golden quiet storm summer letter "
    "mirror secret island dream bridge paper window fire snow rain heart market table music dance bread honey pepper lemon apple "
    "strength balance yoga running history language numbers science painting photo travel budget health sleep focus family friend"
)
_YEAR_S = 365 * 86_400


def run(
    folder: Path,
    *,
    items: int = 20_000,
    events: int = 200_000,
    turns: int = 300,
    seed: int = 0,
    now_s: float,
    encoders: Encoders | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make a store in `folder`, open an agent on it and hold `turns` generated turns; ready for JSON.

    The first ten turns are warm-up and not counted. `now_s`: the agent's clock, Unix seconds.
    """
    make_store(folder, items=items, events=events, seed=seed, now_s=now_s)
    settings = load_settings(store=folder, llm_off=True)
    now = datetime.fromtimestamp(now_s)
    with Agent.open(folder, settings=settings, encoders=encoders, clock=lambda: now_s) as agent:
        run_turns(agent, 10, seed=seed + 1, now=now)
        result = run_turns(agent, turns, seed=seed, now=now, progress=progress)
    kept = ("turns", "seed", "failures", "lists", "own_ms", "step_p50_ms")
    return {
        "protocol": f"generated conversations without an LLM over {items:,} made-up items of {len(DOMAINS)} domains and {events:,} events "
        f"of {events // _EVENTS_A_USER:,} users by power laws; wall time of whole turns, from the message to the reply that is kept",
        **{name: result[name] for name in kept},
    }


def make_store(folder: Path, *, items: int, events: int, seed: int, now_s: float) -> None:
    """Make a store of made-up items and what users did in the year before `now_s`, Unix seconds."""
    with Store.open(folder, create=True, purpose="made up") as store:
        store.items.upsert(made_up_items(items, seed))
        store.events.add(made_up_events(items, events, seed, now_s))


def made_up_items(n: int, seed: int) -> Iterator[Item]:
    """Draw items of seven domains with titles and three attributes."""
    rng, words = np.random.default_rng(seed), _WORDS.split()
    for row in range(n):
        title = " ".join(rng.choice(words, rng.integers(2, 5))).title()
        attributes = {name: (f"{words[value % len(words)]} {value}",) for name, value in _drawn(rng).items()}
        yield Item(ItemId(f"i{row}"), DOMAINS[row % len(DOMAINS)], f"{title} {row}", attributes=attributes)


def _drawn(rng: np.random.Generator) -> dict[str, int]:
    return {name: int(rng.integers(0, values)) for name, values in _ATTRIBUTES.items()}


def made_up_events(n_items: int, n: int, seed: int, now_s: float) -> Iterator[Event]:
    """Draw what users did in the year before `now_s`, users and items by power laws."""
    rng = np.random.default_rng(seed)
    users = (n // _EVENTS_A_USER * rng.random(n) ** 2).astype(int)
    rows = rng.permutation(n_items)[(n_items * rng.random(n) ** 3).astype(int)]
    times_s = now_s - _YEAR_S * rng.random(n)
    for user, row, time_s in zip(users.tolist(), rows.tolist(), times_s.tolist(), strict=True):
        yield Event(UserId(f"u{user}"), ItemId(f"i{row}"), "like", None, time_s)
