"""Verifying: every sentence is checked against its evidence rows; what fails is replaced by a template and marked."""

from __future__ import annotations

from scenewise.agent.record import Draft, Found, Reply, Seen, Slate, SlateEntry, TurnItem
from scenewise.agent.words import nothing_fits, opening
from scenewise.tools.copywriter.check import check_copy
from scenewise.tools.copywriter.evidence import clean
from scenewise.tools.copywriter.template import template_copy


def verify(draft: Draft, slate: Slate, seen: Seen, found: Found) -> Reply:
    """Return the reply: its items are the slate's, in its order, each with words that its evidence bears out."""
    locale = seen.context.moment.locale
    if not slate.entries:
        return Reply(nothing_fits(slate, found, locale))
    texts = draft.texts or ("",) * len(slate.entries)
    before = draft.refused or ((),) * len(slate.entries)
    items = tuple(_item(entry, text, seen, first) for entry, text, first in zip(slate.entries, texts, before, strict=True))
    head = clean(opening(seen, found, locale))
    lines = [f"{place}. {clean(item.title)}: {item.copy}" for place, item in enumerate(items, 1)]
    return Reply("\n".join([head, *lines]), items)


def _item(entry: SlateEntry, text: str, seen: Seen, first: tuple[str, ...]) -> TurnItem:
    """The entry with its words. `first` is what was refused of a text that was then written again: it stays in the record."""
    locale = "zh" if seen.context.moment.locale.startswith("zh") else "en"
    refused = first
    source, copy = "template", ""
    claims: tuple[tuple[str, tuple[str, ...]], ...] = ()
    if text:
        verdict = check_copy(text, entry.item, entry.evidence, scene=seen.context.scene.scene)
        refused = tuple(dict.fromkeys([*first, *verdict.unsupported]))
        if not verdict.unsupported:
            source, copy, claims = "model", text, tuple((claim.text, tuple(claim.row_ids)) for claim in verdict.claims)
    if source == "template":
        made = template_copy(entry.item, entry.evidence, seed=seen.context.seed, locale=locale, with_title=False)
        copy, claims = made.text, tuple((claim.text, tuple(claim.row_ids)) for claim in made.claims)
    return TurnItem(
        item_id=entry.item.item_id,
        domain=entry.item.domain,
        title=entry.item.title,
        score=entry.score,
        reason=entry.reason,
        copy=copy,
        copy_source=source,
        claims=claims,
        evidence=tuple((row.row_id, row.text) for row in entry.evidence),
        contributions=entry.contributions,
        refused=refused,
        sources=entry.sources,
        propensity=entry.propensity,
    )
