"""What the agent calls: the catalogue as two LangChain tools, one that sets conditions and one that looks titles up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from langchain_core.tools import InjectedToolArg, StructuredTool
from pydantic import BaseModel, ConfigDict, Field, InstanceOf, create_model

from scenewise.store.errors import RetryTool
from scenewise.store.types import ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.concepts import Concepts, constraints_from_text
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.catalogue.narrowing import narrow
from scenewise.tools.catalogue.texts import MENTIONS
from scenewise.tools.context import TurnContext

FILTER_NAME = "filter_catalogue"
FILTER_DESCRIPTION = (
    "Set conditions that every recommended item must meet: kinds of items, genres and moods it must or must not have, years, length. "
    "Only for what the user asked for; conditions add up and cannot be taken back."
)
LOOK_UP_NAME = "look_up_items"
LOOK_UP_DESCRIPTION = "Find items of the catalogue by the titles that the user named; says which titles are unknown."
MAX_VALUES = 25  # of an enum, the most frequent: a schema is read by a small model on every turn
_SURE = 0.9
SHORTEST_WORD = 2

Title = Annotated[str, Field(min_length=1, max_length=80)]
Names = tuple[str, ...] | list[str] | None


@dataclass(frozen=True, slots=True)
class FilteredCatalogue:
    """The turn's conditions after the call, and how many items still pass."""

    constraints: Constraints
    n_items: int


@dataclass(frozen=True, slots=True)
class TitleFound:
    """The item that a title means; `score` is in 0..1, 1 for the same title."""

    asked: str
    item_id: ItemId
    title: str
    score: float


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What titles were found to mean, best first within a title, and the titles that the catalogue does not have."""

    matches: tuple[TitleFound, ...]
    unknown: tuple[str, ...]


class LookUpArgs(BaseModel):
    """What an LLM may ask for; `context` comes from the session."""

    model_config = ConfigDict(extra="forbid")

    titles: list[Title] = Field(min_length=1, max_length=3, description="Titles as the user wrote them.")
    context: Annotated[InstanceOf[TurnContext], InjectedToolArg]


def make_tools(catalogue: Catalogue, concepts: Concepts) -> tuple[StructuredTool, StructuredTool]:
    """Make `filter_catalogue` and `look_up_items` over one catalogue; `concepts` say what words outside its vocabulary mean."""
    return make_filter_tool(catalogue, concepts), make_look_up_tool(catalogue)


def make_filter_tool(catalogue: Catalogue, concepts: Concepts) -> StructuredTool:
    """Make `filter_catalogue`; its enums are the domains and the 25 most frequent genres and moods of this catalogue.

    The tool returns (text for the LLM, FilteredCatalogue). It raises RetryTool where the conditions contradict those that hold already
    or would leave nothing.
    """

    def filter_catalogue(
        *,
        context: Annotated[TurnContext, InjectedToolArg],
        domains: Names = None,
        genre: Names = None,
        mood: Names = None,
        ban_genre: Names = None,
        without: Names = None,
        min_year: int | None = None,
        max_year: int | None = None,
        max_duration_min: float | None = None,
        max_price: float | None = None,
    ) -> tuple[str, FilteredCatalogue]:
        asked = Constraints(
            domains=frozenset(domains or ()),
            require=_values(genre=genre, mood=mood),
            ban=_values(genre=ban_genre),
            min_year=min_year,
            max_year=max_year,
            max_duration_min=max_duration_min,
            max_price_cents=None if max_price is None else round(100 * max_price),
        )
        for word in without or ():
            asked = asked.merge(banned_by(word, catalogue, concepts))
        return set_conditions(catalogue, asked, context)

    return StructuredTool.from_function(
        func=filter_catalogue,
        name=FILTER_NAME,
        description=FILTER_DESCRIPTION,
        args_schema=_filter_schema(catalogue),
        infer_schema=False,
        response_format="content_and_artifact",
    )


def make_look_up_tool(catalogue: Catalogue) -> StructuredTool:
    """Make `look_up_items`; the tool returns (text for the LLM, LookedUp)."""

    def look_up_items(*, titles: list[str], context: Annotated[TurnContext, InjectedToolArg]) -> tuple[str, LookedUp]:
        return look_up_titles(catalogue, titles)

    return StructuredTool.from_function(
        func=look_up_items,
        name=LOOK_UP_NAME,
        description=LOOK_UP_DESCRIPTION,
        args_schema=LookUpArgs,
        infer_schema=False,
        response_format="content_and_artifact",
    )


def banned_by(word: str, catalogue: Catalogue, concepts: Concepts) -> Constraints:
    """What one word rules out: the genre of this name, else what the word stands for, else the item of this name, else the items whose own
    words have it; no condition where none has, or all do."""
    plain = word.casefold().strip()
    genres = catalogue.vocabulary.get("genre", {})
    for form in (plain, plain.removesuffix("s")):
        if form in genres:
            return Constraints(ban={"genre": frozenset({form})})
    said = constraints_from_text(f"no {word}", catalogue, concepts).constraints
    if said.ban or said.exclude_domains:
        return Constraints(ban=said.ban, exclude_domains=said.exclude_domains)
    named = [item_id for item_id, score in catalogue.look_up(word, 1) if score >= _SURE]
    mentioned = int(catalogue.columns.having(MENTIONS, (plain,)).sum()) if not named and len(plain) >= SHORTEST_WORD else 0
    return Constraints(ban={MENTIONS: frozenset({plain})} if 0 < mentioned < catalogue.n else {}, ban_items=frozenset(named))


def set_conditions(catalogue: Catalogue, asked: Constraints, context: TurnContext) -> tuple[str, FilteredCatalogue]:
    """Narrow the turn's conditions; RetryTool names what to leave out where nothing would be left of what passes now."""
    constraints = narrow(context.constraints, asked)
    passes = catalogue.allowed(constraints) & context.allowed
    n_items = int(passes.sum())
    if n_items == 0 and context.allowed.any():
        names = [name for name in catalogue.describe(constraints) if name not in catalogue.describe(context.constraints)]
        raise RetryTool(f"No item is left with these conditions; leave out one of: {'; '.join(names)}.")
    described = "; ".join(catalogue.describe(constraints)) or "no conditions"
    return f"{n_items} items pass: {described}.", FilteredCatalogue(constraints, n_items)


