"""Whom copy is for: a user, a segment, or nobody in particular; and what may then be said of an item."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from scenewise.agent.slate import LIKED, TELLING, fits, liked_start, preferred_values
from scenewise.store.errors import InputError, NotFound, RetryTool
from scenewise.store.persons import history_of, person_of, profile_of
from scenewise.store.types import Item, ItemId, Moment, Profile, Taste, UserId
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.context import TurnContext
from scenewise.tools.copywriter.channels import Locale
from scenewise.tools.copywriter.evidence import EvidenceRow, evidence_for
from scenewise.tools.copywriter.template import taste_clause
from scenewise.tools.graph.seeds import liked_items
from scenewise.tools.profile.tool import resolve
from scenewise.tools.scene.reading import SceneReading
from scenewise.tools.toolbox import Toolbox

MAX_LIKES, MAX_ROWS = 200, 16  # of a segment; of an item, where a list's entry has twelve: descriptions tell more
_NO_CLAUSE = frozenset({"item", "domain"})


@dataclass(frozen=True, slots=True)
class Segment:
    """A group of users by what they like: attribute ("genre", "creator", "item", ...) to values; items by title or id."""

    name: str
    likes: Mapping[str, tuple[str, ...]]


Audience = Segment | str | None
"""A segment, a user's id, or nobody in particular."""


def read_segment(path: Path) -> Segment:
    """Read a segment from TOML, or from JSON where the name ends so: `name`, and under `likes` attributes with their values.

    Raises NotFound where there is no file, InputError naming what is wrong with it.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError as error:
        raise NotFound(f"there is no segment file {path.name}") from error
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path.name} cannot be read: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: cannot be read as UTF-8 text") from error
    if not isinstance(data, dict) or not {*data} <= {"name", "likes"} or not isinstance(data.get("name", ""), str):
        raise InputError(f'{path.name}: a segment has a name and likes, for example likes = {{ genre = ["Comedy"] }}')
    return Segment(data.get("name") or path.stem, MappingProxyType(dict(_likes(data.get("likes"), path.name))))


def _likes(data: object, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not isinstance(data, dict) or not data:
        raise InputError(f'{name}: likes is a table of attributes, each with a list of values: genre = ["Comedy"]')
    for attribute, values in data.items():
        if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
            raise InputError(f'{name}: likes.{attribute} is a list of texts: {attribute} = ["..."]')
        yield attribute, tuple(values)


@dataclass(frozen=True)
class Readers:
    """Whom the copy is for, as the tools know them: `liked` are items, the best first; `tastes` values by attribute, as stated."""

    context: TurnContext
    liked: tuple[ItemId, ...]
    tastes: Mapping[str, tuple[str, ...]]

    def evidence(self, item: Item, box: Toolbox) -> tuple[EvidenceRow, ...]:
        """What may be said of an item to these readers: what it is, what joins it to what they like, and the scene where it suits that."""
        context, locale = self.context, "zh" if self.context.moment.locale == "zh" else "en"
        others = [liked for liked in self.liked if liked != item.item_id]
        path = box.graph.path(others, item.item_id, max_hops=2, locale=locale) if others else None
        path = path if path is not None and path.strength >= TELLING else None
        return evidence_for(
            item,
            path=path,
            scene=context.scene.scene if fits(item, context, box) else None,
            fits=preferred_values(item, context, box),
            history=liked_start(path, context, box),
            tastes=list(self._clauses(item, locale)),
            most=MAX_ROWS,
        )

    def _clauses(self, item: Item, locale: str) -> Iterator[str]:
        """What of the item is a stated taste, the latest first."""
        has = {(name.casefold(), value.casefold()): value for name, values in item.attributes.items() for value in values}
        for attribute, values in self.tastes.items():
            for value in values:
                if (shown := has.get((attribute.casefold(), value.casefold()))) is not None:
                    yield taste_clause(attribute.casefold(), shown, item.domain, locale=locale)


def readers_of(audience: Audience, scene: str | None, box: Toolbox, *, locale: Locale, now_s: float, seed: int) -> Readers:
    """Look an audience up in the store.

    Raises NotFound for an unknown scene, InputError for an empty user id or a segment that likes what the catalogue does not have.
    A user that the store does not know is nobody in particular.
    """
    name = box.pack.get(scene).name if scene is not None else None
    profile = Profile(UserId("nobody"))
    if isinstance(audience, Segment):
        profile = Profile(UserId(f"segment {audience.name}"), likes=_stated(audience, box))
    elif audience is not None:
        if not audience.strip():
            raise InputError("a user id cannot be empty: leave it out for nobody in particular")
        profile = profile_of(box.store, person_of(box.store, UserId(audience)))
    known = isinstance(audience, str) and box.store.users.exists(profile.user_id)
    context = TurnContext(
        user_id=profile.user_id if isinstance(audience, str) else None,
        message="",
        moment=Moment(locale=locale),
        scene=SceneReading(name, 1.0, {name or "none": 1.0}),
        profile=profile,
        history=history_of(box.store, profile.user_id) if known else (),
        constraints=Constraints(),
        allowed=np.ones(box.catalogue.n, dtype=np.bool_),
        now_s=now_s,
        seed=seed,
    )
    stated = [ItemId(taste.value) for taste in reversed(profile.likes) if taste.attribute == "item"]
    tastes: dict[str, tuple[str, ...]] = {}
    for taste in reversed(profile.likes):
        if taste.attribute not in _NO_CLAUSE:
            tastes[taste.attribute] = (*tastes.get(taste.attribute, ()), taste.value)
    return Readers(context, tuple(dict.fromkeys([*stated, *list(liked_items(context.history))[:LIKED]])), tastes)


def _stated(segment: Segment, box: Toolbox) -> tuple[Taste, ...]:
    """A segment's likes with the catalogue's own values."""
    pairs = [(attribute, value) for attribute, values in segment.likes.items() for value in values]
    if len(pairs) > MAX_LIKES:
        raise InputError(f"a segment has at most {MAX_LIKES} likes")
    try:
        return tuple(Taste(attribute, resolve(box.catalogue, attribute, value)) for attribute, value in pairs)
    except RetryTool as error:
        raise InputError(f"segment: {error}") from error
