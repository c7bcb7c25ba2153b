import json

import numpy as np
import pytest

from scenewise.eval import speed
from scenewise.store.errors import InputError


def test_synthetic_events_follow_a_power_law() -> None:
    data = speed.synthetic(100_000, 0)
    assert data.matrix.shape == (2_000, speed.N_ITEMS)
    assert len(data.sequences.rows) == 100_000
    counts = np.sort(np.bincount(data.sequences.rows, minlength=speed.N_ITEMS))[::-1]
    # density rank**-.8: the first hundredth has .01**.2 = 40% of the events
    assert counts[: speed.N_ITEMS // 100].sum() / 100_000 == pytest.approx(0.398, abs=0.02)
    assert np.abs(np.corrcoef(np.arange(speed.N_ITEMS), np.bincount(data.sequences.rows, minlength=speed.N_ITEMS))[0, 1]) < 0.05


@pytest.mark.parametrize("events", [9_999, 10_000_001])
def test_sizes_out_of_range_are_refused(events: int) -> None:
    with pytest.raises(InputError):
        speed.run(events)


def test_bars_compare_decades_and_the_largest_size() -> None:
    rows = [
        {"model": name, "events": size, "cpu_s": 0.5 * factor, "query_ms": 0.2}
        for size, factor in ((10_000, 1), (100_000, 15), (200_000, 40))
        for name in speed._MODELS
    ]
    rows += [{"model": "all of it", "events": size, "cpu_s": 160.0, "rss_mb": 900} for size in (10_000, 100_000, 200_000)]
    bars = {bar["what"]: bar for bar in speed._bars(rows, {"als fit": {"ratio": 1.05}})}
    assert bars["als fit, 10,000 to 100,000 events"]["met"] is False  # 15 times against 12
    assert bars["item_knn fit, 10,000 to 100,000 events"]["met"] is True
    assert "als fit, 100,000 to 200,000 events" not in bars  # not a decade
    assert bars["als fit, ours / implicit"] == {"what": "als fit, ours / implicit", "found": 1.05, "at_most": 1.1, "met": True}
    assert bars["all of it, CPU s"]["met"] is False
    assert bars["all of it, peak MB"]["met"] is True


@pytest.mark.slow
def test_a_small_run_ends_in_json() -> None:
    seen: list[tuple[int, int | None]] = []
    result = speed.run(20_000, progress=lambda done, total: seen.append((done, total)))
    assert json.loads(json.dumps(result)) == result
    assert {(row["model"], row["events"]) for row in result["rows"]} == {
        (name, size) for name in [*speed._MODELS, "all of it"] for size in (10_000, 20_000)
    }
    assert set(result["paired"]) == {"als fit", "als recommend", "item_knn fit", "item_knn recommend"}
    assert seen[-1] == (3, 3)
