"""query_graph as the agent calls it."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from scenewise.store.errors import RetryTool
from scenewise.store.types import Event, Item, ItemId, Moment, Profile, UserId
from scenewise.tools.candidates import Candidates
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.context import TurnContext
from scenewise.tools.graph import KnowledgeGraph
from scenewise.tools.graph.tool import make_tool
from scenewise.tools.scene.reading import SceneReading

USER = UserId("u")


def make(item_id: str, title: str, **attributes: tuple[str, ...]) -> Item:
    return Item(ItemId(item_id), "movies", title, attributes=attributes)


ITEMS = [
    make("fargo", "Fargo", creator=("Joel Coen",), genre=("Crime",)),
    make("lebowski", "The Big Lebowski", creator=("Joel Coen",), genre=("Comedy",)),
    make("heat", "Heat", creator=("Michael Mann",), genre=("Crime",)),
    make("clueless", "Clueless", creator=("Amy Heckerling",), genre=("Comedy",)),
]


@pytest.fixture(scope="module")
def tool():
    return make_tool(KnowledgeGraph.build(Catalogue.from_items(ITEMS)))


def context(liked: tuple[str, ...] = (), allowed: tuple[bool, ...] = (True,) * 4, locale: str = "en") -> TurnContext:
    history = tuple(Event(USER, ItemId(item_id), "rating", 5.0, float(at)) for at, item_id in enumerate(liked))
    return TurnContext(
        USER,
        "",
        Moment(locale=locale),
        SceneReading(None, 1.0, {"none": 1.0}),
        Profile(USER),
        history,
        Constraints(),
        np.array(allowed),
        0.0,
    )


def call(tool, around: TurnContext, **arguments) -> tuple[str, list[str]]:
    message = tool.invoke({"name": "query_graph", "id": "1", "type": "tool_call", "args": {**arguments, "context": around}})
    assert isinstance(message.artifact, Candidates)
    return message.content, [row.item_id for row in message.artifact]


def test_a_named_person(tool):
    text, found = call(tool, context(), about="creator", value="joel cohen")
    assert set(found) == {"fargo", "lebowski"}
    assert text == "2 items connected with Joel Coen."


def test_a_title_leads_to_what_shares_something_telling(tool):
    _, found = call(tool, context(), title="Fargo")
    assert set(found) == {"lebowski", "heat"}


def test_a_relation_narrows(tool):
    assert call(tool, context(), title="Fargo", relation="created_by")[1] == ["lebowski"]
    assert call(tool, context(), title="fargo", relation="in_genre")[1] == ["heat"]


def test_a_value_needs_no_kind(tool):
    assert set(call(tool, context(), value="crime")[1]) == {"fargo", "heat"}


def test_a_value_may_be_a_title(tool):
    assert set(call(tool, context(), value="the big lebowski")[1]) == {"fargo", "clueless"}


def test_a_domain_narrows():
    book = Item(ItemId("book"), "books", "Savages", attributes={"genre": ("crime",)})
    tool = make_tool(KnowledgeGraph.build(Catalogue.from_items([*ITEMS, book])))
    around = context(allowed=(True,) * 5)
    assert call(tool, around, value="crime", domain="books")[1] == ["book"]
    assert set(call(tool, around, value="crime", domain="movies")[1]) == {"fargo", "heat"}


def test_what_the_user_likes_orders_the_answer(tool):
    assert call(tool, context(("lebowski",)), value="crime")[1][0] == "fargo"


def test_what_was_seen_and_what_is_not_allowed_stays_out(tool):
    assert call(tool, context(("fargo",)), value="crime")[1] == ["heat"]
    # rows are in item_id order: clueless, fargo, heat, lebowski
    assert call(tool, context(allowed=(True, True, False, True)), value="crime")[1] == ["fargo"]


def test_nothing_found_walks_from_the_users_likes_and_says_so(tool):
    text, found = call(tool, context(("fargo",)), about="creator", value="Agnes Varda")
    assert text.startswith("Nothing allowed is connected with that; instead ")
    assert set(found) >= {"lebowski", "heat"}


def test_no_argument_walks_from_the_users_likes(tool):
    text, found = call(tool, context(("fargo",)))
    assert found[0] in {"lebowski", "heat"}
    assert text.endswith("items near what the user likes.")


def test_nothing_at_all_is_empty(tool):
    assert call(tool, context()) == ("Nothing is near what the user likes.", [])


def test_the_schema_holds_the_live_enums_and_hides_the_context(tool):
    schema = tool.tool_call_schema.model_json_schema()
    assert "context" not in schema["properties"]
    assert schema["properties"]["about"]["anyOf"][0]["enum"] == ["creator", "domain", "genre"]
    assert schema["properties"]["relation"]["anyOf"][0]["enum"] == ["created_by", "in_domain", "in_genre"]
    assert schema["properties"]["value"]["anyOf"][0]["maxLength"] == 80
    assert schema["properties"]["k"]["maximum"] == 50


@pytest.mark.parametrize("wrong", [{"k": 51}, {"about": "shoe size", "value": "9"}, {"title": "x" * 81}, {"surprise": 1}])
def test_arguments_outside_the_schema_are_refused(tool, wrong):
    with pytest.raises(ValidationError):
        call(tool, context(), **wrong)


def test_a_kind_without_a_value_asks_for_one(tool):
    with pytest.raises(RetryTool):
        call(tool, context(), about="genre")


def test_a_chinese_moment_gets_chinese_reasons(tool):
    message = tool.invoke(
        {"name": "query_graph", "id": "1", "type": "tool_call", "args": {"title": "Fargo", "context": context(locale="zh-CN")}}
    )
    assert {row.reason for row in message.artifact} == {"与《Fargo》有相同的创作者：Joel Coen", "与《Fargo》同为Crime"}


def test_a_catalogue_without_attributes_still_makes_a_tool():
    tool = make_tool(KnowledgeGraph.build(Catalogue.from_items([])))
    assert "about" not in tool.tool_call_schema.model_json_schema()["properties"]


def test_a_message_that_is_a_pattern_is_answered_as_one(tool):
    # the title alone would lead to what shares a genre with it, too
    around = replace(context(), message="films by the creator of Fargo")
    text, found = call(tool, around, title="Fargo")
    assert found == ["lebowski"]
    assert text == "1 items connected with Fargo as asked."


def test_a_value_may_be_a_pattern(tool):
    assert call(tool, context(), value="films by the creator of Fargo")[1] == ["lebowski"]


def test_a_pattern_that_nothing_allowed_fits_falls_back_to_the_name(tool):
    around = replace(context(allowed=(True, True, True, False)), message="films by the creator of Fargo")
    assert call(tool, around, title="Fargo")[1] == ["heat"]
