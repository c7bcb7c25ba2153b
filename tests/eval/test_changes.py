"""Changes of a small world are timed, and each is found where it should be."""

import json
from pathlib import Path

from scenewise.eval.changes import run
from scenewise.tools.retrieval.encoders import Encoders


def test_every_change_is_found_in_every_place(small_store: Path, tmp_path: Path, encoders: Encoders) -> None:
    result = run(tmp_path / "store", source=small_store, changes=6, now_s=1_777_888_800.0, encoders=encoders)
    assert result["wrong_places"] == []
    assert 0 < result["wall_ms"]["p50"] <= result["wall_ms"]["p95"] <= result["wall_ms"]["max"]
    assert json.loads(json.dumps(result)) == result
