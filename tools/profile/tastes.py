"""How a profile changes when a user says what they like, dislike, or no longer care about."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from scenewise.store.errors import NotAllowed, NotFound
from scenewise.store.types import Profile, Taste

Action = Literal["like", "dislike", "remove"]


def change_taste(profile: Profile, action: Action, taste: Taste) -> Profile:
    """Return the profile with a taste liked, disliked or removed; a like replaces the dislike of the same thing, and the reverse.

    Values are compared casefolded. Saying again what is kept renews its time. Raises NotAllowed where the taste is locked and the change
    would alter it, or would say the contrary of a locked one of another attribute ("comedy" as genre and as topic).
    """
    likes, dislikes = _without(profile.likes, taste), _without(profile.dislikes, taste)
    if (locked := _locked_side(profile, taste)) is not None:
        if locked != action:
            raise NotAllowed("This taste is locked; unlock it in the profile first.")
        if len(likes) < len(profile.likes) or len(dislikes) < len(profile.dislikes):
            return profile
    if action == "like":
        likes = (*likes, taste)
    elif action == "dislike":
        dislikes = (*dislikes, taste)
    return replace(profile, likes=likes, dislikes=dislikes)


def lock(profile: Profile, attribute: str, value: str, *, locked: bool = True) -> Profile:
    """Return the profile with a taste locked or unlocked. Raises NotFound where it has none such."""

    def marked(tastes: tuple[Taste, ...]) -> tuple[Taste, ...]:
        return tuple(replace(taste, locked=locked) if _is_same(taste, Taste(attribute, value)) else taste for taste in tastes)

    if not any(_is_same(taste, Taste(attribute, value)) for taste in (*profile.likes, *profile.dislikes)):
        raise NotFound("The profile has no such taste.")
    return replace(profile, likes=marked(profile.likes), dislikes=marked(profile.dislikes))


def _without(tastes: tuple[Taste, ...], taste: Taste) -> tuple[Taste, ...]:
    return tuple(other for other in tastes if not _is_same(other, taste))


def _is_same(a: Taste, b: Taste) -> bool:
    return a.attribute == b.attribute and a.value.casefold() == b.value.casefold()


def _locked_side(profile: Profile, taste: Taste) -> Literal["like", "dislike"] | None:
    """On which side a locked taste of the same word stands."""
    word = taste.value.casefold()
    if any(other.locked and other.value.casefold() == word for other in profile.likes):
        return "like"
    return "dislike" if any(other.locked and other.value.casefold() == word for other in profile.dislikes) else None
