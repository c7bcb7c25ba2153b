"""The graph over HTTP: what lies around a thing, and the ways to an item."""

from __future__ import annotations

from pathlib import Path

import pytest
from serving import Ask, asker

from scenewise import Agent
from scenewise.service.api.app import create_app
from scenewise.service.api.keys import KeyFile


def test_around_an_item_are_its_facts_with_their_sources(ask: Ask) -> None:
    picture = ask("GET", "/v1/graph/items/film-alien").json()
    nodes = {node["id"]: node for node in picture["nodes"]}
    assert picture["nodes"][0] == {"id": "item:film-alien", "kind": "item", "label": "Alien"}
    assert nodes["creator:ridley scott"] == {"id": "creator:ridley scott", "kind": "creator", "label": "Ridley Scott"}
    made = [edge for edge in picture["edges"] if {edge["source"], edge["target"]} == {"item:film-alien", "creator:ridley scott"}]
    assert [(edge["weight"], edge["origin"]) for edge in made] == [(1.0, "catalogue")]
    assert all({edge["source"], edge["target"]} <= set(nodes) and 0 < edge["weight"] <= 1 for edge in picture["edges"])
    assert "item:film-blade-runner" not in nodes  # two facts away


def test_how_far_and_how_many_is_bounded(ask: Ask) -> None:
    far = {node["id"] for node in ask("GET", "/v1/graph/items/film-alien", params={"depth": 2}).json()["nodes"]}
    assert "item:film-blade-runner" in far
    assert len(ask("GET", "/v1/graph/items/film-alien", params={"depth": 4, "limit": 5}).json()["nodes"]) == 5
    for wrong in ({"limit": 1}, {"limit": 10**9}, {"depth": 0}, {"depth": 5}, {"depth": "far"}):
        response = ask("GET", "/v1/graph/items/film-alien", params=wrong)
        assert (response.status_code, response.json()["error"]["param"]) == (422, *wrong)


def test_any_node_has_surroundings(ask: Ask) -> None:
    picture = ask("GET", "/v1/graph/nodes/genre:noir").json()
    assert picture["nodes"][0]["id"] == "genre:noir"
    assert "item:film-blade-runner" in {node["id"] for node in picture["nodes"]}
    assert ask("GET", "/v1/graph/nodes/item:film-alien").json() == ask("GET", "/v1/graph/items/film-alien").json()
    for path in ("items/nowhere", "nodes/genre:nowhere", "nodes/genre%3A..%2Fnoir", "paths/nowhere?from=film-alien"):
        assert ask("GET", f"/v1/graph/{path}").status_code == 404


def test_what_changes_in_the_catalogue_shows(own_agent: Agent) -> None:
    ask = asker(create_app(own_agent))
    item = {"item_id": "f/new 1", "domain": "movies", "title": "<img src=x>", "attributes": {"creator": ["Ridley Scott"]}}
    assert ask("POST", "/v1/items", json={"items": [item]}).json() == {"changed": 1}
    assert ask("GET", "/v1/graph/items/f%2Fnew%201").json()["nodes"][0]["label"] == "<img src=x>"
    (way,) = ask("GET", "/v1/graph/paths/f%2Fnew%201", params={"from": "film-alien"}).json()["paths"]
    assert way["nodes"] == ["item:film-alien", "creator:ridley scott", "item:f/new 1"]


def test_the_ways_to_an_item_begin_at_items_a_user_and_a_scene(ask: Ask) -> None:
    (way,) = ask("GET", "/v1/graph/paths/film-blade-runner", params={"from": ["film-fargo", "film-alien"]}).json()["paths"]
    assert way["nodes"] == ["item:film-alien", "creator:ridley scott", "item:film-blade-runner"]
    assert len(way["relations"]) == 2
    assert "Alien" in way["sentence"]
    assert 0 < way["strength"] <= 1
    ways = ask("GET", "/v1/graph/paths/film-2001", params={"user_id": "ann"}).json()["paths"]
    assert ways
    assert {one["nodes"][0] for one in ways} <= {"user", "item:film-alien", "item:film-blade-runner", "item:film-star-wars"}
    for_scene = ask("GET", "/v1/graph/paths/film-sleepless", params={"scene": "date night", "locale": "zh-CN"}).json()["paths"]
    assert for_scene[0]["nodes"][0] == "scene:date night"
    assert any("\u4e00" <= letter <= "\u9fff" for letter in for_scene[0]["sentence"])
    assert ask("GET", "/v1/graph/paths/film-2001").json()["error"]["code"] == "invalid_input"
    assert ask("GET", "/v1/graph/paths/film-2001", params={"scene": "nowhere"}).status_code == 404
    assert ask("GET", "/v1/graph/paths/film-2001", params={"from": "nowhere"}).status_code == 404


def test_the_ways_of_a_user_are_for_that_user_only(small_agent: Agent, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    token = keys.add("test", ["chat"], user_id="ann", expires_s=None, now_s=0.0)[1]
    ask = asker(create_app(small_agent, keys=keys), authorization=f"Bearer {token}")
    assert ask("GET", "/v1/graph/paths/film-2001").json() == ask("GET", "/v1/graph/paths/film-2001?user_id=ann").json()
    assert ask("GET", "/v1/graph/paths/film-2001?user_id=eve").status_code == 403


@pytest.mark.parametrize("many", [21, 400])
def test_a_way_begins_at_few_items(ask: Ask, many: int) -> None:
    assert ask("GET", "/v1/graph/paths/film-2001", params={"from": ["film-alien"] * many}).status_code == 422
