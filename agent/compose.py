"""Composing: the LLM writes a sentence an item from its evidence rows, all items at once so that the server batches them."""

from __future__ import annotations

from scenewise.agent.model import ChatModel, WritePrompt
from scenewise.agent.record import Draft, Slate, SlateEntry
from scenewise.prompts import load
from scenewise.store.errors import ModelError
from scenewise.tools.copywriter.pattern import copy_pattern

COPY_TOKENS = 64
PHRASES = (
    ("genre", "{}", 2),
    ("creator", "by {}", 1),
    ("mood", "{}", 2),
    ("topic", "about {}", 2),
    ("duration", "{}", 0),
    ("path", "{}", 0),
    ("people", "{}", 0),
    ("scene", "for your {}", 1),
)
"""Rows that the writer is given: their id, how they are said, and how many of their values (0: the whole row)."""
LATIN_ONLY = ("zh", "ja", "ko", "ru", "ar")


async def compose(slate: Slate, model: ChatModel | None, *, locale: str, timeout_s: float, guided: bool = True) -> Draft:
    """Return a text an entry, in order; none where there is no model, no time left, or a language the prompt is not written for.

    `guided` keeps the model within what the evidence bears out (tools/copywriter/pattern.py); else it writes freely and more is refused.
    """
    if not slate.entries or model is None or locale.startswith(LATIN_ONLY):
        return Draft()
    if timeout_s <= 0:
        return Draft(trouble="writing: no time left")
    prompt = load("write")
    prompts = [
        WritePrompt(prompt.messages(facts=facts_of(entry)), copy_pattern(entry.item, entry.evidence) if guided else None)
        for entry in slate.entries
    ]
    try:
        written = await model.write(prompts, max_tokens=COPY_TOKENS, timeout_s=timeout_s)
    except ModelError as error:
        return Draft(rounds=1, trouble=f"writing: {error.reason}")
    texts = tuple(one.text for one in written)
    errors = [one.error for one in written if one.error]
    trouble = f"writing: {errors[0]}" if len(errors) == len(written) else ""
    return Draft(texts, 1, trouble, sum(one.completion_tokens for one in written))


def facts_of(entry: SlateEntry) -> str:
    """The evidence rows as short phrases on one line, in an order in which they can be said."""
    rows = {row.row_id: row for row in entry.evidence}
    phrases = [f"a {rows['year'].text} {rows['domain'].text}" if "year" in rows else f"a {rows['domain'].text}"]
    for row_id, form, most in PHRASES:
        if row_id in rows:
            said = ", ".join(rows[row_id].values[:most]) if most and rows[row_id].values else rows[row_id].text
            phrases.append(form.format(said))
    return " | ".join(" ".join(phrase.split())[:160] for phrase in phrases)
