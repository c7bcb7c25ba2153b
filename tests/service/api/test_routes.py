"""Lists, scenes, turns, feedback, items and users over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from serving import Ask, asker

from scenewise import Agent
from scenewise.service.api.app import create_app
from scenewise.store.types import UserId

BOOK = {"item_id": "b/new 1", "domain": "books", "title": "A New Book", "attributes": {"genre": ["novel"]}, "year": 2024}


@pytest.fixture
def own(own_agent: Agent) -> Ask:
    """Ask a server whose store the test may change."""
    return asker(create_app(own_agent))


def ids(turn: dict[str, Any]) -> list[str]:
    """The items of a turn."""
    return [item["item_id"] for item in turn["items"]]


def test_a_list_is_what_the_agent_gives(ask: Ask, small_agent: Agent) -> None:
    response = ask(
        "POST", "/v1/recommend", json={"user_id": "eve", "scene": "date night", "moment": {"device": "tv", "place": "home"}, "k": 3}
    )
    turn = response.json()
    assert response.status_code == 200
    assert turn["scene"] == "date night"
    assert len(turn["items"]) == 3
    assert all(item["copy"] and item["evidence"] and item["reason"] for item in turn["items"])
    assert ask("GET", f"/v1/turns/{turn['turn_id']}").json()["items"] == turn["items"]
    assert small_agent.store.turns.get(turn["turn_id"])["reply"] == turn["reply"]


def test_a_turn_is_answered_once_more(own: Ask, own_agent: Agent) -> None:
    turn = own("POST", "/v1/recommend", json={"user_id": "eve", "text": "a funny film", "k": 3}).json()
    path = f"/v1/turns/{turn['turn_id']}/replay"
    again = own("POST", path, headers={"x-scenewise-user": "eve"}).json()
    assert (ids(again["now"]), again["differs"]) == (ids(turn), [])
    own_agent.delete_items(ids(turn)[:1])
    again = own("POST", path, json={"use_llm": False}, headers={"x-scenewise-user": "eve"}).json()
    assert "items" in again["differs"]
    assert ids(again["before"]) == ids(turn)
    assert own("POST", path, json={"use_llm": 3}, headers={"x-scenewise-user": "eve"}).status_code == 422
    assert own("POST", "/v1/turns/nowhere/replay").status_code == 404


def test_the_moment_is_heard(ask: Ask) -> None:
    moment = {"device": "phone", "place": "train@22", "local_time": "2025-10-09T08:10:00+02:00", "available_min": 30, "locale": "zh-CN"}
    turn = ask("POST", "/v1/recommend", json={"moment": moment, "k": 2}).json()
    said = {name: value for name, value, _ in turn["signals"]}
    assert {"device", "place"} <= set(said)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in turn["reply"])


@pytest.mark.parametrize(
    "body",
    [
        *(
            {"k": 0},
            {"k": 10**9},
            {"k": "many"},
            {"unknown": 1},
            {"user_id": ""},
            {"user_id": "a\u0000b"},
            {"user_id": "\ud800"},
            {"text": 1},
        ),
        *({"text": "x" * 9_000}, {"moment": {"place": "1,2,3"}}, {"moment": {"place": "99.5,0"}}, {"moment": {"available_min": -1}}, []),
        *({"moment": {"local_time": "soon"}}, {"moment": {"altitude": 3}}, None, "text", {"user_id": "x" * 600}),
    ],
)
def test_a_wrong_value_is_named(ask: Ask, body: Any) -> None:
    import json

    response = ask("POST", "/v1/recommend", content=json.dumps(body), headers={"content-type": "application/json"})
    assert response.status_code == 422, response.text
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    if isinstance(body, dict):
        assert error["param"].split(".")[0] in body


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b'{"text": "\xff"}', 400),
        (b"[" * 100_000, 400),
        (b"", 422),
        (b'{"k": NaN}', 422),
        (b'{"k": 1' + b" " * 5_000_000 + b"}", 413),
    ],
    ids=["cut off", "no UTF-8", "deep", "empty", "NaN", "large"],
)
def test_a_body_that_cannot_be_read_is_refused(ask: Ask, content: bytes, status: int) -> None:
    response = ask("POST", "/v1/recommend", content=content, headers={"content-type": "application/json"})
    assert response.status_code == status
    assert set(response.json()["error"]) == {"message", "type", "code", "param"}


def test_json_must_be_called_json(ask: Ask) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):  # what a page of another site may send without being asked
        assert ask("POST", "/v1/recommend", content=b'{"k": 1}', headers={"content-type": kind}).status_code == 422


def test_errors_of_the_agent_keep_their_kind(ask: Ask) -> None:
    unknown = ask("POST", "/v1/recommend", json={"scene": "no such scene"})
    assert (unknown.status_code, unknown.json()["error"]["type"]) == (404, "not_found_error")
    late = ask("POST", "/v1/recommend", json={"moment": {"local_time": "1999-01-01T00:00"}})
    assert (late.status_code, late.json()["error"]["code"]) == (400, "invalid_input")


def test_unknown_routes_and_methods(ask: Ask) -> None:
    assert ask("GET", "/v1/nothing").json()["error"]["code"] == "unknown_route"
    wrong = ask("PATCH", "/v1/recommend")
    assert (wrong.status_code, wrong.json()["error"]["code"], wrong.headers["allow"]) == (405, "method_not_allowed", "POST")
    for path in ("/v1/users/../health", "/v1/turns/..%2f..%2fetc", "/v1/users/a%2fb", "/v1/models/"):
        assert ask("GET", path).status_code in (404, 405)


def test_a_failure_inside_tells_nothing(small_agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("secret path")

    monkeypatch.setattr(small_agent, "scenes", fail)
    response = asker(create_app(small_agent))("GET", "/v1/scenes")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    assert "secret" not in response.text


def test_scenes(ask: Ask) -> None:
    scenes = ask("GET", "/v1/scenes").json()["scenes"]
    assert "date night" in [scene["name"] for scene in scenes]
    assert all(scene["description"] and scene["domains"] for scene in scenes)


def test_state(ask: Ask, small_agent: Agent) -> None:
    assert ask("GET", "/health").json()["status"] == "ok"
    assert ask("GET", "/ready").json() == {"status": "ready", "items": small_agent.store.items.count(), "llm": None}


def test_openapi_has_examples_and_the_one_shape_of_errors(ask: Ask) -> None:
    described = ask("GET", "/openapi.json").json()
    assert "HTTPValidationError" not in described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorOut"), (path, method, status)
    for name in ("RecommendIn", "EventIn", "TasteIn", "ChatIn", "MomentIn", "WrittenItem", "CopyIn"):
        assert described["components"]["schemas"][name]["examples"]


def test_feedback_counts_in_the_next_turn(own: Ask) -> None:
    body = {"user_id": "newcomer", "k": 5}
    before = ids(own("POST", "/v1/recommend", json=body).json())
    for item_id in ("film-alien", "film-blade-runner", "film-star-wars"):
        assert own("POST", "/v1/events", json={"user_id": "newcomer", "item_id": item_id, "kind": "like"}).json() == {"changed": 1}
    after = ids(own("POST", "/v1/recommend", json=body).json())
    assert after != before
    assert not {"film-alien", "film-blade-runner", "film-star-wars"} & set(after)
    missing = own("POST", "/v1/events", json={"user_id": "newcomer", "item_id": "nowhere", "kind": "like"})
    assert missing.status_code == 404
    assert own("POST", "/v1/events", json={"item_id": "film-alien", "kind": "like"}).status_code == 400


def test_items_come_and_go(own: Ask) -> None:
    assert own("POST", "/v1/items", json={"items": [BOOK]}).json() == {"changed": 1}
    assert own("POST", "/v1/items", json={"items": [BOOK]}).json() == {"changed": 0}
    shown = own("GET", "/v1/items/b%2Fnew%201").json()
    assert (shown["title"], shown["attributes"]) == ("A New Book", {"genre": ["novel"]})
    turn = own("POST", "/v1/recommend", json={"text": "A New Book", "k": 5}).json()
    assert turn["items"]
    assert own("DELETE", "/v1/items/b%2Fnew%201").json() == {"changed": 1}
    assert own("DELETE", "/v1/items/b%2Fnew%201").status_code == 404
    assert own("GET", "/v1/items/b%2Fnew%201").status_code == 404
    assert own("POST", "/v1/items/delete", json={"item_ids": ["film-alien", "nowhere"], "forget": True}).json() == {"changed": 1}


@pytest.mark.parametrize("wrong", [{"year": 10**20}, {"price_cents": 10**30}, {"item_id": ""}, {"stars": 5}, {"title": None}])
def test_a_wrong_item_changes_nothing(own: Ask, own_agent: Agent, wrong: dict[str, Any]) -> None:
    count = own_agent.store.items.count()
    response = own("POST", "/v1/items", json={"items": [BOOK, BOOK | {"item_id": "b2"} | wrong]})
    assert response.status_code == 422
    assert response.json()["error"]["param"].startswith("items.1.")
    assert own_agent.store.items.count() == count


def test_a_profile_is_read_edited_and_locked(own: Ask) -> None:
    edit = {"action": "dislike", "attribute": "genre", "value": "horror"}
    (taste,) = own("POST", "/v1/users/ann/profile", json=edit).json()["dislikes"]
    assert (taste["value"].casefold(), taste["locked"]) == ("horror", False)
    locked = own("PUT", "/v1/users/ann/profile/lock", json={"attribute": "genre", "value": "Horror"}).json()
    assert locked["dislikes"][0]["locked"]
    refused = own("POST", "/v1/users/ann/profile", json=edit | {"action": "like"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")
    assert own("POST", "/v1/users/ann/profile", json=edit | {"value": "no such genre"}).json()["error"]["code"] == "unknown_value"
    assert own("PUT", "/v1/users/ann/profile/lock", json={"attribute": "genre", "value": "Drama"}).status_code == 404
    shown = own("GET", "/v1/users/ann").json()
    assert shown["profile"] == locked
    assert shown["events"] == 3
    assert "film-alien" not in ids(own("POST", "/v1/recommend", json={"user_id": "ann", "k": 20}).json())


def test_a_user_takes_all_along_and_is_forgotten(own: Ask, own_agent: Agent) -> None:
    own("POST", "/v1/recommend", json={"user_id": "ann", "text": "a film"})
    taken = own("GET", "/v1/users/ann/export").json()
    assert len(taken["events"]) == 3
    assert taken["conversations"][0]["turns"][0]["message"] == "a film"
    assert own("DELETE", "/v1/users/ann").json() == {"changed": 1}
    assert own("DELETE", "/v1/users/ann").status_code == 404
    for path in ("/v1/users/ann", "/v1/users/ann/export"):
        assert own("GET", path).status_code == 404
    assert not own_agent.store.users.exists(UserId("ann"))


def test_identities_are_linked_with_consent(own: Ask) -> None:
    own("POST", "/v1/events", json={"user_id": "music:7", "item_id": "film-alien", "kind": "like"})
    link = {"platform": "music", "platform_user_id": "7"}
    assert own("POST", "/v1/users/ben/identities", json=link).status_code == 422
    assert own("POST", "/v1/users/ben/identities", json=link | {"consent": False}).status_code == 422
    assert own("POST", "/v1/users/ben/identities", json=link | {"consent": True}).json() == {"changed": 1}
    assert own("GET", "/v1/users/music:7").json()["user_id"] == "ben"
    assert own("POST", "/v1/users/ann/identities", json=link | {"consent": True}).status_code == 403
    assert own("DELETE", "/v1/users/ann/identities/music/7").status_code == 404
    assert own("DELETE", "/v1/users/ben/identities/music/7").json() == {"changed": 1}
    assert own("GET", "/v1/users/ben").json()["identities"] == []


def test_a_write_under_the_same_idempotency_key_is_done_once(own: Ask, own_agent: Agent) -> None:
    event, headers = {"user_id": "ann", "item_id": "film-fargo", "kind": "play"}, {"idempotency-key": "k1"}
    first, again = (own("POST", "/v1/events", json=event, headers=headers) for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content)
    item = {"items": [BOOK]}
    assert own("POST", "/v1/items", json=item, headers=headers).json() == {"changed": 1}
    assert own("POST", "/v1/items", json=item, headers=headers).json() == {"changed": 1}  # the answer of the first, not of a second
    other = own("POST", "/v1/items", json={"items": [BOOK | {"title": "Other"}]}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert own("POST", "/v1/items", json=item, headers={"idempotency-key": "x" * 300}).status_code == 422
    large = own("POST", "/v1/items", content=b"x" * 5_000_000, headers={"idempotency-key": "k2"})
    assert large.status_code == 413


def test_the_counters(own: Ask) -> None:
    own("POST", "/v1/recommend", json={"user_id": "secret-user", "text": "secret words"})
    own("GET", "/v1/turns/secret-turn")
    response = own("GET", "/metrics")
    text = response.text
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'scenewise_requests_total{method="POST",route="/v1/recommend",status="200"} 1' in text
    assert 'scenewise_requests_total{method="GET",route="/v1/turns/{turn_id}",status="404"} 1' in text
    assert 'scenewise_turns_total{outcome="whole"} 1' in text
    assert "scenewise_turn_own_seconds_count 1" in text
    assert 'scenewise_turns_now{state="running"} 0' in text
    assert "secret" not in text
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in names} == told
