"""How a profile changes when a user says what they like, dislike, or no longer care about."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from scenewise.store.errors import NotAllowed
from scenewise.store.types import Profile, Taste

Action = Literal["like", "dislike", "remove"]


def change_taste(profile: Profile, action: Action, taste: Taste) -> Profile:
    """Return the profile with a taste liked, disliked or removed; a like replaces the dislike of the same thing, and the reverse.

    Values are compared casefolded. Saying again what is kept renews its time. Raises NotAllowed where the taste is locked and the change
    would alter it.
    """
    likes, dislikes = _without(profile.likes, taste), _without(profile.dislikes, taste)
    kept = "like" if len(likes) < len(profile.likes) else "dislike" if len(dislikes) < len(profile.dislikes) else None
    if kept is not None and _is_locked(profile, taste):
        if kept == action:
            return profile
        raise NotAllowed("This taste is locked; unlock it in the profile first.")
    if action == "like":
        likes = (*likes, taste)
    elif action == "dislike":
        dislikes = (*dislikes, taste)
    return replace(profile, likes=likes, dislikes=dislikes)


def _without(tastes: tuple[Taste, ...], taste: Taste) -> tuple[Taste, ...]:
    return tuple(other for other in tastes if not _is_same(other, taste))


def _is_same(a: Taste, b: Taste) -> bool:
    return a.attribute == b.attribute and a.value.casefold() == b.value.casefold()


def _is_locked(profile: Profile, taste: Taste) -> bool:
    return any(other.locked and _is_same(other, taste) for other in (*profile.likes, *profile.dislikes))
