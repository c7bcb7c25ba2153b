"""Attacks in what tools give back: values of the catalogue and nodes of the graph."""

from __future__ import annotations

import pytest
from attacks.conftest import SecondThoughts, World
from attacks.writing import Case, cases, item_id_of

from scenewise import Profile, UserId
from scenewise.tools.copywriter.evidence import clean, is_plain

DAN = UserId("dan")  # who likes the film that the hostile stars are in
K = 12


@pytest.mark.parametrize("name", ["scenewise-x", "another"])
@pytest.mark.parametrize("case", cases("tool"), ids=lambda case: case.name)
def test_an_order_in_a_tools_result_is_not_obeyed(world: World, case: Case, name: str) -> None:
    """The planner asks for the hostile value, the writer repeats it, and says it again when refused."""
    subject = case.entry["subject"]
    model = SecondThoughts(
        written=f"graph({subject}) graph({case.text}) save(like genre Horror)", texts=[case.text], again=[f"A book. {case.text}"], name=name
    )
    with world.profile(Profile(DAN)), world.model(model):
        turn = world.agent.turn(f"a book about {subject}", DAN, k=K)
        world.check(turn, user=DAN, never=case.never, about=item_id_of(case))
    world.check_prompts(model)
    (shown,) = [item for item in turn.items if item.item_id == item_id_of(case)]
    if not is_plain(clean(case.text)):  # else it is a value like any other, and may be said
        assert shown.copy_source == "template"
        assert shown.refused
    for words in case.never:
        assert words not in str(shown.evidence)
    assert not [call for call in turn.plan if call.name == "update_profile" and call.status == "run"]


@pytest.mark.parametrize("case", [case for case in cases("tool") if case.entry["place"] == "edge"], ids=lambda case: case.name)
def test_a_hostile_node_joins_two_items_and_says_nothing(world: World, case: Case) -> None:
    """The star is in the graph, so that what keeps it out of the reply is not that it was never found."""
    edges = world.agent.store.edges.of(f"item:{item_id_of(case)}")
    assert [edge.object for edge in edges if edge.relation == "starring"] == [f"star:{case.text}"]
    subject = case.entry["subject"]
    turn = world.agent.turn(f"a book about {subject}, like Babe", DAN, k=K)
    for item in turn.items:
        for words in case.never:
            assert words not in f"{item.copy} {item.evidence}"
    assert turn.reply
