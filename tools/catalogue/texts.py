"""What items say of themselves in their own words: the things to eat that a description names, and any other word."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import Item
from scenewise.tools.catalogue.words import is_cjk, plain

INGREDIENT, MENTIONS = "ingredient", "mentions"
"""Attributes whose values are looked for in titles, values and descriptions too: what is in a dish, and any word at all."""
FOOD_ATTRIBUTES = frozenset({"cuisine", "diet", INGREDIENT})
"""A kind of items of which one has any of these is a kind of food."""
FREE_OF = {
    "vegan": frozenset(
        """milk butter buttermilk cream cheese yoghurt yogurt curd whey ghee custard feta parmesan mozzarella mascarpone paneer egg eggs
        honey meat beef pork chicken lamb bacon ham turkey duck fish""".split()  # noqa: SIM905
    ),
    "gluten-free": frozenset(
        {"wheat", "flour", "bread", "breadcrumbs", "pasta", "noodles", "dough", "sponge", "pancakes", "batter", "soy sauce"}
    ),
}
"""What a dish of this diet has none of, whatever its description likens it to ("blended to a cream") or serves with it ("warm bread")."""
_NONE_OF_IT = r"(?<!without )(?<!no )(?<!free of )(?<!instead of )(?<!coconut )(?<!almond )(?<!oat )(?<!soy )(?<!peanut )(?<!cocoa )"
_MAX_KEPT = 4096


class Texts:
    """The words of all items, looked through when somebody asks for one and remembered then."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._kept: dict[tuple[str, bool], NDArray[np.int32]] = {}

    def naming(self, value: str, *, food_only: bool = False) -> NDArray[np.int32]:
        """Find the rows of items whose title, values or description name `value`, in the singular or the plural, and not to say that it is
        not in it: int32 (m,), ascending. With `food_only` those of kinds of food, but not where the diet of the dish rules it out."""
        key = (plain(value), food_only)
        if key not in self._kept:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            rows = self._foods if food_only else enumerate(map(_said, self._items))
            self._kept[key] = np.array([row for row, said in rows if self._names(row, said, *key)], dtype=np.int32)
        return self._kept[key]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Texts) and self._items == other._items

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def _foods(self) -> list[tuple[int, str]]:
        kinds = {item.domain for item in self._items if not FOOD_ATTRIBUTES.isdisjoint(item.attributes)}
        return [(row, _said(item)) for row, item in enumerate(self._items) if item.domain in kinds]

    def _names(self, row: int, said: str, value: str, food_only: bool) -> bool:
        if is_cjk(value):
            return value in said
        one = value[:-1] if value.endswith("s") and len(value) > 3 else value
        if one not in said:
            return False
        if food_only and any(value in FREE_OF.get(diet.casefold(), ()) for diet in self._items[row].attributes.get("diet", ())):
            return False
        return re.search(rf"{_NONE_OF_IT}\b{re.escape(one)}(?:e?s)?\b(?!-free)", said) is not None


def _said(item: Item) -> str:
    return plain(" . ".join((item.title, *_values(item.attributes), item.text)))


def _values(attributes: Mapping[str, Sequence[str]]) -> list[str]:
    return [value for name in sorted(attributes) for value in attributes[name]]
