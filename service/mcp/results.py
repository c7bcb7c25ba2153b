"""What the agent's tools give, typed: the text that an LLM reads of each, and the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from scenewise.service.api.schemas import ProfileOut, profile_out
from scenewise.tools.catalogue.catalogue import Catalogue


class Told(BaseModel):
    """What a tool told."""

    model_config = ConfigDict(from_attributes=True)

    text: str = Field(description="In a sentence.")


class CandidateOut(BaseModel):
    """An item as one source found it."""

    item_id: str
    title: str
    domain: str
    source: str
    score: float = Field(description="On the source's own scale; higher is better.")
    reason: str


class CandidatesOut(Told):
    """Items, within a source the best first."""

    candidates: list[CandidateOut]


class SignalOut(BaseModel):
    """What spoke for or against a scene."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    value: str
    share: float


class SceneReadOut(Told):
    """A recognised scene; None where none is likely."""

    scene: str | None
    probability: float
    signals: list[SignalOut]


class FilteredOut(Told):
    """How many items meet conditions."""

    conditions: list[str]
    n_items: int


class TitleOut(BaseModel):
    """The item that a title means; `score` 1 for the same title."""

    model_config = ConfigDict(from_attributes=True)

    asked: str
    item_id: str
    title: str
    score: float


class LookedUpOut(Told):
    """What titles mean, best first, and those that mean nothing here."""

    matches: list[TitleOut]
    unknown: list[str]


class ProfileRead(Told):
    """A user's profile."""

    profile: ProfileOut


def candidates(text: str, found: Any, catalogue: Catalogue) -> CandidatesOut:
    """With titles, by which an LLM knows items."""
    rows = []
    for one in found:
        if (row := catalogue.row(one.item_id)) is not None:  # else it went since
            item = catalogue.items[row]
            told = {"title": item.title, "domain": item.domain, "source": one.source, "score": one.score, "reason": one.reason}
            rows.append(CandidateOut(item_id=one.item_id, **told))
    return CandidatesOut(text=text, candidates=rows)


def _scene(text: str, found: Any, catalogue: Catalogue) -> SceneReadOut:
    return SceneReadOut(
        text=text, scene=found.scene, probability=found.probability, signals=[SignalOut.model_validate(one) for one in found.signals]
    )


def _filtered(text: str, found: Any, catalogue: Catalogue) -> FilteredOut:
    return FilteredOut(text=text, conditions=list(catalogue.describe(found.constraints)), n_items=found.n_items)


def _looked_up(text: str, found: Any, catalogue: Catalogue) -> LookedUpOut:
    return LookedUpOut(text=text, matches=[TitleOut.model_validate(one) for one in found.matches], unknown=list(found.unknown))


def _profile(text: str, found: Any, catalogue: Catalogue) -> ProfileRead:
    return ProfileRead(text=text, profile=profile_out(found))


RESULTS: Mapping[str, tuple[type[Told], Callable[[str, Any, Catalogue], Told]]] = MappingProxyType(
    {
        "recognise_scene": (SceneReadOut, _scene),
        "query_graph": (CandidatesOut, candidates),
        "collaborative_candidates": (CandidatesOut, candidates),
        "retrieve": (CandidatesOut, candidates),
        "filter_catalogue": (FilteredOut, _filtered),
        "look_up_items": (LookedUpOut, _looked_up),
        "read_profile": (ProfileRead, _profile),
    }
)
"""Of each tool that only reads: the type of its result, and how it is made of text and artifact."""
