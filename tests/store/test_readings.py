import pytest

from scenewise.store import Store
from scenewise.store.errors import InputError, NotFound
from scenewise.store.readings import Merge, Reading


def test_a_later_reading_takes_the_earlier_ones_place(store: Store) -> None:
    store.readings.save(
        "text:m@1", [Reading("item:a", "h1", 2, {"not in the text": 3}, 10, 4), Reading("item:b", "h", error="too slow")], 1.0
    )
    store.readings.save("text:m@1", [Reading("item:a", "h2")], 2.0)
    store.readings.save("text:m@2", [Reading("item:a", "h1")], 2.0)
    assert store.readings.of("text:m@1") == {"item:a": Reading("item:a", "h2"), "item:b": Reading("item:b", "h", error="too slow")}
    assert set(store.readings.of("text:m@2")) == {"item:a"}


def test_merges_chain_and_are_undone(store: Store) -> None:
    before = store.revision("edges")
    store.merges.add([Merge("place:nyc", "place:new york city", 0.9, "embedding", 1.0)])
    store.merges.add([Merge("place:new york city", "place:new york", 0.9, "spelling", 2.0)])
    assert store.merges.names() == {"place:nyc": "place:new york", "place:new york city": "place:new york"}
    assert store.revision("edges") > before
    store.merges.undo("place:new york city")
    assert store.merges.names() == {"place:nyc": "place:new york city"}
    assert store.merges.all()[0] == Merge("place:new york city", "place:new york city", 0.9, "hand", 2.0)
    with pytest.raises(NotFound):
        store.merges.undo("place:new york city")


def test_names_cannot_go_in_a_ring(store: Store) -> None:
    store.merges.add([Merge("place:a", "place:b", 1.0, "hand", 1.0)])
    with pytest.raises(InputError, match="ring"):
        store.merges.add([Merge("place:b", "place:a", 1.0, "hand", 1.0)])
    assert store.merges.names() == {"place:a": "place:b"}


def test_after_a_merge_nobody_can_tell_which_facts_stay_as_they_were(store: Store) -> None:
    seen = store.revision("items"), store.revision("edges")
    store.merges.add([Merge("topic:trains", "topic:train", 0.95, "meaning", 1.0)])
    assert store.changes(*seen) is None
    seen = store.revision("items"), store.revision("edges")
    assert store.changes(*seen) is not None
    store.merges.undo("topic:trains")
    assert store.changes(*seen) is None
