"""What passes from step to step of a turn, and the Turn that is kept. All frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from scenewise.agent.corrections import Correction
from scenewise.agent.intents import Intent
from scenewise.agent.memory import Memory
from scenewise.store.types import Item, ItemId, Moment, UserId
from scenewise.tools.candidates import Candidates
from scenewise.tools.catalogue.concepts import Reading
from scenewise.tools.context import TurnContext
from scenewise.tools.copywriter.evidence import EvidenceRow

AskedBy = Literal["model", "policy"]
Status = Literal["planned", "run", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Request:
    """One message with its circumstances, as it comes in. `scene` is a scene the user named outright; `k` is the list's length; without
    `may_write` nothing that is said changes a profile; `turn_id` is an id of the caller's for the turn, made up where it is None."""

    message: str
    user_id: UserId | None
    moment: Moment
    conversation_id: str
    scene: str | None
    k: int
    now_s: float
    seed: int = 0
    use_llm: bool = True
    may_write: bool = True
    turn_id: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a turn has ended; `name` is perceive, plan, act, rank, compose, verify or remember."""

    name: str
    ms: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What perception made of a request. `context` is what tools may know; `reading` what the words ask for; `referred` the items of the
    last list that the message points at; `mentioned` the catalogue's items that it names, `unknown` people of whom nothing is known;
    `notes` goes into the record; `correction` is what the message puts
    right about the scene, `taught` the earlier text with the scene it meant; `refused` are the
    items that it names to leave them out, `refusals` where in the text it does, [start, end);
    `asked` are the earlier messages that it goes on from, `before` their words that say what is wanted."""

    request: Request
    text: str
    intent: Intent
    context: TurnContext
    reading: Reading
    memory: Memory
    referred: tuple[ItemId, ...] = ()
    mentioned: tuple[ItemId, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    correction: Correction | None = None
    taught: tuple[str, str] | None = None
    refused: tuple[ItemId, ...] = ()
    refusals: tuple[tuple[int, int], ...] = ()
    asked: tuple[str, ...] = ()
    before: str = ""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A tool call of the turn: who asked for it, and what became of it."""

    name: str
    arguments: Mapping[str, Any]
    asked_by: AskedBy
    status: Status = "planned"
    note: str = ""
    candidates: int = 0
    ms: float = 0.0

    def became(self, status: Status, note: str = "", *, candidates: int = 0, ms: float = 0.0) -> PlannedCall:
        """The same call with its outcome."""
        return replace(self, status=status, note=note, candidates=candidates, ms=ms)


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls of a turn, the model's first; `rounds` counts LLM rounds spent, `trouble` says why the model's part is missing; `word` is
    what stands in the list's place: a question back, what the assistant is for, or what is known of the items `about` which was asked.
    `prompt` names the prompt that was used."""

    calls: tuple[PlannedCall, ...] = ()
    rounds: int = 0
    trouble: str = ""
    completion_tokens: int = 0
    prompt_tokens: int = 0
    word: Literal["", "ask", "outside", "facts"] = ""
    prompt: str = "plan"
    about: tuple[ItemId, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What the tools found: candidates, the calls with their outcome, and the context as filters have narrowed it; `unspoken` are
    subjects of the message of which no item has a word."""

    candidates: Candidates
    calls: tuple[PlannedCall, ...]
    context: TurnContext
    unknown_titles: tuple[str, ...] = ()
    unspoken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceScore:
    """What one source said of an item: its score on the source's own scale, and its place in that source's list, from 1."""

    source: str
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class SlateEntry:
    """One item of the frozen list with what may be said of it. `propensity` is the probability with which it came to its place, given
    the items above it; 1 without exploration."""

    item: Item
    score: float
    contributions: Mapping[str, float]
    reason: str
    evidence: tuple[EvidenceRow, ...]
    sources: tuple[SourceScore, ...] = ()
    propensity: float = 1.0


@dataclass(frozen=True, slots=True)
class Slate:
    """The ranked list, frozen before any word is written. `relax` names conditions that could be dropped where nothing fits."""

    entries: tuple[SlateEntry, ...] = ()
    relax: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """Texts for the slate's entries, in order, as the model wrote them (empty where it did not). `refused` says what of an entry's first
    text was not borne out, so that it was written again; empty where nothing was. `prompts` names the prompt files that were used."""

    texts: tuple[str, ...] = ()
    rounds: int = 0
    trouble: str = ""
    completion_tokens: int = 0
    refused: tuple[tuple[str, ...], ...] = ()
    prompts: tuple[str, ...] = ()
    prompt_tokens: int = 0


@dataclass(frozen=True, slots=True)
class TurnItem:
    """An item as the user sees it. `copy_source` is "model" or "template"; `claims` pairs each claim with the ids of its evidence rows;
    `sources` and `propensity` are those of the slate's entry."""

    item_id: ItemId
    domain: str
    title: str
    score: float
    reason: str
    copy: str
    copy_source: str
    claims: tuple[tuple[str, tuple[str, ...]], ...]
    evidence: tuple[tuple[str, str], ...]
    contributions: Mapping[str, float]
    refused: tuple[str, ...] = ()
    sources: tuple[SourceScore, ...] = ()
    propensity: float = 1.0

    @classmethod
    def from_record(cls, data: Mapping[str, Any]) -> TurnItem:
        """A list entry out of a stored record."""
        claims = tuple((str(text), tuple(rows)) for text, rows in data["claims"])
        evidence = tuple((str(row_id), str(text)) for row_id, text in data["evidence"])
        rest = {key: data[key] for key in ("domain", "title", "score", "reason", "copy", "copy_source", "contributions")}
        rest |= {"sources": tuple(SourceScore(**one) for one in data.get("sources", ())), "propensity": data.get("propensity", 1.0)}
        return cls(item_id=ItemId(data["item_id"]), claims=claims, evidence=evidence, refused=tuple(data["refused"]), **rest)


@dataclass(frozen=True, slots=True)
class Reply:
    """The words of the turn."""

    text: str
    items: tuple[TurnItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A whole turn, as returned and as stored. `timings_ms` has a row a step; `degraded` lists why the LLM's part is missing, if
    it is; `artefact` is the version of the trained models, None where none were trained. Tokens are
    those of all LLM calls, 0 where the server does not count them. `given` is what else the turn began with, as plain data: the
    moment and the conversation's memory, for a replay."""

    turn_id: str
    conversation_id: str
    user_id: UserId | None
    message: str
    time_s: float
    reply: str
    items: tuple[TurnItem, ...]
    intent: str
    scene: str | None
    scene_probability: float
    signals: tuple[tuple[str, str, float], ...]
    plan: tuple[PlannedCall, ...]
    llm_rounds: int
    timings_ms: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()
    model: str | None = None
    prompts: tuple[str, ...] = ()
    completion_tokens: int = 0
    artefact: str | None = None
    prompt_tokens: int = 0
    given: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def tokens(self) -> int:
        """What the LLM read and wrote."""
        return self.prompt_tokens + self.completion_tokens

    @classmethod
    def from_record(cls, data: Mapping[str, Any]) -> Turn:
        """A turn out of a stored record: the opposite of `to_record`."""
        lists = {name: tuple(data[name]) for name in ("notes", "degraded", "prompts") if name in data}
        parts = {
            "signals": tuple((str(name), str(value), float(share)) for name, value, share in data["signals"]),
            "plan": tuple(PlannedCall(**call) for call in data["plan"]),
            "items": tuple(TurnItem.from_record(item) for item in data["items"]),
        }
        return cls(**{**data, **lists, **parts})

    def to_record(self) -> dict[str, Any]:
        """Plain data for the store and for `--json`."""
        return asdict(replace(self, timings_ms=dict(self.timings_ms), given={}, plan=(), items=())) | {
            "given": dict(self.given),
            "plan": [asdict(replace(call, arguments=dict(call.arguments))) for call in self.plan],
            "items": [asdict(replace(item, contributions=dict(item.contributions))) for item in self.items],
        }
