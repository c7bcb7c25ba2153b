"""Settings: where they come from, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenewise.agent.settings import load_settings
from scenewise.store.errors import InputError


def test_the_environment_wins_over_the_file(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own_home / "scenewise.toml").write_text("deadline_s = 3.0\nseed = 7\n")
    monkeypatch.setenv("SCENEWISE_DEADLINE_S", "9")
    settings = load_settings()
    assert (settings.deadline_s, settings.seed) == (9.0, 7)


@pytest.mark.parametrize(
    ("text", "message"), [("dead_line = 3\n", "dead_line"), ("deadline_s = -1\n", "deadline_s"), ("deadline_s = = 1\n", "not TOML")]
)
def test_a_wrong_file_is_named(own_home: Path, text: str, message: str) -> None:
    (own_home / "scenewise.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        load_settings()


def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENEWISE_LLM_API_KEY", "sk-secret")
    assert "sk-secret" not in repr(load_settings())


def test_a_checkout_that_is_set_up_is_found_from_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCENEWISE_HOME")
    (tmp_path / ".scenewise").mkdir()
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path / "docs")
    assert load_settings().home == tmp_path / ".scenewise"
