"""What the agent calls: the scene recogniser as a LangChain tool."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Any, Literal

from langchain_core.tools import InjectedToolArg, StructuredTool
from pydantic import ConfigDict, Field, InstanceOf, create_model

from scenewise.tools.context import TurnContext
from scenewise.tools.scene.pack import NO_SCENE, ScenePack
from scenewise.tools.scene.reading import SceneReading, Signal
from scenewise.tools.scene.recogniser import SceneRecogniser

NAME = "recognise_scene"
DESCRIPTION = (
    "Find out which scene the user is in (commute, date night, ...) from their words, device, place and time. "
    "Pass scene only when the user named it themselves."
)


def make_tool(recogniser: SceneRecogniser, pack: ScenePack) -> StructuredTool:
    """Make `recognise_scene`; its enum of scenes is the pack's. It returns (text for the LLM, SceneReading)."""

    def recognise_scene(
        *, context: Annotated[TurnContext, InjectedToolArg], text: str = "", scene: str | None = None
    ) -> tuple[str, SceneReading]:
        reading = read_stated(pack, scene) if scene is not None else recogniser.recognise(text or context.message, context.moment)
        return describe(reading), reading

    return StructuredTool.from_function(
        func=recognise_scene,
        name=NAME,
        description=DESCRIPTION,
        args_schema=_schema(pack),
        infer_schema=False,
        response_format="content_and_artifact",
    )


def read_stated(pack: ScenePack, scene: str) -> SceneReading:
    """The reading of a scene that the user named: certain, on the words alone. Raises NotFound for a scene the pack lacks."""
    scene = pack.get(scene).name
    probabilities = {name: float(name == scene) for name in (*pack.names, NO_SCENE)}
    return SceneReading(scene, 1.0, MappingProxyType(probabilities), (Signal("words", "said so", 1.0),))


def describe(reading: SceneReading) -> str:
    """Put a reading into one short sentence for the LLM; it holds nothing of the user's text."""
    if reading.scene is None:
        return "No particular scene."
    spoke = ", ".join(signal.name for signal in reading.signals if signal.share > 0)
    return f"Scene {reading.scene}, probability {reading.probability:.2f}, from {spoke or 'nothing in particular'}."


def _schema(pack: ScenePack) -> Any:
    fields: dict[str, Any] = {
        "text": (str, Field(default="", max_length=200, description="What the user said about their situation.")),
        "scene": (Literal[pack.names] | None, Field(default=None, description="The scene, if the user named it.")),
        "context": (Annotated[InstanceOf[TurnContext], InjectedToolArg], ...),
    }
    return create_model("RecogniseScene", __config__=ConfigDict(extra="forbid"), **fields)
