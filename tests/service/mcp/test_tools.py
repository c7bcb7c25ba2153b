"""The tools and resources, asked by the official client in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import CallToolResult, ElicitResult

from scenewise import Agent
from scenewise.service.api.limits import Gate, Limits
from scenewise.service.mcp.results import RESULTS
from scenewise.service.mcp.server import create_server
from scenewise.service.mcp.session import Door
from scenewise.store.types import UserId

MODES = ("auto", "legacy")
by_mode = pytest.mark.parametrize("mode", MODES)


def asked(
    agent: Agent,
    what: Callable[[Client], Awaitable[Any]],
    *,
    user: str | None = None,
    mode: str = "auto",
    answer: ElicitResult | None = None,
) -> Any:
    """What the client gets, an error of the protocol too. `answer` is the user's to questions; None is a client that cannot ask."""

    async def answered(context: object, params: Any) -> ElicitResult:
        assert answer is not None
        questions.append(params.message)
        return answer

    async def run() -> Any:
        server = create_server(Door(agent, Gate(Limits()), user))
        async with Client(server, mode=mode, elicitation_callback=answered if answer else None) as client:
            try:
                return await what(client)
            except MCPError as error:  # raised through the client's own task groups it would come wrapped in theirs
                return error

    questions.clear()
    return asyncio.run(run())


questions: list[str] = []


def call(
    agent: Agent, name: str, user: str | None = None, mode: str = "auto", answer: ElicitResult | None = None, **arguments: Any
) -> CallToolResult:
    """A call's result."""
    result: CallToolResult = asked(agent, lambda client: client.call_tool(name, arguments), user=user, mode=mode, answer=answer)
    return result


def data(result: CallToolResult) -> Any:
    """The typed result; the text is the same as JSON."""
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content  # type: ignore[union-attr]
    return result.structured_content


def trouble(result: CallToolResult) -> str:
    """What the client is told of a call that failed."""
    assert result.is_error
    return str(result.content[0].text)  # type: ignore[union-attr]


def test_every_tool_of_the_agent_is_there_with_types_and_none_takes_a_user(small_agent: Agent) -> None:
    tools = {tool.name: tool for tool in asked(small_agent, lambda client: client.list_tools()).tools}
    own = set(small_agent.toolbox().tools)
    assert set(tools) == own | {"recommend", "converse", "write_copy"}
    assert set(RESULTS) == own - {"update_profile"}
    for name, tool in tools.items():
        assert tool.description
        assert tool.output_schema["type"] == "object", name
        assert not {"user", "user_id", "context", "answer"} & set(tool.input_schema["properties"]), name
        assert tool.annotations.read_only_hint is (name not in ("recommend", "converse", "update_profile"))
    assert "thriller" in str(tools["filter_catalogue"].input_schema).casefold()  # the catalogue's own values


@by_mode
def test_a_list_is_what_the_agent_gives(small_agent: Agent, mode: str) -> None:
    moment = {"device": "tv", "place": "home"}
    turn = data(call(small_agent, "recommend", "eve", mode, scene="date night", moment=moment, k=3))
    assert (turn["scene"], turn["user_id"], len(turn["items"])) == ("date night", "eve", 3)
    assert all(item["copy"] and item["evidence"] and item["reason"] for item in turn["items"])
    assert small_agent.store.turns.get(turn["turn_id"])["reply"] == turn["reply"]
    assert data(call(small_agent, "recommend", k=1))["user_id"] is None


def test_a_conversation_goes_on_by_its_id(small_agent: Agent) -> None:
    first = data(call(small_agent, "converse", "ann", message="a funny film", k=3))
    why = data(call(small_agent, "converse", "ann", message="why the second one?", conversation_id=first["conversation_id"]))
    assert why["intent"] == "explain"
    assert first["items"][1]["title"] in why["reply"]
    assert "another user" in trouble(call(small_agent, "converse", "eve", message="why?", conversation_id=first["conversation_id"]))


def test_the_agents_tools_give_data(small_agent: Agent) -> None:
    found = data(call(small_agent, "query_graph", title="Alien", moment={"device": "tv"}))["candidates"]
    assert ("film-blade-runner", "Blade Runner", "movies") in {(row["item_id"], row["title"], row["domain"]) for row in found}
    seen = data(call(small_agent, "query_graph", "ann", title="Alien"))["candidates"]
    assert "film-blade-runner" not in {row["item_id"] for row in seen}  # she knows it
    for name, arguments in (("retrieve", {"query": "space", "k": 3}), ("collaborative_candidates", {"like_titles": ["Alien"]})):
        rows = data(call(small_agent, name, "ann", **arguments))["candidates"]
        assert rows
        assert all(row["title"] and row["source"] for row in rows)
    scene = data(call(small_agent, "recognise_scene", text="friends are over on Saturday night", moment={"device": "tv"}))
    assert scene["scene"] == "party"
    assert scene["signals"]
    filtered = data(call(small_agent, "filter_catalogue", domains=["movies"], max_year=1960))
    assert 0 < filtered["n_items"] < 10
    assert any("1960" in one for one in filtered["conditions"])
    looked_up = data(call(small_agent, "look_up_items", titles=["alien", "zzzzqqqq"]))
    assert (looked_up["matches"][0]["item_id"], looked_up["unknown"]) == ("film-alien", ["zzzzqqqq"])
    assert data(call(small_agent, "read_profile", "ann"))["profile"] == {"likes": [], "dislikes": [], "constraints": {}}


