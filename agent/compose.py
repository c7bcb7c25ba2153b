"""Composing: the LLM writes a sentence an item from its evidence rows, all items at once so that the server batches them.

What the check refuses is written again, once, within the pattern of what the evidence bears out; what fails then too becomes a template.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from scenewise.agent.model import ChatModel, WritePrompt, Written
from scenewise.agent.record import Draft, Slate, SlateEntry
from scenewise.prompts import load, without_marks
from scenewise.store.errors import ModelError
from scenewise.tools.copywriter.check import check_copy
from scenewise.tools.copywriter.facts import facts_for, facts_line
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
TRAINED = "scenewise"
"""How the names of models begin that were trained for this job: they know their prompt, and need no examples and no pattern."""
LATIN_ONLY = ("zh", "ja", "ko", "ru", "ar")


async def compose(
    slate: Slate,
    model: ChatModel | None,
    *,
    locale: str,
    timeout_s: float,
    guided: bool = True,
    scene: str | None = None,
    seed: int = 0,
) -> Draft:
    """Return a text an entry, in order; none where there is no model, no time left, or a language the prompt is not written for.

    `guided` keeps the model within what the evidence bears out (tools/copywriter/pattern.py); else it writes freely and more is refused.
    A model trained for this (named "scenewise...") always writes freely at first. `scene` and `seed` are those of the turn.
    """
    if not slate.entries or model is None or locale.startswith(LATIN_ONLY):
        return Draft()
    if timeout_s <= 0:
        return Draft(trouble="writing: no time left")
    begun = time.monotonic()
    trained = model.name.startswith(TRAINED)
    first, second = ("write_short", "write_short") if trained else ("write", "write_again")
    prompts = [_prompt(entry, trained=trained, guided=guided and not trained, seed=seed) for entry in slate.entries]
    try:
        written = await model.write(prompts, max_tokens=COPY_TOKENS, timeout_s=timeout_s)
    except ModelError as error:
        return Draft(rounds=1, trouble=f"writing: {error.reason}", prompts=(first,))
    errors = [one.error for one in written if one.error]
    trouble = f"writing: {errors[0]}" if len(errors) == len(written) else ""
    refused = [_refused(one, entry, scene) for one, entry in zip(written, slate.entries, strict=True)]
    if any(refused) and (left_s := timeout_s - (time.monotonic() - begun)) > 0:
        again = await _again(slate, written, refused, model, timeout_s=left_s, trained=trained, seed=seed)
        texts = [again[place].text or one.text if place in again else one.text for place, one in enumerate(written)]
        return _draft(texts, [*written, *again.values()], 2, trouble, refused, tuple(dict.fromkeys((first, second))))
    return _draft([one.text for one in written], written, 1, trouble, refused, (first,))


def _draft(
    texts: Sequence[str],
    calls: Sequence[Written],
    rounds: int,
    trouble: str,
    refused: Sequence[tuple[str, ...]],
    prompts: tuple[str, ...],
) -> Draft:
    """The draft with the tokens of all calls, whether or not their texts were taken."""
    read, wrote = sum(one.prompt_tokens for one in calls), sum(one.completion_tokens for one in calls)
    return Draft(tuple(texts), rounds, trouble, wrote, tuple(refused), prompts, read)


def _prompt(entry: SlateEntry, *, trained: bool, guided: bool, seed: int) -> WritePrompt:
    pattern = copy_pattern(entry.item, entry.evidence) if guided else None
    if trained:
        return WritePrompt(load("write_short").messages(facts=facts_line(facts_for(entry.item, entry.evidence, seed=seed))), pattern)
    return WritePrompt(load("write").messages(facts=facts_of(entry)), pattern)


def _refused(written: Written, entry: SlateEntry, scene: str | None) -> tuple[str, ...]:
    """What of a text is not borne out; nothing where there is no text."""
    return check_copy(written.text, entry.item, entry.evidence, scene=scene).unsupported if written.text else ()


async def _again(
    slate: Slate,
    written: Sequence[Written],
    refused: Sequence[tuple[str, ...]],
    model: ChatModel,
    *,
    timeout_s: float,
    trained: bool,
    seed: int,
) -> dict[int, Written]:
    """Have the refused texts written again, all at once, with what was wrong named: what came, by place; nothing where that fails."""
    places = [place for place, why in enumerate(refused) if why]
    prompts = []
    for place in places:
        entry = slate.entries[place]
        if trained:
            prompts.append(_prompt(entry, trained=True, guided=True, seed=seed))
            continue
        said = {"role": "assistant", "content": without_marks(" ".join(written[place].text.split())[:200])}
        problem = " ".join("; ".join(refused[place]).split())[:200]
        messages = [*load("write").messages(facts=facts_of(entry)), said, *load("write_again").messages(problem=problem)]
        prompts.append(WritePrompt(messages, copy_pattern(entry.item, entry.evidence)))
    try:
        again = await model.write(prompts, max_tokens=COPY_TOKENS, timeout_s=timeout_s)
    except ModelError:
        return {}
    return dict(zip(places, again, strict=True))


def facts_of(entry: SlateEntry) -> str:
    """The evidence rows as short phrases on one line, in an order in which they can be said."""
    rows = {row.row_id: row for row in entry.evidence}
    phrases = [f"a {rows['year'].text} {rows['domain'].text}" if "year" in rows else f"a {rows['domain'].text}"]
    for row_id, form, most in PHRASES:
        if row_id in rows:
            said = ", ".join(rows[row_id].values[:most]) if most and rows[row_id].values else rows[row_id].text
            phrases.append(form.format(said))
    return " | ".join(" ".join(phrase.split())[:160] for phrase in phrases)
