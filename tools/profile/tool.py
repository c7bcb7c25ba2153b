"""What the agent calls: the user's profile, to read and, where the user asked for it in this turn, to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from langchain_core.tools import InjectedToolArg, StructuredTool
from pydantic import BaseModel, ConfigDict, Field, InstanceOf, create_model

from scenewise.store.errors import NotAllowed, RetryTool
from scenewise.store.types import ItemId, Profile, Taste
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.context import TurnContext
from scenewise.tools.profile.tastes import Action, change_taste

if TYPE_CHECKING:
    from scenewise.store.store import Store

READ_NAME = "read_profile"
READ_DESCRIPTION = "Read what the user has told about their likes, dislikes and standing rules."
UPDATE_NAME = "update_profile"
UPDATE_DESCRIPTION = (
    "Keep a like or dislike that the user states in this message, or remove one; it holds for all later conversations. "
    "For attribute item give a title."
)
_SURE = 0.9
_SHOWN = 12


class ReadArgs(BaseModel):
    """Nothing that an LLM could choose; `context` comes from the session."""

    model_config = ConfigDict(extra="forbid")

    context: Annotated[InstanceOf[TurnContext], InjectedToolArg]


def make_tools(store: Store, catalogue: Catalogue) -> tuple[StructuredTool, StructuredTool]:
    """Make `read_profile` and `update_profile`."""
    return make_read_tool(store, catalogue), make_update_tool(store, catalogue)


def make_read_tool(store: Store, catalogue: Catalogue) -> StructuredTool:
    """Make `read_profile`; the tool returns (text for the LLM, Profile). Whose profile comes from the session."""

    def read_profile(*, context: Annotated[TurnContext, InjectedToolArg]) -> tuple[str, Profile]:
        profile = context.profile if context.user_id is None else store.profiles.get(context.user_id)
        return describe(profile, catalogue), profile

    return StructuredTool.from_function(
        func=read_profile,
        name=READ_NAME,
        description=READ_DESCRIPTION,
        args_schema=ReadArgs,
        infer_schema=False,
        response_format="content_and_artifact",
    )


def make_update_tool(store: Store, catalogue: Catalogue) -> StructuredTool:
    """Make `update_profile`; its enum of attributes is the catalogue's, with item and domain. It returns (text, Profile).

    The tool raises NotAllowed where the user did not ask for it in this turn, is not known, or the taste is locked; RetryTool for a value
    that the catalogue does not have.
    """

    def update_profile(
        *, action: Action, attribute: str, value: str, context: Annotated[TurnContext, InjectedToolArg]
    ) -> tuple[str, Profile]:
        if context.user_id is None:
            raise NotAllowed("There is no user to keep a profile for; say who is asking.")
        if not context.may_write_profile:
            raise NotAllowed("The user did not ask in this turn to change their profile.")
        taste = Taste(attribute, resolve(catalogue, attribute, value), source="said", time_s=context.now_s)
        with store.transaction():
            profile = change_taste(store.profiles.get(context.user_id), action, taste)
            store.profiles.save(profile)
        return describe(profile, catalogue), profile

    return StructuredTool.from_function(
        func=update_profile,
        name=UPDATE_NAME,
        description=UPDATE_DESCRIPTION,
        args_schema=_schema(catalogue),
        infer_schema=False,
        response_format="content_and_artifact",
    )


def resolve(catalogue: Catalogue, attribute: str, value: str) -> str:
    """Give a value as it is kept: an item's id (from an id or a title), a domain, or the display form of an attribute's value.

    Raises RetryTool naming the nearest values where the catalogue does not have it.
    """
    if attribute == "item":
        return _resolve_item(catalogue, value)
    if attribute == "domain":
        known: dict[str, str] = {domain.casefold(): domain for domain in catalogue.domains}
        near = list(catalogue.domains)
    else:
        known = dict(catalogue.values.shown.get(attribute, {}))
        near = catalogue.values.nearest(attribute, value)
    form = known.get(value.strip().casefold())
    if form is None:
        raise RetryTool(f"The catalogue has no such {attribute}{_instead(near)}.")
    return form


def describe(profile: Profile, catalogue: Catalogue) -> str:
    """Put a profile into a few words for the LLM: the latest likes and dislikes, and the standing rules."""
    parts = [
        f"{word} {', '.join(_shown(taste, catalogue) for taste in tastes[-_SHOWN:])}"
        for word, tastes in (("likes", profile.likes), ("dislikes", profile.dislikes))
        if tastes
    ]
    parts += [f"{name}: {rule}" for name, rule in sorted(profile.constraints.items()) if "." not in name]
    return f"The user {'; '.join(parts)}." if parts else "Nothing is known about the user's tastes."


def _resolve_item(catalogue: Catalogue, value: str) -> str:
    if catalogue.row(ItemId(value)) is not None:
        return value
    found = catalogue.look_up(value, 1)
    if found and found[0][1] >= _SURE:
        return found[0][0]
    raise RetryTool("The catalogue has no item of this title; look it up with look_up_items first.")


def _instead(near: list[str]) -> str:
    return f"; nearest: {', '.join(near)}" if near else ""


def _shown(taste: Taste, catalogue: Catalogue) -> str:
    if taste.attribute == "item":
        row = catalogue.row(ItemId(taste.value))
        return catalogue.items[row].title if row is not None else "an item no longer there"
    return f"{taste.attribute} {taste.value}"


def _schema(catalogue: Catalogue) -> Any:
    attributes = ("item", "domain", *sorted(set(catalogue.vocabulary) - {"item", "domain"}))
    fields: dict[str, Any] = {
        "action": (Action, Field(description="What to do with the taste.")),
        "attribute": (Literal[attributes], Field(description="What kind of thing value names.")),
        "value": (str, Field(min_length=1, max_length=120, description="The thing liked or disliked.")),
        "context": (Annotated[InstanceOf[TurnContext], InjectedToolArg], ...),
    }
    return create_model("UpdateProfile", __config__=ConfigDict(extra="forbid"), **fields)
