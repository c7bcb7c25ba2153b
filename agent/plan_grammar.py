"""The grammar of plans: what it may name are words of the request, in their order, and its limits are those that the request says."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal

from scenewise.agent.plan_request import PlanRequest
from scenewise.agent.plan_text import ACTIONS, ATTRIBUTES, MAX_CHARS, MAX_ITEMS, MAX_PARTS, NONE
from scenewise.tools.catalogue.limits import find_limits

Word = Literal["none", "ask"]
WORDS: frozenset[Word] = frozenset({"none", "ask"})
MAX_WORDS = 60
"""Words of a request from which on any text may be an argument: the grammar grows with every word."""
MAX_RUN = 30
"""Chinese characters in a row of which any piece may be an argument; of a longer row any characters in their order."""
_ANY = f" [^()\\[\\];\\n]{{1,{MAX_CHARS}}}"
_ANY_LIMIT = "max\\( [0-9]{1,4} (min|usd)\\)|since\\( [12][0-9]{3}\\)|until\\( [12][0-9]{3}\\)"
_MAKER = "( (director|writer|author|artist|creator|singer|actor|actress|band|maker) of)?"
_WORD = re.compile(r"[\u3400-\u9fff]|[/·]|[^\s\u3400-\u9fff()\[\];|/·]+")
_EDGES = re.compile(r"([^\w#$€£]*)(.*?)((?:(?<=\w)['’]s)?)([^\w%$€£]*)", re.DOTALL)
_PLAIN = re.compile(r"[\w '&#%,:!/<>\"=@~`’–-]")


def plan_pattern(domains: Iterable[str], request: PlanRequest | None = None, *, words: Collection[Word] = WORDS) -> str:
    """Return a regular expression of all plans for a store with these kinds of items, without lookaround and back references, as servers'
    grammars take them. Of "none" and "ask", a question back, it takes those among `words`.

    With a `request` an argument is made of words of its new message in their order (what is searched for or asked about, of the messages
    before it too), or a number of the last list: a small model that copies badly would name other things. Limits are those that rules
    read in the message, any where they read none beside its numbers, and none where it has no number. Above 60 words any text may be an
    argument.
    """
    kinds = "|".join(_literal(domain) for domain in domains)
    kind = f"(; ({kinds}))?" if kinds else ""
    item, wide, limits, maker, numbers = _ANY, _ANY, _ANY_LIMIT, "", ""
    if request is not None:
        said, before = request.new_text, request.earlier_text
        numbers = "|".join(f" #{place}" for place in range(1, len(request.last_items[:9]) + 1))
        item = _either(_words_of(said), numbers)
        wide = _words_of(f"{before} {said}")
        limits, maker = _limits_of(said), _MAKER
    items, liked = _list_of(item), _list_of(wide if request is None else _either(wide, numbers))
    parts = [f"like\\(({liked})?\\)" if liked else "like\\(\\)", limits]
    parts += [f"graph\\({maker}{wide if request is None else _either(wide, numbers)}\\)", f"find\\({wide}{kind}\\)"] if wide else []
    parts += [f"only\\( ({kinds})(; ({kinds})){{0,2}}\\)"] if kinds else []
    if liked:
        parts += [f"facts\\({liked}\\)"]
    if item:
        parts += [f"not\\({items}\\)", f"save\\( ({'|'.join(ACTIONS)}) ({'|'.join(ATTRIBUTES)}){item}\\)"]
    part = f"({'|'.join(one for one in parts if one)})"
    calls = f"{part}( {part}){{0,{MAX_PARTS - 1}}}"
    instead = [text for word, text in (("none", NONE), ("ask", "ask\\(kind\\)")) if word in words]
    return f"({'|'.join((*instead, calls))})" if instead else calls


def _list_of(item: str) -> str:
    return item + f"(;{item})?" * (MAX_ITEMS - 1) if item else ""


def _words_of(text: str) -> str:
    """A pattern of any of the text's words in their order, each after a blank (what is written without one may stay so) and with or
    without the marks and the "'s" at its ends; of Chinese that is written in one a piece of it. Any text where there are too many; ""
    where all are longer than a name."""
    words = [one for one in _WORD.finditer(text) if len(one[0]) <= MAX_CHARS]  # a row of a hundred emoji is no name
    if not words and text.strip():
        return ""
    if not 0 < len(words) <= MAX_WORDS:
        return _ANY
    parts: list[str] = []
    for run in _runs(words):
        first = run[0]
        if 1 < len(run) <= MAX_RUN:
            parts.append(f"( ?({'|'.join(_piece(run[start:]) for start in range(len(run)))}))?")
            continue
        for one in run:
            glued = one is not first or (first.start() > 0 and not text[first.start() - 1].isspace())
            parts.append(f"({' ?' if glued or _is_han(one[0]) else ' '}{_bare(one[0])})?")
    return "".join(parts)


def _runs(words: Sequence[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    """The words one by one, but Chinese characters that follow one another together."""
    run: list[re.Match[str]] = []
    for word in words:
        if run and not (_is_han(word[0]) and _is_han(run[-1][0]) and run[-1].end() == word.start()):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _piece(run: Sequence[re.Match[str]]) -> str:
    """A pattern of the beginnings of a row of characters."""
    return "".join(f"({one[0]}" if place else one[0] for place, one in enumerate(run)) + ")?" * (len(run) - 1)


def _bare(word: str) -> str:
    before, core, of, after = _EDGES.fullmatch(word).groups()  # type: ignore[union-attr]
    marks = (f"({_literal(mark)})?" for mark in (*([of] if of else ()), *after))
    return "".join((f"({_literal(before)})?" if before else "", _literal(core), *marks)) if core else _literal(word)


def _either(pattern: str, numbers: str) -> str:
    return f"({pattern}|{numbers})" if numbers else pattern


def _limits_of(text: str) -> str:
    found = find_limits(text)
    if not found:
        return _ANY_LIMIT if re.search(r"\d", text) else ""
    written: Iterator[str] = (part for limit in found for part in _written(limit.kind, limit.low, limit.high))
    return "|".join(dict.fromkeys(written))


def _written(kind: str, low: int | None, high: float | None) -> Iterator[str]:
    if kind == "year":
        if low is not None:
            yield f"since\\( {low}\\)"
        if high is not None:
            yield f"until\\( {high:.0f}\\)"
    elif high is not None:
        amount = high if kind == "duration" else high / 100
        yield f"max\\( {_literal(f'{amount:g}')} {'min' if kind == 'duration' else 'usd'}\\)"


def _is_han(text: str) -> bool:
    return "\u3400" <= text <= "\u9fff"


def _literal(text: str) -> str:
    """The text for a grammar: only marks that mean something in one are escaped."""
    return "".join(one if _PLAIN.fullmatch(one) else "\\" + one if one.isascii() else one for one in text)
