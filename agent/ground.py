"""Grounding: what of an LLM's call the request bears out.

A title must be named in the message or stand in the last list, a query or a value must share a word with what the message wants, a
condition must be one that its words say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from rapidfuzz import fuzz

from scenewise.agent.record import Seen
from scenewise.agent.tastes import own_words
from scenewise.tools.toolbox import Toolbox

TITLE_LIKENESS = 85.0
WORDS_DECIDE = 0.2  # share of the scene's log-odds that the words must have for the message to be about the scene
STEM = 4  # least letters of a word that begins another one and is taken for the same
KEPT_CHARS, KEPT_ENTRIES = 200, 10
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]{3,}|[\u3400-\u9fff]")
_REFUSAL = re.compile(
    r"\b(?:no|not|non|nothing|none|never|neither|nor|without|avoid|skip|except|hates?|tired|enough|fed up|spare|free of|leave|rather)\b"
    r"|n['’]?t\b|[不别没无非]|讨厌",
    re.IGNORECASE,
)
_COMMON = frozenset(
    """the and for with you your something anything some any good like want need would please recommend show find give that this not but
    are have has can could one two more what who how why when where there them they our out very just too also well
    read watch listen hear see play cook learn tonight today now time thanks 我 但 是 的 了 也 吗 呢 吧 啊""".split()  # noqa: SIM905
)


def tidy(value: Any) -> Any:
    """An LLM's arguments as a record may keep them: strings of at most 200 characters that can be written, ten entries, plain data."""
    if isinstance(value, str):
        return value[:KEPT_CHARS].encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {tidy(str(key)): tidy(entry) for key, entry in list(value.items())[:KEPT_ENTRIES]}
    if isinstance(value, list | tuple):
        return [tidy(entry) for entry in list(value)[:KEPT_ENTRIES]]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float) else tidy(str(value))


def ground(seen: Seen, name: str, arguments: Mapping[str, Any], box: Toolbox) -> tuple[dict[str, Any], list[str]]:
    """Keep the arguments that the request bears out; return them and the names of the others."""
    kept: dict[str, Any] = {}
    dropped: list[str] = []
    for key, value in arguments.items():
        held = _held(seen, name, key, value, box)
        if held is None or held in ("", []):
            if value not in (None, "", []):
                dropped.append(key)
        else:
            kept[key] = held
    if not set(kept) - {"k", "domain", "relation", "about"}:
        return {}, dropped or sorted(kept)  # what is left narrows nothing and looks for nothing
    return kept, dropped


def _held(seen: Seen, name: str, key: str, value: Any, box: Toolbox) -> Any:
    constraints, reading = seen.context.constraints, seen.reading
    if key == "k" or value is None:
        return value
    if key in ("title", "titles", "like_titles"):
        titles = [value] if isinstance(value, str) else [title for title in value if isinstance(title, str)]
        named = [title for title in titles if is_named(seen, title, box)]
        return named[0] if key == "title" and named else named if key != "title" else None
    if key in ("domain", "domains"):
        wanted = [value] if isinstance(value, str) else list(value)
        asked = reading.domains_only | reading.domains_added
        open_ = [domain for domain in wanted if domain in box.catalogue.domains and (not asked or domain in asked)]
        if name == "filter_catalogue":
            open_ = [domain for domain in open_ if domain in reading.domains_only]
        return (open_[0] if open_ else None) if key == "domain" else open_
    if key in ("query", "value") and isinstance(value, str):
        return value if speaks_of(value, f"{seen.before} {wanted_text(seen)}") else None
    if key in ("genre", "mood", "ban_genre") and not isinstance(value, str):
        said = reading.constraints.ban if key == "ban_genre" else reading.wishes
        known = said.get("mood" if key == "mood" else "genre", ())
        return [one for one in value if isinstance(one, str) and one.casefold() in known]
    if key == "without" and not isinstance(value, str):
        return [word for word in value if isinstance(word, str) and is_refused(word, seen)]
    if key == "max_price":
        return value if constraints.max_price_cents == round(100 * value) or stands_alone(value, seen.text) else None
    if key in ("min_year", "max_year", "max_duration_min"):
        known = getattr(constraints, key)
        return value if known == value or (known is None and stands_alone(value, seen.text)) else None
    return value if key in ("relation", "about") else None


