"""Which kinds of thing a request asks for: only these, these as well, or none of these."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# What stands before a word that names a circumstance, a topic or a thing already known rather than what is asked for.
_SMALL = r"(?:(?:a|an|the|my|our|his|her|this|that|these|those|good|great|lots?\s+of|i['’]?m|i|we|we['’]?re|am|are|other|last)\s+)*"
_NOT_ASKED = re.compile(
    r"(?:(?<!mood )(?<!looking )(?<!look )(?<!search )(?<!searching )(?<!up )(?<!ask )(?<!asking )(?<!hunting )\bfor"
    r"|\b(?:while|whilst|during|after|before|(?<!how )(?<!what )about|on|similar\s+to|based\s+on|adapted\s+from|from|as|into|when|in|at|"
    r"unlike|with|of|finished|watched|loved|liked|enjoyed|hated|saw|played|heard|has|had)"
    r"|(?<!to )(?<!can )\bread(?=\s+(?:the|that|this|my)\s)"
    r"|(?<!'d )(?<!’d )(?<!would )(?<!feel )(?<!should )\blikes?|\bbeen\s+\w+ing)"
    rf"\s+{_SMALL}$",
    re.IGNORECASE,
)
# "I read the book", "it was a good film": a thing already spoken of, neither asked for nor refused.
_KNOWN = re.compile(
    r"(?:\b(?:the|that|this|those|these|his|her|their|its|it['’]s)|"
    r"(?:\bwas|\b(?:it|that|this|he|she|which)\s*(?:is|['’]s)|\b(?:its|thats))\s+(?:such\s+)?an?(?:\s+\w+){0,2}|"
    r"\bbased\s+(?:on|off)(?:\s+\w+){0,4})\s+$",
    re.IGNORECASE,
)
_NOT_ASKED_AFTER = re.compile(r"^(?:的?时候?|之前|之后|以后|以前|后|完)(?!来)")
_ADDED_BEFORE = re.compile(
    r"(?:\b(?:also|plus|as\s+well\s+as|in\s+addition(?:\s+to)?|additionally|along\s+with|together\s+with|besides|with\s+(?:a|an|some))\b"
    r"(?:\s+\w+){0,4}\s+|(?:还(?:要|想|有|可以)?|再(?:来|加|要)|顺便|另外|外加|加上|也(?:要|想|来|可以)?)[^，。！？]{0,6})$",
    re.IGNORECASE,
)
_ADDED_AFTER = re.compile(
    r"^(?:\s+[\w'’-]+){0,5}?\s*(?:,\s*)?(?:\b(?:as\s+well|also)\b(?!\s+as)|\btoo\b(?=\s*(?:[.,!?;]|$|and\b|please\b|but\b)))"
    r"|^[^，。！？]{0,4}也(?:要|行|可以|来|想)",
    re.IGNORECASE,
)
_DESCRIBED_BY = re.compile(r"^\s+(?:with|that|about|where|which|featuring|containing|involving|from|by|like)\b", re.IGNORECASE)
_ENDS = re.compile(r"[.;!?。；！？\n]")
_BACK = 60


@dataclass(frozen=True, slots=True)
class DomainMention:
    """A word for a kind of thing at [start, end); `said_from` is where its words begin, the negation among them.

    `negated`: said not to be wanted; `hidden`: it follows a word that is negated ("no horror movies"), so it says nothing about
    the kind itself; `by_verb`: "to read"; `first_of_two`: "workout" in "workout music".
    """

    domains: frozenset[str]
    start: int
    end: int
    said_from: int = 0
    negated: bool = False
    hidden: bool = False
    by_verb: bool = False
    first_of_two: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """The outcome: mentions that ask for a kind exclusively, that add one, and that refuse one."""

    only: tuple[DomainMention, ...]
    added: tuple[DomainMention, ...]
    refused: tuple[DomainMention, ...]


def read_domains(text: str, mentions: Sequence[DomainMention]) -> Asked:
    """Sort out mentions of kinds of things, given in the order of the text.

    "A book" asks for books only; "some music as well" adds music; "not a movie" refuses; "music for my workout" asks for music
    only; verbs ("something to read") count where no noun does.
    """
    mentions = [m for m in mentions if m.by_verb or not _KNOWN.search(_clause_before(text, m.start))]
    refused = tuple(m for m in mentions if m.negated and not m.by_verb and not _DESCRIBED_BY.match(text[m.end :]))
    open_to_question = [m for m in mentions if not m.negated and not m.hidden and not m.first_of_two]
    added = tuple(m for m in open_to_question if _is_added(text, m, mentions) and not _is_circumstance(text, m, added=True))
    rest = [m for m in open_to_question if m not in added and not _is_circumstance(text, m, added=False)]
    nouns = tuple(m for m in rest if not m.by_verb)
    if nouns or any(not m.by_verb for m in added):
        return Asked(nouns, tuple(m for m in added if not m.by_verb), refused)
    return Asked(tuple(rest), added, refused)


def _is_circumstance(text: str, mention: DomainMention, *, added: bool) -> bool:
    before = _clause_before(text, mention.start)
    if _NOT_ASKED_AFTER.match(text[mention.end :]):
        return True
    return not added and not mention.by_verb and _NOT_ASKED.search(before) is not None


def _is_added(text: str, mention: DomainMention, mentions: Sequence[DomainMention]) -> bool:
    others = [other for other in mentions if other.domains != mention.domains]
    before = _clause_before(text, mention.start)
    since = max((other.end for other in others if other.end <= mention.start), default=0)
    cue = _ADDED_BEFORE.search(before)
    if cue is not None and mention.start - len(before) + cue.start() >= since:
        return True
    until = min((other.start for other in others if other.start >= mention.end), default=len(text))
    after = _ENDS.split(text[mention.end : until])[0]
    found = _ADDED_AFTER.match(after + text[mention.end + len(after) :][:1])
    return found is not None


def _clause_before(text: str, start: int) -> str:
    return _ENDS.split(text[max(0, start - _BACK) : start])[-1]
