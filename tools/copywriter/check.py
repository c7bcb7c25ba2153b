"""Check a sentence against its evidence: every word must come from a row or claim nothing, and evidence must stand in its own role.

The sentence is cut into stretches that rows support (spans.py) and neutral words (neutral.txt) by the cheapest cover: as few unsupported
words as possible, then as few neutral ones. Anything left over is refused. What this cannot see: a true fact put in a misleading light.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from scenewise.store.types import Item
from scenewise.tools.copywriter.evidence import EvidenceRow, clean, is_plain
from scenewise.tools.copywriter.spans import Cue, Evidence, Span, cue_of
from scenewise.tools.copywriter.words import Token, closed_words, cut, normalise, tokenize

MAX_CHARS = 160
HARD = frozenset({"by", "from", "like", "about", "as", "to"})
"""Cues that say something of what follows, and so must be followed by evidence."""

_PLAIN_SYMBOLS = frozenset(" .,;:!?'\"’‘“”()-–—…/&《》「」『』，。；：！？、（）·")
_FORBIDDEN = (re.compile(r"\bgood for you\b(?!r)", re.IGNORECASE),)


@dataclass(frozen=True, slots=True)
class Claim:
    """A clause and the ids of the evidence rows that support it."""

    text: str
    row_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`claims` are the supported clauses, in order; `unsupported` says what is not, empty where the text may be shown."""

    claims: tuple[Claim, ...]
    unsupported: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether all of it is supported."""
        return not self.unsupported


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the cover: evidence (span), or neutral or unsupported words (no span)."""

    start: int
    end: int
    span: Span | None = None
    problem: str = ""


def check_copy(
    text: str,
    item: Item,
    rows: Sequence[EvidenceRow],
    *,
    user_titles: Sequence[str] = (),
    scene: str | None = None,
    max_chars: int = MAX_CHARS,
) -> Verdict:
    """Check one text of at most `max_chars` characters about one item.

    `user_titles` are titles that the user knows: one that stands in the text must be inside a stretch that a row supports. `scene` is the
    recognised scene, which may be named even without a row. Refusals name the kind of problem and the words.
    """
    problems = list(_surface(text, item, rows, max_chars))
    shown = normalise(text)
    tokens = tokenize(shown)
    if problems or not tokens:
        return Verdict((), tuple(problems) or ("says nothing",))
    pieces = _cover(tokens, Evidence(item, rows, scene=scene).spans(tokens))
    problems = list(dict.fromkeys(piece.problem for piece in pieces if piece.problem))
    problems += _foreign_titles(tokens, pieces, user_titles)
    claims = tuple(_claims(shown, tokens, pieces))
    if not claims and not problems:
        problems.append("says nothing about the item")
    return Verdict(claims, tuple(problems))


