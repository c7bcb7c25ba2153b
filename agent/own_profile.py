"""What users change of their own profiles. The functions that take an Agent are its methods (agent/agent.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewise.store.persons import person_of
from scenewise.store.types import Profile, Taste, UserId
from scenewise.tools.profile.tastes import Action, change_taste, lock
from scenewise.tools.profile.tool import resolve

if TYPE_CHECKING:
    from scenewise.agent.agent import Agent


def edit_profile(agent: Agent, user_id: str, action: Action, attribute: str, value: str) -> Profile:
    """Let a user like, dislike or remove something in their profile; it counts in the next turn.

    `attribute` is "item" (value: an id or a title), "domain" or an attribute of the catalogue. Raises RetryTool for a value that the
    catalogue does not have, NotAllowed where the taste is locked.
    """
    user, catalogue = person_of(agent.store, UserId(user_id)), agent.toolbox().catalogue
    taste = Taste(attribute, resolve(catalogue, attribute, value), source="edited", time_s=agent._clock())
    with agent.store.transaction():
        profile = change_taste(agent.store.profiles.get(user), action, taste)
        agent.store.profiles.save(profile)
    return profile


def lock_taste(agent: Agent, user_id: str, attribute: str, value: str, *, locked: bool = True) -> Profile:
    """Lock a taste, so that no conversation changes it, or unlock it. Raises NotFound where the profile has none such."""
    user = person_of(agent.store, UserId(user_id))
    with agent.store.transaction():
        profile = lock(agent.store.profiles.get(user), attribute, value, locked=locked)
        agent.store.profiles.save(profile)
    return profile
