"""The models that stand beside the final list, and the settings that each may try on validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from scenewise.tools.collaborative.als import Als
from scenewise.tools.collaborative.content_knn import ContentKnn
from scenewise.tools.collaborative.ease import Ease
from scenewise.tools.collaborative.item_knn import ItemKnn
from scenewise.tools.collaborative.model import CollaborativeModel
from scenewise.tools.collaborative.popularity import Popularity
from scenewise.tools.collaborative.rp3beta import Rp3Beta
from scenewise.tools.collaborative.transition_knn import TransitionKnn
from scenewise.tools.collaborative.user_knn import UserKnn
from scenewise.tools.features import ItemFeatures


@dataclass(frozen=True, slots=True)
class Family:
    """One model: `options` are its settings, `make` turns one into an unfitted model; `recencies`: how much less an event of the
    history counts than the one after it, tried for each of the options on one fit."""

    make: Callable[..., CollaborativeModel]
    options: Sequence[Mapping[str, Any]] = ({},)
    recencies: Sequence[float] = (1.0,)

    def within(self, tries: int) -> tuple[tuple[Mapping[str, Any], tuple[float, ...]], ...]:
        """Return the (option, recencies) to try, no more than `tries` pairs, the first of each first."""
        pairs = [(option, recency) for option in self.options for recency in self.recencies]
        if len(pairs) > tries:  # each option once, before a second recency of any
            pairs = sorted(pairs, key=lambda pair: self.recencies.index(pair[1]))[:tries]
        return tuple((option, tuple(r for o, r in pairs if o is option)) for option in self.options if any(o is option for o, _ in pairs))


def families(n_active: int, features: ItemFeatures | None, *, ordered: bool, ease_items: int, seed: int) -> Mapping[str, Family]:
    """Return the models that fit a set of `n_active` items with events: EASE up to `ease_items` of them, popularity of late and
    transitions where order means something, content where something is known of the items."""
    recent = (0.8, 0.9, 1.0, 0.7) if ordered else (1.0,)
    found = {
        "popularity": Family(Popularity),
        "recent_popularity": Family(Popularity, [{"half_life_days": days} for days in (30, 7, 90, 14, 3, 180, 365, 60)]),
        "item_knn": Family(ItemKnn, [{"weighting": "bm25"}, {"weighting": "tfidf"}, {"weighting": "cosine"}], recent),
        "user_knn": Family(UserKnn, [{"k": 50}, {"k": 150}, {"k": 400}], recent),
        "rp3beta": Family(Rp3Beta, [{"beta": 0.4}, {"alpha": 0.5, "beta": 0.15, "k": 400}, {"beta": 0.6}], recent),
        "ease": Family(Ease, [{"regularisation": 500.0}, {"regularisation": 200.0}], recent),
        "als": Family(partial(Als, seed=seed), _als_options(n_active), recent[:2] if ordered else recent),
        "transition_knn": Family(TransitionKnn, _transition_options()),
    }
    if features is not None:
        found["content_knn"] = Family(partial(ContentKnn, features), ({},), recent)
    if n_active > ease_items:
        del found["ease"]
    if not ordered:
        del found["recent_popularity"], found["transition_knn"]
    return MappingProxyType(found)


def _als_options(n_active: int) -> list[dict[str, Any]]:
    """More factors where there are more items; what regularisation does depends on the density."""
    few, many = (64, 128) if n_active < 20_000 else (128, 256)
    tried = [(few, 10.0, 5.0), (many, 10.0, 5.0), (few, 1.0, 5.0), (many, 30.0, 20.0), (many, 10.0, 20.0), (many, 100.0, 100.0)]
    return [{"factors": factors, "regularisation": value, "alpha": alpha} for factors, value, alpha in tried]


def _transition_options() -> list[dict[str, Any]]:
    names = ("window", "backward", "damping", "damping_from", "recency")
    tried = [(10, 0.3, 0.3, 0.5, 0.65), (20, 0.3, 0.3, 0.5, 0.8), (10, 0.25, 0.1, 0.3, 0.6), (10, 1.0, 0.5, 0.5, 0.8)]
    tried += [(5, 0.1, 0.3, 0.5, 0.5), (10, 0.0, 0.3, 0.5, 0.5), (20, 0.5, 0.5, 0.5, 0.8), (5, 0.3, 0.3, 0.5, 0.65)]
    return [dict(zip(names, values, strict=True)) for values in tried]
