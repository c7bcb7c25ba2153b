"""Copy for items without a conversation: rows first, then the model's words or a template's, each judged; many items with few in flight.

The functions that take an Agent are its methods (agent/agent.py).
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from scenewise.agent.audience import Audience, readers_of
from scenewise.agent.compose import TRAINED
from scenewise.agent.item_copy import Copy, Form, ItemWriter, Wanted, asks_model
from scenewise.store.errors import NotFound, StoreError
from scenewise.store.types import Item, ItemId
from scenewise.tools.copywriter.channels import Channel, Locale, Tone
from scenewise.tools.copywriter.style import load_style
from scenewise.tools.toolbox import Toolbox

if TYPE_CHECKING:
    from scenewise.agent.agent import Agent
    from scenewise.agent.copy_ray import Write

AT_ONCE = 16
"""Items in flight where the caller says nothing else."""


def write_copy(
    agent: Agent,
    items: Iterable[Item | str],
    audience: Audience = None,
    *,
    scene: str | None = None,
    channel: Channel = "card",
    tone: Tone = "plain",
    locale: Locale = "en",
    seed: int = 0,
    variants: int = 1,
) -> list[Copy]:
    """Write copy for items of the catalogue (ids) or of your own (`Item`), in their order; up to `variants` different texts of each.

    `audience` is a user's id, a `Segment` or nobody. A text names the scene only where the item suits it. Every claim is borne out by a
    row, the channel's length is kept, and the style of the settings. The same arguments give the same copy. Without an LLM, and where its
    text fails twice, the text is a template's. Raises InputError (an option, the style, the segment), NotFound (an item, the scene).
    """
    return agent._run(_written(agent, items, Wanted(channel, tone, locale, seed, variants, audience, scene)))


async def awrite_copy(
    agent: Agent,
    items: Iterable[Item | str],
    audience: Audience = None,
    *,
    scene: str | None = None,
    channel: Channel = "card",
    tone: Tone = "plain",
    locale: Locale = "en",
    seed: int = 0,
    variants: int = 1,
) -> list[Copy]:
    """`write_copy` for async callers, on any event loop."""
    return await agent._arun(_written(agent, items, Wanted(channel, tone, locale, seed, variants, audience, scene)))


def iter_copy(
    agent: Agent,
    items: Iterable[Item | str],
    wanted: Wanted,
    *,
    at_once: int = AT_ONCE,
    engine: Callable[[ItemWriter], Write] = lambda writer: writer.write,
) -> Iterator[tuple[Copy, ...]]:
    """Yield the texts of each item as they are done, at most `at_once` items in flight. `engine` gives what writes an item's texts: this
    process by default, workers elsewhere (`copy_ray.ray_workers`).

    Raises as `write_copy` does, and ModelError once the LLM cannot be reached: what was yielded stands, the rest can be asked for again.
    """
    if agent._loop.is_closed():
        raise StoreError("this agent is closed: open another one")
    arrived: queue.Queue[tuple[Copy, ...] | None] = queue.Queue()

    async def pump() -> None:
        try:
            async with aclosing(_each(agent, items, wanted, at_once=at_once, engine=engine, insist=True)) as found:
                async for copies in found:
                    arrived.put(copies)
        finally:
            arrived.put(None)

    pending = asyncio.run_coroutine_threadsafe(pump(), agent._loop)
    try:
        while (copies := arrived.get()) is not None:
            yield copies
        pending.result()
    finally:
        pending.cancel()


async def _written(agent: Agent, items: Iterable[Item | str], wanted: Wanted) -> list[Copy]:
    found: dict[ItemId, tuple[Copy, ...]] = {}
    items = list(items)
    async with aclosing(_each(agent, items, wanted, at_once=AT_ONCE)) as groups:
        async for copies in groups:
            found[copies[0].item_id] = copies
    order = dict.fromkeys(item.item_id if isinstance(item, Item) else ItemId(item) for item in items)
    return [copy for item_id in order for copy in found[item_id]]


async def _each(
    agent: Agent,
    items: Iterable[Item | str],
    wanted: Wanted,
    *,
    at_once: int,
    engine: Callable[[ItemWriter], Write] = lambda writer: writer.write,
    insist: bool = False,
) -> AsyncGenerator[tuple[Copy, ...], None]:
    """The texts of each item, in the order in which they are done."""
    around = await asyncio.to_thread(agent._surroundings)
    box, model, settings = around.box, around.model, around.settings
    style = load_style(settings.style)
    now_s = agent._clock()
    readers = await asyncio.to_thread(readers_of, wanted.audience, wanted.scene, box, locale=wanted.locale, now_s=now_s, seed=wanted.seed)
    form: Form = "trained" if model is not None and model.name.startswith(TRAINED) else settings.writing
    write = engine(ItemWriter(wanted, style, model if asks_model(wanted, form) else None, form, insist))

    async def one(item: Item) -> tuple[Copy, ...]:
        rows = await asyncio.to_thread(readers.evidence, item, box)
        return await write(item, rows)

    left = iter(_items_of(items, box))
    running: set[asyncio.Task[tuple[Copy, ...]]] = set()
    try:
        while True:
            while len(running) < at_once and (item := next(left, None)) is not None:
                running.add(asyncio.create_task(one(item)))
            if not running:
                return
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                running.discard(task)
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _items_of(items: Iterable[Item | str], box: Toolbox) -> list[Item]:
    """The items, each once; NotFound says which place of the list holds an id that the catalogue lacks."""
    found: dict[ItemId, Item] = {}
    for place, one in enumerate(items, 1):
        row = None if isinstance(one, Item) else box.catalogue.row(ItemId(one))
        if not isinstance(one, Item) and row is None:
            raise NotFound(f"item {place} of the list is not in the catalogue")
        item = one if isinstance(one, Item) else box.catalogue.items[row or 0]
        found.setdefault(item.item_id, item)
    return list(found.values())
