"""Copy over HTTP: the texts of `Agent.write_copy`, for whom a key may write, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from serving import Ask, asker

from scenewise import Agent, ScriptedModel, Settings
from scenewise.service.api.app import create_app
from scenewise.service.api.copy import MAX_ITEMS
from scenewise.service.api.keys import KeyFile
from scenewise.tools.retrieval.encoders import Encoders

OWN = {"item_id": "own-1", "domain": "books", "title": "Emma", "attributes": {"genre": ["comedy"]}, "year": 1815}


def told(response: Any) -> list[dict[str, Any]]:
    """The texts of an answer."""
    assert response.status_code == 200, response.text
    copies: list[dict[str, Any]] = response.json()["copies"]
    return copies


def test_the_texts_are_those_of_the_agent(ask: Ask, small_agent: Agent) -> None:
    options = {"channel": "push", "scene": "date night", "tone": "warm", "seed": 3, "variants": 2}
    copies = told(ask("POST", "/v1/copy", json={"item_ids": ["film-fargo", "film-alien"], "user_id": "hal"} | options))
    written = small_agent.write_copy(
        ["film-fargo", "film-alien"], "hal", channel="push", scene="date night", tone="warm", seed=3, variants=2
    )
    assert [(one["item_id"], one["variant"], one["text"], one["source"]) for one in copies] == [
        (one.item_id, one.variant, one.text, one.source) for one in written
    ]
    assert [tuple(map(tuple, one["evidence"])) for one in copies] == [one.evidence for one in written]
    assert all(len(one["text"]) <= 90 and one["claims"] and one["model"] is None for one in copies)


def test_for_a_group_in_chinese_and_of_items_of_ones_own(ask: Ask) -> None:
    group = {"name": "comedies", "likes": {"genre": ["comedy"]}}
    (arizona, emma) = told(ask("POST", "/v1/copy", json={"item_ids": ["film-raising-arizona"], "items": [OWN], "segment": group}))
    assert ["taste", "the comedy you like"] in arizona["evidence"]
    assert emma["item_id"] == "own-1"
    assert ask("GET", "/v1/items/own-1").status_code == 404
    (chinese,) = told(ask("POST", "/v1/copy", json={"item_ids": ["film-alien"], "locale": "zh"}))
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese["text"])


def test_what_the_model_cost_is_told_and_counted(own_store: Path, encoders: Encoders) -> None:
    settings = Settings(writing="free")
    with Agent.open(
        own_store,
        settings=settings,
        model=ScriptedModel(texts=["A 1996 film by Joel Coen."], tokens=(10, 3), name="counted"),
        encoders=encoders,
    ) as agent:
        ask = asker(create_app(agent))
        response = ask("POST", "/v1/copy", json={"item_ids": ["film-fargo", "film-alien"]})
        fargo, alien = told(response)
        assert (fargo["source"], fargo["text"], fargo["model"]) == ("model", "A 1996 film by Joel Coen.", "counted")
        assert fargo["prompt"].startswith("write_copy")
        assert alien["source"] == "template"
        assert alien["refused"]
        assert response.json()["usage"] == {
            "prompt_tokens": 30,
            "completion_tokens": 9,
            "total_tokens": 39,
        }  # the one refused was written twice
        assert 'scenewise_llm_tokens_total{kind="written"} 9\n' in ask("GET", "/metrics").text


@pytest.mark.parametrize(
    ("wrong", "status", "param"),
    [
        ({"channel": "tweet"}, 422, "channel"),
        ({"tone": "shrill"}, 422, "tone"),
        ({"locale": "de"}, 422, "locale"),
        ({"variants": 11}, 422, "variants"),
        ({"seed": -1}, 422, "seed"),
        ({"item_ids": ["x"] * (MAX_ITEMS + 1)}, 422, "item_ids"),
        ({"items": [{"item_id": "x"}]}, 422, "items.0.domain"),
        ({"segment": {"likes": {}}}, 422, "segment.likes"),
        ({"item_ids": []}, 400, None),
        ({"items": [OWN] * MAX_ITEMS}, 400, None),
        ({"item_ids": ["nowhere"]}, 404, None),
        ({"scene": "nowhere"}, 404, None),
        ({"user_id": "nobody-known"}, 404, None),
        ({"user_id": "ann", "segment": {"likes": {"genre": ["comedy"]}}}, 400, None),
        ({"segment": {"likes": {"genre": ["no such genre"]}}}, 400, None),
    ],
)
def test_what_cannot_be_written_is_refused(ask: Ask, wrong: dict[str, Any], status: int, param: str | None) -> None:
    response = ask("POST", "/v1/copy", json={"item_ids": ["film-fargo"]} | wrong)
    assert (response.status_code, response.json()["error"]["param"]) == (status, param), response.text


def test_a_bound_key_writes_for_its_user_only(small_agent: Agent, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    tokens = [keys.add("test", ["copy"], user_id=user, expires_s=None, now_s=0.0)[1] for user in ("hal", "newcomer", None)]
    hal, newcomer, free = (asker(create_app(small_agent, keys=keys), authorization=f"Bearer {token}") for token in tokens)
    body = {"item_ids": ["film-fargo"], "variants": 3}
    assert told(hal("POST", "/v1/copy", json=body)) == told(free("POST", "/v1/copy", json=body | {"user_id": "hal"}))
    assert told(hal("POST", "/v1/copy", json=body)) != told(free("POST", "/v1/copy", json=body))
    assert told(newcomer("POST", "/v1/copy", json=body)) == told(free("POST", "/v1/copy", json=body))
    assert hal("POST", "/v1/copy", json=body | {"user_id": "ann"}).status_code == 403