def is_refused(word: str, seen: Seen) -> bool:
    """Whether a word of the message is one that it does not want: the word stands there, and words of refusal do, read by rules or not."""
    if not speaks_of(word, seen.text):
        return False
    ruled = any(said.name.startswith("no ") and speaks_of(word, seen.text[said.start : said.end]) for said in seen.reading.said)
    return ruled or _REFUSAL.search(seen.text) is not None


def stands_alone(value: float, text: str) -> bool:
    """Whether the number stands in the text in digits.

    >>> stands_alone(90, "at most 90min"), stands_alone(9, "at most 90 min")
    (True, False)
    """
    return re.search(rf"(?<!\d){value:g}(?!\d)", text) is not None


def is_named(seen: Seen, title: str, box: Toolbox) -> bool:
    """Whether the message names this title (one of the catalogue's, or words written as a title), or the last list has it."""
    plain = title.casefold().strip()
    if len(plain) < 3:
        return False
    rows = box.catalogue.rows([*seen.mentioned, *seen.memory.items])
    if any(fuzz.ratio(plain, box.catalogue.items[row].title.casefold()) >= TITLE_LIKENESS for row in rows):
        return True
    written = re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", seen.text, re.IGNORECASE)
    return written is not None and written.start() > 0 and all(word[0].isupper() or len(word) < 4 for word in written[0].split())


def wanted_text(seen: Seen, *, conditions: bool = False) -> str:
    """The message without the parts that say what is not wanted: "nothing violent" is no wish for something violent. With `conditions`
    without those that set any condition: "under two hours" is nothing to search for, but "a dessert" is a recipe and a dessert."""
    text, wished = own_words(seen.text), {value for values in seen.reading.wishes.values() for value in values}
    unwanted = [
        (said.start, said.end)
        for said in seen.reading.said
        if said.name.startswith("no ") or (conditions and text[said.start : said.end].casefold().removesuffix("s") not in wished)
    ]
    last = len(text)
    for start, end in sorted([*unwanted, *seen.refusals], reverse=True):
        text, last = text[:start] + " " + text[min(end, last) :], start  # of spans that overlap each takes its own part
    return text


def speaks_of(value: str, text: str) -> bool:
    """Whether a telling word of the value stands in the text, in one form or another ("programming" in "learn to program"); a value of
    small words alone must stand there as it is."""
    telling = words(value)
    if not telling:
        return bool(value.strip()) and re.search(rf"(?<!\w){re.escape(value.strip())}(?!\w)", text, re.IGNORECASE) is not None
    there = _WORD.findall(text.casefold())
    return any(_one_word(mine, other) for mine in telling for other in there)


def _one_word(mine: str, other: str) -> bool:
    return mine == other or (min(len(mine), len(other)) >= STEM and (mine.startswith(other) or other.startswith(mine)))


def words(text: str) -> frozenset[str]:
    """The words that carry meaning, casefolded; Chinese by character."""
    return frozenset(word for word in _WORD.findall(text.casefold()) if word not in _COMMON)


def names_circumstances_only(seen: Seen, box: Toolbox) -> bool:
    """Whether the message says what the moment is like and nothing of what is wanted ("friends are over on Saturday night").

    Its words then stand for a scene: searching for them would find titles with a train in them.
    """
    if not seen.text:
        return True
    reading = seen.reading
    asks = bool(reading.domains_only or reading.domains_added or seen.mentioned or reading.constraints.ban)
    asks = asks or any(name in box.catalogue.vocabulary for name in reading.wishes)
    spoken = sum(abs(signal.share) for signal in seen.context.scene.signals if signal.name == "words")
    return seen.context.scene.scene is not None and not asks and spoken >= WORDS_DECIDE


def only_names_the_scene(text: str, seen: Seen, box: Toolbox) -> bool:
    """Whether all telling words of the text stand in what the scene's file says of the turn's scene ("for the weekend"): whoever searched
    for them would find whatever item says them too."""
    if seen.context.scene.scene is None:
        return False
    scene = box.pack.get(seen.context.scene.scene)
    known = words(" ".join((scene.name, scene.description, *scene.examples)))
    return bool(words(text)) and words(text) <= known and "about" not in text.casefold()