def _surface(text: str, item: Item, rows: Sequence[EvidenceRow], max_chars: int) -> Iterator[str]:
    """Look at characters before words."""
    if len(text) > max_chars:
        yield f"longer than {max_chars} characters"
    if clean(text) != text.strip() or any(unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Cn"} for char in text):
        yield "control or invisible characters"
    if not is_plain(text):
        yield "an address, markup or an order"
    if any(pattern.search(text) for pattern in _FORBIDDEN):
        yield "a promise about health"
    rest = normalise(text)
    known = {value for row in rows for value in (row.text, *row.values)} | {item.title}
    for value in sorted(map(normalise, known), key=len, reverse=True):
        if value and any(not (char.isalnum() or char in _PLAIN_SYMBOLS) for char in value):
            rest = re.sub(re.escape(value), " ", rest, flags=re.IGNORECASE)
    strange = {char for char in rest if char not in _PLAIN_SYMBOLS and unicodedata.category(char)[0] not in "LMN"}
    if strange:
        yield "a symbol that no row has"


@dataclass(frozen=True, slots=True)
class _State:
    """What the words so far ask of the next: `cue` binds it, `held` is the cue that the evidence just ended stood under ("" for none;
    "by A and B"), `beside` is "text" or "value" where evidence ended right before, `told` where the clause already quotes a sentence."""

    cue: Cue = None
    held: Cue = None
    beside: str = ""
    told: bool = False


def _cover(tokens: Sequence[Token], spans: dict[int, list[Span]]) -> list[_Piece]:
    """Find the cheapest cover: dynamic programming over (position, state).

    Cost is (unsupported words, neutral words, pieces), compared in that order.
    """
    best: list[dict[_State, tuple[tuple[int, int, int], tuple[_Piece, ...]]]] = [{} for _ in range(len(tokens) + 1)]
    best[0][_State()] = ((0, 0, 0), ())
    for at in range(len(tokens)):
        for state, (cost, pieces) in best[at].items():
            for piece, following in _steps(tokens, at, state, spans[at]):
                length = piece.end - piece.start
                add = (length, 0, 1) if piece.problem else (0, 0 if piece.span else length, 1)
                total = (cost[0] + add[0], cost[1] + add[1], cost[2] + add[2])
                known = best[piece.end].get(following)
                if known is None or total < known[0]:
                    best[piece.end][following] = (total, (*pieces, piece))
    ends = [(cost[0] + (state.cue in HARD), cost, state.cue, pieces) for state, (cost, pieces) in best[-1].items()]
    _, _, cue, pieces = min(ends, key=lambda end: end[:2])
    dangling = [_Piece(len(tokens) - 1, len(tokens), problem=f"nothing follows: {tokens[-1].text}")] if cue in HARD else []
    return [*pieces, *dangling]


def _steps(tokens: Sequence[Token], at: int, state: _State, spans: Sequence[Span]) -> Iterator[tuple[_Piece, _State]]:
    """Go one piece on. Punctuation ends what a cue binds, and a clause."""
    token = tokens[at]
    loose = state.cue in HARD and token.broken
    if token.broken:
        state = _State()
    for span in spans:
        if state.cue in span.after and not loose and _may_stand(span, state):
            told = state.told or span.field == "text"
            beside = "text" if span.field == "text" else "value"
            yield _Piece(at, span.end, span), _State(held=state.cue or "", beside=beside, told=told)
    for end, following in _neutral(tokens, at, state):
        if not loose and not (state.cue in HARD and following.cue != state.cue):
            yield _Piece(at, end), following
    yield _Piece(at, at + 1, problem=_problem(token)), _State(told=state.told)


def _may_stand(span: Span, state: _State) -> bool:
    """A clause quotes one stretch of a sentence at most, and never runs it into other evidence: two true halves can make a false whole."""
    if span.field == "text":
        return not state.told and not state.beside
    return state.beside != "text"


def _neutral(tokens: Sequence[Token], at: int, state: _State) -> Iterator[tuple[int, _State]]:
    """Yield where a neutral word or phrase at `at` ends, and the state after it."""
    token, words = tokens[at], closed_words()
    if token.is_han:
        yield from _neutral_han(tokens, at, state)
        return
    if token.is_capital and not token.opens:
        return
    word = token.folded
    if word == "how" and [one.folded for one in tokens[at + 1 : at + 2]] == ["about"] and token.opens:
        yield at + 2, _State(told=state.told)
    if word in words["determiners"]:
        yield at + 1, replace(state, held=None)
    if word in words["address"] and state.cue == "during":
        yield at + 1, state
    if word == "you" and state.cue == "for":
        yield at + 1, _State(told=state.told)
    if word in words["joiners"]:
        yield at + 1, _joined(state)
    if word in words["cues"]:
        yield at + 1, _State(cue=cue_of(word), told=state.told)
    if word in words["function"] or word in words["plain"]:
        yield at + 1, _State(told=state.told)


def _neutral_han(tokens: Sequence[Token], at: int, state: _State) -> Iterator[tuple[int, _State]]:
    words = closed_words()
    for end in range(at + 1, min(len(tokens), at + 6) + 1):
        if not tokens[end - 1].is_han or (end - 1 > at and tokens[end - 1].broken):
            break
        phrase = "".join(token.text for token in tokens[at:end])
        if phrase in words["zh_determiners"]:
            yield end, replace(state, held=None)
        if phrase in words["zh_joiners"]:
            yield end, _joined(state)
        if phrase in words["zh_function"]:
            yield end, _State(told=state.told)
        for name in ("by", "about", "for"):
            if phrase in words[f"zh_{name}"]:
                yield end, _State(cue=name, told=state.told)


def _joined(state: _State) -> _State:
    """After "and": what bound the first binds the second."""
    cue = state.cue if state.held is None else state.held or None
    return replace(state, cue=cue, held=None)


def _problem(token: Token) -> str:
    """Name what is wrong with a word that nothing supports."""
    kind = "not in the evidence"
    if token.is_number:
        kind = "a number that no row gives"
    elif token.is_negation:
        kind = "a negation that no row has"
    elif token.is_absolute:
        kind = "a superlative or promise that no row has"
    elif token.is_capital and not token.opens:
        kind = "a name that no row gives"
    return f"{kind}: {token.text}"


def _foreign_titles(tokens: Sequence[Token], pieces: Sequence[_Piece], titles: Sequence[str]) -> list[str]:
    """Find titles of the user's own that stand in the text outside what one row supports."""
    covered = [(piece.start, piece.end) for piece in pieces if piece.span is not None and not piece.problem]
    problems = []
    for title in titles:
        name = [token.text for token in cut(title)]
        for at in range(len(tokens) - len(name) + 1 if any(word[0].isupper() for word in name) else 0):
            if [token.text for token in tokens[at : at + len(name)]] != name or (len(name) == 1 and tokens[at].opens):
                continue
            if not any(start <= at and at + len(name) <= end for start, end in covered):
                problems.append("the title of another item")
    return problems[:1]


def _claims(text: str, tokens: Sequence[Token], pieces: Sequence[_Piece]) -> Iterator[Claim]:
    """Cut into clauses at punctuation that stands between pieces; a clause without evidence claims nothing, one with a problem is none."""
    group: list[_Piece] = []
    for piece in pieces:
        if group and tokens[piece.start].broken:
            yield from _claim(text, tokens, group)
            group = []
        group.append(piece)
    yield from _claim(text, tokens, group)


def _claim(text: str, tokens: Sequence[Token], group: Sequence[_Piece]) -> Iterator[Claim]:
    row_ids = dict.fromkeys(piece.span.row_id for piece in group if piece.span is not None)
    if row_ids and not any(piece.problem for piece in group):
        yield Claim(text[tokens[group[0].start].start : tokens[group[-1].end - 1].end], tuple(row_ids))
