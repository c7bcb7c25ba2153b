from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.tools import BaseTool
from pydantic import ValidationError

from scenewise.store.errors import NotAllowed, RetryTool
from scenewise.store.store import Store
from scenewise.store.types import Item, ItemId, Moment, Profile, Taste, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.context import TurnContext
from scenewise.tools.profile.tool import make_tools
from scenewise.tools.scene.reading import SceneReading

USER = UserId("ann")
ITEMS = [
    Item(ItemId("m1"), "movies", "Fargo", attributes={"genre": ("Crime", "Film-Noir"), "creator": ("Joel Coen",)}),
    Item(ItemId("b1"), "books", "Emma", attributes={"genre": ("Romance",)}),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True) as store:
        store.items.upsert(ITEMS)
        yield store


@pytest.fixture
def catalogue(store: Store) -> Catalogue:
    return Catalogue.from_store(store)


@pytest.fixture
def context(catalogue: Catalogue) -> TurnContext:
    return TurnContext(
        user_id=USER,
        message="",
        moment=Moment(),
        scene=SceneReading(None, 1.0, {"none": 1.0}),
        profile=Profile(USER),
        history=(),
        constraints=Constraints(),
        allowed=catalogue.allowed(Constraints()),
        now_s=77.0,
        may_write_profile=True,
    )


def call(tool: BaseTool, context: TurnContext, **arguments: object) -> tuple[str, Profile]:
    message = tool.invoke({"name": tool.name, "args": {**arguments, "context": context}, "id": "1", "type": "tool_call"})
    return message.content, message.artifact


def test_a_stated_taste_is_kept_with_its_source_and_time(store: Store, catalogue: Catalogue, context: TurnContext) -> None:
    read, update = make_tools(store, catalogue)
    text, profile = call(update, context, action="dislike", attribute="genre", value="film-noir")
    assert profile.dislikes == (Taste("genre", "Film-Noir", source="said", time_s=77.0),)
    assert store.profiles.get(USER) == profile
    assert text == "The user dislikes genre Film-Noir."
    assert call(read, context) == (text, profile)


@pytest.mark.parametrize(
    ("attribute", "value", "kept"),
    [("item", "fargo", "m1"), ("item", "m1", "m1"), ("domain", "Books", "books"), ("creator", "JOEL COEN", "Joel Coen")],
)
def test_values_are_kept_as_the_catalogue_has_them(
    store: Store, catalogue: Catalogue, context: TurnContext, attribute: str, value: str, kept: str
) -> None:
    _, profile = call(make_tools(store, catalogue)[1], context, action="like", attribute=attribute, value=value)
    assert profile.likes[0].value == kept


def test_items_are_shown_by_their_titles(store: Store, catalogue: Catalogue, context: TurnContext) -> None:
    text, _ = call(make_tools(store, catalogue)[1], context, action="like", attribute="item", value="m1")
    assert text == "The user likes Fargo."


@pytest.mark.parametrize(
    ("attribute", "value", "hint"),
    [("genre", "Romanse", "Romance"), ("domain", "films", "books, movies"), ("item", "Nope", "look_up_items")],
)
def test_unknown_values_are_refused_with_the_nearest(
    store: Store, catalogue: Catalogue, context: TurnContext, attribute: str, value: str, hint: str
) -> None:
    with pytest.raises(RetryTool, match=hint):
        call(make_tools(store, catalogue)[1], context, action="like", attribute=attribute, value=value)
    assert store.profiles.get(USER) == Profile(USER)


def test_nothing_is_written_unless_the_user_asked_for_it(store: Store, catalogue: Catalogue, context: TurnContext) -> None:
    update = make_tools(store, catalogue)[1]
    for refused in (replace(context, may_write_profile=False), replace(context, user_id=None)):
        with pytest.raises(NotAllowed):
            call(update, refused, action="like", attribute="genre", value="crime")
    assert store.profiles.get(USER) == Profile(USER)


def test_a_locked_taste_stays(store: Store, catalogue: Catalogue, context: TurnContext) -> None:
    locked = Profile(USER, likes=(Taste("genre", "Crime", locked=True),))
    store.profiles.save(locked)
    with pytest.raises(NotAllowed):
        call(make_tools(store, catalogue)[1], context, action="dislike", attribute="genre", value="crime")
    assert store.profiles.get(USER) == locked


def test_the_schema_has_the_live_attributes_and_no_user(store: Store, catalogue: Catalogue, context: TurnContext) -> None:
    read, update = make_tools(store, catalogue)
    schema = update.tool_call_schema.model_json_schema()
    assert set(schema["properties"]) == {"action", "attribute", "value"}
    assert schema["properties"]["attribute"]["enum"] == ["item", "domain", "creator", "genre"]
    assert read.tool_call_schema.model_json_schema()["properties"] == {}
    with pytest.raises(ValidationError):
        call(update, context, action="like", attribute="genre", value="crime", user_id="bob")
    with pytest.raises(ValidationError):
        call(update, context, action="love", attribute="genre", value="crime")


def test_an_empty_profile_is_said_to_be_empty(store: Store, catalogue: Catalogue, context: TurnContext) -> None:
    assert call(make_tools(store, catalogue)[0], context)[0] == "Nothing is known about the user's tastes."
