"""What the agent calls: the collaborative sources as a LangChain tool."""

from __future__ import annotations

from typing import Annotated

from langchain_core.tools import InjectedToolArg, StructuredTool
from pydantic import BaseModel, ConfigDict, Field, InstanceOf

from scenewise.store.types import ItemId
from scenewise.tools.candidates import Candidates
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.collaborative import Collaborative
from scenewise.tools.collaborative.scenes import SceneReader
from scenewise.tools.context import TurnContext

NAME = "collaborative_candidates"
DESCRIPTION = (
    'Find items that people with a similar history chose. Give like_titles when the user names items to go by ("something like '
    "Fargo\"); without it the user's own history speaks, and what is popular where there is none."
)
_SURE = 0.9
_SCENES_OF = 50  # events; to read a scene takes up to half a millisecond, once
Title = Annotated[str, Field(min_length=1, max_length=80)]


class CollaborativeArgs(BaseModel):
    """What an LLM may ask for; `context` comes from the session."""

    model_config = ConfigDict(extra="forbid")

    like_titles: list[Title] = Field(default_factory=list, max_length=3, description="Titles the user named as examples.")
    k: int = Field(default=50, ge=1, le=100, description="How many items at most from each source.")
    context: Annotated[InstanceOf[TurnContext], InjectedToolArg]


def make_tool(collaborative: Collaborative, catalogue: Catalogue, scenes: SceneReader | None = None) -> StructuredTool:
    """Make `collaborative_candidates` over fitted models; it returns (text for the LLM, Candidates of one source a model).

    The models that take a scene are asked for the turn's; `scenes` reads those of the latest past events. What of the history may come
    again is what the context allows of it.
    """

    def collaborative_candidates(
        *, context: Annotated[TurnContext, InjectedToolArg], like_titles: list[str] | None = None, k: int = 50
    ) -> tuple[str, Candidates]:
        names = like_titles or []
        seeds, missing = resolve(catalogue, names)
        history = () if seeds else context.history  # who names an example asks for its like, not for more of the usual
        past = [scenes.scene_of(event.moment) for event in history[-_SCENES_OF:]] if scenes is not None and collaborative.scenes else []
        found = collaborative.candidates(
            history,
            k,
            allowed=context.allowed,
            seeds=seeds,
            locale=context.moment.locale,
            scene=context.scene.scene,
            scenes=past,
            repeats=True,
        )
        return describe(found, n_seeds=len(seeds), n_missing=missing), found

    return StructuredTool.from_function(
        func=collaborative_candidates,
        name=NAME,
        description=DESCRIPTION,
        args_schema=CollaborativeArgs,
        infer_schema=False,
        response_format="content_and_artifact",
    )


def resolve(catalogue: Catalogue, titles: list[str]) -> tuple[list[ItemId], int]:
    """Return the items that the titles name, each once, and how many titles name none."""
    found = [[best for best in catalogue.look_up(title, 1) if best[1] >= _SURE] for title in titles]
    return list(dict.fromkeys(best[0][0] for best in found if best)), sum(not best for best in found)


def describe(found: Candidates, *, n_seeds: int, n_missing: int) -> str:
    """Say in a line what was found, without titles: ids travel in the artifact."""
    counts = f"{len({one.item_id for one in found})} items by {', '.join(found.by_source())}"
    basis = f"{n_seeds} named item{'s' if n_seeds != 1 else ''}" if n_seeds else "the user's history"
    lead = f"{n_missing} of the titles are not in the catalogue. " if n_missing else ""
    return f"{lead}From {basis}: {counts}." if len(found) else f"{lead}Nothing allowed was found from {basis}."
