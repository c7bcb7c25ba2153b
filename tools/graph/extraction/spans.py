"""Cut texts into windows and sentences, and propose the spans that may be a value: short runs of words between stop words and marks."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_WINDOW = 1200
MAX_WORDS = 3
MAX_SPANS = 400

_SENTENCE_END = re.compile(r"(?:(?<![A-Z]\.)(?<=[.!?…])[\"'”’)]*\s+|(?<=[。！？]))(?=\S)|\n{2,}")
_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
_STOP = frozenset(
    re.findall(
        r"\S+",
        "a an the this that these those and or but nor so yet of in on at to for from by with without into onto over "
        "under between among through during before after until while as if when where who whom whose which what how why "
        "is are was were be been being am do does did has have had having will would shall should can could may might "
        "must not no it its it's he she they them him her his their our your my we you i us me himself herself "
        "themselves itself one's than then there here also too very just only even still again more most much many some "
        "any all both each every few other another such own same about against up down out off back away own one two "
        "three four five six seven eight nine ten ",
    )
)


@dataclass(frozen=True, slots=True)
class Span:
    """`words[start:end]` in a sentence that begins at `offset` of the text; the words before and after it, lower case, "" at the ends."""

    text: str
    sentence: str
    start: int
    end: int
    offset: int = 0
    before: tuple[str, str] = ("", "")
    after: str = ""

    def overlaps(self, other: Span) -> bool:
        """Whether the two share a character of the text."""
        return self.offset + self.start < other.offset + other.end and other.offset + other.start < self.offset + self.end


def sentences(text: str) -> list[tuple[int, str]]:
    """Cut at sentence ends: (offset, sentence), none longer than MAX_WINDOW, which is cut at a blank or, without one, hard."""
    found: list[tuple[int, str]] = []
    begin = 0
    ends = [match.end() for match in _SENTENCE_END.finditer(text)] + [len(text)]
    for end in ends:
        while end - begin > MAX_WINDOW:
            cut = text.rfind(" ", begin + MAX_WINDOW // 2, begin + MAX_WINDOW)
            cut = cut if cut > 0 else begin + MAX_WINDOW
            found.append((begin, text[begin:cut]))
            begin = cut
        if text[begin:end].strip():
            found.append((begin, text[begin:end]))
        begin = end
    return found


def windows(text: str) -> list[str]:
    """Join sentences to windows of at most MAX_WINDOW characters."""
    joined: list[str] = []
    for _, sentence in sentences(text):
        if joined and len(joined[-1]) + len(sentence) <= MAX_WINDOW:
            joined[-1] += sentence
        else:
            joined.append(sentence)
    return joined


def candidates(text: str) -> list[Span]:
    """Propose spans of up to MAX_WORDS words that hold no stop word and cross no mark; at most MAX_SPANS a sentence, in reading order."""
    return [span for offset, sentence in sentences(text) for span in _in_sentence(sentence, offset)[:MAX_SPANS]]


def _in_sentence(sentence: str, offset: int) -> list[Span]:
    found = list(_WORD.finditer(sentence))
    lower = [match[0].casefold() for match in found]
    spans = []
    for first in range(len(found)):
        for last in range(first, min(first + MAX_WORDS, len(found))):
            if lower[last] in _STOP or (last > first and sentence[found[last - 1].end() : found[last].start()].strip()):
                break
            start, end = found[first].start(), found[last].end()
            before = (lower[first - 1] if first else "", lower[first - 2] if first > 1 else "")
            follows = last + 1 < len(found) and not sentence[end : found[last + 1].start()].strip()
            after = lower[last + 1] if follows else ""
            spans.append(Span(sentence[start:end], sentence, start, end, offset, before, after))
    return spans
