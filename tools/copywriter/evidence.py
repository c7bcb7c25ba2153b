"""What may be said of an item: true statements, each with an id and where it comes from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scenewise.store.types import Item
from scenewise.tools.candidates import Candidate
from scenewise.tools.copywriter.nouns import duration_words, noun_of, price_words, scene_words
from scenewise.tools.graph.paths import GraphPath

MAX_ROWS = 12
MAX_VALUES = 3
MAX_VALUE_CHARS = 80
MAX_SENTENCE_CHARS = 220
PEOPLE = frozenset(
    {
        *("popularity", "trending", "item_knn", "user_knn", "ease", "als", "rp3beta"),
        *("transition_knn", "next_knn", "transformer", "feature_regression"),
    }
)
"""Sources of candidates that speak of what other people did."""

_FIRST = ("creator", "year", "genre", "mood", "topic")
_OWN = frozenset({"title", "domain", "duration", "price", "text", "path", "scene", "history", "asked", "taste", "people", "fit"})
"""Rows that no attribute may pass for."""

_SACRIFICE = ("text.2", "other", "people", "topic", "text.1", "mood", "duration", "history")
"""What goes first where there are more than MAX_ROWS."""

_MARKUP = re.compile(
    r"\w:(?://|[\w.]+\()|(?:https?|ftp|mailto|javascript|data|file):|//\w|www\.|\w@\w|\b[\w-]{2,}\.[a-z]{2,}\b(?!\.)|<[^>]*>|</|\]\(|\*\*|__|`|&\w+;|[{}]",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|prompt|rule|above|previous|system|evidence|fact)"
    r"|\b(?:system|assistant|user|developer)\s*:|\b(?:system prompt|as an ai|language model|you are now|jailbreak)\b|<\||\[/?inst\]"
    r"|忽略.{0,12}(?:指令|提示|规则)|系统提示",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!\b(?:Mr|Ms|Dr|St|Jr|Sr|vs|No)\.)(?<!\bMrs\.)\s+|(?<=[。！？])\s*")


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One statement. `row_id` is unique within an item ("year", "text.1"); `text` as shown to people and models; `field` is the
    attribute or part it speaks of; `source` who says so ("catalogue", "graph", "scene", "history", "profile", "request",
    "people"); `values` its parts that may be said on their own (empty: only the whole `text`)."""

    row_id: str
    text: str
    field: str
    source: str
    values: tuple[str, ...] = ()


def evidence_for(
    item: Item,
    *,
    path: GraphPath | None = None,
    scene: str | None = None,
    fits: Sequence[str] = (),
    reasons: Sequence[Candidate] = (),
    history: Sequence[str] = (),
    asked: Sequence[str] = (),
    tastes: Sequence[str] = (),
    most: int = MAX_ROWS,
) -> tuple[EvidenceRow, ...]:
    """List what may be said of the item, at most `most` rows, always in the same order.

    `fits` says why the item suits the scene ("uplifting", "under an hour"); `reasons` are candidates of this item, of whose clauses
    those of collaborative sources become the row "people"; `history` are titles that the user liked, the best first; `asked` says what of
    the request the item answers ("the jazz you asked for", "within your 25 minutes"); `tastes` what of it the reader has said to like
    ("jazz, which you like"). Sentences of the item's text that hold markup,
    addresses or orders to a reader are left out.
    """
    rows = [
        *_facts(item),
        *_sentences(item.text),
        *_path(path),
        *_scene(scene, fits),
        *_history(history),
        *_clauses("asked", "request", asked),
        *_clauses("taste", "profile", tastes),
        *_people(item, reasons),
    ]
    for row_id in _SACRIFICE:
        if len(rows) <= most:
            break
        rows = [row for row in rows if row.row_id != row_id and not (row_id == "other" and _is_other(row))]
    return tuple(rows)


def clean(text: str) -> str:
    """Bring a text onto one line without control and format characters."""
    kept = ("".join(" " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char for char in text)).split()
    return "".join(char for char in " ".join(kept) if unicodedata.category(char)[0] != "C")


