"""How many attacks there are: entries of cases.toml times their ways of writing."""

from __future__ import annotations

from collections import Counter

from attacks.writing import cases, hostile_items, kinds

LEAST, LEAST_CHINESE = 300, 80


def test_there_are_at_least_three_hundred_distinct_attacks() -> None:
    every = [(case.kind, case.name) for kind in kinds() for case in cases(kind)]
    assert not [one for one, times in Counter(every).items() if times > 1]
    assert len(every) >= LEAST


def test_ways_of_writing_make_other_texts() -> None:
    """A way that leaves a text as it is would count it twice."""
    for kind in ("message", "item", "profile", "copy", "tool", "before", "listed", "short"):
        texts = Counter((case.entry.get("message"), case.text) for case in cases(kind))
        assert not [text for text, times in texts.items() if times > 1], kind


def test_a_fair_share_is_chinese_or_mixed() -> None:
    assert sum(case.is_chinese for kind in kinds() for case in cases(kind)) >= LEAST_CHINESE


def test_every_hostile_item_is_one_of_its_own() -> None:
    ids = [item.item_id for item in hostile_items()]
    assert len(ids) == len(set(ids))
