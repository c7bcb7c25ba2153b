"""Attacks in what is stored of a user: an import or another program may have written anything."""

from __future__ import annotations

import pytest
from attacks.conftest import World, told
from attacks.writing import Case, cases

from scenewise import Profile, ScriptedModel, Taste, UserId


@pytest.mark.parametrize("case", cases("profile"), ids=lambda case: case.name)
def test_a_hostile_profile_orders_nothing(world: World, case: Case) -> None:
    user = UserId("dan")
    taste = Taste(case.entry["attribute"], case.text)
    locked = Taste(case.entry["attribute"], case.text + " ", locked=True)
    profile = Profile(user, likes=(taste,), dislikes=(locked,), constraints={"max_duration_min": case.text, case.text: "1"})
    with world.profile(profile), world.model(ScriptedModel(texts=[case.text[:150]])) as model:
        turn = world.agent.turn("a film about space", user)
        world.check(turn, user=user, never=[case.text])
    assert turn.items
    assert case.text not in told(model)
    world.check_prompts(model)
