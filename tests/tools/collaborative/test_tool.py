from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from langchain_core.tools import StructuredTool
from pydantic import ValidationError

from scenewise.store.types import Event, Item, ItemId, Moment, Profile, UserId
from scenewise.tools.candidates import Candidates
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.collaborative.collaborative import Collaborative
from scenewise.tools.collaborative.interactions import Worth, from_columns
from scenewise.tools.collaborative.tool import make_tool
from scenewise.tools.context import TurnContext
from scenewise.tools.scene.reading import SceneReading

CATALOGUE = Catalogue.from_items(Item(ItemId(f"m{n}"), "movies", title) for n, title in enumerate(["Fargo", "Heat", "Casino", "Emma"]))


def make() -> StructuredTool:
    users = np.repeat(np.arange(4), 3)
    rows = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 3])
    data = from_columns(users, rows, np.arange(12.0), np.ones(12, np.float32), shape=(4, 4))
    return make_tool(Collaborative.fit(data, CATALOGUE, Worth({})), CATALOGUE)


def context(*seen: str) -> TurnContext:
    return TurnContext(
        user_id=UserId("me"),
        message="",
        moment=Moment(),
        scene=SceneReading(None, 1.0, {"none": 1.0}),
        profile=Profile(UserId("me")),
        history=tuple(Event(UserId("me"), ItemId(item), "like", None, float(n)) for n, item in enumerate(seen)),
        constraints=Constraints(),
        allowed=np.ones(4, dtype=bool),
        now_s=0.0,
    )


def call(arguments: dict[str, Any], turn: TurnContext) -> tuple[str, Candidates]:
    message = make().invoke({"type": "tool_call", "id": "1", "name": "collaborative_candidates", "args": {**arguments, "context": turn}})
    return message.content, message.artifact


def test_the_llm_sees_titles_and_k_only() -> None:
    schema = make().tool_call_schema.model_json_schema()
    assert set(schema["properties"]) == {"like_titles", "k"}
    assert schema["properties"]["like_titles"]["maxItems"] == 3
    assert schema["properties"]["like_titles"]["items"]["maxLength"] == 80


def test_titles_are_resolved_and_left_out_of_the_answer() -> None:
    text, found = call({"like_titles": ["fargo"], "k": 5}, context())
    assert "1 named item" in text
    assert "m0" not in {one.item_id for one in found}
    assert found.by_source()["item_knn"][0].reason == "people who liked Fargo also liked it"


def test_unknown_titles_are_counted_not_repeated() -> None:
    text, found = call({"like_titles": ["qqqq zzzz"]}, context("m0"))
    assert text.startswith("1 of the titles")
    assert "qqqq" not in text
    assert len(found) > 0


def test_the_history_speaks_where_no_title_is_given() -> None:
    text, found = call({}, context("m1"))
    assert "history" in text
    assert found.by_source()["transition_knn"]


def test_nothing_allowed_is_said() -> None:
    text, found = call({}, replace(context("m0", "m1", "m2", "m3"), allowed=np.zeros(4, dtype=bool)))
    assert len(found) == 0
    assert text.startswith("Nothing")


def test_what_is_allowed_of_the_history_may_come_again_and_what_is_named_may_not() -> None:
    turn = replace(context("m0", "m1", "m2"), allowed=np.array([True, False, True, True]))
    _, found = call({}, turn)
    assert {one.item_id for one in found} == {"m0", "m2", "m3"}
    _, found = call({"like_titles": ["fargo"]}, turn)
    assert {one.item_id for one in found} == {"m2", "m3"}


@pytest.mark.parametrize("arguments", [{"k": 0}, {"k": 101}, {"like_titles": ["a"] * 4}, {"like_titles": ["a" * 81]}, {"user_id": "x"}])
def test_arguments_outside_the_schema_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        call(arguments, context())
