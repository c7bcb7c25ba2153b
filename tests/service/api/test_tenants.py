"""Several tenants on one server: a key opens its tenant's store and nothing of another's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from serving import Ask, asker

from scenewise import Agent, InputError, Item, ItemId, NotAllowed
from scenewise.service.api.access import RULES, Rule
from scenewise.service.api.app import create_app
from scenewise.service.api.keys import SCOPES, KeyFile
from scenewise.service.api.tenants import Tenants
from scenewise.service.serve_cli import read_tenants

NEEDING = [rule for rule in RULES if rule.scope is not None]


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    """A file of keys."""
    return KeyFile(tmp_path / "keys.json")


@pytest.fixture
def app(small_agent: Agent, own_agent: Agent, keys: KeyFile) -> Tenants:
    """A server of two tenants: acme's store is the shared one, beta's may be changed."""
    agents = {"acme": small_agent, "beta": own_agent}
    return Tenants({name: create_app(agent, keys=keys.of(name)) for name, agent in agents.items()}, keys)


def asking(app: Any, keys: KeyFile, tenant: str | None, *scopes: str) -> Ask:
    """Ask with a new key of a tenant."""
    token = keys.of(tenant).add("test", scopes or SCOPES, user_id=None, expires_s=None, now_s=0.0)[1]
    return asker(app, authorization=f"Bearer {token}")


@pytest.mark.parametrize("rule", NEEDING, ids=lambda rule: f"{rule.method} {rule.path}")
def test_no_route_of_a_tenants_app_opens_for_anothers_key(small_agent: Agent, keys: KeyFile, rule: Rule) -> None:
    path = re.sub(r"{model}", "scenewise", re.sub(r"{(?!model)[^}]+}", "nowhere", rule.path))
    for tenant in ("beta", None):
        response = asking(create_app(small_agent, keys=keys.of("acme")), keys, tenant)(rule.method, path)
        assert (response.status_code, response.json()["error"]["code"]) == (401, "invalid_api_key")


def test_a_key_sees_its_tenants_store_and_nothing_of_anothers(app: Tenants, keys: KeyFile, own_agent: Agent) -> None:
    acme, beta = asking(app, keys, "acme"), asking(app, keys, "beta")
    own_agent.put_items([Item(ItemId("only-beta"), "movies", "Beta's Own Film")])
    assert (acme("GET", "/v1/items/only-beta").status_code, beta("GET", "/v1/items/only-beta").status_code) == (404, 200)
    turn = beta("POST", "/v1/recommend", json={"user_id": "eve", "k": 2}).json()
    assert acme("GET", f"/v1/turns/{turn['turn_id']}").status_code == 404
    assert beta("GET", f"/v1/turns/{turn['turn_id']}").status_code == 200
    assert beta("POST", "/v1/users/eve/profile", json={"action": "like", "attribute": "domain", "value": "movies"}).status_code == 200
    of = {name: ask("GET", "/v1/users/eve").json()["profile"]["likes"] for name, ask in (("acme", acme), ("beta", beta))}
    assert len(of["beta"]) == len(of["acme"]) + 1
    counted = 'route="/v1/recommend"'
    assert counted in beta("GET", "/metrics").text
    assert counted not in acme("GET", "/metrics").text


def test_who_has_no_key_of_a_tenant_gets_what_is_open_only(app: Tenants, keys: KeyFile) -> None:
    for ask in (asker(app), asker(app, authorization="Bearer sw-00000000-x"), asking(app, keys, None), asking(app, keys, "gone")):
        assert ask("GET", "/v1/models").status_code == 401
        assert ask("GET", "/health").status_code == 200


def test_ready_speaks_for_all(app: Tenants, small_agent: Agent, own_agent: Agent) -> None:
    state = asker(app)("GET", "/ready").json()
    assert state["items"] == small_agent.store.items.count() + own_agent.store.items.count()

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    app.apps["beta"] = broken
    assert asker(app)("GET", "/ready").status_code == 503


def test_tenants_are_named_with_their_stores(run: Callable[..., Any], tmp_path: Path) -> None:
    assert read_tenants((), Path("x")) == {None: Path("x")}
    assert read_tenants(("acme=a b", "beta=/c=d"), None) == {"acme": Path("a b"), "beta": Path("/c=d")}
    for wrong in (("acme",), ("=x",), ("Acme=x",), ("a=x", "a=y"), ("a=",)):
        with pytest.raises(InputError, match="NAME=STORE"):
            read_tenants(wrong, None)
    with pytest.raises(InputError, match="--store"):
        read_tenants(("a=x",), Path("y"))
    assert run("serve", "--tenant", f"a={tmp_path}", "--keys", tmp_path / "none.json").exit_code == 2


def test_a_key_of_a_tenant_is_made_and_listed(run: Callable[..., Any], read: Callable[..., Any], tmp_path: Path) -> None:
    made = read("keys", "add", "shop", "--tenant", "acme", "--keys", tmp_path / "keys.json")
    assert made["tenant"] == "acme"
    assert "of tenant acme" in run("keys", "list", "--keys", tmp_path / "keys.json").output
    assert run("keys", "add", "x", "--tenant", "A/B", "--keys", tmp_path / "keys.json").exit_code == 2
    file = KeyFile(tmp_path / "keys.json")
    assert file.find(made["key"], 0.0) is None
    assert file.of("acme").find(made["key"], 0.0) is not None


def test_a_server_of_tenants_needs_keys(run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENEWISE_HOME", str(tmp_path))
    refused = run("serve", "--tenant", f"acme={tmp_path}", "--port", 0)
    assert refused.exit_code == NotAllowed("").exit_code
    assert "--tenant" in refused.output
