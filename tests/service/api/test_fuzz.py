"""Whatever is sent, the server answers in its one shape and never with a failure of its own."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import asker

from scenewise import Agent
from scenewise.service.api.access import RULES, Rule
from scenewise.service.api.app import create_app

MOMENT = {
    "device": "tv",
    "local_time": "2025-10-09T20:30",
    "place": "home",
    "locale": "en",
    "available_min": 90,
    "network": "wifi",
    "weather": "rain",
}
ITEM = {
    "item_id": "f-1",
    "domain": "movies",
    "title": "F",
    "text": "t",
    "attributes": {"genre": ["Drama"]},
    "year": 1999,
    "price_cents": 5,
    "media": ["x"],
}
BODIES: dict[str, Any] = {
    "/v1/chat/completions": {
        "model": "scenewise",
        "messages": [
            {"role": "user", "content": "a film"},
            {"role": "assistant", "content": "x"},
            {"role": "user", "content": [{"type": "text", "text": "y"}]},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "user": "ann",
        "metadata": MOMENT | {"user_id": "ann", "scene": "date night", "k": 2},
    },
    "/v1/recommend": {"user_id": "ann", "text": "jazz", "scene": "date night", "moment": MOMENT, "k": 2, "use_llm": False},
    "/v1/copy": {
        "item_ids": ["film-alien"],
        "items": [ITEM],
        "segment": {"name": "g", "likes": {"genre": ["Drama"]}},
        "scene": "date night",
        "channel": "push",
        "tone": "warm",
        "seed": 1,
        "variants": 2,
    },
    "/v1/events": {"user_id": "ann", "item_id": "film-alien", "kind": "rating", "value": 4.5, "moment": MOMENT},
    "/v1/items": {"items": [ITEM]},
    "/v1/items/delete": {"item_ids": ["f-1"], "forget": True},
    "/v1/users/{user_id}/profile": {"action": "like", "attribute": "genre", "value": "Drama"},
    "/v1/users/{user_id}/profile/lock": {"attribute": "genre", "value": "Drama", "locked": True},
    "/v1/users/{user_id}/identities": {"platform": "music", "platform_user_id": "7", "consent": True},
}
words = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(
    ["", "\x00", "\ud800", "a" * 9_000, "../../etc", "'; --", "%00", "1e999"]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | words
values = st.recursive(leaves, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(words, inside, max_size=3), max_leaves=6)
rules = st.sampled_from([rule for rule in RULES if rule.path != "/openapi.json"])


@st.composite
def changed(draw: st.DrawFn, body: Any) -> Any:
    """The body with one value, somewhere inside, replaced by another."""
    if isinstance(body, dict) and body and draw(st.integers(0, 3)):
        name = draw(st.sampled_from(sorted(body)))
        return body | {name: draw(changed(body[name]))}
    if isinstance(body, list) and body and draw(st.integers(0, 3)):
        place = draw(st.integers(0, len(body) - 1))
        return [*body[:place], draw(changed(body[place])), *body[place + 1 :]]
    return draw(values)


def filled(rule: Rule, word: str) -> str:
    """The route's path with a word in its open places."""
    parts = [quote(word.encode("utf-8", "surrogatepass"), safe="") if part.startswith("{") else part for part in rule.path.split("/")]
    return "/".join(parts)


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(rule=rules, word=words, data=st.data())
def test_nothing_that_is_sent_fails_inside(own_agent: Agent, rule: Rule, word: str, data: st.DataObject) -> None:
    body = data.draw(changed(BODIES[rule.path])) if rule.path in BODIES else None
    content = json.dumps(body).encode() if rule.path in BODIES else None
    headers = {"content-type": "application/json"} | ({"idempotency-key": word[:9]} if word.isascii() and word[:9].isalnum() else {})
    response = asker(create_app(own_agent))(rule.method, filled(rule, word), content=content, headers=headers)
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert set(response.json()["error"]) == {"message", "type", "code", "param"}
