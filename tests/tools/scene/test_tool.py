from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from langchain_core.tools import StructuredTool
from pydantic import ValidationError

from scenewise.store.errors import NotFound
from scenewise.store.types import Moment, Place, Profile, UserId
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.context import TurnContext
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.scene.pack import default_pack
from scenewise.tools.scene.reading import SceneReading
from scenewise.tools.scene.recogniser import SceneRecogniser
from scenewise.tools.scene.tool import make_tool, read_stated


@pytest.fixture(scope="module")
def tool(encoders: Encoders, learned_scenes: Path) -> StructuredTool:
    pack = default_pack()
    return make_tool(SceneRecogniser(pack, encoders, folder=learned_scenes), pack)


def context(message: str = "", moment: Moment | None = None) -> TurnContext:
    user = UserId("u1")
    empty = SceneReading(None, 1.0, {"none": 1.0})
    return TurnContext(user, message, moment or Moment(), empty, Profile(user), (), Constraints(), np.ones(0, dtype=np.bool_), 0.0)


def call(tool: StructuredTool, **args: object) -> tuple[str, SceneReading]:
    answer = tool.invoke({"name": tool.name, "args": args, "id": "1", "type": "tool_call"})
    assert isinstance(answer.artifact, SceneReading)
    return answer.content, answer.artifact


def test_the_schema_shows_the_scenes_and_hides_the_context(tool: StructuredTool) -> None:
    schema = tool.tool_call_schema.model_json_schema()
    assert set(schema["properties"]) == {"text", "scene"}
    assert schema["properties"]["text"]["maxLength"] == 200
    assert schema["properties"]["scene"]["anyOf"][0]["enum"] == list(default_pack().names)


def test_signals_come_from_the_context(tool: StructuredTool) -> None:
    moment = Moment("phone", datetime(2026, 3, 3, 8, 5), Place("train", speed_mps=20.0))
    text, reading = call(tool, context=context("what now", moment))
    assert reading.scene == "commute"
    assert text.startswith(f"Scene commute, probability {reading.probability:.2f}, from ")
    assert "what now" not in text


def test_the_text_goes_before_the_message(tool: StructuredTool) -> None:
    assert call(tool, context=context("tell me about Fargo"), text="friends are over on Saturday night")[1].scene == "party"
    assert call(tool, context=context("friends are over on Saturday night"))[1].scene == "party"
    assert call(tool, context=context("tell me about Fargo"))[0] == "No particular scene."


def test_a_scene_the_user_named_is_certain(tool: StructuredTool) -> None:
    text, reading = call(tool, context=context("tell me about Fargo"), scene="date night")
    assert (reading.scene, reading.probability, sum(reading.probabilities.values())) == ("date night", 1.0, 1.0)
    assert text == "Scene date night, probability 1.00, from words."
    with pytest.raises(NotFound, match="did you mean 'party'"):
        read_stated(default_pack(), "partie")


@pytest.mark.parametrize("args", [{"scene": "partie"}, {"text": "x" * 201}, {"user_id": "u2"}])
def test_wrong_arguments_are_refused(tool: StructuredTool, args: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        tool.invoke({"context": context(), **args})
