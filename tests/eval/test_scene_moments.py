from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from scenewise.eval.scene_moments import WITHOUT, Case, abstention, measure, read_moments, run
from scenewise.store.errors import InputError, NotFound
from scenewise.store.types import Moment, Place
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.scene.pack import parse_pack
from scenewise.tools.scene.reading import SceneReading

LINE = (
    '{"id": "m-1", "text": "songs", "lang": "en", "device": "phone", "time": "2026-07-06T08:10", "speed": 13.9, "network": "wifi", '
    '"weather": "rain", "scene": "lazy_weekend", "decided_by": "context", "split": "dev"}\n'
)
PACK = parse_pack(
    """
no_scene = ["anything", "what is this"]
[scene.run]
description = "running outside"
examples = ["running in the park", "a jog before breakfast", "ten kilometres today"]
places = ["park"]
[scene.cook]
description = "cooking a meal"
examples = ["cooking pasta", "stirring the soup", "what goes with rice"]
places = ["kitchen"]
"""
)


def reading(**probabilities: float) -> SceneReading:
    name, p = max(probabilities.items(), key=lambda pair: pair[1])
    return SceneReading(None if name == "none" else name, p, probabilities)


def case(scene: str | None, text: str = "x", place: str = "park") -> Case:
    return Case(text, Moment(place=Place(place)), scene, "both")


def test_a_line_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(LINE, encoding="utf-8")
    moment = Moment("phone", datetime(2026, 7, 6, 8, 10), Place(None, speed_mps=13.9), "en", None, "wifi", "rain")
    assert read_moments(path, "dev") == read_moments(path, "all") == [Case("songs", moment, "lazy weekend", "context")]
    with pytest.raises(InputError, match="no cases"):
        read_moments(path, "test")
    path.write_text('{"text": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        read_moments(path, "dev")
    with pytest.raises(NotFound):
        read_moments(tmp_path / "none.jsonl", "dev")


def test_figures_by_hand() -> None:
    cases = [case("run"), case("run"), case("cook"), case(None)]
    said = [reading(run=0.8, none=0.2), reading(cook=0.6, none=0.4), reading(cook=0.9, none=0.1), reading(none=0.7, run=0.3)]
    # F1: run 2/3, cook 2/3, none 1
    found = measure(cases, said)
    assert found["macro_f1"] == round((2 / 3 + 2 / 3 + 1) / 3, 4)
    assert (found["accuracy"], found["none_recall"], found["none_precision"]) == (0.75, 1.0, 1.0)
    # each in a bin of its own: gaps 0.2, 0.6, 0.1, 0.3
    assert found["ece"] == pytest.approx(1.2 / 4)
    rows = {row["threshold"]: (row["coverage"], row["accuracy"]) for row in abstention(cases, said)}
    assert rows[0.0] == (1.0, 0.75)
    assert rows[0.7] == (0.75, 1.0)


def test_what_is_left_out_is_gone() -> None:
    one = Case("songs", Moment("phone", datetime(2026, 7, 6), Place("park", speed_mps=3.0), weather="rain"), "run", "both")
    assert WITHOUT["all signals"](one) == one
    assert WITHOUT["without words"](one).text == ""
    assert WITHOUT["without place"](one).moment.place == Place(speed_mps=3.0)
    assert WITHOUT["without speed"](one).moment.place == Place("park")
    assert WITHOUT["words alone"](one).moment == Moment()
    assert all(name == "all signals" or change(one) != one for name, change in WITHOUT.items())


def test_signals_that_decide_are_missed(encoders: Encoders) -> None:
    cases = [case("run", "anything", "park"), case("cook", "anything", "kitchen"), case("run", "a jog in the park", "kitchen")] * 2
    result = run(cases, PACK, encoders, tune=False, progress=lambda done, total: None)
    assert result["n_cases"] == 6
    assert result["signals"]["without words"]["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert result["signals"]["all signals"]["accuracy"] >= 2 / 3 - 1e-4
    assert result["signals"]["without place"]["accuracy"] < result["signals"]["all signals"]["accuracy"]
    with pytest.raises(InputError, match="not in the pack"):
        run([case("party")], PACK, encoders, tune=False, progress=lambda done, total: None)
