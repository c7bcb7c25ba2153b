"""What is kept of a user: to read, to edit, to lock, to take along, to have forgotten; and who they are on other platforms."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from scenewise.agent.agent import Agent
from scenewise.service.api.access import Asking, Caller, acting_user
from scenewise.service.api.schemas import Done, IdentityIn, LockIn, ProfileOut, TasteIn, UserOut, profile_out
from scenewise.store.errors import NotFound
from scenewise.store.persons import person_of, profile_of
from scenewise.store.types import UserId

UserKey = Annotated[str, Path(min_length=1, max_length=512)]


def user_routes(agent: Agent) -> APIRouter:
    """The routes under /v1/users; a key that is bound to a user reaches that person only."""
    router = APIRouter(prefix="/v1/users/{user_id}", tags=["users"])

    def whom(caller: Caller, user_id: str) -> UserId:
        acting_user(agent, caller, user_id)
        return person_of(agent.store, UserId(user_id))

    @router.get("")
    def show(user_id: UserKey, caller: Asking) -> UserOut:
        """Show a user's profile and identities, and how much else is kept of them."""
        user, store = whom(caller, user_id), agent.store
        identities = [{"platform": platform, "user_id": own_id} for platform, own_id in store.users.identities(user)]
        return UserOut(
            user_id=user,
            attributes=store.users.attributes(user),
            identities=identities,
            profile=profile_out(profile_of(store, user)),
            events=len(store.events.of_user(user)),
            conversations=len(store.turns.conversations(user)),
        )

    @router.post("/profile")
    def edit(user_id: UserKey, body: TasteIn, caller: Asking) -> ProfileOut:
        """Keep that a user likes or dislikes something, or take it out of their profile; it counts in the next turn."""
        return profile_out(agent.edit_profile(whom(caller, user_id), body.action, body.attribute, body.value))

    @router.put("/profile/lock")
    def lock(user_id: UserKey, body: LockIn, caller: Asking) -> ProfileOut:
        """Lock a taste of the profile, so that no conversation changes it, or unlock it."""
        return profile_out(agent.lock_taste(whom(caller, user_id), body.attribute, body.value, locked=body.locked))

    @router.get("/export")
    def export(user_id: UserKey, caller: Asking) -> dict[str, Any]:
        """Give all that is kept of a user."""
        return agent.export_user(whom(caller, user_id))

    @router.delete("")
    def forget(user_id: UserKey, caller: Asking) -> Done:
        """Delete everything of a user and their identities, and overwrite it."""
        if not agent.forget_user(whom(caller, user_id)):
            raise NotFound("nothing is kept of a user with this id")
        return Done(changed=1)

    @router.post("/identities")
    def link(user_id: UserKey, body: IdentityIn, caller: Asking) -> Done:
        """Say that a user, who has agreed to it, is somebody on another platform: what the two did and like then counts together."""
        agent.link_user(whom(caller, user_id), body.platform, body.platform_user_id)
        return Done(changed=1)

    @router.delete("/identities/{platform}/{platform_user_id}")
    def unlink(user_id: UserKey, platform: UserKey, platform_user_id: UserKey, caller: Asking) -> Done:
        """Part an identity from its user, with what was done under it."""
        if agent.store.users.resolve(platform, platform_user_id) != whom(caller, user_id):
            raise NotFound("this identity is not linked to this user")
        agent.unlink_user(platform, platform_user_id)
        return Done(changed=1)

    return router
