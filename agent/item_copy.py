"""One item's texts: the model's words, judged, written once more where they fail, and a template where they fail then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from scenewise.agent.audience import Audience
from scenewise.agent.model import ChatModel, WritePrompt, Written
from scenewise.prompts import load, without_marks
from scenewise.store.errors import InputError, ModelError
from scenewise.store.types import Item, ItemId
from scenewise.tools.copywriter.channels import (
    CHANNELS,
    HEADLINES,
    LOCALES,
    MAX_CHARS,
    TONES,
    Channel,
    Locale,
    Tone,
    extended,
    write_template,
)
from scenewise.tools.copywriter.evidence import EvidenceRow, is_plain
from scenewise.tools.copywriter.facts import Fact, facts_for, facts_line
from scenewise.tools.copywriter.pattern import copy_pattern
from scenewise.tools.copywriter.style import Judge, Judged, Style

MAX_VARIANTS = 10
TIMEOUT_S = 120.0
"""Seconds that one round of an item's texts may take: many are written at once."""
STOPS = frozenset({"unreachable", "status 401", "status 403", "status 404", "status 429", "status 503"})
"""Reasons for which no other item fares better."""
KINDS: Mapping[Channel, tuple[str, int]] = MappingProxyType(
    {
        "title": ("a title", 32),
        "email_subject": ("an e-mail subject", 32),
        "push": ("a push message", 48),
        "card": ("a text", 64),
        "description": ("a description", 192),
    }
)
"""How each channel is called in the prompt, and the most tokens of a text."""
SHORT_ROWS = frozenset({"domain", "year", "genre", "creator", "duration", "scene"})
"""Rows of the pattern of short texts."""
Form = Literal["trained", "guided", "free"]
"""How the model writes: with a prompt that it was trained on, within a pattern of the evidence, or freely."""
Source = Literal["model", "template", "none"]


@dataclass(frozen=True, slots=True)
class Copy:
    """One text. `claims` pairs each claim with the ids of the rows that bear it out, `evidence` is (row id, text) of all that may be said;
    `source` is "none", and the text empty, only where a style bans every text; `refused` says why the model's text was not taken;
    `prompt` is the prompt's tag. Tokens are those of the item's calls, counted with its first variant."""

    item_id: ItemId
    channel: Channel
    variant: int
    text: str
    claims: tuple[tuple[str, tuple[str, ...]], ...]
    evidence: tuple[tuple[str, str], ...]
    source: Source
    refused: tuple[str, ...] = ()
    model: str | None = None
    prompt: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def to_record(self) -> dict[str, Any]:
        """Plain data for files and `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What copy is wanted, checked: InputError says what is out of range."""

    channel: Channel = "card"
    tone: Tone = "plain"
    locale: Locale = "en"
    seed: int = 0
    variants: int = 1
    audience: Audience = None
    scene: str | None = None

    def __post_init__(self) -> None:
        for name, value, known in (("channel", self.channel, CHANNELS), ("tone", self.tone, TONES), ("locale", self.locale, LOCALES)):
            if value not in known:
                raise InputError(f"{name} is one of {', '.join(known)}")
        if not 1 <= self.variants <= MAX_VARIANTS:
            raise InputError(f"variants are 1 to {MAX_VARIANTS} of an item")


def asks_model(wanted: Wanted, form: Form) -> bool:
    """Whether the model is asked at all: its prompts are English, and a small one writes sentences, no headlines."""
    return wanted.locale == "en" and (form == "free" or wanted.channel not in HEADLINES)


