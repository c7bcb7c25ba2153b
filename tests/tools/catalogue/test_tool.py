from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.tools import BaseTool
from pydantic import ValidationError

from scenewise.store.errors import RetryTool
from scenewise.store.types import ItemId, Moment, Profile, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.concepts import Concepts
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.catalogue.narrowing import narrow
from scenewise.tools.catalogue.tool import FilteredCatalogue, LookedUp, make_tools
from scenewise.tools.context import TurnContext
from scenewise.tools.scene.reading import SceneReading


def make_context(catalogue: Catalogue, constraints: Constraints | None = None) -> TurnContext:
    constraints = constraints or Constraints()
    return TurnContext(
        user_id=UserId("u"),
        message="",
        moment=Moment(),
        scene=SceneReading(None, 1.0, {"none": 1.0}),
        profile=Profile(UserId("u")),
        history=(),
        constraints=constraints,
        allowed=catalogue.allowed(constraints),
        now_s=0.0,
    )


def call(tool: BaseTool, context: TurnContext, **arguments: object) -> tuple[str, object]:
    message = tool.invoke({"name": tool.name, "args": {**arguments, "context": context}, "id": "1", "type": "tool_call"})
    return message.content, message.artifact


def test_schemas_show_enums_and_no_context(catalogue: Catalogue, concepts: Concepts) -> None:
    filter_tool, look_up_tool = make_tools(catalogue, concepts)
    schema = filter_tool.tool_call_schema.model_json_schema()
    assert "context" not in schema["properties"]
    numbers = {"min_year", "max_year", "max_duration_min", "max_price"}
    assert set(schema["properties"]) == {"domains", "genre", "mood", "ban_genre", "without", *numbers}
    assert schema["properties"]["domains"]["anyOf"][0]["items"]["enum"] == list(catalogue.domains)
    assert "Sci-Fi" in schema["properties"]["genre"]["anyOf"][0]["items"]["enum"]
    titles = look_up_tool.tool_call_schema.model_json_schema()["properties"]["titles"]
    assert (titles["maxItems"], titles["items"]["maxLength"]) == (3, 80)


def test_filter_narrows_and_counts(catalogue: Catalogue, concepts: Concepts) -> None:
    context = make_context(catalogue, Constraints(domains=frozenset({"movies"}), min_year=1970, max_duration_min=100))
    text, artifact = call(
        make_tools(catalogue, concepts)[0], context, domains=["movies", "books"], ban_genre=["Horror"], min_year=1950, max_duration_min=120
    )
    assert isinstance(artifact, FilteredCatalogue)
    assert artifact.constraints.domains == {"movies"}
    assert artifact.constraints.min_year == 1970
    assert artifact.constraints.max_duration_min == 100
    assert artifact.n_items == 2  # Fargo, Toy Story
    assert text == "2 items pass: only movies; no genre Horror; from 1970 on; at most 100 min."


def test_filter_refuses_what_contradicts_or_leaves_nothing(catalogue: Catalogue, concepts: Concepts) -> None:
    filter_tool = make_tools(catalogue, concepts)[0]
    with pytest.raises(RetryTool, match="choose among these"):
        call(filter_tool, make_context(catalogue, Constraints(domains=frozenset({"movies"}))), domains=["books"])
    with pytest.raises(RetryTool, match="leave out one of: genre Jazz; from 2000 on"):
        call(filter_tool, make_context(catalogue), genre=["Jazz"], min_year=2000)


@pytest.mark.parametrize("arguments", [{"genre": ["Polka"]}, {"min_year": 3}, {"colour": "red"}, {"max_duration_min": 0}])
def test_filter_takes_only_what_its_schema_has(catalogue: Catalogue, concepts: Concepts, arguments: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        call(make_tools(catalogue, concepts)[0], make_context(catalogue), **arguments)


def test_look_up_names_matches_and_unknown_titles(catalogue: Catalogue, concepts: Concepts) -> None:
    text, artifact = call(make_tools(catalogue, concepts)[1], make_context(catalogue), titles=["the godfather", "Nowhere Near"])
    assert isinstance(artifact, LookedUp)
    assert [(found.asked, found.item_id, found.score) for found in artifact.matches] == [("the godfather", ItemId("m3"), 1.0)]
    assert artifact.unknown == ("Nowhere Near",)
    assert text == "Godfather, The (1972) (found); Nowhere Near (unknown: not in the catalogue)."


sets = st.frozensets(st.sampled_from(["crime", "drama", "comedy", "war"]))
some = st.builds(
    Constraints,
    domains=st.frozensets(st.sampled_from(["movies", "books", "music"])),
    exclude_domains=st.frozensets(st.sampled_from(["movies", "music"])),
    require=st.dictionaries(st.just("genre"), sets),
    ban=st.dictionaries(st.just("genre"), sets),
    min_year=st.none() | st.integers(1950, 2000),
    max_year=st.none() | st.integers(1950, 2000),
    max_duration_min=st.none() | st.floats(30, 200),
    max_price_cents=st.none() | st.integers(0, 2000),
    available_only=st.booleans(),
)


@given(some, some)
def test_narrowing_never_widens(catalogue: Catalogue, a: Constraints, b: Constraints) -> None:
    both = catalogue.allowed(a) & catalogue.allowed(b)
    try:
        narrowed = catalogue.allowed(narrow(a, b))
    except RetryTool:
        return
    assert not (narrowed & ~catalogue.allowed(a)).any()
    assert not (narrowed & ~catalogue.allowed(b)).any()
    if not (a.require.get("genre") and b.require.get("genre")):
        assert narrowed.tolist() == both.tolist()


@pytest.mark.parametrize(
    ("word", "kept_out", "kept_in"),
    [("horror", "m4", "m1"), ("Comedies", "m2", "m1"), ("violent", "m1", "m2"), ("John Coltrane", "a1", "b1"), ("Toy Story", "m2", "m4")],
)
def test_words_that_are_not_wanted_rule_out_what_they_stand_for(
    catalogue: Catalogue, concepts: Concepts, word: str, kept_out: str, kept_in: str
) -> None:
    _, artifact = call(make_tools(catalogue, concepts)[0], make_context(catalogue), without=[word])
    assert isinstance(artifact, FilteredCatalogue)
    passes = catalogue.allowed(artifact.constraints)
    assert not passes[catalogue.row(ItemId(kept_out))]
    assert passes[catalogue.row(ItemId(kept_in))]


def test_a_word_that_means_nothing_here_sets_no_condition(catalogue: Catalogue, concepts: Concepts) -> None:
    _, artifact = call(make_tools(catalogue, concepts)[0], make_context(catalogue), without=["zzyzx"])
    assert isinstance(artifact, FilteredCatalogue)
    assert artifact.n_items == int(catalogue.allowed(Constraints()).sum())


def test_a_price_is_in_whole_units_of_money(catalogue: Catalogue, concepts: Concepts) -> None:
    _, artifact = call(make_tools(catalogue, concepts)[0], make_context(catalogue), max_price=8.5)
    assert isinstance(artifact, FilteredCatalogue)
    assert artifact.constraints.max_price_cents == 850
    assert not catalogue.allowed(artifact.constraints)[catalogue.row(ItemId("b1"))]
