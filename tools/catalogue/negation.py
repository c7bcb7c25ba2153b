"""Which of the things mentioned in a text are said not to be wanted: "nothing violent", "no horror or war", "不要暴力"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

_BACK = 90  # characters before a mention in which its negation may stand

_NOUNS = r"(?:movies?|films?|books?|novels?|songs?|music|recipes?|stuff|things?|ones?|genres?|stories|story)"
# Words that may stand between a negation and what it negates. Anything else ends the negation's reach.
_FILLERS = (
    r"(?:want(?:ing)?|wanna|like|likes?|love|to|watch(?:ing)?|see(?:ing)?|read(?:ing)?|hear(?:ing)?|listen(?:ing)?|feel(?:ing)?|in|the|mood|"
    r"for|a|an|any|anything|something|some|too|so|very|really|overly|particularly|super|that|that's|thats|which|is|are|be|being|with|of|"
    r"about|involving|containing|featuring|much|many|more|lots?|full|all|those|these|this|kinds?|types?|sort|get|give|show|recommend|play|"
    r"by|have|has|contain|include|fan|as|it|it's|stand|at|else|overtly|remotely|even|enjoy|into|care|ever|extremely|eat(?:ing)?|cook(?:ing)?|use|using|added|"
    + _NOUNS
    + r")"
)
_CUES = (
    r"(?P<not>(?<!why )(?<!if )(?<!or )(?<!it's )(?<!it’s )(?<!its )(?<!it is )"
    r"\bnot\b(?!\s+(?:only|just|bad|sure))|\b(?:isn|aren)['’]?t\b|\bless\b|\bnever\b)"
    r"|(?P<list>\bwithout\b|\bw/o\b|\bavoid(?:ing)?\b|\bexcept(?:\s+for)?\b|\bexclud(?:e|ing)\b|\bskip\b|\bhates?\b|\bdislikes?\b|\bminus\b|"
    r"\b(?:do|does|did|can|wo|would|should)(?:n['’]?t|\s+not)\b|\bcannot\b|\b(?:any|every)thing\s+but\b|\b(?:other|rather)\s+than\b|"
    r"\binstead\s+of\b|\b(?:tired|sick|free)\s+of\b|\bfed\s+up\s+with\b|\ballergic\s+to\b|\bintolerant\s+(?:to|of)\b)"
    r"|(?P<no>\bno\b(?!\s+(?:problem|matter|idea|one|wonder|doubt|worries|that|thats|it|its|this|i|thanks|thank|please|yes)\b)|\bnothing\b|\bnone\b|\bnor\b|\bneither\b)"
)
# "without nuts or lentils": a word that nobody knows may be the first of the list.
_ENGLISH = re.compile(rf"(?:{_CUES})(?P<gap>(?:[\s-]+{_FILLERS}){{0,8}}(?:\s+[\w'’-]+\s+n?or\b)?)[\s-]*$", re.IGNORECASE)
# Chinese: "要不要" and "有没有" ask, "特别" and "区别" only contain the character.
_CHINESE = re.compile(
    r"(?P<cue>(?<!要)不(?:想|要|喜欢|爱|太|能|会|含|带|那么|需要|希望)?(?!错|一样|同|久|过)|(?<![特区分个级类性])别|(?<!有)没有?|"
    r"讨厌|拒绝|除了|避免|排除|远离|无)"
    r"(?P<gap>(?:太|那么|这么|看|想|要|有|听|读|任何|什么|很|再|推荐|给我|过于|是|带|含|出现|包含|那种|带有|的|一点|喜欢|来|选|些|涉及|关于|吃|放|加|用){0,5})$"
)
_LINK = re.compile(
    rf"^(?:[\s]+{_NOUNS})?\s*(?:(?P<comma>[,、，])\s*)?(?P<word>\b(?:or|nor|and)\b|[/&、]|和|或者?|以及|跟|与)?\s*"
    r"(?:(?:any|too|very|overly|so|太|an?|the)\s*)?$",
    re.IGNORECASE,
)
_OR = re.compile(r"\bn?or\b", re.IGNORECASE)
# "nothing violent, and something to read as well": with "something" or "a" a new wish begins.
_FRESH = re.compile(r"(?:some|a|an|the|one)(?:thing)?\b", re.IGNORECASE)
_FRESH_END = re.compile(r"\b(?:some|a|an|the|one)(?:thing)?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Negation:
    """How a mention is negated, from `start` on. `mild`: the negation only describes, as in "a not too scary film"."""

    kind: str
    mild: bool
    start: int


def find_negations(text: str, spans: Sequence[tuple[int, int]], *, nouns: Sequence[bool] = ()) -> list[Negation | None]:
    """Say for every span (start, end), in the order of the text, whether it is negated.

    A negation reaches over small words to the next mention, and from there over "or", "and" and commas to the others of the same
    list: "nothing sad, scary or violent". It ends at "but", at a full stop and at any other word. `nouns[i]` marks a span that
    only names the kind of thing ("no horror movies"): a negation before the word in front of it leaves it alone.
    """
    found: list[Negation | None] = [None] * len(spans)
    negation: Negation | None = None  # of the list we are in
    chain_end = 0
    waiting: list[int] = []  # joined by a comma only: part of the list if an "or" or "and" follows
    for index, (start, end) in enumerate(spans):
        own = _own_negation(text, start, end)
        between = text[chain_end:start]
        if own is not None:
            found[index], negation, chain_end, waiting = own, own, end, []
            continue
        if negation is None:
            continue
        if not between.strip(" 的") and (nouns[index] if nouns else False):
            chain_end = end
            continue
        joined = None if _begins_anew(text[start:end], between) else _joins(between, negation)
        if joined is None:
            negation, waiting = None, []
        elif joined:
            for member in [*waiting, index]:
                found[member] = replace(negation, start=spans[member][0])
            waiting = []
        else:
            waiting.append(index)
        chain_end = end
    return found


def _begins_anew(mention: str, between: str) -> bool:
    return not _OR.search(between) and bool(_FRESH.match(mention) or _FRESH_END.search(between))


def _joins(between: str, negation: Negation) -> bool | None:
    """Say whether a negation goes on over the words between two mentions: yes, perhaps (False), or it ends here (None)."""
    link = _LINK.match(between)
    if link is None:
        return None
    word = (link["word"] or "").lower()
    if not word and not link["comma"]:
        return True if negation.kind != "not" and not negation.mild else None  # "no violent horror"
    if not word:
        return negation.kind == "list"
    # "not too long and funny" asks for something funny; "not sad or scary" asks for neither.
    return True if negation.kind != "not" or word not in ("and", "&") else None


def _own_negation(text: str, start: int, end: int) -> Negation | None:
    offset = max(0, start - _BACK)
    before = text[offset:start]
    if re.match(r"-free\b", text[end:], re.IGNORECASE):
        return Negation("list", True, start)
    if re.match(r"\s*过敏|\s+allerg(?:y|ies)\b", text[end:]):
        return Negation("list", True, start - 1 if before.endswith("对") else start)
    if match := re.search(r"\bnon[\s-]?$", before, re.IGNORECASE):
        return Negation("not", True, offset + match.start())
    if match := _ENGLISH.search(before):
        kind = "not" if match["not"] else "list" if match["list"] else "no"
        describes = kind == "not" and re.search(r"\b(?:too|so|very|overly|really)\b", match["gap"], re.IGNORECASE) is not None
        # "not in the mood for", "not want": a verb after "not" makes it a plain refusal that lists may follow.
        if kind == "not" and re.search(r"\b(?:mood|want|fan|into|for)\b", match["gap"], re.IGNORECASE):
            kind = "list"
        return Negation(kind, describes or (match["list"] or "").lower() in ("without", "w/o"), offset + match.start())
    if match := _CHINESE.search(before):
        describes = "太" in match[0] or "那么" in match[0] or match["cue"] in ("不", "没有", "没", "无", "不含", "不带")
        return Negation("list", describes, offset + match.start())
    return None
