"""The file of keys, and the commands that change it."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scenewise.service.api.keys import KeyFile, digest_of
from scenewise.store.errors import InputError, NotFound, StoreError


def test_a_key_is_found_by_its_token_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    key, token = keys.add("page", ["write", "chat"], user_id="42", expires_s=100.0, now_s=1.0)
    assert keys.find(token, 99.0) == key == keys.all()[0]
    assert keys.find(token, 100.0) is None
    assert key.scopes == ("chat", "write")
    kept = keys.path.read_text()
    assert token not in kept
    assert token.rpartition("-")[2] not in kept
    assert digest_of(token) in kept
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600


def test_two_keys_share_nothing(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    (one, first), (other, second) = (keys.add("same", ["chat"], user_id=None, expires_s=None, now_s=0.0) for _ in range(2))
    assert len(first) == len(second) >= 50
    assert one.key_id != other.key_id
    mixed = f"sw-{one.key_id}-{second.split('-', 2)[2]}"
    assert keys.find(mixed, 0.0) is None


@pytest.mark.parametrize("scopes", [[], ["all"], ["chat", "root"]])
def test_scopes_that_there_are_not_are_refused(tmp_path: Path, scopes: list[str]) -> None:
    with pytest.raises(InputError, match="chat, copy, write, admin"):
        KeyFile(tmp_path / "keys.json").add("x", scopes, user_id=None, expires_s=None, now_s=0.0)


def test_a_bound_key_cannot_be_an_admin(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="admin"):
        KeyFile(tmp_path / "keys.json").add("x", ["chat", "admin"], user_id="42", expires_s=None, now_s=0.0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": [1]}', '{"keys": [{"name": "x"}]}'])
def test_a_file_that_is_none_of_keys_opens_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(StoreError, match="no file of keys"):
        KeyFile(tmp_path / "keys.json").find("sw-x-y", 0.0)


def test_removing_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        KeyFile(tmp_path / "keys.json").remove("00000000")


def test_what_is_spent_counts_for_the_day_in_every_process(tmp_path: Path) -> None:
    keys, day_s = KeyFile(tmp_path / "keys.json"), 86_400.0
    key, other = (keys.add("x", ["chat"], user_id=None, expires_s=None, now_s=0.0, tokens_per_day=100)[0] for _ in range(2))
    assert keys.spent(key.key_id, day_s) == 0
    for file in (keys, KeyFile(keys.path)):
        file.spend(key.key_id, 30, day_s + 1)
    assert [KeyFile(keys.path).spent(one.key_id, 2 * day_s - 1) for one in (key, other)] == [60, 0]
    assert keys.spent(key.key_id, 2 * day_s) == 0
    keys.spend(other.key_id, 5, 2 * day_s)
    assert [keys.spent(one.key_id, 2 * day_s) for one in (key, other)] == [0, 5]
    assert [one.tokens_per_day for one in keys.all()] == [100, 100]
    (tmp_path / "keys.spent.json").write_text("[]")
    with pytest.raises(StoreError, match="remove it"):
        keys.spent(key.key_id, 0.0)


def test_keys_of_before_there_were_budgets_are_read(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    token = keys.add("x", ["chat"], user_id=None, expires_s=None, now_s=0.0)[1]
    data = json.loads(keys.path.read_text())
    del data["keys"][0]["tokens_per_day"]
    keys.path.write_text(json.dumps(data))
    found = KeyFile(keys.path).find(token, 0.0)
    assert found is not None
    assert found.tokens_per_day is None


def test_the_commands(run: Callable[..., Any], read: Callable[..., Any], own_home: Path) -> None:
    made = read("keys", "add", "my page", "--scope", "chat", "--scope", "write", "--user", "42", "--days", "7", "--tokens-per-day", "5000")
    keys = KeyFile(own_home / "keys.json")
    found = keys.find(made["key"], 0.0)
    assert found is not None
    assert (found.key_id, found.user_id, found.scopes) == (made["key_id"], "42", ("chat", "write"))
    plain = run("keys", "add", "other").stdout.strip()
    assert keys.find(plain, 0.0) is not None
    listed = read("keys", "list")
    assert [key["name"] for key in listed] == ["my page", "other"]
    assert "digest" not in json.dumps(listed)
    shown = run("keys", "list").stdout
    assert "for user 42" in shown
    assert "0 of 5,000 tokens today" in shown
    assert made["key"] not in shown
    assert read("keys", "remove", made["key_id"]) == {"removed": True}
    assert [key.name for key in keys.all()] == ["other"]
    assert read("keys", "remove", made["key_id"], code=3)["exit_code"] == 3
    assert read("keys", "add", "x", "--scope", "all", code=2)["exit_code"] == 2
