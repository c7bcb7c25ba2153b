"""A catalogue that was changed step by step is the catalogue that is read anew."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.catalogue.update import update

IDS = [ItemId(name) for name in ("a", "b", "c", "d", "e", "é", "片")]
VALUES = st.lists(st.sampled_from(["Drama", "drama", "DRAMA", "Crime", "Sci-Fi", "爱情"]), max_size=3).map(tuple)
TITLES = st.sampled_from(["Heat", "The Heat", "Heat: a film (1995)", "Amélie (Fabuleux destin)", "大话西游", "Alien, The", ""])
ITEMS = st.builds(
    Item,
    st.sampled_from(IDS),
    st.sampled_from(["movies", "books"]),
    TITLES,
    attributes=st.dictionaries(st.sampled_from(["genre", "creator", "mood"]), VALUES, max_size=2),
    year=st.sampled_from([None, 1995, 2001]),
    available=st.booleans(),
)
STEPS = st.lists(st.tuples(st.lists(ITEMS, max_size=3), st.lists(st.sampled_from(IDS), max_size=2)), min_size=1, max_size=6)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_any_sequence_of_changes_leads_to_what_is_read_anew(steps: list[tuple[list[Item], list[ItemId]]]) -> None:
    catalogue, kept = Catalogue.from_items([]), {}
    for number, (items, removed) in enumerate(steps):
        before, rows_before = catalogue, [item.item_id for item in catalogue.items]
        items = list({item.item_id: item for item in items}.values())
        removed = [item_id for item_id in removed if item_id not in {item.item_id for item in items}]
        updated = update(catalogue, items, removed, revision=number, items_revision=number)
        catalogue = updated.catalogue
        kept = {item_id: item for item_id, item in kept.items() if item_id not in removed} | {item.item_id: item for item in items}
        assert_same(catalogue, Catalogue.from_items(kept.values(), number))
        origin = [rows_before[row] if row >= 0 else None for row in updated.origin.tolist()]
        assert origin == [item.item_id if item.item_id in rows_before else None for item in catalogue.items]
        assert {catalogue.items[row].item_id for row in updated.changed.tolist()} == {item.item_id for item in items}
        assert [item.item_id for item in before.items] == rows_before  # a turn under way goes on with the old one


def assert_same(changed: Catalogue, anew: Catalogue) -> None:
    assert changed.items == anew.items
    for field in fields(anew.columns):
        mine, other = getattr(changed.columns, field.name), getattr(anew.columns, field.name)
        if isinstance(other, np.ndarray):
            np.testing.assert_array_equal(mine, other)
            assert mine.dtype == other.dtype
        elif field.name != "postings":
            assert mine == other
    listed = [
        [(name, value, rows.tolist()) for name, of_value in one.columns.postings.items() for value, rows in of_value.items()]
        for one in (changed, anew)
    ]
    assert listed[0] == listed[1]
    assert [(name, [*counts.items()]) for name, counts in changed.vocabulary.items()] == [
        (name, [*counts.items()]) for name, counts in anew.vocabulary.items()
    ]
    assert (changed.titles.names, changed.titles.years) == (anew.titles.names, anew.titles.years)
    assert (dict(changed.titles.exact), dict(changed.titles.parts)) == (dict(anew.titles.exact), dict(anew.titles.parts))
    assert {name: dict(forms) for name, forms in changed.values.shown.items()} == {n: dict(f) for n, f in anew.values.shown.items()}
    assert dict(changed.values.by_key) == dict(anew.values.by_key)
    for wanted in (Constraints(require={"genre": frozenset({"drama"})}), Constraints(domains=frozenset({"books"}), min_year=2000)):
        np.testing.assert_array_equal(changed.allowed(wanted), anew.allowed(wanted))
    assert changed.look_up("heat") == anew.look_up("heat")
