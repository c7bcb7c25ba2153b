from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.errors import NotAllowed
from scenewise.store.types import Profile, Taste, UserId
from scenewise.tools.profile.tastes import change_taste

USER = UserId("u")


def test_a_like_replaces_the_dislike_of_the_same_thing() -> None:
    before = Profile(USER, likes=(Taste("genre", "Jazz"),), dislikes=(Taste("genre", "Horror"), Taste("mood", "dark")))
    after = change_taste(before, "like", Taste("genre", "HORROR", time_s=5.0))
    assert after.likes == (Taste("genre", "Jazz"), Taste("genre", "HORROR", time_s=5.0))
    assert after.dislikes == (Taste("mood", "dark"),)


def test_the_same_value_of_another_attribute_is_another_taste() -> None:
    before = Profile(USER, dislikes=(Taste("topic", "war"),))
    assert change_taste(before, "like", Taste("genre", "war")).dislikes == before.dislikes


def test_remove_takes_a_taste_from_either_side() -> None:
    before = Profile(USER, likes=(Taste("genre", "Jazz"),), dislikes=(Taste("genre", "Horror"),))
    assert change_taste(before, "remove", Taste("genre", "jazz")).likes == ()
    assert change_taste(before, "remove", Taste("genre", "horror")).dislikes == ()
    assert change_taste(before, "remove", Taste("genre", "rock")) == before


@pytest.mark.parametrize("action", ["like", "remove"])
def test_a_locked_taste_is_not_changed(action: str) -> None:
    before = Profile(USER, dislikes=(Taste("genre", "Horror", locked=True),))
    with pytest.raises(NotAllowed):
        change_taste(before, action, Taste("genre", "horror"))  # type: ignore[arg-type]
    assert change_taste(before, "dislike", Taste("genre", "horror", time_s=9.0)) == before


tastes = st.builds(
    Taste, st.sampled_from(["genre", "mood"]), st.sampled_from(["a", "A", "b", "c"]), time_s=st.floats(0, 9), locked=st.just(False)
)


@given(st.lists(st.tuples(st.sampled_from(["like", "dislike", "remove"]), tastes), max_size=12))
def test_a_thing_is_kept_once_and_as_last_said(steps: list[tuple[str, Taste]]) -> None:
    profile, last = Profile(USER), {}
    for action, taste in steps:
        profile = change_taste(profile, action, taste)  # type: ignore[arg-type]
        last[taste.attribute, taste.value.casefold()] = action
    likes = {(t.attribute, t.value.casefold()) for t in profile.likes}
    dislikes = {(t.attribute, t.value.casefold()) for t in profile.dislikes}
    assert len(likes) == len(profile.likes)
    assert likes == {key for key, action in last.items() if action == "like"}
    assert dislikes == {key for key, action in last.items() if action == "dislike"}
