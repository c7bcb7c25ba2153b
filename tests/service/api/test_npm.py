"""The official client for JavaScript, from npm, holds a conversation."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from serving import listening

from scenewise import Agent
from scenewise.service.api.app import create_app
from scenewise.service.api.keys import KeyFile

HERE = Path(__file__).parent / "npm"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client of the lock file; the tests are skipped where there is no node, or npm's registry cannot be reached."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("no node and npm here (Debian: apt-get install nodejs npm)")
    folder = tmp_path_factory.mktemp("npm")
    for file in HERE.iterdir():
        shutil.copy(file, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=90, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm's registry did not answer in time")
    if made.returncode:
        assert "EINTEGRITY" not in made.stderr
        pytest.skip(f"npm could not fetch the client: {made.stderr.strip().splitlines()[0]}")
    return folder


def test_it_holds_a_conversation(client: Path, small_agent: Agent, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    token = keys.add("js", ["chat"], user_id="dan", expires_s=None, now_s=0.0)[1]
    with listening(create_app(small_agent, keys=keys)) as address:
        command = ["node", "talk.mjs", f"{address}/v1", token]
        clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        ran = subprocess.run(command, cwd=client, env=clean, capture_output=True, text=True, timeout=90, check=False)
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    assert told["models"] == ["scenewise"]
    first, second, streamed = (told[name] for name in ("first", "second", "streamed"))
    assert len(first["scenewise"]["items"]) == 3
    assert first["scenewise"]["user_id"] == "dan"
    assert first["choices"][0]["message"]["content"] == first["scenewise"]["reply"]
    assert second["scenewise"]["conversation_id"] == first["scenewise"]["conversation_id"]
    assert first["scenewise"]["items"][1]["title"] in second["choices"][0]["message"]["content"]
    assert streamed["text"] == streamed["record"]["reply"]
    assert streamed["record"]["conversation_id"] == first["scenewise"]["conversation_id"]
    assert streamed["steps"][0] == "perceive"
    assert (streamed["finish"], streamed["usage"]["total_tokens"]) == ("stop", 0)  # no LLM here
    shown = {item["item_id"] for item in first["scenewise"]["items"]}
    assert shown.isdisjoint(item["item_id"] for item in streamed["record"]["items"])
    assert told["failures"]["model"] == {"kind": "NotFoundError", "status": 404, "code": "model_not_found"}
    assert told["failures"]["key"] == {"kind": "AuthenticationError", "status": 401, "code": "invalid_api_key"}
    assert told["failures"]["empty"]["status"] in (400, 422)