def look_up_titles(catalogue: Catalogue, titles: list[str]) -> tuple[str, LookedUp]:
    """Look titles up; for a title without a sure match up to three near ones are given."""
    matches: list[TitleFound] = []
    unknown: list[str] = []
    for asked in titles:
        found = catalogue.look_up(asked, 3)
        sure = [pair for pair in found if pair[1] >= _SURE]
        if not found:
            unknown.append(asked)
        for item_id, score in sure[:1] or found:
            row = catalogue.row(item_id)
            title = catalogue.items[row].title if row is not None else ""
            matches.append(TitleFound(asked, item_id, title, score))
    lines = [f"{match.title} ({'found' if match.score >= _SURE else 'perhaps'})" for match in matches]
    lines += [f"{title} (unknown: not in the catalogue)" for title in unknown]
    return "; ".join(lines) + ".", LookedUp(tuple(matches), tuple(unknown))


def _values(**named: Names) -> Mapping[str, frozenset[str]]:
    return {attribute: frozenset(value.casefold() for value in values) for attribute, values in named.items() if values}


def _filter_schema(catalogue: Catalogue) -> Any:
    fields: dict[str, Any] = {
        "min_year": (int | None, Field(default=None, ge=1000, le=2100, description="Not older than this year.")),
        "max_year": (int | None, Field(default=None, ge=1000, le=2100, description="Not newer than this year.")),
        "max_duration_min": (float | None, Field(default=None, gt=0, le=10_000, description="Minutes it may take at most.")),
        "max_price": (float | None, Field(default=None, ge=0, le=1_000_000, description="What it may cost at most.")),
        "without": (list[Title] | None, Field(default=None, max_length=4, description="What is not wanted, in the user's words.")),
        "context": (Annotated[InstanceOf[TurnContext], InjectedToolArg], ...),
    }
    if catalogue.domains:
        fields["domains"] = _enum_list(catalogue.domains, "Only these kinds of items.")
    for name, attribute, description in (
        ("genre", "genre", "It must have one of these genres."),
        ("mood", "mood", "It must have one of these moods."),
        ("ban_genre", "genre", "It must have none of these genres."),
    ):
        if values := list(catalogue.vocabulary.get(attribute, ()))[:MAX_VALUES]:
            fields[name] = _enum_list(tuple(catalogue.shown(attribute, value) for value in values), description)
    return create_model("FilterCatalogue", __config__=ConfigDict(extra="forbid"), **fields)


def _enum_list(values: tuple[str, ...], description: str) -> Any:
    return (list[Literal[values]] | None, Field(default=None, max_length=8, description=description))  # type: ignore[valid-type]
