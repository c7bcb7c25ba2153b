from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scenewise.agent.plan_request import PlanRequest


def said(*texts: str) -> tuple[dict[str, str], ...]:
    return tuple({"role": "user", "content": text} for text in texts)


def test_the_prompt_has_a_line_for_each_thing_known() -> None:
    request = PlanRequest(said("a funny film", "and for kids?"), "family_evening", "likes Fargo", ("Heat", "Fargo"))
    system, user = request.prompt_messages()
    assert system["role"] == "system"
    assert user["content"].split("\n") == [
        "[list] 1 Heat | 2 Fargo",
        "[scene] family evening",
        "[profile] likes Fargo",
        "[before] a funny film",
        "[new] and for kids?",
    ]


def test_what_is_not_known_takes_no_line() -> None:
    assert PlanRequest(said("hi")).prompt_messages()[1]["content"] == "[new] hi"


def test_only_the_users_own_last_messages_count_and_no_more_than_three() -> None:
    talk = ({"role": "user", "content": "one"}, {"role": "assistant", "content": "SECRET"}, *said("two", "three", "four"))
    assert PlanRequest(talk).prompt_messages()[1]["content"] == "[before] two | three\n[new] four"


@given(st.text(max_size=500), st.text(max_size=200), st.text(max_size=200))
def test_no_text_opens_a_line_of_its_own(message: str, title: str, profile: str) -> None:
    content = PlanRequest(said(message), "focus", profile, (title, "x")).prompt_messages()[1]["content"]
    marks = [line.partition("]")[0] for line in content.split("\n")]
    assert marks == [mark for mark in ("[list", "[scene", "[profile", "[new") if mark in marks]
    assert content.count("[") == len(marks)
    assert "<|" not in content


def test_long_texts_are_cut() -> None:
    content = PlanRequest(said("a " * 400), last_items=["t" * 200] * 20).prompt_messages()[1]["content"]
    assert len(content) < 400 + 8 * 70
