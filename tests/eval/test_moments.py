"""The gold set of moments: every case is one the product can read, and the set is what its README says. Nothing here runs a recogniser."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections import Counter
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rapidfuzz import fuzz, process

from scenewise.store.types import Moment, Place
from scenewise.tools.scene.hints import DEVICE_NAMES, PLACE_NAMES, name_device, name_place
from scenewise.tools.scene.pack import default_pack

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "eval" / "scene"
CASES: list[dict[str, Any]] = [json.loads(line) for line in (FOLDER / "moments.jsonl").read_text(encoding="utf-8").splitlines()]
SIGNALS = ("device", "time", "place", "speed", "network", "weather", "available_min")
ALWAYS = {"id", "text", "lang", "scene", "decided_by", "split"}
NETWORKS = {"wifi", "cellular", "offline"}
WEATHERS = {"sunny", "rain", "snow"}
HAN = re.compile(r"[\u4e00-\u9fff]")


def moment_of(case: dict[str, Any]) -> Moment:
    """The case as the product's own type; network and weather go in where the type has them."""
    known = {field.name for field in fields(Moment)}
    given = {name: case[name] for name in ("network", "weather") if name in case and name in known}
    place = Place(case.get("place"), speed_mps=case.get("speed")) if "place" in case or "speed" in case else None
    time = datetime.fromisoformat(case["time"]) if "time" in case else None
    return Moment(case.get("device"), time, place, case["lang"], case.get("available_min"), **given)


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_case_is_a_moment_the_product_can_read(case: dict[str, Any]) -> None:
    assert set(case) - set(SIGNALS) == ALWAYS
    assert case["text"].strip() == case["text"] != ""
    assert case["lang"] == ("zh" if HAN.search(case["text"]) else "en")
    assert case["decided_by"] in {"text", "context", "both"}
    assert case["scene"] is None or default_pack().get(case["scene"]).name == case["scene"].replace("_", " ")
    moment = moment_of(case)
    assert moment.device is None or name_device(moment.device) in DEVICE_NAMES
    assert moment.local_time is None or (moment.local_time.tzinfo is None and f"{moment.local_time:%Y-%m-%dT%H:%M}" == case["time"])
    if moment.place:
        assert moment.place.type is None or name_place(moment.place.type) in PLACE_NAMES
        assert moment.place.speed_mps is None or 0 <= moment.place.speed_mps <= 300
    assert moment.available_min is None or 0 < moment.available_min <= 24 * 60
    assert case.get("network", "wifi") in NETWORKS
    assert case.get("weather", "sunny") in WEATHERS
    # what decides has to be there
    assert case["decided_by"] == "text" or any(name in case for name in SIGNALS)


def test_the_split_is_the_parity_of_the_hash_of_the_id() -> None:
    for case in CASES:
        odd = int(hashlib.sha256(case["id"].encode()).hexdigest(), 16) % 2
        assert case["split"] == ("test" if odd else "dev")
    assert 0.45 < sum(case["split"] == "dev" for case in CASES) / len(CASES) < 0.55


def test_counts() -> None:
    scenes = Counter(case["scene"] for case in CASES)
    assert len(CASES) >= 420
    assert scenes[None] >= 60
    assert {name.replace(" ", "_") for name in default_pack().names} == set(scenes) - {None}
    assert min(scenes.values()) >= 20
    assert sum(case["lang"] == "zh" for case in CASES) >= 80
    assert sum(case["decided_by"] != "text" for case in CASES) * 2 >= len(CASES)
    for split in ("dev", "test"):
        assert min(Counter(case["scene"] for case in CASES if case["split"] == split).values()) >= 8


def test_no_two_cases_are_the_same() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES)
    assert len({(plain(case["text"]), *(case.get(name) for name in SIGNALS)) for case in CASES}) == len(CASES)


def test_the_same_words_mean_different_scenes_elsewhere() -> None:
    scenes: dict[str, set[str | None]] = {}
    for case in CASES:
        scenes.setdefault(plain(case["text"]), set()).add(case["scene"])
        # where words alone decide, they are not said twice
        if case["decided_by"] == "text":
            assert sum(plain(case["text"]) == plain(other["text"]) for other in CASES) == 1
    assert sum(len(found) > 1 for found in scenes.values()) >= 30


def test_nothing_is_taken_from_the_examples_or_the_development_moments() -> None:
    pack = default_pack()
    rows = tomllib.loads((ROOT / "tests" / "tools" / "scene" / "moments.toml").read_text(encoding="utf-8"))
    taken = [text for scene in pack.scenes for text in (*scene.examples, *scene.also_said)]
    taken += [row["text"] for half in rows.values() for row in half if row["text"]]
    for case in CASES:
        nearest = process.extractOne(plain(case["text"]), [plain(text) for text in taken], scorer=fuzz.token_sort_ratio)
        assert nearest[1] < 85, (case["text"], nearest)


def test_the_readme_counts_what_is_there() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"{len(CASES)} cases" in readme
    for scene, n in Counter(case["scene"] for case in CASES).items():
        assert re.search(rf"^\| {scene or 'none'} \| {n} \|", readme, re.MULTILINE)
