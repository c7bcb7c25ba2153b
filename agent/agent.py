"""The public face: one object a store, with turns, streams and lists; sync, and async under the same name with an `a` before it."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from scenewise.agent import copywriting, own_profile, tool_use, tracing
from scenewise.agent import replay as replaying
from scenewise.agent.intents import IntentReader
from scenewise.agent.model import ChatModel, connect
from scenewise.agent.record import Request, Step, Turn
from scenewise.agent.settings import Settings, load_settings
from scenewise.agent.turn import ANONYMOUS, Surroundings, build_graph, kept_turn
from scenewise.store.errors import InputError, NotAllowed, StoreError
from scenewise.store.persons import CONVERSATIONS, export_user, forget_user, ids_of, person_of
from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, Moment, UserId
from scenewise.tools.retrieval.encoders import Encoders, default_encoders
from scenewise.tools.scene.own import locate, places_of
from scenewise.tools.scene.pack import SceneDef
from scenewise.tools.toolbox import Report, Toolbox

T = TypeVar("T")
MAX_K = 100
END = object()


class Agent:
    """Recommends out of one store. Open it with `Agent.open`, close it or use it as a context manager.

    Turns of different conversations may run at the same time, from any thread. Nothing of a user lives here: all is in the store.
    """

    def __init__(self, store: Store, box: Toolbox, model: ChatModel | None, settings: Settings, clock: Callable[[], float]) -> None:
        self.store, self.model, self.settings = store, model, settings
        self._box, self._intents, self._clock = box, IntentReader(box.encoders), clock
        self._refreshing = threading.Lock()
        # Turns of one conversation wait for each other: each reads what the last one remembered.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="scenewise-agent", daemon=True)
        self._thread.start()
        self._saver_context: Any = None
        self._graph: Any = None
        try:
            self._run(self._open_checkpoints())
        except BaseException:
            self._stop_loop()
            raise

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        settings: Settings | None = None,
        model: ChatModel | None = None,
        encoders: Encoders | None = None,
        clock: Callable[[], float] = time.time,
        report: Report = lambda what, done, total: None,
    ) -> Agent:
        """Open a store and make its tools ready.

        `model` None takes the LLM that the settings name; where there is none, turns are answered without. `encoders` can be shared by
        agents of several stores, which saves loading them again. Raises NotFound (no store
        there), Busy (another process has it open), StoreError, InputError (a setting or scenes.toml is wrong).
        """
        settings = settings or load_settings()
        store = Store.open(Path(path) if path is not None else settings.store_path, purpose="agent")
        try:
            box = Toolbox.open(store, encoders or default_encoders(settings.encoder), report=report)
            model = model if model is not None else connect(settings)
            if model is not None:
                import langchain.chat_models  # noqa: F401  # takes a second, which should not count against the first turn's deadline
            return cls(store, box, model, settings, clock)
        except BaseException:
            store.close()
            raise

    def turn(
        self,
        message: str,
        user_id: str | None = None,
        moment: Moment | None = None,
        *,
        conversation_id: str | None = None,
        scene: str | None = None,
        k: int = 5,
        turn_id: str | None = None,
    ) -> Turn:
        """Answer one message of a conversation; a new one where `conversation_id` is None. A `turn_id` that it has is answered as then.

        Raises InputError (message too long, impossible moment, bad k), NotFound (no such scene), NotAllowed (another user's
        conversation), StoreError. An LLM that is down or slow raises nothing: the turn is answered and says `degraded`.
        """
        return self._run(self._turn(replace(self._request(message, user_id, moment, conversation_id, scene, k), turn_id=turn_id)))

    async def aturn(
        self,
        message: str,
        user_id: str | None = None,
        moment: Moment | None = None,
        *,
        conversation_id: str | None = None,
        scene: str | None = None,
        k: int = 5,
        turn_id: str | None = None,
    ) -> Turn:
        """`turn` for async callers, on any event loop."""
        request = await asyncio.to_thread(self._request, message, user_id, moment, conversation_id, scene, k)
        return await self._arun(self._turn(replace(request, turn_id=turn_id)))

    def recommend(
        self,
        user_id: str | None = None,
        *,
        text: str = "",
        scene: str | None = None,
        moment: Moment | None = None,
        k: int = 5,
        use_llm: bool = False,
        conversation_id: str | None = None,
    ) -> Turn:
        """One list for a program, without an LLM unless asked for; with `conversation_id` its last list. Raises as `turn` does."""
        return self._run(self._turn(replace(self._request(text, user_id, moment, conversation_id, scene, k), use_llm=use_llm)))

    async def arecommend(
        self,
        user_id: str | None = None,
        *,
        text: str = "",
        scene: str | None = None,
        moment: Moment | None = None,
        k: int = 5,
        use_llm: bool = False,
        conversation_id: str | None = None,
    ) -> Turn:
        """`recommend` for async callers."""
        request = await asyncio.to_thread(self._request, text, user_id, moment, conversation_id, scene, k)
        return await self._arun(self._turn(replace(request, use_llm=use_llm)))

    def stream(
        self,
        message: str,
        user_id: str | None = None,
        moment: Moment | None = None,
        *,
        conversation_id: str | None = None,
        scene: str | None = None,
        k: int = 5,
        turn_id: str | None = None,
    ) -> Iterator[Step | Turn]:
        """Yield a Step as each one ends, and the Turn last; errors are raised where they happen."""
        request = replace(self._request(message, user_id, moment, conversation_id, scene, k), turn_id=turn_id)
        arrived: queue.Queue[Any] = queue.Queue()

        async def pump() -> None:
            try:
                async for part in self._stream(request):
                    arrived.put(part)
            finally:
                arrived.put(END)

        pending = asyncio.run_coroutine_threadsafe(pump(), self._loop)
        try:
            while (part := arrived.get()) is not END:
                yield part
            pending.result()
        finally:
            pending.cancel()

    async def astream(
        self,
        message: str,
        user_id: str | None = None,
        moment: Moment | None = None,
        *,
        conversation_id: str | None = None,
        scene: str | None = None,
        k: int = 5,
        turn_id: str | None = None,
    ) -> AsyncIterator[Step | Turn]:
        """`stream` for async callers."""
        request = await asyncio.to_thread(self._request, message, user_id, moment, conversation_id, scene, k)
        parts = self._stream(replace(request, turn_id=turn_id))
        while isinstance(part := await self._arun(anext(parts, END)), Step | Turn):
            yield part

    write_copy = copywriting.write_copy
    awrite_copy = copywriting.awrite_copy
    iter_copy = copywriting.iter_copy
    use_tool = tool_use.use_tool
    edit_profile = own_profile.edit_profile
    lock_taste = own_profile.lock_taste
    replay = replaying.replay
    areplay = replaying.areplay
    warm_up = replaying.warm_up

    def tell(self, user_id: str, item_id: str, kind: str, value: float | None = None, *, moment: Moment | None = None) -> None:
        """Record that a user did something with an item; it counts in the next turn. Raises NotFound for an unknown item.

        Of a moment's coordinates only the type of the place is kept that the user named there.
        """
        user = UserId(user_id)
        moment = moment and locate(moment, places_of(self.store.profiles.get(user)))
        self.store.events.add([Event(user, ItemId(item_id), kind, value, self._clock(), moment)])

    def put_items(self, items: Iterable[Item]) -> int:
        """Add items and replace those whose id is there; return how many are new or different. Turns that begin afterwards know them.

        All or none are kept. Raises InputError for an item without id or domain, StoreError, Busy.
        """
        changed = self.store.items.upsert(items)
        self.toolbox()
        return changed

    def delete_items(self, item_ids: Iterable[str], *, forget: bool = False) -> int:
        """Delete items with their events; return how many there were. Turns that begin afterwards do not know them.

        Their facts end now and are kept, as is what they were; with `forget` neither is. Raises StoreError, Busy.
        """
        deleted = self.store.items.delete(map(ItemId, item_ids), forget=forget)
        self.toolbox()
        return deleted

    def scenes(self) -> tuple[SceneDef, ...]:
        """The scenes that the store's pack has now."""
        return self.toolbox().pack.scenes

    def toolbox(self) -> Toolbox:
        """The catalogue, the graph and the other tools, over the store as it is now. What is returned does not change any more."""
        with self._refreshing:
            self._box = self._box.fresh()
            return self._box

    def link_user(self, user_id: str, platform: str, platform_user_id: str) -> None:
        """Say that a user is `platform_user_id` on `platform`, which they must have agreed to: what the two did and like then counts
        together, and turns of "platform:id" are theirs. Raises NotAllowed where the identity belongs to another user."""
        if not self.store.users.exists(UserId(user_id)):
            self.store.users.upsert(UserId(user_id), {})
        self.store.users.link(UserId(user_id), platform, platform_user_id)

    def unlink_user(self, platform: str, platform_user_id: str) -> bool:
        """Part an identity from its user, with what was done under it; return whether it was linked."""
        return self.store.users.unlink(platform, platform_user_id)

    def export_user(self, user_id: str) -> dict[str, Any]:
        """Return all that is kept of a user, as plain data. Raises NotFound."""
        return export_user(self.store, UserId(user_id))

    def forget_user(self, user_id: str) -> bool:
        """Delete everything of a user and their identities, overwriting it; return whether there was anything.

        Turns of theirs that run are waited for. Raises StoreError, Busy (another program reads the store: try again).
        """
        return self._run(self._forget_user(UserId(user_id)))

    async def _forget_user(self, user_id: UserId) -> bool:
        conversations = [one for user in ids_of(self.store, user_id) for one in self.store.turns.conversations(user)]
        async with AsyncExitStack() as stack:
            for conversation_id in sorted(conversations):
                await stack.enter_async_context(self._turns.setdefault(conversation_id, asyncio.Lock()))
            forgotten = await asyncio.to_thread(forget_user, self.store, user_id)
            self._box.graph.let_go()
            return forgotten

    def close(self) -> None:
        """Finish, and let the store go; a second call does nothing."""
        if self._saver_context is None:
            return
        saver, self._saver_context = self._saver_context, None
        try:
            asyncio.run_coroutine_threadsafe(self._finish(saver), self._loop).result()
        finally:
            self._stop_loop()
            self.store.close()

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _request(
        self, message: str, user_id: str | None, moment: Moment | None, conversation_id: str | None, scene: str | None, k: int
    ) -> Request:
        if not 1 <= k <= MAX_K:
            raise InputError(f"k is the length of the list, from 1 to {MAX_K}")
        if user_id is not None and not user_id.strip():
            raise InputError("a user id cannot be empty: leave it out for an anonymous user")
        if user_id == ANONYMOUS:
            raise InputError(f"nobody is called {ANONYMOUS}: leave the user out")
        user = person_of(self.store, UserId(user_id)) if user_id is not None else None
        if conversation_id is not None and self.store.turns.owner(conversation_id) not in (None, user or ANONYMOUS):
            raise NotAllowed("this conversation belongs to another user")
        rest = (self._clock(), self.settings.seed, True, self.settings.keep_tastes)
        return Request(message, user, moment or Moment(), conversation_id or uuid.uuid4().hex, scene, k, *rest)

    def _surroundings(self) -> Surroundings:
        return Surroundings(self.toolbox(), self._intents, self.model, self.settings)

    async def _turn(self, request: Request) -> Turn:
        parts = [part async for part in self._stream(request)]
        assert isinstance(parts[-1], Turn), "a stream ends with its turn"
        return parts[-1]

    async def _stream(self, request: Request) -> AsyncIterator[Step | Turn]:
        """The steps as they end; the turn once the conversation's memory is written, since who has it may read no further."""
        around = await asyncio.to_thread(self._surroundings)
        config = {"configurable": {"thread_id": request.conversation_id}}
        # The state at the turn's end is all that is kept: one write a turn, not one a step.
        async with self._turns.setdefault(request.conversation_id, asyncio.Lock()):
            turn = await asyncio.to_thread(kept_turn, request, self.store) if request.turn_id else None
            if turn is None:
                span = tracing.begin_turn(request)
                around = replace(around, trace=tracing.inside(span))
                modes = ["custom", "updates"]
                parts = self._graph.astream({"request": request}, config, context=around, durability="exit", stream_mode=modes)
                try:
                    async for mode, part in parts:
                        if mode == "custom":
                            yield part
                        else:
                            turn = part["turn"]["turn"]
                            tracing.tell_turn(span, turn)
                except BaseException as error:
                    tracing.tell_error(span, error)
                    raise
                finally:
                    span.end()
        assert turn is not None, "a graph's run ends with its turn"
        yield turn

    async def _finish(self, saver: Any) -> None:
        """Wait for the turns that run, then let the model's and the checkpoints' connections go."""
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if running:
            await asyncio.wait(running, timeout=self.settings.deadline_s + 5)
        try:
            if self.model is not None:
                await self.model.close()
        finally:
            await saver.__aexit__(None, None, None)

    async def _open_checkpoints(self) -> None:
        from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        self._saver_context = AsyncSqliteSaver.from_conn_string(str(self.store.path / CONVERSATIONS))
        saver = await self._saver_context.__aenter__()
        await saver.conn.execute("PRAGMA secure_delete = ON")
        saver.serde = JsonPlusSerializer(allowed_msgpack_modules=None)
        await saver.setup()
        self._graph = build_graph(saver)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            work.close()
            raise StoreError("this agent is closed: open another one")
        pending = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return pending.result()
        except BaseException:
            pending.cancel()
            raise

    async def _arun(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            work.close()
            raise StoreError("this agent is closed: open another one")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()
