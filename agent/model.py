"""The only door to an LLM: a Protocol, the client of any vLLM server, and the record of the one that runs here."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from scenewise.agent import tracing
from scenewise.agent.settings import Settings
from scenewise.prompts import Message
from scenewise.store.errors import ModelError

if TYPE_CHECKING:
    import httpx
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage

EXTRA_BODY: Mapping[str, Any] = MappingProxyType({"chat_template_kwargs": {"enable_thinking": False}})
MAX_PLAN, MAX_TEXT = 20_000, 1_000  # characters that are read of a plan and of a text; a server may send any number
ToolSchema = dict[str, Any]
"""A tool in OpenAI's form."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call as the model wrote it; not yet validated."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """One planning round: the calls, what was cut off or unreadable, tokens and seconds."""

    calls: tuple[Call, ...]
    finish: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WritePrompt:
    """One short text to write. `pattern` is a regular expression that the whole text must match; None leaves it free."""

    messages: Sequence[Message]
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """One text of a writing round; `text` is empty where the call failed, with `error` saying why."""

    text: str
    completion_tokens: int = 0
    error: str = ""
    prompt_tokens: int = 0


class ChatModel(Protocol):
    """What the agent needs of an LLM. Both methods raise ModelError when nothing usable comes in `timeout_s` seconds."""

    @property
    def name(self) -> str:
        """The served model's name, for records."""
        ...

    async def plan(self, messages: Sequence[Message], tools: Sequence[ToolSchema], *, max_tokens: int, timeout_s: float) -> PlanAnswer:
        """Return the tool calls of a turn in one message."""
        ...

    async def write(self, prompts: Sequence[WritePrompt], *, max_tokens: int, timeout_s: float) -> tuple[Written, ...]:
        """Answer several short prompts at once, in order."""
        ...

    async def complete(self, messages: Sequence[Message], *, pattern: str, max_tokens: int, timeout_s: float) -> Written:
        """Answer one prompt with a line that matches a regular expression, or its beginning where it is cut at `max_tokens`."""
        ...

    async def close(self) -> None:
        """Let go of connections that were made on the running event loop."""
        ...


class VllmModel:
    """A vLLM server (or another OpenAI-compatible one) through LangChain's ChatOpenAI."""

    def __init__(self, url: str, model: str, *, api_key: str = "EMPTY") -> None:
        self.url, self.name, self.api_key = url, model, api_key
        # Connections belong to an event loop; a model may serve agents of several.
        self._connections: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}
        self._clients: dict[tuple[asyncio.AbstractEventLoop, int], BaseChatModel] = {}

    def client(self, max_tokens: int) -> Any:
        """LangChain's chat model for answers of at most `max_tokens`, of the running event loop."""
        loop = asyncio.get_running_loop()
        if (loop, max_tokens) not in self._clients:
            import httpx
            from langchain.chat_models import init_chat_model

            self._clients[loop, max_tokens] = init_chat_model(
                self.name,
                model_provider="openai",
                base_url=self.url,
                api_key=self.api_key,
                temperature=0.0,
                max_completion_tokens=max_tokens,
                max_retries=0,
                seed=0,
                extra_body=EXTRA_BODY,
                http_async_client=self._connections.setdefault(loop, httpx.AsyncClient(timeout=None, trust_env=not is_local(self.url))),
            )
        return self._clients[loop, max_tokens]

    async def close(self) -> None:
        """Close this event loop's connections."""
        loop = asyncio.get_running_loop()
        self._clients = {key: client for key, client in self._clients.items() if key[0] is not loop}
        if (connection := self._connections.pop(loop, None)) is not None:
            await connection.aclose()

    async def plan(self, messages: Sequence[Message], tools: Sequence[ToolSchema], *, max_tokens: int, timeout_s: float) -> PlanAnswer:
        """Ask for tool calls under `tool_choice="required"`; a plan cut at `max_tokens` keeps its complete calls."""
        bound = self.client(max_tokens).bind_tools(list(tools), tool_choice="required", strict=True, parallel_tool_calls=True)
        begun = time.monotonic()
        with tracing.llm_call(self.name, self.url, messages, max_tokens) as told:
            answer = await in_time(bound.ainvoke(list(messages)), timeout_s, "plan")
            told(answer)
        calls = [Call(call["name"], call["args"]) for call in answer.tool_calls]
        if not calls:
            calls = salvage(str(answer.content))
        prompt_tokens, completion_tokens = usage(answer)
        finish = str(answer.response_metadata.get("finish_reason", ""))
        return PlanAnswer(tuple(calls), finish, prompt_tokens, completion_tokens, time.monotonic() - begun)

    async def write(self, prompts: Sequence[WritePrompt], *, max_tokens: int, timeout_s: float) -> tuple[Written, ...]:
        """Send all prompts at once, so that the server batches them; one that fails does not spoil the others."""
        client = self.client(max_tokens).bind(stop=["\n"], frequency_penalty=0.3)

        async def one(prompt: WritePrompt) -> Written:
            extra = {**EXTRA_BODY, "structured_outputs": {"regex": prompt.pattern}} if prompt.pattern else EXTRA_BODY
            try:
                with tracing.llm_call(self.name, self.url, prompt.messages, max_tokens) as told:
                    answer = await in_time(client.ainvoke(list(prompt.messages), extra_body=extra), timeout_s, "write")
                    told(answer)
            except ModelError as error:
                return Written("", error=error.reason)
            prompt_tokens, completion_tokens = usage(answer)
            return Written(str(answer.content)[:MAX_TEXT].strip(), completion_tokens, prompt_tokens=prompt_tokens)

        return tuple(await asyncio.gather(*(one(prompt) for prompt in prompts)))

    async def complete(self, messages: Sequence[Message], *, pattern: str, max_tokens: int, timeout_s: float) -> Written:
        """Send one prompt; the server's grammar holds the answer to the pattern."""
        extra = {**EXTRA_BODY, "structured_outputs": {"regex": pattern}}
        client = self.client(max_tokens).bind(stop=["\n"], extra_body=extra)
        with tracing.llm_call(self.name, self.url, messages, max_tokens) as told:
            answer = await in_time(client.ainvoke(list(messages)), timeout_s, "plan")
            told(answer)
        prompt_tokens, completion_tokens = usage(answer)
        return Written(str(answer.content)[:MAX_PLAN].strip(), completion_tokens, prompt_tokens=prompt_tokens)


