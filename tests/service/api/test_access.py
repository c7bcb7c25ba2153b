"""Who may go where: every route of the table, with every key that should not open it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from serving import Ask, asker

from scenewise import Agent
from scenewise.service.api.access import RULES, Rule
from scenewise.service.api.app import create_app
from scenewise.service.api.keys import SCOPES, KeyFile
from scenewise.service.api.limits import Limits

NEEDING = [rule for rule in RULES if rule.scope is not None]
by_rule = pytest.mark.parametrize("rule", NEEDING, ids=lambda rule: f"{rule.method} {rule.path}")


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    """A file of keys."""
    return KeyFile(tmp_path / "keys.json")


@pytest.fixture
def app(small_agent: Agent, keys: KeyFile) -> FastAPI:
    """A server that wants keys."""
    return create_app(small_agent, keys=keys)


def made(keys: KeyFile, *scopes: str, user_id: str | None = None, expires_s: float | None = None) -> str:
    """A new key."""
    return keys.add("test", scopes, user_id=user_id, expires_s=expires_s, now_s=0.0)[1]


def path_of(rule: Rule) -> str:
    """A path of the route; what it names is not in the store."""
    return re.sub(r"{model}", "scenewise", re.sub(r"{(?!model)[^}]+}", "nowhere", rule.path))


def sent(app: FastAPI, rule: Rule, token: str | None) -> httpx.Response:
    """Ask with a key."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return asker(app)(rule.method, path_of(rule), headers=headers)


def code_of(response: httpx.Response) -> str:
    """The error's code; the body must have the one shape."""
    error = response.json()["error"]
    assert set(error) == {"message", "type", "code", "param"}
    return str(error["code"])


def test_every_route_is_in_the_table_and_the_table_has_no_other(app: FastAPI) -> None:
    described = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}
    page = {("GET", "/"), ("GET", "/web/{name}")}
    assert described | page | {("GET", "/openapi.json")} == {(rule.method, rule.path.replace(":path", "")) for rule in RULES}


def test_a_route_that_the_table_lacks_cannot_be_reached(app: FastAPI, keys: KeyFile) -> None:
    app.get("/v1/forgotten")(lambda: {"reached": True})
    response = asker(app)("GET", "/v1/forgotten", headers={"authorization": f"Bearer {made(keys, *SCOPES)}"})
    assert (response.status_code, code_of(response)) == (404, "unknown_route")


@by_rule
def test_a_route_wants_a_key_that_is_known_and_has_not_expired(app: FastAPI, keys: KeyFile, rule: Rule) -> None:
    good = made(keys, *SCOPES)
    changed = good[:-1] + ("A" if good[-1] != "A" else "B")
    for token in (None, "", "wrong", "sw-", "sw-00000000-wrong", changed, good + "x", made(keys, *SCOPES, expires_s=1.0)):
        response = sent(app, rule, token)
        assert (response.status_code, code_of(response)) == (401, "invalid_api_key"), token
    for headers in ({"x-api-key": good}, {"authorization": f"Basic {good}"}, {"authorization": good}):
        assert asker(app)(rule.method, path_of(rule), headers=headers).status_code == 401
    assert asker(app)(rule.method, path_of(rule), params={"api_key": good}).status_code == 401


@by_rule
def test_a_route_wants_its_scope_and_no_other(app: FastAPI, keys: KeyFile, rule: Rule) -> None:
    response = sent(app, rule, made(keys, *(scope for scope in SCOPES if scope != rule.scope)))
    assert (response.status_code, code_of(response)) == (403, "scope_missing")
    assert rule.scope is not None
    assert sent(app, rule, made(keys, rule.scope)).status_code not in (401, 403)


@by_rule
def test_a_key_that_is_bound_to_a_user_reaches_nothing_of_others(app: FastAPI, keys: KeyFile, rule: Rule) -> None:
    if rule.scope == "admin":
        return  # such a key cannot be made: tests/service/api/test_keys.py
    token = made(keys, "chat", "write", user_id="ann")
    response = sent(app, rule, token)
    if not rule.bound:
        assert (response.status_code, code_of(response)) == (403, "bound_key")
    if "{user_id}" in rule.path:
        bodies = {
            "/profile": {"action": "like", "attribute": "genre", "value": "Crime"},
            "/profile/lock": {"attribute": "genre", "value": "x"},
        }
        body = next((body for end, body in bodies.items() if rule.path.endswith(end)), None)
        response = asker(app)(rule.method, path_of(rule), json=body, headers={"authorization": f"Bearer {token}"})
        assert (response.status_code, code_of(response)) == (403, "not_allowed")


def test_open_routes_need_no_key(app: FastAPI) -> None:
    for path in ("/health", "/ready", "/openapi.json"):
        assert asker(app)("GET", path).status_code == 200


def test_a_removed_key_is_refused_at_once(app: FastAPI, keys: KeyFile) -> None:
    key, token = keys.add("test", ["chat"], user_id=None, expires_s=None, now_s=0.0)
    ask = asker(app, authorization=f"Bearer {token}")
    assert ask("GET", "/v1/models").status_code == 200
    keys.remove(key.key_id)
    assert ask("GET", "/v1/models").status_code == 401


