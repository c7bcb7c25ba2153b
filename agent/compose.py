"""Composing: the LLM writes a sentence an item from its evidence rows, all items at once so that the server batches them."""

from __future__ import annotations

from scenewise.agent.model import ChatModel
from scenewise.agent.record import Draft, Slate, SlateEntry
from scenewise.prompts import load
from scenewise.store.errors import ModelError
from scenewise.tools.copywriter.evidence import EvidenceRow

COPY_TOKENS = 40
LATIN_ONLY = ("zh", "ja", "ko", "ru", "ar")


async def compose(slate: Slate, model: ChatModel | None, *, locale: str, timeout_s: float) -> Draft:
    """Return a text an entry, in order; none where there is no model, no time left, or a language the prompt is not written for."""
    if not slate.entries or model is None or locale.startswith(LATIN_ONLY):
        return Draft()
    if timeout_s <= 0:
        return Draft(trouble="writing: no time left")
    prompt = load("write")
    prompts = [prompt.messages(facts=facts_of(entry)) for entry in slate.entries]
    try:
        written = await model.write(prompts, max_tokens=COPY_TOKENS, timeout_s=timeout_s)
    except ModelError as error:
        return Draft(rounds=1, trouble=f"writing: {error.reason}")
    texts = tuple(one.text for one in written)
    errors = [one.error for one in written if one.error]
    trouble = f"writing: {errors[0]}" if len(errors) == len(written) else ""
    return Draft(texts, 1, trouble, sum(one.completion_tokens for one in written))


def facts_of(entry: SlateEntry) -> str:
    """The evidence rows as the prompt shows them, a row a line; a line break inside a row cannot start a new one."""
    return "\n".join(f"{_label(row)}: {' '.join(row.text.split())[:160]}" for row in entry.evidence)


def _label(row: EvidenceRow) -> str:
    return {"path": "Why", "people": "Why", "history": "Why"}.get(row.field, row.field.split(".")[0].capitalize())