def test_copy_is_for_the_user_of_the_session(small_agent: Agent) -> None:
    copies = data(call(small_agent, "write_copy", "hal", item_ids=["film-fargo"], channel="push", variants=2))["copies"]
    written = small_agent.write_copy(["film-fargo"], "hal", channel="push", variants=2)
    assert [one["text"] for one in copies] == [one.text for one in written]


def test_what_is_wrong_is_told_and_what_fails_inside_is_not(small_agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "did you mean" in trouble(call(small_agent, "recommend", scene="date nigth"))
    assert "user_id" not in trouble(call(small_agent, "recommend", k=0))
    assert "item 1 of the list" in trouble(call(small_agent, "write_copy", item_ids=["nowhere"]))
    assert "No item is left" in trouble(call(small_agent, "filter_catalogue", domains=["movies"], max_year=1900))
    assert "titles" in trouble(call(small_agent, "look_up_items", titles=[]))
    assert "year" in trouble(call(small_agent, "retrieve", query="x", moment={"local_time": "1999-01-01T00:00"}))

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret path")

    monkeypatch.setattr(small_agent, "use_tool", fail)
    assert "secret" not in trouble(call(small_agent, "retrieve", query="x"))


@by_mode
def test_a_profile_changes_only_when_the_user_agrees(own_agent: Agent, mode: str) -> None:
    change = {"action": "dislike", "attribute": "genre", "value": "horror"}
    refusals = (
        ElicitResult(action="accept", content={"agreed": False}),
        ElicitResult(action="decline"),
        ElicitResult(action="cancel"),
    )
    for answer in refusals:
        assert trouble(call(own_agent, "update_profile", "ann", mode, answer, **change))
        assert questions == ["Change your profile: dislike genre “horror”"]
    cannot_ask: Any = call(own_agent, "update_profile", "ann", mode, **change)
    assert isinstance(cannot_ask, MCPError)
    assert "elicitation" in str(cannot_ask)
    assert own_agent.store.profiles.get(UserId("ann")).dislikes == ()
    yes = ElicitResult(action="accept", content={"agreed": True})
    assert "no user" in trouble(call(own_agent, "update_profile", None, mode, yes, **change))
    assert "no such genre" in trouble(call(own_agent, "update_profile", "ann", mode, yes, **change | {"value": "zzzz"}))
    profile = data(call(own_agent, "update_profile", "ann", mode, yes, **change))["profile"]
    assert [(one["attribute"], one["value"].casefold()) for one in profile["dislikes"]] == [("genre", "horror")]


def test_what_is_said_changes_no_profile(own_store: Any, encoders: Any) -> None:
    from scenewise import Settings

    for keep in (True, False):
        with Agent.open(own_store, settings=Settings(llm_off=True, keep_tastes=keep), encoders=encoders) as agent:
            for name, words in (("converse", "message"), ("recommend", "text")):
                user = f"{name} {keep}"
                data(call(agent, name, user, **{words: "I hate horror, a film please"}))
                assert bool(agent.store.profiles.get(UserId(user)).dislikes) is keep, name


def test_items_and_scenes_are_resources(own_agent: Agent) -> None:
    own_agent.put_items([])

    async def read(client: Client) -> Any:
        listed = await client.list_resources()
        templates = await client.list_resource_templates()
        item = await client.read_resource("scenewise://items/film-alien")
        scenes = await client.read_resource("scenewise://scenes")
        for wrong in ("scenewise://items/nowhere", "scenewise://items/..%2F..%2Fetc%2Fpasswd", "scenewise://nothing", "file:///etc/passwd"):
            with pytest.raises(MCPError):
                await client.read_resource(wrong)
        return listed, templates, json.loads(item.contents[0].text), json.loads(scenes.contents[0].text)  # type: ignore[union-attr]

    listed, templates, item, scenes = asked(own_agent, read)
    assert [str(one.uri) for one in listed.resources] == ["scenewise://scenes"]
    assert [one.uri_template for one in templates.resource_templates] == ["scenewise://items/{item_id}"]
    assert item["title"] == "Alien"
    assert "date night" in [one["name"] for one in scenes["scenes"]]
