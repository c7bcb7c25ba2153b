"""What a request says in plain words: what is not wanted, what is wished for, which kinds of thing, and within which limits.

Only what the words say: every constraint carries the place in the text that says it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType

from scenewise.tools.catalogue.asked import Asked, DomainMention, read_domains
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.catalogue.lexicon import Attributes, Concept
from scenewise.tools.catalogue.limits import Limit, find_limits
from scenewise.tools.catalogue.mentions import Concepts, Mention
from scenewise.tools.catalogue.negation import Negation, find_negations
from scenewise.tools.catalogue.words import MAX_TEXT

__all__ = ["COMPARED", "Concept", "Concepts", "Mention", "Reading", "Said", "constraints_from_text"]

COMPARED = frozenset({"duration", "year", "price"})
"""Attributes of wishes that compare items inside a domain: short/long, old/recent, cheap/expensive."""

_QUOTED = re.compile(r"\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”|《[^》\n]{1,60}》|「[^」\n]{1,60}」")
# "Free Fire (2016)": a title even where the catalogue does not have it.
_TITLE_WITH_YEAR = re.compile(r"(?:[A-Z0-9][\w'’:&.,!-]*\s+(?:(?:of|the|and|a|an|in|to|for|on|from|with)\s+){0,2}){1,8}\(\d{4}\)")
_TO_LOVE = re.compile(
    r"\b(?:i|we|you|they|he|she|who|kids|children|people|everyone|everybody|"
    r"(?:my|our|his|her|their) (?!(?:first|true|one|last|only|great|lost|old|new|secret|forbidden)\b)(?:[\w-]+ )?[\w-]+)"
    r"(?:['’](?:d|ll))?(?: (?:would|will|do|don['’]?t|really|also|always|just|absolutely|both|all|never|still))* (love[sd]?)\b",
    re.IGNORECASE,
)
"""What somebody does with jazz, and nothing to search for."""
_BROAD = 3  # a concept of more values than this does not ban those that the same text asks for by name

Pair = tuple[str, str]
Part = tuple[Constraints, int, int]


@dataclass(frozen=True, slots=True)
class Said:
    """A condition, named as in `Catalogue.describe`, and the place [start, end) of the text that says it."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says.

    `constraints`: hard conditions, `domains` among them only where asked for exclusively; `wishes`: attribute -> casefolded value
    -> weight, soft (see COMPARED for the three that are not values of the catalogue); `domains_only`: kinds asked for
    exclusively, `domains_added`: kinds asked for besides; `said`: a row for every condition; `left_out`: what was said and
    cannot be expressed.
    """

    constraints: Constraints = field(default_factory=Constraints)
    wishes: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))
    domains_added: frozenset[str] = frozenset()
    domains_only: frozenset[str] = frozenset()
    said: tuple[Said, ...] = ()
    left_out: tuple[Said, ...] = ()


@dataclass(slots=True)
class _Group:
    """All that is meant by the words at one place."""

    start: int
    end: int
    concepts: list[tuple[Concept, bool]] = field(default_factory=list)
    values: list[Pair] = field(default_factory=list)
    negation: Negation | None = None

    @property
    def said_from(self) -> int:
        return self.start if self.negation is None else self.negation.start

    @property
    def only_names_domain(self) -> bool:
        return bool(self.concepts) and all(concept.domains for concept, _ in self.concepts)

    @property
    def domains(self) -> frozenset[str]:
        return frozenset[str]().union(*(concept.domains for concept, _ in self.concepts))


def constraints_from_text(text: str, catalogue: Catalogue, concepts: Concepts) -> Reading:
    """Read a request; English and Chinese. What lies beyond its first 4,000 characters is not read.

    Negated words become bans, the others soft wishes; both only of values that the catalogue has. Words inside quotes and titles
    of the catalogue say nothing about genres or kinds. A kind that the catalogue lacks is kept: asking for it finds nothing.
    """
    text = text[:MAX_TEXT]
    masked = [match.span() for pattern in (_QUOTED, _TITLE_WITH_YEAR) for match in pattern.finditer(text)]
    masked += [(title.start, title.end) for title in catalogue.find_titles(text)]
    masked += [match.span(1) for match in _TO_LOVE.finditer(text)]
    limits = [limit for limit in find_limits(text) if not _overlaps(limit.start, limit.end, masked)]
    groups = _groups(text, catalogue, concepts, masked + [(limit.start, limit.end) for limit in limits])
    asked = read_domains(text, _domain_mentions(text, groups, frozenset(catalogue.domains)))
    only, added = _union(asked.only), _union(asked.added)
    parts = [
        *_domain_parts(asked, only, added),
        *((part, group.said_from, group.end) for group in groups for part in _hard(group, groups, catalogue, only | added)),
        *((_bound(limit), limit.start, limit.end) for limit in limits if _is_expressible(limit)),
    ]
    parts, unmet = _settle_requirements(parts)
    constraints = _join([part for part, _, _ in parts])
    return Reading(
        constraints=constraints,
        wishes=_wishes(groups, constraints, only | added, catalogue, concepts),
        domains_added=added,
        domains_only=only,
        said=tuple(Said(", ".join(catalogue.describe(part)), start, end) for part, start, end in sorted(parts, key=lambda p: p[1:])),
        left_out=(*unmet, *(Said(limit.kind, limit.start, limit.end) for limit in limits if not _is_expressible(limit))),
    )


def _groups(text: str, catalogue: Catalogue, concepts: Concepts, masked: list[tuple[int, int]]) -> list[_Group]:
    """Collect concepts and values by place; where places overlap the longer one counts."""
    at = {span: _Group(*span) for span in concepts.find_ignored(text)}
    for concept, start, end, by_verb in concepts.find_words(text):
        at.setdefault((start, end), _Group(start, end)).concepts.append((concept, by_verb))
    for value in catalogue.find_values(text):
        at.setdefault((value.start, value.end), _Group(value.start, value.end)).values.append((value.attribute, value.value))
    kept: list[_Group] = []
    for group in sorted(at.values(), key=lambda group: (group.start - group.end, group.start)):
        if not _overlaps(group.start, group.end, masked) and not _overlaps(group.start, group.end, [(k.start, k.end) for k in kept]):
            kept.append(group)
    kept = sorted((group for group in kept if group.concepts or group.values), key=lambda group: group.start)
    negations = find_negations(text, [(g.start, g.end) for g in kept], nouns=[g.only_names_domain for g in kept])
    return [replace(group, negation=negation) for group, negation in zip(kept, negations, strict=True)]


def _domain_mentions(text: str, groups: list[_Group], known: frozenset[str]) -> list[DomainMention]:
    found: list[DomainMention] = []
    for index, group in enumerate(groups):
        by_verb = all(by_verb for concept, by_verb in group.concepts if concept.domains)
        if not group.domains or (by_verb and not group.domains & known):  # "a dinner jacket" in a shop without recipes
            continue
        before = groups[index - 1] if index else None
        hidden = before is not None and before.negation is not None and not before.negation.mild and not before.only_names_domain
        found.append(
            DomainMention(
                domains=group.domains,
                start=group.start,
                end=group.end,
                said_from=group.said_from,
                negated=group.negation is not None and group.only_names_domain,
                hidden=(before is not None and hidden and not text[before.end : group.start].strip(" 的-"))
                or (group.negation is not None and not group.only_names_domain),
                by_verb=by_verb,
            )
        )
    # Of two names side by side the first describes the second: "workout music".
    return [
        replace(one, first_of_two=not text[one.end : two.start].strip(" -") and not two.by_verb and one.domains != two.domains)
        for one, two in pairwise(found)
    ] + found[-1:]


def _domain_parts(asked: Asked, only: frozenset[str], added: frozenset[str]) -> list[Part]:
    domains = only | added
    kinds = [*asked.only, *asked.added] if only else []
    parts = [(Constraints(domains=domains), m.start, m.end) for m in kinds]
    parts += [(Constraints(exclude_domains=m.domains - domains), m.said_from, m.end) for m in asked.refused if m.domains - domains]
    return parts


def _hard(group: _Group, groups: list[_Group], catalogue: Catalogue, domains: frozenset[str]) -> list[Constraints]:
    """The conditions that the words at one place stand for."""
    banned: set[Pair] = set()
    parts: list[Constraints] = []
    named = {pair for other in groups if other.negation is None for pair in _named(other)}
    for concept, _ in group.concepts:
        pairs = _pairs(concept.attributes) | _pairs(concept.ban_also) if group.negation else _pairs(concept.excludes)
        banned |= pairs - named if len(pairs) > _BROAD else pairs
        if group.negation is None and concept.max_price_cents is not None:
            parts.append(Constraints(max_price_cents=concept.max_price_cents))
        if group.negation is None and len(domains) == 1 and (limit := concept.max_duration_min.get(*domains)) is not None:
            parts.append(Constraints(max_duration_min=limit))
        if group.negation is None and len(domains) == 1 and (needed := _known(_pairs(concept.requires), catalogue)):
            parts.append(Constraints(require=needed))
    if group.negation and not group.only_names_domain:
        banned |= set(group.values)
    if known := _known(banned, catalogue):
        parts.append(Constraints(ban=known))
    return parts


def _wishes(
    groups: list[_Group], constraints: Constraints, kinds: frozenset[str], catalogue: Catalogue, concepts: Concepts
) -> Mapping[str, Mapping[str, float]]:
    wished: set[Pair] = set()
    for group in groups:
        meant = [concept for concept, _ in group.concepts]
        if group.negation:
            meant = [opposite for concept in meant if concept.opposite and (opposite := concepts.named(concept.opposite))]
        elif not (group.only_names_domain and group.domains & kinds):  # "a film" is no wish for what is about film
            wished |= set(group.values)
        for concept in meant:
            wished |= _pairs(concept.attributes) | _pairs(concept.wish_also)
    wishes: dict[str, dict[str, float]] = {}
    for attribute, value in sorted(wished):
        known = attribute in COMPARED or value in catalogue.vocabulary.get(attribute, {})
        if known and value not in constraints.ban.get(attribute, frozenset()):
            wishes.setdefault(attribute, {})[value] = 1.0
    return MappingProxyType({attribute: MappingProxyType(values) for attribute, values in wishes.items()})


def _named(group: _Group) -> set[Pair]:
    return set(group.values).union(*(_pairs(concept.attributes) for concept, _ in group.concepts))


def _pairs(attributes: Attributes) -> set[Pair]:
    return {(attribute, value) for attribute, values in attributes.items() for value in values}


def _known(pairs: set[Pair], catalogue: Catalogue) -> Mapping[str, frozenset[str]]:
    known = {(attribute, value) for attribute, value in pairs if catalogue.has(attribute, value)}
    return {attribute: frozenset(v for a, v in known if a == attribute) for attribute in sorted({a for a, _ in known})}


def _is_expressible(limit: Limit) -> bool:
    return limit.low is not None or limit.high is not None


def _bound(limit: Limit) -> Constraints:
    high = limit.high
    if limit.kind == "year":
        return Constraints(min_year=limit.low, max_year=None if high is None else int(high))
    if limit.kind == "price":
        return Constraints(max_price_cents=None if high is None else round(high))
    return Constraints(max_duration_min=high)


def _settle_requirements(parts: list[Part]) -> tuple[list[Part], list[Said]]:
    """Keep what the demands on an attribute have in common, or the narrower one where they have nothing, and name the others.

    Constraints can ask for one of several values of an attribute, not for several at once.
    """
    kept: dict[str, tuple[frozenset[str], int, int]] = {}
    unmet: list[Said] = []
    for constraints, start, end in parts:
        for attribute, values in constraints.require.items():
            before = kept.get(attribute, (values, start, end))
            common = before[0] & values
            narrow, wide = sorted((before, (values, start, end)), key=lambda demand: len(demand[0]))
            if not common:
                unmet.append(Said(attribute, wide[1], wide[2]))
            kept[attribute] = (common or narrow[0], narrow[1], narrow[2])
    others = [part for part in parts if not part[0].require]
    return others + [(Constraints(require={name: values}), start, end) for name, (values, start, end) in kept.items()], unmet


def _join(parts: list[Constraints]) -> Constraints:
    """Join conditions of one text: unlike `merge`, the narrower limit wins whatever the order."""
    joined = Constraints()
    for part in parts:
        joined = joined.merge(part)

    def least(values: list[float | None]) -> float | None:
        return min((value for value in values if value is not None), default=None)

    price = least([part.max_price_cents for part in parts])
    min_year, max_year = _years(parts)
    return replace(
        joined,
        min_year=min_year,
        max_year=max_year,
        max_duration_min=least([part.max_duration_min for part in parts]),
        max_price_cents=None if price is None else int(price),
    )


def _years(parts: list[Constraints]) -> tuple[int | None, int | None]:
    """Join spans of years: what they share ("after 1990 and before 2000"), or all from first to last ("the 70s or the 90s")."""
    low, high = -math.inf, math.inf
    for part in parts:
        if part.min_year is None and part.max_year is None:
            continue
        a, b = part.min_year if part.min_year is not None else -math.inf, part.max_year if part.max_year is not None else math.inf
        low, high = (max(low, a), min(high, b)) if a <= high and low <= b else (min(low, a), max(high, b))
    return None if math.isinf(low) else int(low), None if math.isinf(high) else int(high)


def _union(mentions: tuple[DomainMention, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(mention.domains for mention in mentions))


def _overlaps(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    return any(start < other_end and other_start < end for other_start, other_end in spans)
