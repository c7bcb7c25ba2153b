from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from scenewise.eval.data import read
from scenewise.eval.scene_value import RECOGNISED, moment_of, run
from scenewise.store.errors import InputError
from scenewise.store.types import Moment, Place
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.scene.pack import parse_pack
from scenewise.tools.scene.recogniser import SceneRecogniser

PACK = parse_pack(
    """
[scene.work]
description = "at the office"
examples = ["deep in work"]
places = ["office"]
hours = ["9-12"]
[scene.rest]
description = "at home"
examples = ["resting on the sofa"]
places = ["home"]
hours = ["18-23"]
"""
)


def test_words_of_public_sets_become_moments() -> None:
    frappe = {
        "daytime": "morning",
        "weekday": "sunday",
        "isweekend": "weekend",
        "homework": "work",
        "weather": "drizzle",
        "country": "Spain",
    }
    assert moment_of(frappe) == ("", Moment(local_time=datetime(2026, 3, 8, 9), place=Place("office"), weather="rain"))
    depaul = {"Time": "Weekend", "Location": "Home", "Companion": "Partner"}
    assert moment_of(dict(reversed(frappe.items()))) == moment_of(frappe)
    assert moment_of(depaul) == ("with my partner", Moment(local_time=datetime(2026, 3, 7, 20), place=Place("home")))
    assert moment_of({"time": "2", "weather": "2"}, situnes=True) == ("", Moment(local_time=datetime(2026, 3, 4, 15, 30), weather="rain"))
    assert moment_of({"Time": "NA", "Location": "Cinema"}) == ("", Moment())


def test_a_scene_that_decides_is_worth_as_much_recognised_as_true(tmp_path: Path, encoders: Encoders) -> None:
    rng = np.random.default_rng(0)
    lines = ["userid,itemid,rating,Location,Time"]
    for row in range(1200):
        at_work = bool(rng.integers(2))
        item = int(rng.integers(12))
        liked = (item % 2 == 0) == at_work  # even items suit the office, odd ones the home
        lines.append(f"u{row % 40},i{item},{5 if liked else 1},{'Work' if at_work else 'Home'},{'Weekday' if row % 3 else 'Weekend'}")
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = run(read(path, "auto"), SceneRecogniser(PACK, encoders), ["Location", "Time"], seeds=(0, 1), tries=1)
    auc = {row["inputs"]: row["auc"] for row in result["rows"]}
    assert auc["true scene"] > 0.9
    assert auc[RECOGNISED] > 0.9
    assert auc["no scene"] < 0.65
    assert result["dataset"]["moment_knows"] == ["place", "time"]
    with pytest.raises(InputError, match="this set has Location, Time"):
        run(read(path, "auto"), SceneRecogniser(PACK, encoders), ["Companion"], seeds=(0,), tries=1)