def test_a_bound_key_acts_for_its_user_and_a_free_one_for_whom_it_names(app: FastAPI, keys: KeyFile) -> None:
    bound, free = (asker(app, authorization=f"Bearer {made(keys, 'chat', user_id=user)}") for user in ("ann", None))
    assert bound("POST", "/v1/recommend", json={"k": 2}).json()["user_id"] == "ann"
    assert free("POST", "/v1/recommend", json={"k": 2}).json()["user_id"] is None
    assert free("POST", "/v1/recommend", json={"k": 2, "user_id": "eve"}).json()["user_id"] == "eve"
    assert free("POST", "/v1/recommend", json={"k": 2}, headers={"x-scenewise-user": "eve"}).json()["user_id"] == "eve"
    for rest in ({"json": {"k": 2, "user_id": "eve"}}, {"json": {"k": 2}, "headers": {"x-scenewise-user": "eve"}}):
        assert bound("POST", "/v1/recommend", **rest).status_code == 403
    for wrong in ("", "%00", "x" * 600):
        assert free("GET", "/v1/models", headers={"x-scenewise-user": wrong}).status_code == 400
    both = free("POST", "/v1/recommend", json={"user_id": "ann"}, headers={"x-scenewise-user": "eve"})
    assert (both.status_code, code_of(both)) == (400, "invalid_input")


def test_a_turn_is_shown_to_its_user_and_to_admins_only(app: FastAPI, keys: KeyFile) -> None:
    ann, eve, admin = (
        asker(app, authorization=f"Bearer {token}")
        for token in (made(keys, "chat", user_id="ann"), made(keys, "chat", user_id="eve"), made(keys, "chat", "admin"))
    )
    turn = ann("POST", "/v1/recommend", json={"k": 2}).json()
    for ask in (ann, admin):
        shown = ask("GET", f"/v1/turns/{turn['turn_id']}").json()
        assert shown | {"timings_ms": {}} == turn | {"timings_ms": {}}  # the record was kept before the last step's time was known
    hidden, unknown = eve("GET", f"/v1/turns/{turn['turn_id']}"), eve("GET", "/v1/turns/nowhere")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json() == unknown.json()


def test_a_turn_of_nobody_in_particular_is_shown_to_the_key_that_asked(app: FastAPI, keys: KeyFile) -> None:
    one, other, admin = (asker(app, authorization=f"Bearer {made(keys, *scopes)}") for scopes in (("chat",), ("chat",), ("chat", "admin")))
    turn = one("POST", "/v1/recommend", json={"k": 2}).json()
    path = f"/v1/turns/{turn['turn_id']}"
    assert [ask("GET", path).status_code for ask in (one, other, admin)] == [200, 404, 200]
    assert [ask("POST", f"{path}/replay").status_code for ask in (one, other, admin)] == [200, 404, 200]


def test_a_conversation_of_another_user_is_refused(app: FastAPI, keys: KeyFile) -> None:
    ann, eve = (asker(app, authorization=f"Bearer {made(keys, 'chat', user_id=user)}") for user in ("ann", "eve"))
    body = {"model": "scenewise", "messages": [{"role": "user", "content": "a film"}], "metadata": {"conversation_id": "of-ann"}}
    assert ann("POST", "/v1/chat/completions", json=body).status_code == 200
    for stream in (False, True):
        response = eve("POST", "/v1/chat/completions", json=body | {"stream": stream})
        assert (response.status_code, code_of(response)) == (403, "not_allowed")


def test_without_keys_only_local_names_are_answered(ask: Ask) -> None:
    for host in ("localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST"):
        assert ask("GET", "/health", headers={"host": host}).status_code == 200
    for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""):
        response = ask("GET", "/health", headers={"host": host})
        assert (response.status_code, code_of(response)) == (403, "unknown_host")


def test_a_key_has_so_many_requests_a_minute(small_agent: Agent, keys: KeyFile) -> None:
    app = create_app(small_agent, keys=keys, limits=Limits(per_minute=3))
    first, second = (asker(app, authorization=f"Bearer {made(keys, 'chat')}") for _ in range(2))
    assert [first("GET", "/v1/models").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = first("GET", "/v1/models")
    assert code_of(refused) == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert second("GET", "/v1/models").status_code == 200


def test_without_a_user_nobody_shares_a_memory(app: FastAPI, keys: KeyFile) -> None:
    one, other, named = (asker(app, authorization=f"Bearer {made(keys, 'chat', 'write')}") for _ in range(3))

    def talk(ask: Ask, *said: str, **metadata: str) -> dict[str, Any]:
        messages = [{"role": "user" if place % 2 == 0 else "assistant", "content": text} for place, text in enumerate(said)]
        response = ask("POST", "/v1/chat/completions", json={"model": "scenewise", "messages": messages, "metadata": metadata})
        assert response.status_code == 200, response.text
        turn: dict[str, Any] = response.json()["scenewise"]
        return turn

    begun = talk(one, "a film", conversation_id="1")
    assert begun["user_id"] is None
    for mine in ("1", begun["conversation_id"]):
        explained = [[item["item_id"] for item in talk(ask, "why the second one?", conversation_id=mine)["items"]] for ask in (one, other)]
        assert explained[0] == [begun["items"][1]["item_id"]]
        assert len(explained[1]) != 1  # there it begins a conversation: it knows of no list
    first = talk(one, "only films please")
    later = talk(one, "only films please", first["reply"], "no comedies")
    assert later["conversation_id"] == first["conversation_id"]
    assert talk(one, "only films please", first["reply"], "why the first one?")["conversation_id"] != first["conversation_id"]
    for path in ("/v1/users/anonymous", "/v1/users/anonymous/export"):
        assert named("GET", path).status_code == 400
    assert named("POST", "/v1/recommend", json={"user_id": "anonymous"}).status_code == 400
