"""Ranking: the trained fusion orders, diversity spreads, and the list is frozen with what may be said of each item."""

from __future__ import annotations

from scenewise.agent.record import Found, Seen, Slate, SlateEntry
from scenewise.agent.words import join_words
from scenewise.store.types import Item, ItemId
from scenewise.tools.candidates import Candidate
from scenewise.tools.context import TurnContext
from scenewise.tools.copywriter.evidence import evidence_for
from scenewise.tools.graph.paths import GraphPath
from scenewise.tools.graph.seeds import liked_items
from scenewise.tools.ranking.mmr import diversify
from scenewise.tools.ranking.model import RankedItem
from scenewise.tools.toolbox import Toolbox

POOL = 6  # times k
RELEVANCE_SHARE = 0.55  # of relevance against diversity: a list for a moment should not be four of a kind
TELLING, STRONG = (
    0.12,
    0.3,
)  # strengths of a path: below the first it says next to nothing ("from the 1990s"); above the second it comes first
LIKED = 60  # liked items that a reason may start from


def rank(found: Found, seen: Seen, box: Toolbox) -> Slate:
    """Order the candidates and freeze the first k; where nothing passes, say which condition to drop."""
    context = found.context
    ranked = box.ranker.rank(found.candidates, context, len(found.candidates) or 1, wishes=seen.reading.wishes)
    if not ranked:
        return Slate((), tuple(box.catalogue.relaxations(context.constraints)))
    ensured = seen.reading.domains_added | seen.reading.domains_only
    pool = pool_of(ranked, context.k, ensured, box)
    chosen = diversify(pool, context.k, catalogue=box.catalogue, ensure_domains=ensured, relevance_share=RELEVANCE_SHARE)
    best_first = tuple(sorted(chosen, key=lambda place: -place.score))
    return Slate(freeze(best_first, found, seen, box))


def pool_of(ranked: tuple[RankedItem, ...], k: int, ensured: frozenset[str], box: Toolbox) -> tuple[RankedItem, ...]:
    """The best of the list, from which diversity chooses, with the best of every kind of items that was asked for."""
    pool = list(ranked[: POOL * k])
    for domain in sorted(ensured):
        pool += [one for one in ranked[POOL * k :] if box.catalogue.items[int(box.catalogue.rows([one.item_id])[0])].domain == domain][:2]
    return tuple(pool)


def freeze(ranked: tuple[RankedItem, ...], found: Found, seen: Seen, box: Toolbox) -> tuple[SlateEntry, ...]:
    """The entries of the list, each with its reason and evidence rows."""
    context = found.context
    liked = list(dict.fromkeys([*seen.referred, *seen.mentioned, *list(liked_items(context.history))[:LIKED]]))
    locale = "zh" if context.moment.locale.startswith("zh") else "en"
    by_item: dict[ItemId, list[Candidate]] = {}
    for candidate in found.candidates:
        by_item.setdefault(candidate.item_id, []).append(candidate)
    entries = []
    for place in ranked:
        item = box.catalogue.items[int(box.catalogue.rows([place.item_id])[0])]
        path = box.graph.path([one for one in liked if one != item.item_id], item.item_id, max_hops=2, locale=locale)
        path = path if path is not None and path.strength >= TELLING else None
        reason = choose_reason(item, place, by_item.get(item.item_id, []), path, context, box)
        evidence = evidence_for(
            item,
            path=path,
            scene=context.scene.scene if fits(item, context, box) else None,
            fits=preferred_values(item, context, box),
            reasons=by_item.get(item.item_id, []),
        )
        entries.append(SlateEntry(item, place.score, place.contributions, reason, evidence))
    return tuple(entries)


def fits(item: Item, context: TurnContext, box: Toolbox) -> bool:
    """Whether the scene asks for this kind of item, so that the scene may be named as a reason."""
    if context.scene.scene is None:
        return False
    weight = box.pack.get(context.scene.scene).domains.get(item.domain, 1.0)
    return weight > 1.0 or (weight == 1.0 and bool(preferred_values(item, context, box)))


def scene_reason(item: Item, context: TurnContext, box: Toolbox) -> str:
    """Why it suits the scene: the values that the scene prefers, or the kind of item alone."""
    if not fits(item, context, box):
        return ""
    values = [value.casefold() for value in preferred_values(item, context, box)[:2]]
    return f"{join_words(values)}, which suits {context.scene.scene}" if values else f"suits {context.scene.scene}"


def preferred_values(item: Item, context: TurnContext, box: Toolbox) -> list[str]:
    """The item's values that the scene prefers, as shown to people."""
    if context.scene.scene is None:
        return []
    prefer = {name: {v.casefold() for v in values} for name, values in box.pack.get(context.scene.scene).prefer.items()}
    return [value for name, values in item.attributes.items() for value in values if value.casefold() in prefer.get(name.casefold(), ())]


def choose_reason(item: Item, place: RankedItem, rows: list[Candidate], path: GraphPath | None, context: TurnContext, box: Toolbox) -> str:
    """The strongest thing that is true: a telling path from something liked, what others liked, or the scene."""
    people = next((row.reason for row in rows if row.reason and row.source not in ("graph", "retrieve", "catalogue")), "")
    near = next((row.reason for row in rows if row.reason and row.source == "graph"), "")
    asked = "close to what you asked for" if any(row.source == "retrieve" for row in rows) else ""
    scene = scene_reason(item, context, box)
    if path is not None and path.strength >= STRONG:
        return path.sentence
    return people or (path.sentence if path is not None else "") or scene or asked or near or "new to you, and within what you asked for"
