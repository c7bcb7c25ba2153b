"""Turns over a made-up catalogue."""

import json
from pathlib import Path

from scenewise.eval.latency import DOMAINS, run
from scenewise.tools.retrieval.encoders import Encoders


def test_turns_are_timed_and_sound(tmp_path: Path, encoders: Encoders) -> None:
    told: list[int] = []
    result = run(
        tmp_path / "store",
        items=140,
        events=1_000,
        turns=12,
        now_s=1_777_888_800.0,
        encoders=encoders,
        progress=lambda n, _: told.append(n),
    )
    assert result["turns"] == 12
    assert told[-1] == 12
    assert not any(result["failures"].values())
    assert 0 < result["own_ms"]["p50"] <= result["own_ms"]["p99"]
    assert str(len(DOMAINS)) in result["protocol"]
    assert json.loads(json.dumps(result)) == result
