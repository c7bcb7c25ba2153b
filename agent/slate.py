"""Ranking: the trained fusion orders, diversity spreads, and the list is frozen with what may be said of each item."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from scenewise.agent.intents import RECOMMEND
from scenewise.agent.record import Found, Seen, Slate, SlateEntry, SourceScore
from scenewise.agent.tastes import examples
from scenewise.agent.words import join_words
from scenewise.store.types import Item, ItemId
from scenewise.tools.candidates import Candidate
from scenewise.tools.catalogue.concepts import COMPARED
from scenewise.tools.context import TurnContext
from scenewise.tools.copywriter.evidence import evidence_for
from scenewise.tools.copywriter.template import asked_clause
from scenewise.tools.graph.paths import GraphPath
from scenewise.tools.graph.seeds import liked_items
from scenewise.tools.ranking.fit import ENDS, towards
from scenewise.tools.ranking.model import RankedItem
from scenewise.tools.ranking.slate.calibrated import Taste, taste_of
from scenewise.tools.ranking.slate.choose import Chosen, Exploration, choose_slate
from scenewise.tools.ranking.slate.repeats import asks_for_known, known_rows, repeats_of
from scenewise.tools.toolbox import Toolbox

POOL, DEEP = 6, 30  # times k: what diversity chooses from, and what is looked through for what was asked for
RELEVANCE_SHARE = 0.55  # of relevance against diversity: a list for a moment should not be four of a kind
# On the validation events of MovieLens-100k (lists of ten) the two together take KL from the user's taste from .92 to .58 and the mean
# unlikeness of genres from .78 to .85, without loss of NDCG; on the test events likewise, at -.002 (not significant).
CALIBRATION = 0.3
# Strengths of a path: below the first it says next to nothing ("from the 1990s"); above the second it comes first.
TELLING, STRONG = 0.12, 0.3
NOT_PEOPLE, SAYS_LITTLE = ("graph", "retrieve", "catalogue"), ("feature_regression", "popularity")
LIKED = 60  # liked items that a reason may start from


def rank(found: Found, seen: Seen, box: Toolbox, *, exploration: float = 0.0) -> Slate:
    """Order the candidates and freeze the first k; where nothing passes, say which condition to drop. The list is by score; with
    `exploration` (a temperature) its places are drawn, and stay in the order drawn, to which their propensities belong."""
    context = found.context
    ensured = seen.reading.domains_added | seen.reading.domains_only
    pool = pool_of(found, ensured, seen, box)
    if not pool:
        return Slate((), tuple(box.catalogue.relaxations(context.constraints)))
    chosen = choose_slate(
        pool,
        context.k,
        catalogue=box.catalogue,
        relevance_share=RELEVANCE_SHARE,
        ensure_domains=ensured,
        taste=taste_for(seen, box),
        calibration=CALIBRATION,
        exploration=Exploration(exploration, generator_of(seen)) if exploration else None,
    )
    return Slate(freeze(chosen if exploration else sorted(chosen, key=lambda place: -place.item.score), found, seen, box))


def generator_of(seen: Seen) -> np.random.Generator:
    """Chance of one turn: the same for the same seed, conversation and turn of it, and independent between turns."""
    words = hashlib.sha256(f"{seen.request.conversation_id} {seen.memory.turns}".encode("utf-8", "replace")).digest()
    return np.random.default_rng([seen.context.seed % 2**64, *words])


def taste_for(seen: Seen, box: Toolbox) -> Taste:
    """What kinds of items the user likes, as it bears on this moment: weighed by the scene, or within the domains that are asked for.
    None where the request names an example or a genre, a mood ...: that is what the list then should be like, not the usual."""
    context, asked = seen.context, seen.reading.domains_only
    columns, wishes = box.catalogue.columns, seen.reading.wishes
    wished = any((columns.having(name, values.keys()) & context.allowed).any() for name, values in wishes.items())
    if wished or examples(seen):
        return Taste({})
    known = known_rows(context.history, box.catalogue, box.collaborative.worth)
    weights = box.pack.get(context.scene.scene).domains if context.scene.scene and not asked else None
    liked = [(box.catalogue.items[row], 1.0) for row in np.flatnonzero(known)]
    return taste_of(liked, domain_weights=weights, only=asked)


def asks_anew(seen: Seen) -> bool:
    """Whether the message asks for something of its own, rather than for a change of the last list ("shorter", "nothing violent")."""
    reading = seen.reading
    if seen.intent == RECOMMEND and not asks_for_known(seen.text):
        return not reading.domains_added and bool(reading.wishes or reading.domains_only or seen.mentioned)
    return seen.intent in ("anything", "more_like")


def stale_items(seen: Seen, box: Toolbox) -> frozenset[ItemId]:
    """What this conversation has shown lately, where the message asks anew."""
    if not seen.memory.shown_s or not asks_anew(seen):
        return frozenset()
    return frozenset(repeats_of(box.store.path).stale(seen.memory.shown_s, box.catalogue, now_s=seen.context.now_s))


def without_stale(
    ranked: tuple[RankedItem, ...], stale: frozenset[ItemId], k: int, ensured: frozenset[str], box: Toolbox
) -> tuple[RankedItem, ...]:
    """Leave out what is stale; the best of it stays where too little else is left for the list, or for a kind of items that was asked
    for."""
    if not stale:
        return ranked
    fresh = [one for one in ranked if one.item_id not in stale]
    missing = ensured - {item_of(one, box).domain for one in fresh}
    old = [one for one in ranked if one.item_id in stale]
    kept = {one.item_id for one in old[: max(k - len(fresh), 0)]} | {one.item_id for one in old if item_of(one, box).domain in missing}
    return tuple(one for one in ranked if one.item_id not in stale or one.item_id in kept)


def told_apart(ranked: tuple[RankedItem, ...], k: int, ensured: frozenset[str], seen: Seen, box: Toolbox) -> tuple[RankedItem, ...]:
    """The ranking without what does not answer the message, as far as enough does."""
    for leave_out in (known_to_fit, answering, at_the_wished_end):
        ranked = leave_out(ranked, k, ensured, seen, box)
    return ranked


def at_the_wished_end(ranked: tuple[RankedItem, ...], k: int, ensured: frozenset[str], seen: Seen, box: Toolbox) -> tuple[RankedItem, ...]:
    """Leave out what is not in the wished half of its kind ("a classic film", "something cheap"), as `known_to_fit` does."""
    columns, ends = box.catalogue.columns, [(name, value) for name in COMPARED for value in seen.reading.wishes.get(name, ())]
    rows = np.array([box.catalogue.row(one.item_id) for one in ranked], dtype=np.int32)
    told = [towards(columns, *ENDS[end], rows) > 0 for end in ends if end in ENDS]
    if not told:
        return ranked
    fits = np.logical_and.reduce(told)
    return _these_first(ranked, {one.item_id for one, its in zip(ranked, fits, strict=True) if its}, k, ensured, box)


def known_to_fit(ranked: tuple[RankedItem, ...], k: int, ensured: frozenset[str], seen: Seen, box: Toolbox) -> tuple[RankedItem, ...]:
    """Leave out what a limit that the message sets cannot be told of ("at most half an hour": no length known); the best of it stays where
    too little else is left for the list, or for a kind of items that was asked for."""
    said, columns = seen.reading.constraints, box.catalogue.columns
    told = np.ones(box.catalogue.n, dtype=np.bool_)
    for limit, values in (
        (said.max_duration_min, columns.duration_min),
        (said.max_price_cents, columns.price_cents),
        (said.min_year, columns.year),
        (said.max_year, columns.year),
    ):
        if limit is not None:
            told &= ~np.isnan(values)
    if told.all():
        return ranked
    return _these_first(ranked, {one.item_id for one in ranked if told[box.catalogue.row(one.item_id)]}, k, ensured, box)


def answering(ranked: tuple[RankedItem, ...], k: int, ensured: frozenset[str], seen: Seen, box: Toolbox) -> tuple[RankedItem, ...]:
    """Leave out what has nothing that the message wishes for (a genre, a mood ...) and that no search for its words found; the best of it
    stays where too little else is left for the list, or for a kind of items that was asked for."""
    columns, vocabulary = box.catalogue.columns, box.catalogue.vocabulary
    wished = {name: values for name, values in seen.reading.wishes.items() if name in vocabulary}
    if not wished or examples(seen):
        return ranked
    has = np.zeros(box.catalogue.n, dtype=np.bool_)
    for name, values in wished.items():
        has |= columns.having(name, values.keys())
    fits = {one.item_id for one in ranked if has[box.catalogue.row(one.item_id)] or "retrieve" in one.contributions}
    return _these_first(ranked, fits, k, ensured, box)


def _these_first(
    ranked: tuple[RankedItem, ...], fits: AbstractSet[ItemId], k: int, ensured: frozenset[str], box: Toolbox
) -> tuple[RankedItem, ...]:
    """The items among `fits`; of the others the best where those are fewer than `k`, and all of kinds that were asked for and have none."""
    rest = [one for one in ranked if one.item_id not in fits]
    missing = ensured - {item_of(one, box).domain for one in ranked if one.item_id in fits}
    kept = {one.item_id for one in rest[: max(k - len(fits), 0)]} | {one.item_id for one in rest if item_of(one, box).domain in missing}
    return tuple(one for one in ranked if one.item_id in fits or one.item_id in kept)


def item_of(place: RankedItem, box: Toolbox) -> Item:
    """The item of a place of the ranking."""
    return box.catalogue.items[int(box.catalogue.rows([place.item_id])[0])]


def pool_of(found: Found, ensured: frozenset[str], seen: Seen, box: Toolbox) -> tuple[RankedItem, ...]:
    """The best of the ranking, from which diversity chooses, with the best of every kind of items that was asked for and is not there."""
    k, stale, wishes = found.context.k, stale_items(seen, box), seen.reading.wishes
    depth = len(found.candidates) if COMPARED & wishes.keys() else DEEP * k + len(stale)
    ranked = told_apart(box.ranker.rank(found.candidates, found.context, depth, wishes=wishes), k, ensured, seen, box)
    head = without_stale(ranked, stale, k, ensured, box)[: POOL * k]
    missing = ensured - {item_of(one, box).domain for one in head}
    if not missing:
        return head
    every = box.ranker.rank(found.candidates, found.context, len(found.candidates), wishes=wishes)
    ranked = without_stale(told_apart(every, k, ensured, seen, box), stale, k, ensured, box)
    rest = [(one, item_of(one, box).domain) for one in ranked[POOL * k :]]
    of = {domain: [one for one, its in rest if its == domain][:2] for domain in sorted(missing)}
    return (*ranked[: POOL * k], *(one for found_there in of.values() for one in found_there))


def freeze(chosen: Sequence[Chosen], found: Found, seen: Seen, box: Toolbox) -> tuple[SlateEntry, ...]:
    """The entries of the list, each with its reason and evidence rows."""
    context = found.context
    named = list(examples(seen))
    liked = list(liked_items(context.history))[:LIKED]
    titles = [box.catalogue.items[row].title for row in box.catalogue.rows(named)]
    locale = "zh" if context.moment.locale.startswith("zh") else "en"
    by_item: dict[ItemId, list[Candidate]] = {}
    for candidate in found.candidates:
        by_item.setdefault(candidate.item_id, []).append(candidate)
    entries = []
    for one in chosen:
        place, item = one.item, item_of(one.item, box)
        rows = by_item.get(item.item_id, [])
        near, people = path_from(named, item, locale, box), what_people_say(rows, titles)
        path = near or (None if named and people[0] else path_from(liked, item, locale, box))
        reason = near.sentence if near is not None else choose_reason(item, rows, path, people, context, box)
        evidence = evidence_for(
            item,
            path=path,
            scene=context.scene.scene if fits(item, context, box) else None,
            fits=preferred_values(item, context, box),
            reasons=rows,
            history=liked_start(path, context, box),
            asked=answered(item, seen),
        )
        said = (SourceScore(source, score, rank) for source, (score, rank) in place.told.items())
        sources = tuple(sorted(said, key=lambda one: one.rank))
        entries.append(SlateEntry(item, place.score, place.contributions, reason, evidence, sources, one.propensity))
    return tuple(entries)


def path_from(items: Sequence[ItemId], item: Item, locale: str, box: Toolbox) -> GraphPath | None:
    """The best way from any of the items to this one, where it says something."""
    path = box.graph.path([one for one in items if one != item.item_id], item.item_id, max_hops=2, locale=locale)
    return path if path is not None and path.strength >= TELLING else None


def liked_start(path: GraphPath | None, context: TurnContext, box: Toolbox) -> list[str]:
    """The title that a path starts from, where the user has liked it; none where it was only named or shown."""
    if path is None:
        return []
    start = ItemId(path.nodes[0].removeprefix("item:"))
    return (
        [item.title for item in (box.catalogue.items[row] for row in box.catalogue.rows([start]))]
        if start in liked_items(context.history)
        else []
    )


def answered(item: Item, seen: Seen) -> list[str]:
    """What of the request the item answers: the minutes that there are, and a genre, mood or topic that was asked for in that word."""
    wishes, text = seen.reading.wishes, seen.text.casefold()
    said = [
        asked_clause(name, value, item.domain)
        for name in ("genre", "mood", "topic")
        for value in item.attributes.get(name, ())
        if value.casefold() in wishes.get(name, ()) and value.casefold() in text
    ]
    minutes = seen.context.moment.available_min
    if minutes is not None and item.duration_min is not None and 0 < item.duration_min <= minutes:
        said.insert(0, f"within your {minutes:.0f} minutes")
    return said


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


def what_people_say(rows: Sequence[Candidate], titles: Sequence[str]) -> tuple[str, str]:
    """What others liked, as a reason: one that speaks of a named title, else the first that names something; and one that says little,
    of likeness or of numbers. "" where there is none."""
    said = [(row.source in SAYS_LITTLE, row.reason) for row in rows if row.reason and row.source not in NOT_PEOPLE]
    titled = next((reason for _, reason in said if any(title in reason for title in titles)), "")
    return titled or next((one for little, one in said if not little), ""), next((one for little, one in said if little), "")


def choose_reason(
    item: Item, rows: Sequence[Candidate], path: GraphPath | None, people: tuple[str, str], context: TurnContext, box: Toolbox
) -> str:
    """The strongest thing that is true: a telling path from something liked, what others liked, or the scene."""
    near = next((row.reason for row in rows if row.reason and row.source == "graph"), "")
    asked = "close to what you asked for" if any(row.source == "retrieve" for row in rows) else ""
    if path is not None and path.strength >= STRONG:
        return path.sentence
    known = any(event.item_id == item.item_id for event in context.history)
    last = "one that you know, and within what you asked for" if known else "new to you, and within what you asked for"
    telling, little = people
    return telling or (path.sentence if path is not None else "") or scene_reason(item, context, box) or little or asked or near or last