def is_plain(text: str) -> bool:
    """Say whether a text holds neither markup nor an address nor an order to a reader."""
    return _MARKUP.search(text) is None and _ORDERS.search(text) is None


def _is_other(row: EvidenceRow) -> bool:
    return row.source == "catalogue" and row.field not in {*_OWN, *_FIRST}


def _facts(item: Item) -> Iterator[EvidenceRow]:
    title = clean(item.title)
    if title:
        yield EvidenceRow("title", title, "title", "catalogue", (title,))
    yield EvidenceRow("domain", noun_of(item.domain).words[0], "domain", "catalogue")
    known = {name.casefold(): values for name, values in item.attributes.items()}
    for name in (*_FIRST, *sorted(known.keys() - set(_FIRST))):
        if name == "year":
            if item.year is not None and 0 < item.year < 10_000:
                yield EvidenceRow("year", str(item.year), "year", "catalogue", (str(item.year),))
        elif name in known and name.strip() and name not in _OWN and not name.startswith("text."):
            yield from _attribute(name, known[name])
    if length := duration_words(item.duration_min):
        yield EvidenceRow("duration", length, "duration", "catalogue", (length,))
    if price := price_words(item.price_cents, item.currency):
        yield EvidenceRow("price", price, "price", "catalogue", (price,))


def _attribute(name: str, values: Sequence[str]) -> Iterator[EvidenceRow]:
    kept = [value for value in map(clean, values) if value and len(value) <= MAX_VALUE_CHARS and is_plain(value)][:MAX_VALUES]
    if kept:
        yield EvidenceRow(name, ", ".join(kept), name, "catalogue", tuple(kept))


def _sentences(text: str) -> Iterator[EvidenceRow]:
    if _ORDERS.search(clean(text)):
        return  # who gives an order in one sentence is not to be quoted in the next
    parts = (part.strip() for part in _SENTENCE.split(clean(text)))
    good = [part for part in parts if 10 <= len(part) <= MAX_SENTENCE_CHARS and is_plain(part)]
    for number, sentence in enumerate(good[:2], 1):
        yield EvidenceRow(f"text.{number}", sentence, "text", "catalogue")


def _path(path: GraphPath | None) -> Iterator[EvidenceRow]:
    if path is None or not is_plain(sentence := clean(path.sentence)):
        return
    head, like, title = sentence.partition(", like ")
    # Over two edges "like X" holds on its own; in longer paths each part leans on the one before.
    alone = (f"like {title}",) if head and like and len(path.nodes) == 3 else ()
    yield EvidenceRow("path", sentence, "path", "graph", (sentence, *alone))


def _scene(scene: str | None, fits: Sequence[str]) -> Iterator[EvidenceRow]:
    name = clean(scene_words(scene)) if scene else ""
    if name and is_plain(name):
        why = tuple(part for part in map(clean, fits) if part and is_plain(part))
        yield EvidenceRow("scene", f"{name}: {', '.join(why)}" if why else name, "scene", "scene", (name, *why))


def _history(titles: Sequence[str]) -> Iterator[EvidenceRow]:
    kept = [title for title in map(clean, titles) if title and len(title) <= MAX_VALUE_CHARS and is_plain(title)][:MAX_VALUES]
    if kept:
        yield EvidenceRow("history", f"you liked {', '.join(kept)}", "history", "history", tuple(f"you liked {title}" for title in kept))


def _clauses(name: str, source: str, clauses: Sequence[str]) -> Iterator[EvidenceRow]:
    kept = tuple(clause for clause in map(clean, clauses) if clause and len(clause) <= MAX_VALUE_CHARS and is_plain(clause))[:MAX_VALUES]
    if kept:
        yield EvidenceRow(name, ", ".join(kept), name, source, kept)


def _people(item: Item, reasons: Sequence[Candidate]) -> Iterator[EvidenceRow]:
    for reason in reasons:
        text = clean(reason.reason)
        if text and reason.item_id == item.item_id and reason.source in PEOPLE and is_plain(text):
            yield EvidenceRow("people", text, "people", "people")
            return
