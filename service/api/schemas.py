"""What goes out, and the bodies that come in, with examples for OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints

from scenewise.service.api.moments import Count, Id, MomentIn, Word
from scenewise.store.item_json import WrittenItem
from scenewise.store.types import Profile

Text = Annotated[str, StringConstraints(max_length=8_000)]


class In(BaseModel):
    """A body; fields that there are not are refused."""

    model_config = ConfigDict(extra="forbid")


class ErrorBody(BaseModel):
    """What went wrong, in OpenAI's words."""

    message: str
    type: str
    code: str
    param: str | None


class ErrorOut(BaseModel):
    """The shape of every error."""

    error: ErrorBody


class RecommendIn(In):
    """What to recommend, to whom, when."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"user_id": "42", "scene": "date night", "k": 3}]})

    user_id: Id | None = None
    text: Text = Field("", description="What is wished for, in words.")
    scene: Word | None = Field(None, description="A scene by name; recognised from the rest where it is left out.")
    moment: MomentIn = MomentIn()
    k: Count = 5
    use_llm: bool = Field(False, description="Let the LLM plan and write as in a chat.")
    conversation_id: Id | None = Field(
        None, description="A conversation whose last list this shall be: its turns count, and later ones speak of it."
    )


class EventIn(In):
    """A user did something with an item; it counts in the next turn."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"user_id": "42", "item_id": "ml-100", "kind": "like"}]})

    user_id: Id | None = None
    item_id: Id
    kind: Word = Field(description="click, play, like, rating, skip, dislike, ...")
    value: FiniteFloat | None = Field(None, description="A rating, a count, or seconds.")
    moment: MomentIn | None = None


class ItemsIn(In):
    """Items to add, or to put in the place of those with the same id; all or none are kept."""

    items: Annotated[list[WrittenItem], Field(min_length=1, max_length=5_000)]


class ItemIdsIn(In):
    """Items to delete; with `forget` neither what they were nor their facts are kept."""

    item_ids: Annotated[list[Id], Field(min_length=1, max_length=5_000)]
    forget: bool = False


class TasteIn(In):
    """A taste to keep or to take out of the profile."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"action": "like", "attribute": "genre", "value": "jazz"}]})

    action: Literal["like", "dislike", "remove"]
    attribute: Word = Field(description="item (value: an id or a title), domain, or an attribute of the catalogue.")
    value: Id


class LockIn(In):
    """A taste of the profile that no conversation may change, or may again."""

    attribute: Word
    value: Id
    locked: bool = True


class IdentityIn(In):
    """Who a user is on another platform. They must have agreed to it: `consent` is true."""

    platform: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^:/\x00-\x1f]+$")]
    platform_user_id: Id
    consent: Literal[True]


class Usage(BaseModel):
    """Tokens that the LLM read and wrote."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0

    @classmethod
    def of(cls, prompt_tokens: int, completion_tokens: int) -> Usage:
        """With their sum."""
        return cls(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens, total_tokens=prompt_tokens + completion_tokens)


class ItemOut(BaseModel):
    """An item of a list, with why it is there and what may be said of it."""

    item_id: str
    domain: str
    title: str
    score: float = Field(description="Calibrated probability of being chosen, in [0, 1].")
    reason: str
    copy_: str = Field(alias="copy", description="The sentence about it; each claim is proved by evidence.")
    copy_source: str = Field(description="model or template")
    claims: list[tuple[str, list[str]]] = Field(description="Claims of the copy with the ids of their evidence.")
    evidence: list[tuple[str, str]] = Field(description="Rows of (id, text).")
    contributions: dict[str, float] = Field(description="Parts of the score in log-odds.")
    propensity: float = 1.0


class CallOut(BaseModel):
    """A tool call of the turn, who asked for it, and what became of it."""

    name: str
    arguments: dict[str, Any]
    asked_by: str
    status: str
    note: str = ""
    candidates: int = 0
    ms: float = 0.0


class TurnOut(BaseModel):
    """The record of a turn."""

    turn_id: str
    conversation_id: str
    user_id: str | None
    message: str
    time_s: float
    reply: str
    items: list[ItemOut]
    intent: str
    scene: str | None
    scene_probability: float
    signals: list[tuple[str, str, float]] = Field(description="What told the scene: (name, value, share).")
    plan: list[CallOut]
    llm_rounds: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    timings_ms: dict[str, float]
    notes: list[str] = []
    degraded: list[str] = Field([], description="Why the LLM's part is missing, if it is.")
    model: str | None = None
    prompts: list[str] = []
    artefact: str | None = None


class ReplayIn(BaseModel):
    """How a turn is to be answered once more."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"use_llm": False}]})

    use_llm: bool | None = Field(None, description="With an LLM or without; as the turn was where it is left out.")


class ReplayOut(BaseModel):
    """A turn as it was and as it would be now."""

    before: TurnOut
    now: TurnOut
    differs: list[str] = Field(description="Of intent, scene, calls, items, reply, model, prompts, artefact, what is not the same.")


class TasteOut(BaseModel):
    """A like or a dislike."""

    attribute: str
    value: str
    strength: float
    source: str
    time_s: float
    locked: bool


class ProfileOut(BaseModel):
    """What a user has told, with standing rules by name."""

    likes: list[TasteOut]
    dislikes: list[TasteOut]
    constraints: dict[str, str]


class UserOut(BaseModel):
    """A user: profile, identities, and how much else is kept of them."""

    user_id: str
    attributes: dict[str, str]
    identities: list[dict[str, str]]
    profile: ProfileOut
    events: int
    conversations: int


class SceneOut(BaseModel):
    """A scene; `domains` are weights, 1 is neutral and 0 never."""

    name: str
    description: str
    examples: list[str]
    domains: dict[str, float]


class ScenesOut(BaseModel):
    """The scenes there are."""

    scenes: list[SceneOut]


class NodeOut(BaseModel):
    """A node of the graph: an item, a person, a genre, a scene, ..."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(description='Its name in the graph, such as "item:42" or "genre:noir".')
    kind: str
    label: str


class EdgeOut(BaseModel):
    """A fact between two nodes, by their ids."""

    model_config = ConfigDict(from_attributes=True)

    source: str
    target: str
    relation: str
    weight: float = Field(description="Confidence, in (0, 1].")
    origin: str = Field(description="Who says it.")


class PictureOut(BaseModel):
    """What lies around a node, which comes first."""

    model_config = ConfigDict(from_attributes=True)

    nodes: list[NodeOut]
    edges: list[EdgeOut]


class PathOut(BaseModel):
    """A way to an item; `sentence` reads after "it is", or after "it" where it begins with "shares" or "has"."""

    model_config = ConfigDict(from_attributes=True)

    nodes: list[str]
    relations: list[str] = Field(description="Between the nodes, one fewer.")
    sentence: str
    strength: float = Field(description="In [0, 1].")


class PathsOut(BaseModel):
    """Ways to an item, the strongest first."""

    paths: list[PathOut]


class Done(BaseModel):
    """How many were changed."""

    changed: int


class StateOut(BaseModel):
    """Whether the server lives, or is ready for turns."""

    status: str
    items: int | None = None
    llm: str | None = None


def turn_out(record: Mapping[str, Any]) -> TurnOut:
    """A turn as it goes out, from its record."""
    return TurnOut.model_validate(record)


def profile_out(profile: Profile) -> ProfileOut:
    """A profile as it goes out."""
    return ProfileOut.model_validate(
        {"likes": profile.likes, "dislikes": profile.dislikes, "constraints": dict(profile.constraints)}, from_attributes=True
    )