@dataclass
class _Variant:
    """One text on its way. `given` is the model's last text, `refused` all that was wrong with what it wrote."""

    number: int
    prompt: WritePrompt | None = None
    given: str = ""
    refused: list[str] = field(default_factory=list)
    judged: Judged | None = None
    source: Source = "template"
    tokens: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class ItemWriter:
    """Writes what is wanted of one item after another. `model` None takes templates; `insist` raises ModelError where the LLM cannot be
    reached, in place of a template."""

    wanted: Wanted
    style: Style
    model: ChatModel | None
    form: Form
    insist: bool = False

    async def write(self, item: Item, rows: Sequence[EvidenceRow]) -> tuple[Copy, ...]:
        """Return the item's different texts, at least one."""
        wanted = self.wanted
        judge = Judge(item, rows, MAX_CHARS[wanted.channel], self.style, set())
        variants = [_Variant(number) for number in range(1, wanted.variants + 1)]
        if self.model is not None:
            for one in variants:
                one.prompt = self._prompt(item, rows, self._seed(one))
            await self._round(self.model, variants, judge)
            again = [one for one in variants if one.judged is None and one.given]
            for one in again:
                one.prompt = self._prompt_again(one, item, rows)
            if again:
                await self._round(self.model, again, judge)
        for one in variants:
            if one.judged is None:
                one.judged = write_template(judge, channel=wanted.channel, tone=wanted.tone, locale=wanted.locale, seed=self._seed(one))
                judge.taken.add(one.judged.text)
        return self._copies(variants, item, rows)

    def _seed(self, variant: _Variant) -> int:
        return self.wanted.seed * 1_000 + variant.number - 1

    async def _round(self, model: ChatModel, variants: Sequence[_Variant], judge: Judge) -> None:
        """Have texts written, all at once, and keep those that pass."""
        prompts = [one.prompt for one in variants if one.prompt is not None]
        try:
            written = await model.write(prompts, max_tokens=KINDS[self.wanted.channel][1], timeout_s=TIMEOUT_S)
        except ModelError as error:
            written = tuple(Written("", error=error.reason) for _ in prompts)
        if self.insist and (stop := next((one.error for one in written if one.error in STOPS), "")):
            raise ModelError(f"the LLM does not answer: {stop}", reason=stop)
        for one, text in zip(variants, written, strict=True):
            one.tokens = (one.tokens[0] + text.prompt_tokens, one.tokens[1] + text.completion_tokens)
            one.given = _tidy(text.text, self.wanted.channel)
            judged = judge(one.given)
            one.refused += [f"no text: {text.error}"] if text.error else judged.problems
            if not judged.problems:
                if self.wanted.channel == "description" and self.form != "free":
                    judged = extended(judged, judge, locale=self.wanted.locale)
                one.judged, one.source = judged, "model"
                judge.taken.add(judged.text)

    def _prompt(self, item: Item, rows: Sequence[EvidenceRow], seed: int) -> WritePrompt:
        facts = facts_for(item, rows, seed=seed)
        if self.form == "trained":
            return WritePrompt(load(self.prompt).messages(facts=facts_line(_within(facts, MAX_CHARS[self.wanted.channel]))))
        if self.form == "guided":
            return WritePrompt(load(self.prompt).messages(facts=facts_line(facts)), self._pattern(item, rows))
        named = [Fact("title", row.text) for row in rows if row.row_id == "title" and is_plain(row.text)]
        priced = [Fact("price", row.text) for row in rows if row.row_id == "price"]
        kind, channel = KINDS[self.wanted.channel][0], self.wanted.channel
        messages = load(self.prompt).messages(
            kind=kind,
            max_chars=MAX_CHARS[channel],
            tone=self.wanted.tone,
            lead=facts[0].text,
            facts=facts_line([*named, *facts, *priced]),
        )
        return WritePrompt(messages)

    def _prompt_again(self, variant: _Variant, item: Item, rows: Sequence[EvidenceRow]) -> WritePrompt:
        """The first prompt within the pattern; for others than the trained model as a conversation, with what was wrong."""
        assert variant.prompt is not None
        loose = self.wanted.channel in HEADLINES or (self.form == "free" and self.wanted.channel == "description")
        pattern = None if loose else self._pattern(item, rows)
        if self.form == "trained":
            return replace(variant.prompt, pattern=pattern)
        said = {"role": "assistant", "content": without_marks(variant.given[:600])}
        problem = " ".join("; ".join(variant.refused).split())[:200]
        return WritePrompt([*variant.prompt.messages, said, *load("write_again").messages(problem=problem)], pattern)

    def _pattern(self, item: Item, rows: Sequence[EvidenceRow]) -> str:
        short = self.wanted.channel == "push"
        return copy_pattern(item, [row for row in rows if row.row_id in SHORT_ROWS] if short else rows)

    @property
    def prompt(self) -> str:
        """The prompt that is used first."""
        return {"trained": "write_short", "guided": "write", "free": "write_copy"}[self.form]

    def _copies(self, variants: Sequence[_Variant], item: Item, rows: Sequence[EvidenceRow]) -> tuple[Copy, ...]:
        """The texts there are; what was spent on variants that came to nothing counts with the first."""
        texts = [one for one in variants if one.judged is not None and one.judged.text] or list(variants[:1])
        lost = [one for one in variants if one not in texts]
        copies = []
        for place, one in enumerate(texts):
            judged, counted = one.judged or Judged(""), [one, *(lost if not place else ())]
            copies.append(
                Copy(
                    item_id=item.item_id,
                    channel=self.wanted.channel,
                    variant=place + 1,
                    text=judged.text,
                    claims=tuple((claim.text, claim.row_ids) for claim in judged.claims),
                    evidence=tuple((row.row_id, row.text) for row in rows),
                    source=one.source if judged.text else "none",
                    refused=tuple(dict.fromkeys(one.refused)),
                    model=self.model.name if self.model else None,
                    prompt=load(self.prompt).tag if self.model else None,
                    prompt_tokens=sum(each.tokens[0] for each in counted),
                    completion_tokens=sum(each.tokens[1] for each in counted),
                )
            )
        return tuple(copies)


def _tidy(text: str, channel: Channel) -> str:
    """A model's text on one line, without quotation marks around it; a headline without a stop."""
    text = " ".join(text.split())
    if len(text) > 1 and text[0] == text[-1] == '"' and text.count('"') == 2:
        text = text[1:-1].strip()
    return text.removesuffix(".") if channel in HEADLINES else text


def _within(facts: Sequence[Fact], max_chars: int) -> Sequence[Fact]:
    """The first facts that a text of so many characters has room for, one at least."""
    kept, room = [facts[0]], max_chars - len(facts[0].text)
    for fact in facts[1:]:
        room -= len(fact.text) + 4
        if room >= 0 or max_chars > 100:
            kept.append(fact)
    return kept
