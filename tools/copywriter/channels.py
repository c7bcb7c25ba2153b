"""Texts by channel: how long each may be, how a tone opens it, and templates that always have one that fits.

Texts are tried from the most telling to the plainest; the last are the title and the bare kind of thing. Nothing is ever cut.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

from scenewise.store.types import Item
from scenewise.tools.copywriter.evidence import EvidenceRow
from scenewise.tools.copywriter.nouns import noun_of
from scenewise.tools.copywriter.style import Judge, Judged
from scenewise.tools.copywriter.template import Parts, capital, ended, parts_of
from scenewise.tools.copywriter.template_zh import sentences_zh
from scenewise.tools.copywriter.words import tokenize

Channel = Literal["title", "email_subject", "push", "card", "description"]
Tone = Literal["plain", "warm", "playful"]
Locale = Literal["en", "zh"]
CHANNELS, TONES, LOCALES = get_args(Channel), get_args(Tone), get_args(Locale)

MAX_CHARS: Mapping[Channel, int] = MappingProxyType({"title": 60, "email_subject": 60, "push": 90, "card": 160, "description": 500})
"""The most characters of each channel."""

HEADLINES = frozenset({"title", "email_subject"})
"""Channels whose texts name the item and do not end like a sentence."""

_OPENINGS: Mapping[Tone, tuple[str, str]] = MappingProxyType({"plain": ("", ""), "warm": ("here's ", ""), "playful": ("how about ", "?")})
_Tiers = tuple[list[tuple[str, ...]], ...]


def generator(seed: int, item: Item, channel: str) -> random.Random:
    """Chance of one text: the same for the same seed, item and channel."""
    digest = hashlib.blake2b(f"{channel}:{seed}:{item.item_id}".encode(errors="surrogatepass"), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))


def write_template(judge: Judge, *, channel: Channel, tone: Tone = "plain", locale: Locale = "en", seed: int = 0) -> Judged:
    """Return the first text that the judge accepts, an empty one where it accepts none (a style that bans all there is to say).

    The same arguments always give the same text. A description goes on with what else the rows say, as far as it is accepted.
    """
    item, rng = judge.item, generator(seed, judge.item, channel)
    by_id = {row.row_id: row for row in judge.rows}
    for text in template_texts(item, by_id, rng, channel=channel, tone=tone, locale=locale):
        judged = judge(text)
        if not judged.problems:
            return extended(judged, judge, locale=locale) if channel == "description" else judged
    return Judged("")


def template_texts(
    item: Item, rows: Mapping[str, EvidenceRow], rng: random.Random, *, channel: Channel, tone: Tone, locale: Locale
) -> Iterator[str]:
    """Yield texts from the most telling to the plainest; each is true, not each fits."""
    title = rows["title"].text if "title" in rows else ""
    if locale == "zh":
        texts = list(sentences_zh(item, rows, rng))
        yield from (f"《{title}》{rest}" for rest in _rests_zh(rows) if title and channel in HEADLINES)
        yield from (text.rstrip("。") if channel in HEADLINES else text for text in texts)
        yield title
        yield from noun_of(item.domain).zh
        return
    parts = parts_of(item, rows, rng)
    tiers = _headlines(parts, mail=channel == "email_subject") if channel in HEADLINES else _sentences(parts)
    tiers = (*_pushes(parts), *tiers) if channel == "push" else tiers
    for tier in tiers:
        for pattern in rng.sample(tier, len(tier)):
            if all(pattern):
                text = "".join(pattern)
                yield from _finished(text, parts, channel, tone)
    yield from _finished(parts.thing, parts, channel, tone)
    yield title
    yield from (capital(ended(words)) for words in (f"{parts.plain_thing} picked for you", parts.plain_thing))
    yield from (capital(word) for word in noun_of(item.domain).words)


def extended(judged: Judged, judge: Judge, *, locale: Locale) -> Judged:
    """The text with further sentences of rows that it does not speak of yet, as long as the judge accepts the whole. No other variant
    may begin with the same sentence and end there."""
    judge.taken.add(judged.text)
    for row_id, more in _more(judge.rows, locale):
        if any(row_id in claim.row_ids for claim in judged.claims):
            continue
        longer = judge(f"{judged.text}{'' if locale == 'zh' else ' '}{more}")
        judged = judged if longer.problems else longer
    return judged


def _headlines(parts: Parts, *, mail: bool) -> _Tiers:
    """Titles and subject lines; a subject line may say first why it comes."""
    title, scene = parts.title, parts.scene
    because = f"because {parts.liked}: " if parts.liked else ""
    occasion = f"{scene.strip()}: " if scene.startswith(" for ") else ""
    lead = f"{parts.taste}: " if parts.taste else ""
    first: list[tuple[str, ...]] = [(because, title), (occasion, title), (lead, title)] if mail else [(title, ": ", parts.taste)]
    return (
        [*first, (title, parts.why), (title, scene)],
        [(title, ": ", parts.thing), (title, parts.maker), (title, ", ", parts.price)],
        [(title,)],
    )


def _pushes(parts: Parts) -> _Tiers:
    """Push messages name the item wherever there is room: nothing else stands beside them."""
    if not parts.title:
        return ()
    said = f"{parts.title}: {parts.thing}"
    because = f"because {parts.liked}: " if parts.liked else ""
    lead = f"{parts.taste}: " if parts.taste else ""
    return (
        [(said, parts.scene, parts.why), (said, parts.why), (because, parts.title, ", ", parts.thing), (lead, parts.title)],
        [(said, parts.scene), (parts.title, parts.why), (because, parts.title)],
        [(said, parts.maker), (said, ", ", parts.price), (said,)],
    )


def _sentences(parts: Parts) -> _Tiers:
    """Cards and the first sentence of descriptions; push messages that have no room for the title."""
    thing, said = parts.thing, f"{parts.title}: {parts.thing}" if parts.title else ""
    lead = f"{parts.taste}: " if parts.taste else ""
    led = f"{lead}{parts.plain_thing}{'' if parts.taste.startswith('by ') else parts.maker}" if lead else ""  # no word of it twice
    because = f"because {parts.liked}: " if parts.liked else ""
    return (
        [
            (thing, parts.maker, parts.scene, parts.why),
            (thing, parts.scene, parts.why),
            (thing, parts.maker, parts.because),
            (said, parts.why),
            (because, parts.title, ", ", thing),
            (led, parts.scene),
            (led,),
        ],
        [(thing, parts.why), (lead, thing), (said, parts.scene), (thing, parts.maker, parts.scene), (because, parts.title)],
        [(thing, parts.scene), (thing, parts.maker, parts.text), (said, parts.maker), (thing, parts.topic, parts.maker)],
        [(said, parts.text), (said, ", ", parts.price), (thing, parts.maker), (thing, parts.topic), (said,)],
    )


def _finished(text: str, parts: Parts, channel: Channel, tone: Tone) -> Iterator[str]:
    """The text as the tone opens it, where it can, then without; ended as the channel ends. A title keeps its own first letter."""
    opening, end = _OPENINGS[tone]
    may_open = text == parts.title if channel in HEADLINES else text.startswith(parts.thing) and ". " not in text and '"' not in text
    if opening and may_open:
        yield f"{capital(opening)}{text}{end or ('' if channel in HEADLINES else '.')}"
    whole = text if parts.title and text.startswith(parts.title) else capital(text)
    yield whole if channel in HEADLINES else ended(whole)


def _more(rows: Sequence[EvidenceRow], locale: Locale) -> Iterator[tuple[str, str]]:
    """Whole sentences, each of one row: what the item's own text says, then its facts."""
    by_id = {row.row_id: row for row in rows}
    for row_id in ("text.1", "text.2"):
        if row_id in by_id and _is_of(by_id[row_id].text, locale):
            yield row_id, ended(by_id[row_id].text) if locale == "en" else by_id[row_id].text
    if locale == "zh":
        return
    for row_id, form in (("topic", "It is about {}."), ("mood", "It is {}."), ("duration", "It runs {}."), ("price", "It comes at {}.")):
        if row_id in by_id:
            values = by_id[row_id].values[:2]
            yield row_id, form.format(" and ".join(values))


def _is_of(text: str, locale: Locale) -> bool:
    """Whether a sentence is in the language of the copy: half of its tokens are Han characters, or none is."""
    tokens = tokenize(text)
    han = sum(token.is_han for token in tokens)
    return 2 * han > len(tokens) if locale == "zh" else not han


def _rests_zh(rows: Mapping[str, EvidenceRow]) -> Iterator[str]:
    for row_id, form in (("taste", "：{}"), ("scene", "，适合{}"), ("creator", "，出自{}")):
        if row_id in rows and rows[row_id].values:
            yield form.format(rows[row_id].values[0])