async def in_time(pending: Any, timeout_s: float, what: str) -> AIMessage:
    """Await an answer; every way it can fail becomes a ModelError with a short reason."""
    import httpx
    import openai

    try:
        answer: AIMessage = await asyncio.wait_for(pending, timeout_s)
    except (TimeoutError, openai.APITimeoutError) as error:
        raise ModelError(f"the LLM did not {what} within {timeout_s:.1f} s", reason="too slow") from error
    except (openai.APIConnectionError, httpx.TransportError) as error:
        raise ModelError("the LLM cannot be reached", reason="unreachable") from error
    except openai.APIStatusError as error:
        raise ModelError(f"the LLM server answered {error.status_code}", reason=f"status {error.status_code}") from error
    except (openai.OpenAIError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        # LangChain and the client take an answer's shape for granted; whatever they stumble over was not that shape
        raise ModelError("the LLM's answer cannot be read", reason="unreadable answer") from error
    return answer


def usage(answer: AIMessage) -> tuple[int, int]:
    """Tokens in and out, (0, 0) where the server does not say."""
    usage = answer.usage_metadata
    return (usage["input_tokens"], usage["output_tokens"]) if usage else (0, 0)


def salvage(text: str) -> list[Call]:
    """Take the complete calls out of a plan that was cut off or not parsed by the server: JSON objects with name and arguments."""
    calls, decoder = [], json.JSONDecoder()
    text = text[:MAX_PLAN]
    for match in re.finditer(r"\{\s*\"name\"", text):
        try:
            found, _ = decoder.raw_decode(text, match.start())
        except (json.JSONDecodeError, RecursionError):
            continue
        arguments = found.get("arguments", found.get("parameters"))
        if isinstance(found["name"], str) and isinstance(arguments, dict):
            calls.append(Call(found["name"], arguments))
    return calls


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A vLLM that this machine's `scenewise llm start` started."""

    url: str
    model: str
    pid: int
    started_s: float


def run_file(home: Path) -> Path:
    """Where the running server is written down."""
    return home / "run" / "llm.json"


def read_run_file(home: Path) -> RunningServer | None:
    """The server that runs, or None where there is none or its process is gone."""
    try:
        server = RunningServer(**json.loads(run_file(home).read_text()))
        os.kill(server.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return server


def connect(settings: Settings) -> ChatModel | None:
    """The LLM that the settings name, the one that runs here, or None."""
    if settings.llm_off:
        return None
    key = settings.llm_api_key.get_secret_value()
    if settings.llm_url:
        return VllmModel(settings.llm_url, settings.llm_model or _served_name(settings.llm_url, key), api_key=key)
    running = read_run_file(settings.home)
    return VllmModel(running.url, running.model, api_key=key) if running else None


def is_local(url: str) -> bool:
    """Whether a URL is of this machine, which no proxy stands before."""
    return re.match(r"https?://(127\.|localhost\b|\[::1\])", url) is not None


def _served_name(url: str, key: str) -> str:
    import httpx

    try:
        answer = httpx.get(f"{url}/models", headers={"Authorization": f"Bearer {key}"}, timeout=5.0, trust_env=not is_local(url))
        return str(answer.raise_for_status().json()["data"][0]["id"])
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return "default"  # the turn itself will say that the server cannot be reached
